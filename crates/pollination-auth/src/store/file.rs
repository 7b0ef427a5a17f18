//! The store in files: the order of the steps that make a document durable.
//!
//! `disk` has the single steps and their checks. The content of a document does not matter here.

use std::fmt;
use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::credential_store::{CredentialStore, ProfileLock, StoreFuture, StoreLock};
use super::disk::protection::Protection;
use super::disk::{Disk, DiskLock, RealDisk};
use super::error::StoreError;
use super::kind::{DOCUMENT_LIMIT, Document};
use super::stored_document::{StoredDocument, Version};
use super::task::on_blocking_thread;
use crate::credential::profile_id::ProfileId;
use crate::foundation::chance;
use crate::foundation::secret::Secret;

/// The end of the name of a file that is not yet renamed to its final name.
const UNFINISHED: &str = ".tmp";

/// The directory of the access tokens that processes share, below that of the credentials.
const ACCESS_TOKENS: &str = "access-tokens";

/// The beginning of the name of a file that only shows that the directory is writable.
///
/// A profile's key has no dot, so no profile has this name.
const CHECK: &str = ".check.";

/// The lock of those who write such a file: whoever holds it may remove what others left.
const CHECK_LOCK: &str = "check.lock";

/// A credential store of JSON files in a directory that is private to its user.
///
/// Every profile has its own files, so that a rotation touches no other credential: one for the
/// credential, one for the journal of a rotation, one for the lock. They are created with mode 0600
/// in a directory with mode 0700. A file is replaced atomically: a new one is written beside it,
/// synced to disk and renamed over the old one, and then the directory is synced to disk.
///
/// The store refuses what another user could have written or can read: a file that is a link, not a
/// regular file, longer than 64 KiB, of another owner, or open to group or others.
/// On Unix each directory above has to be safe as well: owned by root or by this user, and writable
/// by nobody else, unless it is sticky, such as `/tmp`. A group with the number of the directory's
/// owner counts as the owner's private one, and may write. A directory that is replaced while the
/// store is open is refused at the next step.
///
/// The lock is one of the operating system, on a file that is never replaced, and is released when
/// the process exits. On a network file system it is as good as that system's locks; without locks,
/// nothing is rotated.
///
/// On Windows the files have the access rights of their directory, and neither these nor owners and
/// links are checked: put it into the user's profile, where
/// [`default_directory`](Self::default_directory) is.
///
/// ```
/// use pollination_auth::{ApiToken, FileStore, Profile, Secret};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = std::env::temp_dir().join(format!("doc-file-store-{}", std::process::id()));
/// let store = FileStore::open(&directory)?;
/// let work = Profile::new(store.clone(), "https://api.pollination.cloud", "work")?;
/// work.save(&ApiToken::new("an-id", Secret::from("a-secret"))?).await?;
/// let home = Profile::new(store, "https://api.pollination.cloud", "home")?;
/// assert!(home.load().await?.is_none());
/// # std::fs::remove_dir_all(directory)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FileStore {
    disk: Arc<dyn Disk>,
    /// `None` for the disk of a test.
    directory: Option<Arc<Path>>,
    protection: Protection,
}

impl FileStore {
    /// Opens a directory, creating it if it is missing. Only this call blocks its thread.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsafe`] when it belongs to another user, or others can write to it or replace
    /// it, [`StoreError::Failed`] when it can't be created or read.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let directory = directory.into();
        let disk = RealDisk::open(&directory)?;
        Ok(Self {
            directory: Some(directory.into()),
            ..Self::on(Arc::new(disk))
        })
    }

    /// Checks that a document could be stored now: writes, syncs and removes a file as long as one.
    ///
    /// It touches no profile and needs no profile's lock. If the process is killed meanwhile, the
    /// next check removes the file.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] while another process checks, [`StoreError::Unsafe`] when the
    /// directory is not safe any more, [`StoreError::Failed`] when nothing can be stored.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        let store = self.clone();
        Ok(on_blocking_thread(move || store.check_writable_now()).await?)
    }

    fn check_writable_now(&self) -> Result<(), StoreError> {
        let _lock = self.disk.try_lock(CHECK_LOCK)?.ok_or(StoreError::Locked)?;
        self.sweep(CHECK)?;
        let file = unfinished(CHECK);
        let written = self.write_synced(&file, &[b' '; DOCUMENT_LIMIT]);
        let removed = self.disk.remove(&file);
        written?;
        removed?;
        self.disk.sync_directory()
    }

    /// Returns the name of the file that contains a document, for a message or a backup.
    #[must_use]
    pub fn file_name(profile: &ProfileId, document: Document) -> String {
        format!("{}.{}.json", profile.key(), document.as_str())
    }

    pub(super) fn on(disk: Arc<dyn Disk>) -> Self {
        Self {
            disk,
            directory: None,
            protection: Protection::Private,
        }
    }

    /// Accepts a credential that other users can read, but not change.
    ///
    /// Meant for a file that a group of service accounts shares. A journal that others can
    /// read is still refused: its access token can create secrets.
    #[must_use]
    pub fn dangerously_allow_readable_by_others(mut self) -> Self {
        self.protection = Protection::Readable;
        self
    }

    fn protection(&self, document: Document) -> Protection {
        match document {
            Document::Credential => self.protection,
            Document::Journal => Protection::Private,
        }
    }

    /// Removes the files that an interrupted write left; the lock of those who write such is held.
    fn sweep(&self, begin: &str) -> Result<(), StoreError> {
        for file in self.disk.files()? {
            if file.starts_with(begin) && file.ends_with(UNFINISHED) {
                self.disk.remove(&file)?;
            }
        }
        Ok(())
    }

    fn replace(&self, new: &str, file: &str, text: &Secret) -> Result<(), StoreError> {
        self.write_synced(new, text.expose_secret().as_bytes())?;
        self.disk.rename(new, file)?;
        self.disk.sync_directory()
    }

    fn write_synced(&self, new: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let sync = self.disk.write(new, bytes)?;
        sync()
    }
}

