//! The traits that a store implements: it reads documents and takes locks; only a held lock writes.

use std::fmt;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use super::error::StoreError;
use super::kind::Document;
use super::stored_document::{StoredDocument, Version};
use crate::credential::profile_id::ProfileId;
use crate::foundation::secret::Secret;

/// The future of a store's call. `Box::pin` makes one from an `async` block.
///
/// ```
/// use pollination_auth::StoreFuture;
///
/// fn is_free(holders: usize) -> StoreFuture<'static, bool> {
///     Box::pin(async move { Ok(holders == 0) })
/// }
/// # let _ = is_free;
/// ```
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A profile's lock; dropping it unlocks the profile.
pub type StoreLock = Box<dyn ProfileLock>;

/// The lock of one profile while it is held: the only way to write.
///
/// A store returns one from [`try_lock`](CredentialStore::try_lock). Its calls never overlap.
pub trait ProfileLock: Send {
    /// Replaces a document in one step, if it still has the expected version.
    ///
    /// `None` expects that there is no such document. The store compares and writes as one step, so
    /// that of two writers with the same expectation only one succeeds. Returns the new version once
    /// the document survives a crash of the machine. A reader sees the old document or the new one,
    /// never a mixture. After an error other than [`StoreError::Changed`] either of them may be
    /// there.
    ///
    /// If the future is dropped, the write may still happen, and then under the lock: the lock is
    /// not free for others before the write has ended.
    ///
    /// # Errors
    ///
    /// [`StoreError::Changed`] when the document has another version: nothing was written. Others
    /// when the document may not survive.
    fn write<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
        text: &'a Secret,
    ) -> StoreFuture<'a, Version>;

    /// Destroys a document with all its old versions, if it still has the expected version.
    ///
    /// Succeeds if there is none. A store that keeps old versions removes those as well: nobody can
    /// read a removed secret there any more.
    ///
    /// # Errors
    ///
    /// [`StoreError::Changed`] when the document has another version: nothing was removed. Others
    /// when the document may still be there.
    fn remove<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, ()>;

    /// Returns `true` if the lock is still held.
    ///
    /// A lock that is a lease can expire while the machine is suspended. The client asks before
    /// each write and before each request that creates a secret, and stops if the lock is gone. Ask
    /// the place that keeps the lock, not this machine's clock.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when that is not known; the client then does nothing.
    fn is_held<'a>(&'a mut self) -> StoreFuture<'a, bool>;

    /// Unlocks the profile and waits until others can lock it.
    ///
    /// By default it drops the lock. Dropping it without this call unlocks the profile as well as
    /// that works without waiting: at the latest when a lease expires, or the process exits.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when others may have to wait for the end of a lease.
    fn release(self: Box<Self>) -> StoreFuture<'static, ()> {
        drop(self);
        Box::pin(ready(Ok(())))
    }
}

impl fmt::Debug for dyn ProfileLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileLock").finish_non_exhaustive()
    }
}

