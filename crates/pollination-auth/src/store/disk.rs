//! The single steps on a disk that a file store is made of, and the real disk.
//!
//! Which steps make a document last, and in which order, is decided in `file`. Here a file that
//! others could have put there, or can read, is refused.

#[cfg(not(unix))]
mod portable;
pub(super) mod protection;
#[cfg(unix)]
mod unix;

use std::any::Any;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

#[cfg(not(unix))]
use self::portable as system;
use self::protection::{Protection, unsafe_path};
use self::system::Directory;
#[cfg(unix)]
use self::unix as system;
use super::error::StoreError;
use super::kind::DOCUMENT_LIMIT;

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
pub(super) struct RealDisk(Directory);

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
    /// Opens the directory, creating it if it is missing, and checks that no one else can write to
    /// it or swap it.
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        Directory::open(directory).map(Self)
    }

    /// Returns the directory for one step, if it is still the one that was opened and still safe.
    fn directory(&self) -> Result<&Directory, StoreError> {
        self.0.check()?;
        Ok(&self.0)
    }

    /// Returns the error of a file that can't be opened.
    fn not_opened(&self, file: &str, doing: &'static str, error: io::Error) -> StoreError {
        if system::is_a_link(&error) {
            self.unsafe_file(file, "it is a symbolic link")
        } else {
            StoreError::failed(doing, error)
        }
    }

    fn unsafe_file(&self, file: &str, problem: &'static str) -> StoreError {
        unsafe_path(&self.0.path().join(file), problem)
    }
}

impl Disk for RealDisk {
    fn read(
        &self,
        file: &str,
        protection: Protection,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        const DOING: &str = "read the file";
        let failed = |error| StoreError::failed(DOING, error);
        let open = match self.directory()?.open_file(file) {
            Ok(open) => open,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.not_opened(file, DOING, error)),
        };
        // Asked of what was opened: the name can mean something else by now.
        let metadata = open.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(self.unsafe_file(file, "it is no plain file"));
        }
        system::check_file(&metadata, protection)
            .map_err(|problem| self.unsafe_file(file, problem))?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(DOCUMENT_LIMIT + 1));
        let most = u64::try_from(DOCUMENT_LIMIT + 1).unwrap_or(u64::MAX);
        open.take(most).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() > DOCUMENT_LIMIT {
            return Err(self.unsafe_file(file, "it is longer than any of its kind"));
        }
        Ok(Some(bytes))
    }

    fn write<'a>(&'a self, file: &'a str, bytes: &[u8]) -> Result<Written<'a>, StoreError> {
        let failed = |error| StoreError::failed("write the file", error);
        let mut open = self.directory()?.create_file(file).map_err(failed)?;
        open.write_all(bytes).map_err(failed)?;
        let failed = |error| StoreError::failed("bring the file to the disk", error);
        Ok(Box::new(move || open.sync_all().map_err(failed)))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.directory()?
            .rename(from, to)
            .map_err(|error| StoreError::failed("put the file in its place", error))
    }

    fn remove(&self, file: &str) -> Result<bool, StoreError> {
        match self.directory()?.remove(file) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::failed("remove the file", error)),
        }
    }

    fn sync_directory(&self) -> Result<(), StoreError> {
        self.0
            .sync()
            .map_err(|error| StoreError::failed("bring the directory to the disk", error))
    }

    fn files(&self) -> Result<Vec<String>, StoreError> {
        self.directory()?
            .names()
            .map_err(|error| StoreError::failed("list its directory", error))
    }

    fn try_lock(&self, file: &str) -> Result<Option<DiskLock>, StoreError> {
        const DOING: &str = "lock it";
        let open = match self.directory()?.lock_file(file) {
            Ok(open) => open,
            Err(error) => return Err(self.not_opened(file, DOING, error)),
        };
        match fs4::FileExt::try_lock(&open) {
            Ok(()) => Ok(Some(Box::new(HeldLock(open)))),
            Err(fs4::TryLockError::WouldBlock) => Ok(None),
            Err(fs4::TryLockError::Error(error)) => Err(StoreError::failed(DOING, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_53_a_lock_that_was_let_go_is_free_beside_a_copy_of_its_file() {
        let directory = std::env::temp_dir().join(format!("held-lock-{}", std::process::id()));
        let disk = RealDisk::open(&directory).unwrap();
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
