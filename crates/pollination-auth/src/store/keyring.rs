//! The store that keeps the credential in the system's keyring, and everything else in files.
//!
//! The journal and the lock stay in files: a rotation depends on the order in which they reach the
//! disk. A *mark*, a file without a secret, says that the credential belongs in the keyring. It is
//! written before the first entry, and removed after the last one, so that no entry is forgotten.
//! A credential that is still in a file is the valid one: it is removed only after the keyring has
//! returned what was written there. So a crash between two steps loses nothing.

mod system;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use self::system::{Keyring, KeyringError, SystemKeyring};
use super::credential_store::{CredentialStore, ProfileLock, StoreFuture, StoreLock};
use super::error::StoreError;
use super::file::FileStore;
use super::keyring_mark::KEYRING_MARKS;
use super::kind::Document;
use super::stored_document::{StoredDocument, Version};
use super::task::{on_blocking_thread, to_its_end};
use crate::credential::profile_id::ProfileId;
use crate::foundation::secret::Secret;

/// The only document that is kept in the keyring.
const CREDENTIAL: Document = Document::Credential;

/// How long a keyring may take to answer: 2 minutes, because it may ask for its password first.
const PATIENCE: Duration = Duration::from_secs(120);

/// A credential store whose credentials are in the system's keyring: Secret Service, Windows or
/// macOS. The command `pollination-auth login --keyring` stores them there.
///
/// The journal of a rotation and the lock stay files in a directory, as those of a [`FileStore`] are.
/// A credential that is in a file of this directory is used until the next write moves it to the
/// keyring. A document that the keyring can't hold is refused before anything is asked of it. Without
/// a keyring a call fails; nothing is ever written to a file instead.
///
/// A call waits up to 2 minutes, because the keyring may ask its user for a password.
///
/// ```no_run
/// use pollination_auth::{Client, FileStore, KeyringStore};
///
/// # fn client() -> Result<Client, Box<dyn std::error::Error>> {
/// let store = KeyringStore::open(FileStore::default_directory()?)?;
/// let client = Client::builder().store(store).build()?;
/// # Ok(client)
/// # }
/// ```
#[derive(Clone)]
pub struct KeyringStore {
    files: FileStore,
    /// The directory of the files. It is a part of an entry's name, because the locks are in it.
    directory: PathBuf,
    keyring: Arc<dyn Keyring>,
}

impl fmt::Debug for KeyringStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { directory, .. } = self;
        f.debug_struct("KeyringStore")
            .field("directory", directory)
            .finish_non_exhaustive()
    }
}

impl KeyringStore {
    /// Opens a directory, creating it if it is missing. This call blocks its thread for a moment, and
    /// asks nothing of the keyring.
    ///
    /// # Errors
    ///
    /// Those of [`FileStore::open`].
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let directory = directory.into();
        Self::beside(
            FileStore::open(&directory)?,
            &directory,
            Arc::new(SystemKeyring),
        )
    }

    /// Returns the store with a keyring, beside that of files in the same directory.
    fn beside(
        files: FileStore,
        directory: &Path,
        keyring: Arc<dyn Keyring>,
    ) -> Result<Self, StoreError> {
        let directory = directory.canonicalize();
        let directory = directory.map_err(|error| StoreError::failed("resolve its path", error))?;
        Ok(Self {
            files,
            directory,
            keyring,
        })
    }

    /// Checks that a credential could be stored now: writes and removes a file, and an entry without
    /// a secret.
    ///
    /// # Errors
    ///
    /// Those of [`FileStore::check_writable`], and [`StoreError::Failed`] when the keyring stores
    /// nothing.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        self.files.check_writable().await?;
        let name = format!("check in {}", self.directory.display());
        let check = self.ask("write to the system's keyring", move |keyring| {
            keyring.set(&name, &Secret::from("check"))?;
            keyring.remove(&name)
        });
        in_time(check).await
    }

    fn entry(&self, profile: &ProfileId) -> String {
        format!("{} in {}", profile.key(), self.directory.display())
    }

    /// Returns the credential: that of a file that is still there, else that of the keyring.
    async fn credential(&self, profile: &ProfileId) -> Result<Option<StoredDocument>, StoreError> {
        if let Some(found) = self.files.read(profile, CREDENTIAL).await? {
            return Ok(Some(found));
        }
        if !FileStore::belongs_in_keyring(&self.directory, profile) {
            return Ok(None);
        }
        self.entered(profile).await
    }

    async fn entered(&self, profile: &ProfileId) -> Result<Option<StoredDocument>, StoreError> {
        let entry = self.entry(profile);
        let found = self.ask("read from the system's keyring", move |keyring| {
            keyring.get(&entry)
        });
        Ok(found.await?.map(|bytes| StoredDocument::of(&bytes)))
    }

    /// Asks the keyring on a thread that may block.
    async fn ask<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&dyn Keyring) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let keyring = self.keyring.clone();
        let work = move || work(keyring.as_ref()).map_err(|error| StoreError::failed(doing, error));
        Ok(on_blocking_thread(work).await?)
    }

    /// Opens the store of the marks; they are written and protected as credentials are.
    fn marks(&self) -> Result<FileStore, StoreError> {
        FileStore::open(self.directory.join(KEYRING_MARKS))
    }
}

