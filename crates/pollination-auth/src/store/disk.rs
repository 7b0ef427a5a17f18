//! The single steps on a disk that a file store is made of, and the real disk.
//!
//! Which steps make a document last, and in which order, is decided in `file`. Here a file that
//! others could have put there, or can read, is refused.

#[cfg(unix)]
mod unix;

use std::any::Any;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{DOCUMENT_LIMIT, StoreError};

/// One step on the disk, as a test sees it that ends the process there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskStep<'a> {
    /// What the step does.
    pub kind: DiskStepKind,
    /// The file that it is done to; empty for the directory.
    pub file: &'a str,
    /// Whether it has been done.
    pub done: bool,
}

/// What a step on the disk does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiskStepKind {
    /// Writes a new file.
    Write,
    /// Waits until a file's content is on the disk.
    Sync,
    /// Puts a file in the place of another.
    Rename,
    /// Removes a file.
    Remove,
    /// Waits until the names in the directory are on the disk.
    SyncDirectory,
}

/// How a file has to be protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// Nobody else may read it.
    Private,
    /// Others may read it, and none may change it.
    Readable,
}

/// The second step of a write: it waits until the content is on the disk.
///
/// It is asked of the very file that was written: to another opening of it the system need not tell
/// that the disk failed.
pub(super) type Written<'a> = Box<dyn FnOnce() -> Result<(), StoreError> + 'a>;

/// A lock on a file until it is dropped.
pub(super) type DiskLock = Box<dyn Any + Send>;

/// The steps; a test puts its own disk in.
pub(super) trait Disk: Send + Sync + 'static {
    fn read(
        &self,
        file: &str,
        protection: Protection,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError>;
    /// Makes a file that is not there yet, for this user alone.
    ///
    /// It is on the disk when the second step is taken, too.
    fn write<'a>(&'a self, file: &'a str, bytes: &[u8]) -> Result<Written<'a>, StoreError>;
    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError>;
    /// Removes a file, and says whether there was one.
    fn remove(&self, file: &str) -> Result<bool, StoreError>;
    fn sync_directory(&self) -> Result<(), StoreError>;
    fn files(&self) -> Result<Vec<String>, StoreError>;
    fn try_lock(&self, file: &str) -> Result<Option<DiskLock>, StoreError>;
}

/// A directory of the real disk.
pub(super) struct RealDisk {
    directory: PathBuf,
}

/// Lets go of the lock when it is dropped, and does not leave that to the closing of the file.
///
/// A child that is being started has a copy of every open file for a moment, and its copy would go on
/// holding the lock.
struct HeldLock(fs::File);

impl Drop for HeldLock {
    fn drop(&mut self) {
        // Where it fails, the closing lets go of it as ever.
        let _closed_at_last = fs4::FileExt::unlock(&self.0);
    }
}

impl RealDisk {
    /// Makes the directory if need be, and checks that no one else can write to it.
    pub(super) fn open(directory: PathBuf) -> Result<Self, StoreError> {
        make(&directory).map_err(|error| StoreError::failed("make its directory", error))?;
        let metadata = fs::metadata(&directory)
            .map_err(|error| StoreError::failed("look at its directory", error))?;
        if !metadata.is_dir() {
            return Err(unsafe_path(&directory, "it is no directory"));
        }
        #[cfg(unix)]
        unix::check_directory(&metadata).map_err(|problem| unsafe_path(&directory, problem))?;
        Ok(Self { directory })
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.join(file)
    }
}

