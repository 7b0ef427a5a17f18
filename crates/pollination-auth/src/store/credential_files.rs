//! Files as the source of an API token, as Kubernetes, Docker and systemd mount them: read, and
//! never written.
//!
//! When they are read is decided in `source`.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use zeroize::Zeroizing;

use crate::credential::api_token::{
    ApiToken, ApiTokenId, CredentialError, Part, entered_id, entered_secret,
};
use crate::foundation::secret::Secret;

/// The longest file that is read: 16 KiB, several times the longest id or secret.
const FILE_LIMIT: usize = 16 * 1024;

/// How often to read a pair that is replaced meanwhile: 4 times. A mount is replaced once a minute
/// at most.
const READS: u32 = 4;

/// Where the two parts of an API token are.
#[derive(Clone)]
pub(crate) struct CredentialFiles {
    pub(crate) id: Given<ApiTokenId>,
    pub(crate) secret: Given<Secret>,
    warned: Arc<AtomicBool>,
}

/// A part of an API token, or the file that it is read from.
#[derive(Clone)]
pub(crate) enum Given<T> {
    Value(T),
    File(PathBuf),
}

impl CredentialFiles {
    pub(crate) fn new(id: Given<ApiTokenId>, secret: Given<Secret>) -> Self {
        Self {
            id,
            secret,
            warned: Arc::default(),
        }
    }

    /// Reads the API token as it is now. It blocks.
    ///
    /// Both parts are of one moment: a file that is replaced meanwhile is read again.
    pub(crate) fn read(&self) -> Result<ApiToken, CredentialFileError> {
        self.read_beside(|| {})
    }

    /// Reads the API token; a test replaces the files after the first one was read.
    fn read_beside(&self, between: impl Fn()) -> Result<ApiToken, CredentialFileError> {
        let mut read = self.read_once(&between);
        for _ in 1..READS {
            if read.is_ok() {
                break;
            }
            read = self.read_once(&between);
        }
        read
    }

    fn read_once(&self, between: impl Fn()) -> Result<ApiToken, CredentialFileError> {
        let mut seen = Vec::new();
        let id = match &self.id {
            Given::Value(id) => id.clone(),
            Given::File(path) => self.part(path, Part::Id, &mut seen, entered_id)?,
        };
        between();
        let secret = match &self.secret {
            Given::Value(secret) => secret.clone(),
            Given::File(path) => self.part(path, Part::Secret, &mut seen, entered_secret)?,
        };
        for (path, when_read) in seen {
            let now = std::fs::metadata(path).map_err(|error| failed(path, error))?;
            if Version::of(&now) != when_read {
                return Err(wrong(path, Problem::Changing));
            }
        }
        Ok(ApiToken::of(id, secret))
    }

    /// Reads a part and records the version of its file.
    fn part<'a, T>(
        &self,
        path: &'a Path,
        part: Part,
        seen: &mut Vec<(&'a Path, Version)>,
        check: impl FnOnce(&str) -> Result<T, CredentialError>,
    ) -> Result<T, CredentialFileError> {
        let (bytes, metadata) = read_file(path)?;
        self.warn_if_readable_by_all(path, &metadata);
        seen.push((path, Version::of(&metadata)));
        let text =
            std::str::from_utf8(&bytes).map_err(|_bytes| CredentialError::not_unicode(part, None));
        text.and_then(check)
            .map_err(|error| wrong(path, Problem::Content(error)))
    }

    fn warn_if_readable_by_all(&self, path: &Path, metadata: &Metadata) {
        if system::is_readable_by_all(metadata) && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                file = %path.display(),
                "every user of this machine can read this file of an API token; mount it with \
                 mode 0400 or 0440"
            );
        }
    }
}

/// Reads a file to its end, following links: a mount consists of them.
fn read_file(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Metadata), CredentialFileError> {
    let failed = |error| failed(path, error);
    let open = system::open(path).map_err(failed)?;
    let metadata = open.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(wrong(path, Problem::NotAFile));
    }
    system::check(&metadata).map_err(|problem| wrong(path, problem))?;
    // Allocated at full size, because growing would leave copies that nobody wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_LIMIT + 1));
    let most = u64::try_from(FILE_LIMIT + 1).unwrap_or(u64::MAX);
    open.take(most).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > FILE_LIMIT {
        return Err(wrong(path, Problem::TooLong));
    }
    Ok((bytes, metadata))
}

