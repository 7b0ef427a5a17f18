//! Error of a credential store, which never shows a word of a document.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::kind::Document;
use crate::credential::profile_id::ProfileId;

/// Error of a credential store. Neither it nor its sources show a secret.
///
/// A failed read has changed nothing, and nothing is repaired automatically.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum StoreError {
    /// The place where the store keeps its documents failed.
    Failed {
        /// The operation, such as `write a file`.
        doing: &'static str,
        /// The error of the place.
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// It can't be trusted: others can read or change it, or it is not a regular file.
    Unsafe {
        /// Which file or directory.
        what: String,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// The document is damaged.
    Corrupt {
        /// Which document.
        document: Document,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A newer version of this program wrote it.
    Newer {
        /// Which document.
        document: Document,
        /// The version of the document.
        version: u64,
    },
    /// It belongs to something else: another host, profile, API token or secret.
    Foreign {
        /// Which document.
        document: Document,
        /// What it belongs to instead.
        problem: &'static str,
    },
    /// The document is too long for the store.
    TooLong {
        /// Which document.
        document: Document,
        /// The maximum length in bytes.
        limit: usize,
    },
    /// The store returned another document than was written.
    NotKept {
        /// Which document.
        document: Document,
    },
    /// Somebody else holds the lock.
    Locked,
    /// The lock expired before the work was done; nothing was written.
    ///
    /// A lock that is a lease can expire while the machine is suspended, for example.
    LockLost,
    /// The stored credential is not the one that was expected; nothing was written.
    ///
    /// Another process has stored a new one meanwhile. Read it again.
    Changed,
    /// A rotation is under way, or was interrupted; recover it first.
    RotationUnfinished,
    /// There is no running Tokio runtime, or it was shut down.
    NoRuntime,
    /// No credential is stored for this host and profile.
    Empty {
        /// The host and the profile's name.
        profile: ProfileId,
    },
}

impl StoreError {
    /// Creates the error of a failed operation; for those who implement a store.
    ///
    /// The source is shown to people: it must not contain a secret.
    #[must_use]
    pub fn failed(doing: &'static str, source: impl StdError + Send + Sync + 'static) -> Self {
        Self::Failed {
            doing,
            source: Arc::new(source),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { doing, source } => {
                write!(f, "the credential store could not {doing}: {source}")
            }
            Self::Unsafe { what, problem } => write!(f, "{what} is not safe to use: {problem}"),
            Self::Corrupt { document, problem } => {
                write!(f, "the stored {} is damaged: {problem}", document.as_str())
            }
            Self::Newer { document, version } => write!(
                f,
                "the stored {} has version {version}, which is newer than this program",
                document.as_str()
            ),
            Self::Foreign { document, problem } => {
                write!(
                    f,
                    "the stored {} does not belong here: {problem}",
                    document.as_str()
                )
            }
            Self::TooLong { document, limit } => write!(
                f,
                "the {} would be longer than the {limit} bytes that the store takes",
                document.as_str()
            ),
            Self::NotKept { document } => {
                write!(
                    f,
                    "the {} that was read back is not the one that was written",
                    document.as_str()
                )
            }
            Self::Locked => f.write_str("another process holds the lock of the credential store"),
            Self::LockLost => {
                f.write_str("the lock of the credential store has ended, and nothing was written")
            }
            Self::Changed => f.write_str(
                "another credential was stored meanwhile, and nothing was written; read it again",
            ),
            Self::RotationUnfinished => {
                f.write_str("a rotation is unfinished; recover it before anything else")
            }
            Self::NoRuntime => f.write_str("there is no running Tokio runtime"),
            Self::Empty { profile } => write!(
                f,
                "no credential is stored for {} (profile {})",
                profile.base_url(),
                profile.name()
            ),
        }
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Failed { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}