impl CredentialStore for KeyringStore {
    fn read<'a>(
        &'a self,
        profile: &'a ProfileId,
        document: Document,
    ) -> StoreFuture<'a, Option<StoredDocument>> {
        match document {
            CREDENTIAL => Box::pin(in_time(self.credential(profile))),
            Document::Journal => self.files.read(profile, document),
        }
    }

    fn try_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, Option<StoreLock>> {
        Box::pin(async move {
            let lock = self.files.try_lock(profile).await?;
            Ok(lock.map(|lock| {
                let held = Held {
                    store: self.clone(),
                    profile: profile.clone(),
                    lock,
                };
                Box::new(Lock(Arc::new(Mutex::new(held)))) as StoreLock
            }))
        })
    }

    fn is_locked<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
        self.files.is_locked(profile)
    }
}

/// The lock of a profile; shared with the work that it began, which may outlast it.
struct Lock(Arc<Mutex<Held>>);

impl ProfileLock for Lock {
    fn write<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
        text: &'a Secret,
    ) -> StoreFuture<'a, Version> {
        let (held, expected, text) = (self.0.clone(), expected.cloned(), text.clone());
        begun(async move {
            let mut held = held.lock().await;
            held.write(document, expected.as_ref(), &text).await
        })
    }

    fn remove<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, ()> {
        let (held, expected) = (self.0.clone(), expected.cloned());
        begun(async move { held.lock().await.remove(document, expected.as_ref()).await })
    }

    fn is_held<'a>(&'a mut self) -> StoreFuture<'a, bool> {
        let held = self.0.clone();
        begun(async move { held.lock().await.lock.is_held().await })
    }
}

/// The lock of the files, and what it protects.
struct Held {
    store: KeyringStore,
    profile: ProfileId,
    lock: StoreLock,
}

impl Held {
    async fn write(
        &mut self,
        document: Document,
        expected: Option<&Version>,
        text: &Secret,
    ) -> Result<Version, StoreError> {
        if document != CREDENTIAL {
            return self.lock.write(document, expected, text).await;
        }
        let limit = self.store.keyring.limit();
        if text.expose_secret().len() > limit {
            return Err(StoreError::TooLong { document, limit });
        }
        let stored = self.store.credential(&self.profile).await?;
        if stored.as_ref().map(StoredDocument::version) != expected {
            return Err(StoreError::Changed);
        }
        let is_new = self.mark().await?;
        let put = self.put(text).await;
        if put.is_err() && is_new && self.remove_entry().await.is_ok() {
            // The credential stays where it was. If this fails, a later login removes the mark.
            let _marked = self.unmark().await;
        }
        let version = put?;
        reach_the_disk().await?;
        self.remove_file().await?;
        Ok(version)
    }