impl Disk for RealDisk {
    fn read(
        &self,
        file: &str,
        protection: Protection,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let path = self.path(file);
        let failed = |error| StoreError::failed("read the file", error);
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        unix::do_not_follow(&mut options);
        let open = match options.open(&path) {
            Ok(open) => open,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            #[cfg(unix)]
            Err(error) if unix::is_a_link(&error) => {
                return Err(unsafe_path(&path, "it is a symbolic link"));
            }
            Err(error) => return Err(failed(error)),
        };
        // Asked of what was opened: the name can mean something else by now.
        let metadata = open.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(unsafe_path(&path, "it is no plain file"));
        }
        #[cfg(unix)]
        unix::check_file(&metadata, protection).map_err(|problem| unsafe_path(&path, problem))?;
        #[cfg(not(unix))]
        let _ = protection;
        let mut bytes = Zeroizing::new(Vec::with_capacity(DOCUMENT_LIMIT + 1));
        let most = u64::try_from(DOCUMENT_LIMIT + 1).unwrap_or(u64::MAX);
        open.take(most).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() > DOCUMENT_LIMIT {
            return Err(unsafe_path(&path, "it is longer than any of its kind"));
        }
        Ok(Some(bytes))
    }

    fn write<'a>(&'a self, file: &'a str, bytes: &[u8]) -> Result<Written<'a>, StoreError> {
        let failed = |error| StoreError::failed("write the file", error);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut open = options.open(self.path(file)).map_err(failed)?;
        // A umask can only have taken away what this user needs.
        #[cfg(unix)]
        unix::make_private(&open).map_err(failed)?;
        open.write_all(bytes).map_err(failed)?;
        let failed = |error| StoreError::failed("bring the file to the disk", error);
        Ok(Box::new(move || open.sync_all().map_err(failed)))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        fs::rename(self.path(from), self.path(to))
            .map_err(|error| StoreError::failed("put the file in its place", error))
    }

    fn remove(&self, file: &str) -> Result<bool, StoreError> {
        match fs::remove_file(self.path(file)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::failed("remove the file", error)),
        }
    }

    fn sync_directory(&self) -> Result<(), StoreError> {
        sync(&self.directory)
            .map_err(|error| StoreError::failed("bring the directory to the disk", error))
    }

    fn files(&self) -> Result<Vec<String>, StoreError> {
        let failed = |error| StoreError::failed("list its directory", error);
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            // A name that is no text is not one of ours.
            files.extend(entry.map_err(failed)?.file_name().into_string());
        }
        Ok(files)
    }

    fn try_lock(&self, file: &str) -> Result<Option<DiskLock>, StoreError> {
        let path = self.path(file);
        let failed = |error| StoreError::failed("lock it", error);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            unix::do_not_follow(&mut options);
        }
        let open = match options.open(&path) {
            Ok(open) => open,
            #[cfg(unix)]
            Err(error) if unix::is_a_link(&error) => {
                return Err(unsafe_path(&path, "it is a symbolic link"));
            }
            Err(error) => return Err(failed(error)),
        };
        match fs4::FileExt::try_lock(&open) {
            Ok(()) => Ok(Some(Box::new(HeldLock(open)))),
            Err(fs4::TryLockError::WouldBlock) => Ok(None),
            Err(fs4::TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

/// Makes a directory and those above it, to last when the power fails.
fn make(directory: &Path) -> io::Result<()> {
    let is_new = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let new: Vec<&Path> = directory.ancestors().take_while(is_new).collect();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)?;
    for path in new {
        // The name of a directory is kept by the one above it.
        let above = path.parent().filter(|above| !above.as_os_str().is_empty());
        sync(above.unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

/// Waits until the names in a directory are on the disk.
fn sync(directory: &Path) -> io::Result<()> {
    // Windows has no such call for directories; its renames are written through.
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

fn unsafe_path(path: &Path, problem: &'static str) -> StoreError {
    StoreError::Unsafe {
        what: path.display().to_string(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_53_a_lock_that_was_let_go_is_free_beside_a_copy_of_its_file() {
        let directory = std::env::temp_dir().join(format!("held-lock-{}", std::process::id()));
        let disk = RealDisk::open(directory.clone()).unwrap();
        let lock = disk.try_lock("a.lock").unwrap().unwrap();
        let held: &HeldLock = lock.downcast_ref().unwrap();
        // As a child has it between its fork and its exec.
        let copy = held.0.try_clone().unwrap();
        assert!(disk.try_lock("a.lock").unwrap().is_none());
        drop(lock);
        assert!(disk.try_lock("a.lock").unwrap().is_some());
        drop(copy);
        fs::remove_dir_all(directory).unwrap();
    }
}