impl FileStore {
    fn read_now(
        &self,
        profile: &ProfileId,
        document: Document,
    ) -> Result<Option<StoredDocument>, StoreError> {
        let name = Self::file_name(profile, document);
        let Some(bytes) = self.disk.read(&name, self.protection(document))? else {
            return Ok(None);
        };
        Ok(Some(StoredDocument::of(&bytes)))
    }

    fn try_lock_now(&self, profile: &ProfileId) -> Result<Option<Held>, StoreError> {
        let Some(lock) = self.disk.try_lock(&lock_name(profile))? else {
            return Ok(None);
        };
        self.sweep(&unfinished_prefix(profile))?;
        Ok(Some(Held {
            store: self.clone(),
            profile: profile.clone(),
            _lock: lock,
        }))
    }
}

impl CredentialStore for FileStore {
    fn read<'a>(
        &'a self,
        profile: &'a ProfileId,
        document: Document,
    ) -> StoreFuture<'a, Option<StoredDocument>> {
        let (store, profile) = (self.clone(), profile.clone());
        let read = on_blocking_thread(move || store.read_now(&profile, document));
        Box::pin(async { Ok(read.await?) })
    }

    fn try_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, Option<StoreLock>> {
        let (store, profile) = (self.clone(), profile.clone());
        let lock = on_blocking_thread(move || store.try_lock_now(&profile));
        Box::pin(async {
            let held = lock.await?;
            Ok(held.map(|held| Box::new(Lock(Arc::new(Mutex::new(held)))) as StoreLock))
        })
    }

    fn is_locked<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
        let (store, profile) = (self.clone(), profile.clone());
        let look = on_blocking_thread(move || store.disk.is_locked(&lock_name(&profile)));
        Box::pin(async { Ok(look.await?) })
    }

    fn access_tokens(&self) -> StoreFuture<'_, Option<Arc<dyn CredentialStore>>> {
        let directory = self.directory.as_ref().map(|at| at.join(ACCESS_TOKENS));
        Box::pin(async {
            let Some(directory) = directory else {
                return Ok(None);
            };
            let store = on_blocking_thread(move || Self::open(directory)).await?;
            Ok(Some(Arc::new(store) as Arc<dyn CredentialStore>))
        })
    }
}

/// The lock of a profile; shared with the work that it began, which may outlast it.
struct Lock(Arc<Mutex<Held>>);

impl Lock {
    /// Works under the lock, which is held until the work has ended.
    fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Held) -> Result<T, StoreError> + Send + 'static,
    ) -> StoreFuture<'static, T> {
        let held = self.0.clone();
        let work = on_blocking_thread(move || {
            // Work that nobody waits for any more may still be going on.
            let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut held)
        });
        Box::pin(async { Ok(work.await?) })
    }
}

impl ProfileLock for Lock {
    fn write<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
        text: &'a Secret,
    ) -> StoreFuture<'a, Version> {
        let (expected, text) = (expected.cloned(), text.clone());
        self.work(move |held| held.write(document, expected.as_ref(), &text))
    }

    fn remove<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, ()> {
        let expected = expected.cloned();
        self.work(move |held| held.remove(document, expected.as_ref()))
    }

    /// The operating system releases it when the process exits, and not before.
    fn is_held<'a>(&'a mut self) -> StoreFuture<'a, bool> {
        Box::pin(ready(Ok(true)))
    }
}

/// The operating system's lock of a profile, and the files that it protects.
struct Held {
    store: FileStore,
    profile: ProfileId,
    _lock: DiskLock,
}

impl Held {
    fn write(
        &mut self,
        document: Document,
        expected: Option<&Version>,
        text: &Secret,
    ) -> Result<Version, StoreError> {
        if self.version(document)?.as_ref() != expected {
            return Err(StoreError::Changed);
        }
        let file = FileStore::file_name(&self.profile, document);
        let new = unfinished(&unfinished_prefix(&self.profile));
        let replaced = self.store.replace(&new, &file, text);
        if replaced.is_err() {
            // It may contain a secret. If this fails, the next holder of the lock removes it.
            let _left_over = self.store.disk.remove(&new);
        }
        replaced.map(|()| Version::of(text.expose_secret().as_bytes()))
    }

    fn remove(&mut self, document: Document, expected: Option<&Version>) -> Result<(), StoreError> {
        match self.version(document)? {
            Some(stored) if Some(&stored) != expected => return Err(StoreError::Changed),
            _ => {}
        }
        let file = FileStore::file_name(&self.profile, document);
        self.store.disk.remove(&file)?;
        self.store.disk.sync_directory()
    }

    fn version(&self, document: Document) -> Result<Option<Version>, StoreError> {
        let stored = self.store.read_now(&self.profile, document)?;
        Ok(stored.map(|stored| stored.version().clone()))
    }
}

fn lock_name(profile: &ProfileId) -> String {
    format!("{}.lock", profile.key())
}

/// Returns a new name for a file that is not yet renamed to its final name.
fn unfinished(begin: &str) -> String {
    let unique = chance::number();
    format!("{begin}{unique:016x}{UNFINISHED}")
}

fn unfinished_prefix(profile: &ProfileId) -> String {
    format!(".{}.", profile.key())
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("protection", &self.protection)
            .finish_non_exhaustive()
    }
}