    async fn remove(
        &mut self,
        document: Document,
        expected: Option<&Version>,
    ) -> Result<(), StoreError> {
        if document != CREDENTIAL {
            return self.lock.remove(document, expected).await;
        }
        match self.store.credential(&self.profile).await? {
            Some(stored) if Some(stored.version()) != expected => return Err(StoreError::Changed),
            _ => {}
        }
        self.remove_entry().await?;
        self.remove_file().await?;
        self.unmark().await
    }

    /// Writes the entry, and reads it back.
    async fn put(&mut self, text: &Secret) -> Result<Version, StoreError> {
        let (entry, new) = (self.store.entry(&self.profile), text.clone());
        let doing = "write to the system's keyring";
        let set = self
            .store
            .ask(doing, move |keyring| keyring.set(&entry, &new));
        set.await?;
        let version = Version::of(text.expose_secret().as_bytes());
        let kept = self.store.entered(&self.profile).await?;
        if kept.is_none_or(|kept| *kept.version() != version) {
            return Err(StoreError::NotKept {
                document: CREDENTIAL,
            });
        }
        Ok(version)
    }

    async fn remove_entry(&mut self) -> Result<(), StoreError> {
        let entry = self.store.entry(&self.profile);
        let doing = "remove from the system's keyring";
        self.store
            .ask(doing, move |keyring| keyring.remove(&entry))
            .await
    }

    /// Removes the credential that was in a file before it was in the keyring.
    async fn remove_file(&mut self) -> Result<(), StoreError> {
        let Some(file) = self.store.files.read(&self.profile, CREDENTIAL).await? else {
            return Ok(());
        };
        self.lock.remove(CREDENTIAL, Some(file.version())).await
    }

    /// Writes the mark, and returns `true` if there was none.
    async fn mark(&mut self) -> Result<bool, StoreError> {
        let mark = serde_json::json!({
            "base_url": self.profile.base_url(),
            "profile": self.profile.name(),
        });
        let mark = Secret::from(mark.to_string());
        let (mut lock, found) = self.marked().await?;
        match found {
            Some(found) if found.text().expose_secret() == mark.expose_secret() => Ok(false),
            found => {
                let version = found.as_ref().map(StoredDocument::version);
                lock.write(CREDENTIAL, version, &mark).await?;
                Ok(true)
            }
        }
    }

    async fn unmark(&mut self) -> Result<(), StoreError> {
        let (mut lock, found) = self.marked().await?;
        let version = found.as_ref().map(StoredDocument::version);
        lock.remove(CREDENTIAL, version).await
    }

    /// Returns the mark as it is, and the lock of its file, which only a holder of this lock takes.
    async fn marked(&mut self) -> Result<(StoreLock, Option<StoredDocument>), StoreError> {
        let marks = self.store.marks()?;
        let lock = marks.try_lock(&self.profile).await?;
        let lock = lock.ok_or(StoreError::Locked)?;
        Ok((lock, marks.read(&self.profile, CREDENTIAL).await?))
    }
}

/// Waits until what the keyring has written is on the disk.
///
/// A rotation removes its journal next. A keyring need not sync what it writes: gnome-keyring syncs
/// the file, but not the directory into which it is renamed. Which file system that is on is not
/// known here, so all are synced. Windows offers a program nothing like it.
async fn reach_the_disk() -> Result<(), StoreError> {
    #[cfg(unix)]
    on_blocking_thread(|| {
        rustix::fs::sync();
        Ok(())
    })
    .await?;
    Ok(())
}

/// Works to the end, whether it is waited for or not.
///
/// The work has the lock: a keyring that answers late must not find it free.
fn begun<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> StoreFuture<'static, T> {
    Box::pin(in_time(to_its_end(work)))
}

/// Stops waiting for a keyring that does not answer.
async fn in_time<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(PATIENCE, work).await.unwrap_or_else(|_late| {
        let silent = KeyringError::Silent;
        Err(StoreError::failed("use the system's keyring", silent))
    })
}
