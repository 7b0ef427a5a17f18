//! A directory of a system without Unix modes, where the protection is that of the user's profile.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use fs4::TryLockError;

use super::patience;
use super::protection::Protection;
use crate::store::StoreError;

/// The wait between two tries of a step: 1 ms, longer than a file takes to be replaced.
const PAUSE: Duration = Duration::from_millis(1);

/// The store's directory, known by its path.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::failed("create its directory", error);
        let path = std::path::absolute(path).map_err(failed)?;
        fs::create_dir_all(&path).map_err(failed)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "on Unix there is something to check"
    )]
    pub(super) fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    pub(super) fn open_file(&self, file: &str) -> io::Result<File> {
        let path = self.0.join(file);
        let is_being_replaced = || self.has_new(file);
        patience::open(|| File::open(&path), is_being_replaced, pause)
    }

    pub(super) fn create_file(&self, file: &str) -> io::Result<File> {
        File::create_new(self.0.join(file))
    }

    pub(super) fn lock_file(&self, file: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        options.open(self.0.join(file))
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.0.join(from), self.0.join(to));
        patience::change(|| fs::rename(&from, &to), pause)
    }

    pub(super) fn remove(&self, file: &str) -> io::Result<()> {
        let path = self.0.join(file);
        patience::change(|| fs::remove_file(&path), pause)
    }

    /// Windows has no such call for directories; its renames are written through.
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "on Unix there is something to sync"
    )]
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            // A name that is no text is not one of ours.
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    /// Returns `true` if a new file of the same profile is there, which is about to replace one.
    fn has_new(&self, file: &str) -> io::Result<bool> {
        let profile = file.split('.').next().unwrap_or_default();
        let begin = format!(".{profile}.");
        Ok(self.names()?.iter().any(|name| name.starts_with(&begin)))
    }
}

fn pause() {
    thread::sleep(PAUSE);
}

pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    locked(fs4::FileExt::try_lock(file))
}

pub(super) fn try_lock_shared(file: &File) -> io::Result<bool> {
    locked(fs4::FileExt::try_lock_shared(file))
}

pub(super) fn unlock(file: &File) -> io::Result<()> {
    fs4::FileExt::unlock(file)
}

fn locked(result: Result<(), TryLockError>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

pub(super) fn is_a_link(_: &io::Error) -> bool {
    false
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "on Unix there is something to check"
)]
pub(super) fn check_file(_: &Metadata, _: Protection) -> Result<(), &'static str> {
    Ok(())
}