/// Distinguishes a file from its replacement, and from itself with other content.
#[derive(PartialEq, Eq)]
struct Version {
    file: Option<(u64, u64)>,
    length: u64,
    modified: Option<std::time::SystemTime>,
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        Self {
            file: system::identity(metadata),
            length: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }
}

/// Error of a file that an API token is read from: which file, and what is wrong with it.
///
/// It never shows what is in the file.
///
/// ```
/// use std::error::Error as _;
/// use pollination_auth::{Client, CredentialFileError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder().api_token_files("/no/such/id", "/no/such/secret").build()?;
/// if let Err(error) = client.login().await {
///     let file = error.source().and_then(|source| source.downcast_ref::<CredentialFileError>());
///     assert_eq!(file.map(|file| file.path().to_str()), Some(Some("/no/such/id")));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CredentialFileError {
    path: PathBuf,
    problem: Problem,
}

#[derive(Clone, Debug)]
enum Problem {
    Failed(Arc<io::Error>),
    NotAFile,
    #[cfg(unix)]
    ForeignOwner,
    #[cfg(unix)]
    WritableByOthers,
    TooLong,
    Content(CredentialError),
    Changing,
}

impl CredentialFileError {
    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for CredentialFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.problem {
            Problem::Failed(error) => write!(f, "{path} can't be read: {error}"),
            Problem::NotAFile => write!(f, "{path} is not a regular file"),
            #[cfg(unix)]
            Problem::ForeignOwner => {
                write!(f, "{path} belongs to another user who is not root")
            }
            #[cfg(unix)]
            Problem::WritableByOthers => {
                write!(
                    f,
                    "{path} is writable by others; make it read-only for them"
                )
            }
            Problem::TooLong => write!(f, "{path} is longer than {FILE_LIMIT} bytes"),
            Problem::Content(error) => write!(f, "{path}: {error}"),
            Problem::Changing => write!(f, "{path} was replaced each time while it was read"),
        }
    }
}

impl std::error::Error for CredentialFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Failed(error) => Some(error.as_ref()),
            Problem::Content(error) => Some(error),
            _ => None,
        }
    }
}

fn wrong(path: &Path, problem: Problem) -> CredentialFileError {
    CredentialFileError {
        path: path.to_owned(),
        problem,
    }
}

fn failed(path: &Path, error: io::Error) -> CredentialFileError {
    wrong(path, Problem::Failed(Arc::new(error)))
}

#[cfg(unix)]
mod system {
    use std::fs::OpenOptions;
    use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

    use rustix::fs::OFlags;

    use super::{File, Metadata, Path, Problem, io};

    /// The user who makes the mounts.
    const ROOT: u32 = 0;

    /// The bits with which others than the owner can write.
    const OTHERS_WRITE: u32 = 0o022;

    /// The bit with which everyone can read.
    const EVERYONE_READS: u32 = 0o004;

    /// Opens a file, and does not wait for the other end of a pipe.
    pub(super) fn open(path: &Path) -> io::Result<File> {
        let flags = OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut options = OpenOptions::new();
        options.custom_flags(flags.bits().cast_signed());
        options.read(true).open(path)
    }

    /// The group may read: that is how a mount reaches a process that is not root.
    pub(super) fn check(metadata: &Metadata) -> Result<(), Problem> {
        let own = rustix::process::geteuid().as_raw();
        if ![ROOT, own].contains(&metadata.uid()) {
            Err(Problem::ForeignOwner)
        } else if metadata.mode() & OTHERS_WRITE != 0 {
            Err(Problem::WritableByOthers)
        } else {
            Ok(())
        }
    }

    pub(super) fn is_readable_by_all(metadata: &Metadata) -> bool {
        metadata.mode() & EVERYONE_READS != 0
    }

    pub(super) fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
        Some((metadata.dev(), metadata.ino()))
    }
}

#[cfg(not(unix))]
mod system {
    use super::{File, Metadata, Path, Problem, io};

    pub(super) fn open(path: &Path) -> io::Result<File> {
        File::open(path)
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "on Unix there is something to check"
    )]
    pub(super) fn check(_: &Metadata) -> Result<(), Problem> {
        Ok(())
    }

    pub(super) fn is_readable_by_all(_: &Metadata) -> bool {
        false
    }

    pub(super) fn identity(_: &Metadata) -> Option<(u64, u64)> {
        None
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
