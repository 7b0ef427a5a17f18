//! Where credentials are kept: the trait that a place implements, and what it may answer.
//!
//! A store keeps documents and takes locks. What stands in the documents, and in which order they
//! are written, is not its business but that of `document` and `rotation`.

mod disk;
pub(crate) mod document;
mod error;
mod file;
mod memory;
mod profile;
#[cfg(test)]
mod tests;

use std::any::Any;

pub use self::disk::{DiskStep, DiskStepKind};
pub use self::error::StoreError;
pub use self::file::FileStore;
pub use self::memory::MemoryStore;
pub use self::profile::{Profile, ProfileId};
use crate::secret::Secret;

/// The longest document that is read: 64 KiB.
///
/// A journal with the longest access token and six candidates of the longest kind stays below.
pub(crate) const DOCUMENT_LIMIT: usize = 64 * 1024;

/// Names one of the two documents that a store keeps for a profile.
///
/// Both hold secrets, and deserve the same protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Document {
    /// The credential: id, secret, and how often it was rotated.
    Credential,
    /// The journal of a rotation: an access token, and secrets not yet proven.
    Journal,
}

impl Document {
    /// Gives a name that can be part of a key or of a file's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Journal => "journal",
        }
    }
}

/// Holds a profile's lock until it is dropped; whatever a store puts in.
pub type StoreLock = Box<dyn Any + Send>;

/// Keeps the credentials of profiles, and the journal of a rotation.
///
/// [`FileStore`] is one. Implement it to keep them elsewhere: in Vault, in a secrets manager of a
/// cloud, in the keyring of a desktop. It is four calls, and the client does the rest: it writes
/// ahead, reads back what it wrote, and never overwrites a secret before the next one has logged
/// in.
///
/// The calls may block: the client makes them on threads that are there for that
/// (`tokio::task::spawn_blocking`), so an asynchronous library is called there through
/// `Handle::block_on`. None is made twice at once for one profile while its lock is held, but for
/// `read`.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::{Arc, Mutex, PoisonError};
/// use pollination_auth::{CredentialStore, Document, ProfileId, Secret, StoreError, StoreLock};
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
/// #     pub struct Lease(Arc<Vault>, String);
/// #     impl Drop for Lease {
/// #         fn drop(&mut self) {
/// #             let mut leases = self.0.leases.lock().unwrap_or_else(PoisonError::into_inner);
/// #             leases.retain(|held| *held != self.1);
/// #         }
/// #     }
/// # }
/// # use vault::Vault;
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
///     /// Returns when Vault has confirmed that it is stored: the next step relies on it.
///     fn write(&self, profile: &ProfileId, document: Document, text: &Secret) -> Result<(), StoreError> {
///         let put = self.vault.put(&path(profile, document), text.expose_secret());
///         put.map_err(|error| StoreError::failed("write it to Vault", error))
///     }
///
///     fn remove(&self, profile: &ProfileId, document: Document) -> Result<(), StoreError> {
///         let deleted = self.vault.delete(&path(profile, document));
///         deleted.map_err(|error| StoreError::failed("delete it in Vault", error))
///     }
///
///     /// A lease with a session behind it: it ends when this process does.
///     fn try_lock(&self, profile: &ProfileId) -> Result<Option<StoreLock>, StoreError> {
///         let lease = self.vault.lease(&format!("pollination/{}/lock", profile.key()));
///         let lease = lease.map_err(|error| StoreError::failed("lock it in Vault", error))?;
///         Ok(lease.map(|lease| Box::new(lease) as StoreLock))
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
    /// Gives a document, or none when there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it can't be read, or may not be trusted.
    fn read(&self, profile: &ProfileId, document: Document) -> Result<Option<Secret>, StoreError>;

    /// Puts a document in the place of the old one, as one step.
    ///
    /// It returns when the document will last, whatever happens to the machine.
    /// A reader sees the old document or the new one, and nothing between. When it fails, either
    /// may be there. Called with the lock held.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it is not certain that the document will last.
    fn write(
        &self,
        profile: &ProfileId,
        document: Document,
        text: &Secret,
    ) -> Result<(), StoreError>;

    /// Removes a document; done, too, when there is none. Called with the lock held.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it is not certain that it is gone.
    fn remove(&self, profile: &ProfileId, document: Document) -> Result<(), StoreError>;

    /// Takes the lock of a profile, or gives none when another process holds it.
    ///
    /// It must not wait. A lock ends when what is returned is dropped, and when the process dies.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when there can be no lock here; nothing is rotated then.
    fn try_lock(&self, profile: &ProfileId) -> Result<Option<StoreLock>, StoreError>;

    /// Tells whether what it keeps outlives the process; a rotation wants that.
    fn is_durable(&self) -> bool {
        true
    }

    /// Gives the most bytes of a document that it takes, if there is a bound.
    ///
    /// A rotation checks it before it begins. The keyring of Windows takes 2560 bytes.
    fn capacity(&self) -> Option<usize> {
        None
    }
}
