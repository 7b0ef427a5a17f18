//! The traits that a store implements: it reads documents and takes locks; only a held lock writes.

use std::fmt;

use super::error::StoreError;
use super::kind::Document;
use crate::credential::profile_id::ProfileId;
use crate::foundation::secret::Secret;

/// A profile's lock; dropping it unlocks the profile.
pub type StoreLock = Box<dyn ProfileLock>;

/// The lock of one profile while it is held: the only way to write.
///
/// A store returns one from [`try_lock`](CredentialStore::try_lock). Dropping it unlocks the
/// profile, and so does the end of the process.
pub trait ProfileLock: Send {
    /// Replaces a document in one step.
    ///
    /// Returns once the document survives a crash of the machine. A reader sees the old document or
    /// the new one, never a mixture. After an error either of them may be there.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the document may not survive.
    fn write(&mut self, document: Document, text: &Secret) -> Result<(), StoreError>;

    /// Removes a document; succeeds if there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the document may still be there.
    fn remove(&mut self, document: Document) -> Result<(), StoreError>;

    /// Returns `true` if the lock is still held.
    ///
    /// A lock that is a lease can expire while the machine is suspended. The client asks before
    /// each write and before each request that creates a secret, and stops if the lock is gone. Ask
    /// the place that keeps the lock, not this machine's clock.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when that is not known; the client then does nothing.
    fn is_held(&mut self) -> Result<bool, StoreError>;
}

impl fmt::Debug for dyn ProfileLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileLock").finish_non_exhaustive()
    }
}

/// A place that keeps the credentials of profiles, and the journals of rotations.
///
/// [`FileStore`](super::FileStore) is one. Implement it to keep them elsewhere: in Vault, in a
/// cloud's secrets manager, in a desktop keyring. The client does the rest: it writes ahead,
/// compares before it writes, reads back what it wrote, and never overwrites a secret before its
/// successor has logged in.
///
/// The calls may block: the client makes them on threads for blocking work
/// (`tokio::task::spawn_blocking`), so call an asynchronous library through `Handle::block_on`.
/// While a profile's lock is held, calls for it never overlap, except `read` and `is_locked`.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::{Arc, Mutex, PoisonError};
/// use pollination_auth::{
///     CredentialStore, Document, ProfileId, ProfileLock, Secret, StoreError, StoreLock,
/// };
///
/// # mod vault {
/// #     use super::*;
/// #     #[derive(Default)]
/// #     pub struct Vault {
/// #         values: Mutex<HashMap<String, String>>,
/// #         leases: Mutex<Vec<String>>,
/// #     }
/// #     impl Vault {
/// #         pub fn get(&self, path: &str) -> std::io::Result<Option<String>> {
/// #             Ok(self.values.lock().unwrap().get(path).cloned())
/// #         }
/// #         pub fn put(&self, path: &str, value: &str) -> std::io::Result<()> {
/// #             self.values.lock().unwrap().insert(path.to_owned(), value.to_owned());
/// #             Ok(())
/// #         }
/// #         pub fn delete(&self, path: &str) -> std::io::Result<()> {
/// #             self.values.lock().unwrap().remove(path);
/// #             Ok(())
/// #         }
/// #         pub fn lease(self: &Arc<Self>, path: &str) -> std::io::Result<Option<Lease>> {
/// #             let mut leases = self.leases.lock().unwrap();
/// #             if leases.iter().any(|held| held == path) {
/// #                 return Ok(None);
/// #             }
/// #             leases.push(path.to_owned());
/// #             Ok(Some(Lease(self.clone(), path.to_owned())))
/// #         }
/// #     }
/// #     impl Lease {
/// #         pub fn look_up(&self) -> std::io::Result<bool> {
/// #             Ok(self.0.leases.lock().unwrap().contains(&self.1))
/// #         }
/// #     }
/// #     pub struct Lease(Arc<Vault>, String);
/// #     impl Drop for Lease {
/// #         fn drop(&mut self) {
/// #             let mut leases = self.0.leases.lock().unwrap_or_else(PoisonError::into_inner);
/// #             leases.retain(|held| *held != self.1);
/// #         }
/// #     }
/// # }
/// # use vault::{Lease, Vault};
/// /// Keeps both documents of a profile below one path of a Vault.
/// struct VaultStore {
///     vault: Arc<Vault>,
/// }
///
/// fn path(profile: &ProfileId, document: Document) -> String {
///     format!("pollination/{}/{}", profile.key(), document.as_str())
/// }
///
/// impl CredentialStore for VaultStore {
///     fn read(&self, profile: &ProfileId, document: Document) -> Result<Option<Secret>, StoreError> {
///         let text = self.vault.get(&path(profile, document));
///         Ok(text.map_err(|error| StoreError::failed("read it from Vault", error))?.map(Secret::from))
///     }
///
///     /// A lease with a session: it expires when this process exits.
///     fn try_lock(&self, profile: &ProfileId) -> Result<Option<StoreLock>, StoreError> {
///         let lease = self.vault.lease(&format!("pollination/{}/lock", profile.key()));
///         let lease = lease.map_err(|error| StoreError::failed("lock it in Vault", error))?;
///         let (vault, profile) = (self.vault.clone(), profile.clone());
///         Ok(lease.map(|lease| Box::new(VaultLock { vault, profile, lease }) as StoreLock))
///     }
/// }
///
/// /// Writes the documents of one profile while its lease lasts.
/// struct VaultLock {
///     vault: Arc<Vault>,
///     profile: ProfileId,
///     lease: Lease,
/// }
///
/// impl ProfileLock for VaultLock {
///     /// Returns when Vault has confirmed that it is stored: the next step relies on it.
///     fn write(&mut self, document: Document, text: &Secret) -> Result<(), StoreError> {
///         let put = self.vault.put(&path(&self.profile, document), text.expose_secret());
///         put.map_err(|error| StoreError::failed("write it to Vault", error))
///     }
///
///     fn remove(&mut self, document: Document) -> Result<(), StoreError> {
///         let deleted = self.vault.delete(&path(&self.profile, document));
///         deleted.map_err(|error| StoreError::failed("delete it in Vault", error))
///     }
///
///     fn is_held(&mut self) -> Result<bool, StoreError> {
///         self.lease.look_up().map_err(|error| StoreError::failed("look up its lease", error))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use pollination_auth::{ApiToken, Client, Profile, RotateOptions};
/// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
/// # let url = service.base_url();
/// # let vault = Arc::new(Vault::default());
/// let store = Arc::new(VaultStore { vault });
/// Profile::new(store.clone(), &url, "default")?.save(&ApiToken::new("an-id", "a-secret")?)?;
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
    /// # Errors
    ///
    /// [`StoreError`] when it can't be read, or may not be trusted.
    fn read(&self, profile: &ProfileId, document: Document) -> Result<Option<Secret>, StoreError>;

    /// Locks a profile, or returns `None` if somebody else holds its lock.
    ///
    /// It must not wait. The lock excludes other holders in this process, too.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when there can be no lock here; nothing is written then.
    fn try_lock(&self, profile: &ProfileId) -> Result<Option<StoreLock>, StoreError>;

    /// Returns `true` if somebody holds the lock of a profile.
    ///
    /// By default it takes the lock and releases it at once. Implement it if the store can show its
    /// lock without taking it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when there can be no lock here.
    fn is_locked(&self, profile: &ProfileId) -> Result<bool, StoreError> {
        Ok(self.try_lock(profile)?.is_none())
    }

    /// Returns `true` if stored documents outlive the process, as a rotation requires.
    fn is_durable(&self) -> bool {
        true
    }
}
