//! The second place for a secret whose first one fails: made when it is needed, and not before.
//!
//! Where it is, is said in `directory`; it is no place below the first one, which could fail with it.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pollination_auth::{
    CredentialStore, Document, FileStore, ProfileId, SecretBytes, StoreError, StoreFuture,
    StoreLock, StoredDocument,
};

use crate::error::CliError;
use crate::paths;
use crate::profiles::{ACCESS_TOKENS, CREATIONS, KEYRING_MARKS};
use crate::time;

/// What the command keeps below the store, under names that a new secret would have there too.
const OWN: [&str; 3] = [ACCESS_TOKENS, CREATIONS, KEYRING_MARKS];

/// A store whose directory is made when something is to be written.
pub(crate) struct Rescue(PathBuf);

impl Rescue {
    pub(crate) fn find() -> Result<Self, CliError> {
        let directory = paths::rescue()?;
        // It is named to people and in documents, who may be somewhere else by then.
        Ok(Self(std::path::absolute(&directory).unwrap_or(directory)))
    }

    /// Checks that it can be used if it is there: a new secret may have no other place.
    ///
    /// `store` is the directory of the credentials.
    pub(crate) fn check(store: Option<&Path>) -> Result<(), CliError> {
        let rescue = match Self::find() {
            // There is no directory for a user's data, so there is no second place either.
            Err(CliError::NoDirectory(_)) => return Ok(()),
            found => found?,
        };
        if rescue.is_among_own_files(store) {
            return Err(CliError::RescueInUse(rescue.0));
        }
        if paths::is_missing(&rescue.0) {
            return Ok(());
        }
        let opened = rescue.store().map(drop);
        opened.map_err(|problem| CliError::Directory {
            directory: rescue.0,
            problem,
        })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.0
    }

    /// Returns the directory if it was needed once.
    pub(crate) fn made() -> Option<PathBuf> {
        let rescue = Self::find().ok().filter(Self::is_made)?;
        Some(rescue.0)
    }

    /// Returns `true` if it was needed once.
    pub(crate) fn is_made(&self) -> bool {
        self.0.exists()
    }

    /// Returns `true` if it is where the store in a directory keeps other files.
    pub(crate) fn is_among_own_files(&self, store: Option<&Path>) -> bool {
        let is_in =
            |own: &str| store.is_some_and(|store| paths::is_within(&self.0, &store.join(own)));
        OWN.into_iter().any(is_in)
    }

    /// Makes the directory.
    pub(crate) fn make(&self) -> Result<(), StoreError> {
        self.store().map(drop)
    }

    fn store(&self) -> Result<FileStore, StoreError> {
        FileStore::open(&self.0)
    }

    /// Keeps a reply that may hold a new secret in a file of its own, and gives its path.
    pub(crate) fn keep(&self, reply: &SecretBytes) -> Result<PathBuf, StoreError> {
        // It makes the directory, and refuses one that others can write to.
        self.store()?;
        let now = time::epoch(SystemTime::now());
        let name = format!("created-{now}-{}.reply", std::process::id());
        let path = self.0.join(name);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let kept = options.open(&path).and_then(|mut file| {
            file.write_all(reply.expose_secret())?;
            file.sync_all()
        });
        kept.map_err(|error| {
            let error = format!("{}: {error}", path.display());
            StoreError::failed("write a file", io::Error::other(error))
        })?;
        Ok(path)
    }
}

impl CredentialStore for Rescue {
    fn read<'a>(
        &'a self,
        profile: &'a ProfileId,
        document: Document,
    ) -> StoreFuture<'a, Option<StoredDocument>> {
        Box::pin(async move {
            if paths::is_missing(&self.0) {
                return Ok(None);
            }
            self.store()?.read(profile, document).await
        })
    }

    fn try_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, Option<StoreLock>> {
        Box::pin(async move { self.store()?.try_lock(profile).await })
    }

    fn is_locked<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            Ok(!paths::is_missing(&self.0) && self.store()?.is_locked(profile).await?)
        })
    }
}