/// A place that keeps the credentials of profiles, and the journals of rotations.
///
/// [`FileStore`](super::FileStore) is one. Implement it to keep them elsewhere: in a database, in a
/// cloud's secrets manager, in a desktop keyring. The client does the rest: it writes ahead,
/// compares before it writes, reads back what it wrote, and never overwrites a secret before its
/// successor has logged in.
///
/// Work that blocks belongs on `tokio::task::spawn_blocking`. A future may be dropped at any time.
///
/// ```
/// use std::sync::Arc;
/// use pollination_auth::{
///     CredentialStore, Document, ProfileId, ProfileLock, Secret, StoreError, StoreFuture, StoreLock,
///     StoredDocument, Version,
/// };
///
/// # mod database {
/// #     use std::collections::HashMap;
/// #     use std::io;
/// #     use std::sync::{Arc, Mutex, PoisonError};
/// #     #[derive(Default)]
/// #     pub struct Database {
/// #         rows: Mutex<HashMap<String, (String, u64)>>,
/// #         leases: Mutex<Vec<String>>,
/// #     }
/// #     impl Database {
/// #         pub async fn get(&self, key: &str) -> io::Result<Option<(String, u64)>> {
/// #             Ok(self.rows.lock().unwrap().get(key).cloned())
/// #         }
/// #         pub async fn put_if(&self, key: &str, number: Option<u64>, value: &str) -> io::Result<Option<u64>> {
/// #             let mut rows = self.rows.lock().unwrap();
/// #             if rows.get(key).map(|row| row.1) != number {
/// #                 return Ok(None);
/// #             }
/// #             let next = number.unwrap_or_default() + 1;
/// #             rows.insert(key.to_owned(), (value.to_owned(), next));
/// #             Ok(Some(next))
/// #         }
/// #         pub async fn delete_if(&self, key: &str, number: Option<u64>) -> io::Result<bool> {
/// #             let mut rows = self.rows.lock().unwrap();
/// #             let is_other = rows.get(key).is_some_and(|row| Some(row.1) != number);
/// #             if !is_other {
/// #                 rows.remove(key);
/// #             }
/// #             Ok(!is_other)
/// #         }
/// #         pub async fn lease(self: &Arc<Self>, key: &str) -> io::Result<Option<Lease>> {
/// #             let mut leases = self.leases.lock().unwrap();
/// #             if leases.iter().any(|held| held == key) {
/// #                 return Ok(None);
/// #             }
/// #             leases.push(key.to_owned());
/// #             Ok(Some(Lease(self.clone(), key.to_owned())))
/// #         }
/// #         pub async fn is_leased(&self, key: &str) -> io::Result<bool> {
/// #             Ok(self.leases.lock().unwrap().iter().any(|held| held == key))
/// #         }
/// #     }
/// #     impl Lease {
/// #         pub async fn look_up(&self) -> io::Result<bool> {
/// #             self.0.is_leased(&self.1).await
/// #         }
/// #     }
/// #     pub struct Lease(Arc<Database>, String);
/// #     impl Drop for Lease {
/// #         fn drop(&mut self) {
/// #             let mut leases = self.0.leases.lock().unwrap_or_else(PoisonError::into_inner);
/// #             leases.retain(|held| *held != self.1);
/// #         }
/// #     }
/// # }
/// # use database::{Database, Lease};
/// /// Keeps both documents of a profile as rows of a database, which numbers their versions.
/// struct DatabaseStore {
///     database: Arc<Database>,
/// }
///
/// fn key(profile: &ProfileId, document: Document) -> String {
///     format!("{}/{}", profile.key(), document.as_str())
/// }
///
/// fn number(version: Option<&Version>) -> Option<u64> {
///     version.and_then(|version| version.as_str().parse().ok())
/// }
///
/// impl CredentialStore for DatabaseStore {
///     fn read<'a>(
///         &'a self,
///         profile: &'a ProfileId,
///         document: Document,
///     ) -> StoreFuture<'a, Option<StoredDocument>> {
///         Box::pin(async move {
///             let row = self.database.get(&key(profile, document)).await;
///             let row = row.map_err(|error| StoreError::failed("read the row", error))?;
///             Ok(row.map(|(text, number)| {
///                 StoredDocument::new(Secret::from(text), Version::new(number.to_string()))
///             }))
///         })
///     }
///
///     /// A lease with a session: it expires when this process exits.
///     fn try_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, Option<StoreLock>> {
///         Box::pin(async move {
///             let lease = self.database.lease(&profile.key()).await;
///             let lease = lease.map_err(|error| StoreError::failed("lock the profile", error))?;
///             let (database, profile) = (self.database.clone(), profile.clone());
///             Ok(lease.map(|lease| Box::new(DatabaseLock { database, profile, lease }) as StoreLock))
///         })
///     }
///
///     fn is_locked<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
///         Box::pin(async move {
///             let is_leased = self.database.is_leased(&profile.key()).await;
///             is_leased.map_err(|error| StoreError::failed("look at the lock", error))
///         })
///     }
/// }
///
/// /// Writes the documents of one profile while its lease lasts.
/// struct DatabaseLock {
///     database: Arc<Database>,
///     profile: ProfileId,
///     lease: Lease,
/// }
///
/// impl ProfileLock for DatabaseLock {
///     /// Returns when the database has confirmed that it is stored: the next step relies on it.
///     fn write<'a>(
///         &'a mut self,
///         document: Document,
///         expected: Option<&'a Version>,
///         text: &'a Secret,
///     ) -> StoreFuture<'a, Version> {
///         Box::pin(async move {
///             let (key, number) = (key(&self.profile, document), number(expected));
///             let put = self.database.put_if(&key, number, text.expose_secret()).await;
///             match put.map_err(|error| StoreError::failed("write the row", error))? {
///                 Some(number) => Ok(Version::new(number.to_string())),
///                 None => Err(StoreError::Changed),
///             }
///         })
///     }
///
///     fn remove<'a>(
///         &'a mut self,
///         document: Document,
///         expected: Option<&'a Version>,
///     ) -> StoreFuture<'a, ()> {
///         Box::pin(async move {
///             let (key, number) = (key(&self.profile, document), number(expected));
///             let deleted = self.database.delete_if(&key, number).await;
///             match deleted.map_err(|error| StoreError::failed("delete the row", error))? {
///                 true => Ok(()),
///                 false => Err(StoreError::Changed),
///             }
///         })
///     }
///
///     fn is_held<'a>(&'a mut self) -> StoreFuture<'a, bool> {
///         Box::pin(async move {
///             let is_held = self.lease.look_up().await;
///             is_held.map_err(|error| StoreError::failed("look up the lease", error))
///         })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use pollination_auth::{ApiToken, Client, Profile, RotateOptions, Secret};
/// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
/// # let url = service.base_url();
/// # let database = Arc::new(Database::default());
/// let store = Arc::new(DatabaseStore { database });
/// let profile = Profile::new(store.clone(), &url, "default")?;
/// profile.save(&ApiToken::new("an-id", Secret::from("a-secret"))?).await?;
///
/// let client = Client::builder().store(store).base_url(&url).build()?;
/// let rotated = client.rotation(RotateOptions::default()).rotate().await?;
/// # assert_eq!(service.secret().unwrap().expose_secret(), rotated.api_token().secret().expose_secret());
/// # Ok(())
/// # }
/// ```
pub trait CredentialStore: Send + Sync + 'static {
    /// Returns a document, or `None` if there is none.
    ///
    /// A reply of a replica may be some seconds old.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it can't be read, or may not be trusted.
    fn read<'a>(
        &'a self,
        profile: &'a ProfileId,
        document: Document,
    ) -> StoreFuture<'a, Option<StoredDocument>>;

    /// Locks a profile, or returns `None` if somebody else holds its lock.
    ///
    /// It must not wait for another holder. The lock excludes other holders in this process, too.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when there can be no lock here; nothing is written then.
    fn try_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, Option<StoreLock>>;

    /// Returns `true` if somebody holds the lock of a profile, without taking it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when there can be no lock here.
    fn is_locked<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool>;

    /// Returns a store beside this one for the access tokens that processes share, if there is one.
    ///
    /// [`share_access_token`](crate::ClientBuilder::share_access_token) asks for it. What is kept
    /// there is as secret as the credential, but nothing is lost with it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it can't be opened; each client then logs in on its own.
    fn access_tokens(&self) -> StoreFuture<'_, Option<Arc<dyn CredentialStore>>> {
        Box::pin(ready(Ok(None)))
    }

    /// Returns `true` if stored documents outlive the process, as a rotation requires.
    fn is_durable(&self) -> bool {
        true
    }
}

/// A shared store is a store, so that a program can keep one for several clients.
impl<S: CredentialStore + ?Sized> CredentialStore for Arc<S> {
    fn read<'a>(
        &'a self,
        profile: &'a ProfileId,
        document: Document,
    ) -> StoreFuture<'a, Option<StoredDocument>> {
        (**self).read(profile, document)
    }

    fn try_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, Option<StoreLock>> {
        (**self).try_lock(profile)
    }

    fn is_locked<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
        (**self).is_locked(profile)
    }

    fn access_tokens(&self) -> StoreFuture<'_, Option<Arc<dyn CredentialStore>>> {
        (**self).access_tokens()
    }

    fn is_durable(&self) -> bool {
        (**self).is_durable()
    }
}
