//! The files that commands keep for a profile beside its credential: read freely, changed under a
//! lock.
//!
//! They are those of a store of their own, so they are protected, replaced and locked as the
//! credentials are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pollination_auth::{
    CredentialStore as _, Document, FileStore, ProfileId, Secret, StoreError, StoreLock,
};

use crate::context::{self, Context};
use crate::error::CliError;
use crate::lock_wait;
use crate::paths;

/// The files of one profile in one directory below that of the credentials.
#[derive(Clone)]
pub(crate) struct KeptFiles {
    store: FileStore,
    directory: PathBuf,
    profile: ProfileId,
}

/// The lock of these files.
pub(crate) struct KeptLock {
    files: KeptFiles,
    lock: StoreLock,
}

impl KeptFiles {
    /// Opens the directory, which is created if it is missing.
    ///
    /// Returns `None` if the credentials have no directory either.
    pub(crate) fn open(context: &Context, name: &Path) -> Result<Option<Self>, CliError> {
        let Some(directory) = context.directory.as_ref().map(|at| at.join(name)) else {
            return Ok(None);
        };
        Ok(Some(Self {
            store: context::open_store(directory.clone())?,
            directory,
            profile: context.profile.id().clone(),
        }))
    }

    /// Returns `true` if there is such a directory to look into.
    pub(crate) fn is_made(context: &Context, name: &Path) -> bool {
        let directory = context.directory.as_ref().map(|at| at.join(name));
        directory.is_some_and(|directory| !paths::is_missing(&directory))
    }

    pub(crate) fn profile(&self) -> &ProfileId {
        &self.profile
    }

    pub(crate) fn path(&self, document: Document) -> PathBuf {
        let name = FileStore::file_name(&self.profile, document);
        self.directory.join(name)
    }

    pub(crate) async fn read(&self, document: Document) -> Result<Option<Secret>, StoreError> {
        let stored = self.store.read(&self.profile, document).await;
        let stored = stored.map_err(|error| self.without_advice(document, error))?;
        Ok(stored.map(|stored| stored.text().clone()))
    }

    /// Leaves out what the store would do about a file that can't be trusted: it takes it for a
    /// credential, and these files have no secret to rotate.
    fn without_advice(&self, document: Document, error: StoreError) -> StoreError {
        match error {
            StoreError::Unsafe { what, problem } if Path::new(&what) == self.path(document) => {
                let problem = problem.split(';').next().unwrap_or(problem);
                StoreError::Unsafe { what, problem }
            }
            other => other,
        }
    }

    pub(crate) async fn is_locked(&self) -> bool {
        self.check_lock().await.unwrap_or(false)
    }

    /// As [`is_locked`](Self::is_locked), and fails where no lock can be taken.
    pub(crate) async fn check_lock(&self) -> Result<bool, StoreError> {
        self.store.is_locked(&self.profile).await
    }

    /// Returns the lock unless another process holds it.
    pub(crate) async fn try_lock(&self) -> Result<Option<KeptLock>, StoreError> {
        let lock = self.store.try_lock(&self.profile).await?;
        Ok(lock.map(|lock| KeptLock {
            files: self.clone(),
            lock,
        }))
    }

    /// Waits until no other process holds the lock; that takes too long where one hangs.
    pub(crate) async fn lock(&self) -> Result<KeptLock, StoreError> {
        let lock = lock_wait::outwait_unseen(async || {
            let lock = self.store.try_lock(&self.profile).await?;
            lock.ok_or(StoreError::Locked)
        });
        Ok(KeptLock {
            files: self.clone(),
            lock: lock.await?,
        })
    }
}

impl KeptLock {
    /// Writes a file in place of whatever is there.
    pub(crate) async fn write(
        &mut self,
        document: Document,
        text: &Secret,
    ) -> Result<(), StoreError> {
        let stored = self.files.store.read(&self.files.profile, document).await?;
        let version = stored.as_ref().map(|stored| stored.version());
        self.lock.write(document, version, text).await.map(drop)
    }

    /// Removes a file; one that can't be trusted, too.
    pub(crate) async fn remove(&mut self, document: Document) -> Result<(), StoreError> {
        let stored = match self.files.store.read(&self.files.profile, document).await {
            Err(StoreError::Unsafe { .. }) => {
                let file = self.files.path(document);
                let removed = fs::remove_file(&file);
                return removed.map_err(|error| {
                    let error = format!("{}: {error}", file.display());
                    StoreError::failed("remove a file", io::Error::other(error))
                });
            }
            stored => stored?,
        };
        let version = stored.as_ref().map(|stored| stored.version());
        self.lock.remove(document, version).await
    }
}
