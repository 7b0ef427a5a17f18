//! The real disk, with a test that watches each step and can end the process there.

use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::store::disk::protection::Protection;
use crate::store::disk::{Disk, DiskLock, RealDisk, Written};
use crate::store::{FileStore, StoreError};

/// A step that changes the disk, before or after it is taken.
pub(crate) struct Step<'a> {
    pub(crate) kind: &'static str,
    /// The file that is changed; empty for the directory.
    pub(crate) file: &'a str,
    pub(crate) is_done: bool,
}

struct ObservedDisk<F> {
    disk: RealDisk,
    observe: F,
}

/// Opens a store that calls this before and after each step that changes the disk.
pub(crate) fn open(
    directory: &Path,
    observe: impl Fn(&Step<'_>) + Send + Sync + 'static,
) -> FileStore {
    let disk = RealDisk::open(directory).unwrap();
    FileStore::on(Arc::new(ObservedDisk { disk, observe }))
}

impl<F: Fn(&Step<'_>)> ObservedDisk<F> {
    fn step<T>(
        &self,
        kind: &'static str,
        file: &str,
        take: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let tell = |is_done| {
            (self.observe)(&Step {
                kind,
                file,
                is_done,
            });
        };
        tell(false);
        let result = take()?;
        tell(true);
        Ok(result)
    }
}

impl<F: Fn(&Step<'_>) + Send + Sync + 'static> Disk for ObservedDisk<F> {
    fn read(
        &self,
        file: &str,
        protection: Protection,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.disk.read(file, protection)
    }

    fn write<'a>(&'a self, file: &'a str, bytes: &[u8]) -> Result<Written<'a>, StoreError> {
        let sync = self.step("write", file, || self.disk.write(file, bytes))?;
        Ok(Box::new(move || self.step("sync", file, sync)))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.step("rename", to, || self.disk.rename(from, to))
    }

    fn remove(&self, file: &str) -> Result<bool, StoreError> {
        self.step("remove", file, || self.disk.remove(file))
    }

    fn sync_directory(&self) -> Result<(), StoreError> {
        self.step("sync directory", "", || self.disk.sync_directory())
    }

    fn files(&self) -> Result<Vec<String>, StoreError> {
        self.disk.files()
    }

    fn try_lock(&self, file: &str) -> Result<Option<DiskLock>, StoreError> {
        self.disk.try_lock(file)
    }

    fn is_locked(&self, file: &str) -> Result<bool, StoreError> {
        self.disk.is_locked(file)
    }
}
