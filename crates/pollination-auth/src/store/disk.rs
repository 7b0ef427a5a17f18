//! The single steps of a file store on a disk, and the real disk.
//!
//! `file` decides the order of the steps. Here a file that others could have created or can read is
//! refused.

#[cfg(any(test, not(unix)))]
mod patience;
#[cfg(not(unix))]
mod portable;
pub(super) mod protection;
#[cfg(unix)]
mod unix;

use std::any::Any;
use std::fmt;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

#[cfg(not(unix))]
use self::portable as system;
use self::protection::{Protection, unsafe_path};
use self::system::Directory;
#[cfg(unix)]
use self::unix as system;
use super::error::StoreError;
use super::kind::DOCUMENT_LIMIT;

/// The time that a look whether a lock is held may take: 1 ms, a hundred times what it takes.
const LOOK: Duration = Duration::from_millis(1);

/// The most looks of others that an attempt to lock sits out: 1000, which is a second.
///
/// Somebody who was stopped in the middle of a look counts as a holder then.
const MOST_LOOKS: u32 = 1000;

/// The second step of a write: syncs the content to disk.
///
/// It uses the file handle that wrote: another one need not learn that the disk failed.
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
    /// Creates a new file, for this user alone.
    ///
    /// Its content is on the disk after the second step.
    fn write<'a>(&'a self, file: &'a str, bytes: &[u8]) -> Result<Written<'a>, StoreError>;
    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError>;
    /// Removes a file; returns `true` if there was one.
    fn remove(&self, file: &str) -> Result<bool, StoreError>;
    fn sync_directory(&self) -> Result<(), StoreError>;
    fn files(&self) -> Result<Vec<String>, StoreError>;
    fn try_lock(&self, file: &str) -> Result<Option<DiskLock>, StoreError>;
    fn is_locked(&self, file: &str) -> Result<bool, StoreError>;
}

/// A directory of the real disk.
pub(super) struct RealDisk(Directory);

/// Error of a step on a file, with its path.
#[derive(Debug)]
struct FileError {
    path: PathBuf,
    source: io::Error,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.source)
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Releases the lock when dropped, not when the file is closed.
///
/// A child that is being started has a copy of every open file for a moment, and its copy would
/// keep the lock.
struct HeldLock(fs::File);

impl Drop for HeldLock {
    fn drop(&mut self) {
        // If this fails, closing the file releases it.
        let _closed_at_last = system::unlock(&self.0);
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

    fn locked(
        &self,
        file: &str,
        try_lock: fn(&fs::File) -> io::Result<bool>,
    ) -> Result<Option<HeldLock>, StoreError> {
        const DOING: &str = "lock a file";
        let open = match self.directory()?.lock_file(file) {
            Ok(open) => open,
            Err(error) => return Err(self.not_opened(file, DOING, error)),
        };
        match try_lock(&open) {
            Ok(true) => Ok(Some(HeldLock(open))),
            Ok(false) => Ok(None),
            Err(error) => Err(self.failed(DOING, file, error)),
        }
    }

    /// Returns the error of a file that can't be opened.
    fn not_opened(&self, file: &str, doing: &'static str, error: io::Error) -> StoreError {
        if system::is_a_link(&error) {
            self.unsafe_file(file, "it is a symbolic link")
        } else {
            self.failed(doing, file, error)
        }
    }

    /// Returns the error of a step, with the path of the file.
    fn failed(&self, doing: &'static str, file: &str, source: io::Error) -> StoreError {
        let path = self.0.path().join(file);
        StoreError::failed(doing, FileError { path, source })
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
        const DOING: &str = "read a file";
        let failed = |error| self.failed(DOING, file, error);
        let open = match self.directory()?.open_file(file) {
            Ok(open) => open,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.not_opened(file, DOING, error)),
        };
        // Of the opened file: the name can mean another one by now.
        let metadata = open.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(self.unsafe_file(file, "it is not a regular file"));
        }
        system::check_file(&metadata, protection)
            .map_err(|problem| self.unsafe_file(file, problem))?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(DOCUMENT_LIMIT + 1));
        let most = u64::try_from(DOCUMENT_LIMIT + 1).unwrap_or(u64::MAX);
        open.take(most).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() > DOCUMENT_LIMIT {
            return Err(self.unsafe_file(file, "it is longer than 64 KiB, the maximum"));
        }
        Ok(Some(bytes))
    }

    fn write<'a>(&'a self, file: &'a str, bytes: &[u8]) -> Result<Written<'a>, StoreError> {
        let failed = |error| self.failed("write a file", file, error);
        let mut open = self.directory()?.create_file(file).map_err(failed)?;
        open.write_all(bytes).map_err(failed)?;
        let failed = move |error| self.failed("sync a file to disk", file, error);
        Ok(Box::new(move || open.sync_all().map_err(failed)))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.directory()?
            .rename(from, to)
            .map_err(|error| self.failed("replace a file", to, error))
    }

    fn remove(&self, file: &str) -> Result<bool, StoreError> {
        match self.directory()?.remove(file) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.failed("remove a file", file, error)),
        }
    }

    fn sync_directory(&self) -> Result<(), StoreError> {
        self.0
            .sync()
            .map_err(|error| StoreError::failed("sync its directory to disk", error))
    }

    fn files(&self) -> Result<Vec<String>, StoreError> {
        self.directory()?
            .names()
            .map_err(|error| StoreError::failed("list its directory", error))
    }

    fn try_lock(&self, file: &str) -> Result<Option<DiskLock>, StoreError> {
        for _ in 0..MOST_LOOKS {
            if let Some(lock) = self.locked(file, system::try_lock)? {
                return Ok(Some(Box::new(lock)));
            }
            if self.is_locked(file)? {
                return Ok(None);
            }
            // Nobody holds it: somebody was just looking.
            thread::sleep(LOOK);
        }
        Ok(None)
    }

    /// Takes a shared lock for a moment, since no system shows this kind of lock otherwise.
    ///
    /// Those who look are not in each other's way, and `try_lock` tells them from a holder.
    fn is_locked(&self, file: &str) -> Result<bool, StoreError> {
        let lock = self.locked(file, system::try_lock_shared)?;
        Ok(lock.is_none())
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

    #[test]
    fn row_53_those_who_look_whether_a_lock_is_held_are_no_holders() {
        let directory = std::env::temp_dir().join(format!("looked-at-{}", std::process::id()));
        let disk = RealDisk::open(&directory).unwrap();
        let look = || disk.locked("a.lock", system::try_lock_shared);
        let looking = look().unwrap();
        assert!(!disk.is_locked("a.lock").unwrap());
        thread::scope(|scope| {
            // It takes the lock as soon as nobody looks any more.
            let lock = scope.spawn(|| disk.try_lock("a.lock").unwrap().is_some());
            drop(looking);
            assert!(lock.join().unwrap());
        });
        let lock = disk.try_lock("a.lock").unwrap().unwrap();
        assert!(disk.is_locked("a.lock").unwrap());
        drop(lock);
        fs::remove_dir_all(directory).unwrap();
    }
}
