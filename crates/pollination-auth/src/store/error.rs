//! What can be wrong with a store or with what stands in it; never a word of a document.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::kind::Document;
use crate::credential::profile_id::ProfileId;

/// Says why a store can't be used; no secret is in it, nor in its sources.
///
/// Nothing was changed by what failed in reading, and nothing is repaired by itself.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum StoreError {
    /// The place that keeps it failed.
    Failed {
        /// What was tried, such as `write the file`.
        doing: &'static str,
        /// What the place said.
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// It may not be trusted: others can read or change it, or it is no plain file.
    Unsafe {
        /// Which file or directory.
        what: String,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// It is not a whole document.
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
        /// The version that it says it has.
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
        /// The most bytes that the store takes.
        limit: usize,
    },
    /// What was read back is not what was written.
    NotKept {
        /// Which document.
        document: Document,
    },
    /// Somebody else holds the lock.
    Locked,
    /// The lock has ended before its work was done; nothing was written.
    ///
    /// A lock that is a lease ends while the machine is suspended, for example.
    LockLost,
    /// The stored credential is not the one that was expected; nothing was written.
    ///
    /// Somebody else has stored another one meanwhile. Read it again.
    Changed,
    /// A rotation is under way, or was interrupted; recover it first.
    RotationUnfinished,
    /// No credential is stored for this host and profile.
    Empty {
        /// The host and the profile's name.
        profile: ProfileId,
    },
}

impl StoreError {
    /// Says that the place failed; for those who implement a store.
    ///
    /// The source is shown to people: it must not hold a secret.
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
