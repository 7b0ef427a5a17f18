//! The store: the profiles' secrets in one folder of a secrets engine.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pollination_auth::{
    CredentialStore, Document, ProfileId, Secret, StoreError, StoreFuture, StoreLock,
    StoredDocument, Version,
};
use tokio::time::Instant;

use crate::held::{Held, Register as _};
use crate::kv::Kv;
use crate::lock::{VaultLock, on_task};
use crate::watch::Watch;

/// The leases after which the probe calls a lock free: 2.
///
/// After one, those who wait take it over. Who only looks should see the next holder, and not the
/// moment in between, in which a rotation would look as if it were cut off for good.
const PROBED_LEASES: u32 = 2;

/// A credential store on version 2 of the KV secrets engine of Vault or OpenBao.
///
/// Clones share one token of the server. See the [crate](crate) for how it is set up.
///
/// ```no_run
/// use pollination_auth::Client;
/// use pollination_auth_vault::{VaultAuth, VaultStore};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let store = VaultStore::builder("https://vault.example.com:8200")
///     .auth(VaultAuth::kubernetes("pollination"))
///     .build()?;
/// let client = Client::builder().store(store).build()?;
/// let token = client.access_token().await?;
/// # let _ = token;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct VaultStore {
    kv: Arc<Kv>,
    lease: Duration,
    watch: Arc<Watch>,
}

impl VaultStore {
    pub(crate) fn new(kv: Arc<Kv>, lease: Duration) -> Self {
        Self {
            kv,
            lease,
            watch: Arc::default(),
        }
    }

    /// Returns the path of a profile's secret, for people who look at it or write a policy.
    ///
    /// ```
    /// use pollination_auth::Profile;
    /// use pollination_auth_vault::{VaultAuth, VaultStore};
    ///
    /// let store = VaultStore::builder("https://vault.example.com:8200")
    ///     .auth(VaultAuth::token("a-token"))
    ///     .build()?;
    /// let profile = Profile::new(store.clone(), "https://api.pollination.cloud", "default")?;
    /// let path = store.path(profile.id());
    /// assert!(path.starts_with("secret/data/pollination/default-"), "{path}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn path(&self, profile: &ProfileId) -> String {
        self.kv.entry(profile.key()).path("data")
    }
}

impl CredentialStore for VaultStore {
    fn read<'a>(
        &'a self,
        profile: &'a ProfileId,
        document: Document,
    ) -> StoreFuture<'a, Option<StoredDocument>> {
        const DOING: &str = "read it from Vault";
        let entry = self.kv.entry(profile.key());
        Box::pin(on_task(DOING, async move {
            let read = entry.read().await;
            let (_, slot) = read.map_err(|error| StoreError::failed(DOING, error))?;
            let version = slot.version(document).map(Version::new);
            let text = slot.get(document).cloned().map(Secret::from);
            Ok(text
                .zip(version)
                .map(|(text, version)| StoredDocument::new(text, version)))
        }))
    }

    fn try_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, Option<StoreLock>> {
        const DOING: &str = "lock it in Vault";
        let key = profile.key();
        let entry = self.kv.entry(key.clone());
        let (watch, lease) = (self.watch.clone(), self.lease);
        Box::pin(on_task(DOING, async move {
            let asked = Instant::now();
            let is_expired = |version, of: Duration| watch.is_expired(&key, version, of, asked);
            let taken = Held::take(entry, lease, is_expired).await;
            let taken = taken.map_err(|error| StoreError::failed(DOING, error))?;
            Ok(taken.map(|held| {
                watch.forget(&key);
                Box::new(VaultLock::new(held, lease)) as StoreLock
            }))
        }))
    }

    fn is_locked<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
        const DOING: &str = "look at its lock in Vault";
        let key = profile.key();
        let entry = self.kv.entry(key.clone());
        let watch = self.watch.clone();
        Box::pin(on_task(DOING, async move {
            let asked = Instant::now();
            let read = entry.read().await;
            let (version, slot) = read.map_err(|error| StoreError::failed(DOING, error))?;
            let Some(holder) = slot.holder() else {
                watch.forget(&key);
                return Ok(false);
            };
            let patience = holder.lease().saturating_mul(PROBED_LEASES);
            Ok(!watch.is_expired(&key, version, patience, asked))
        }))
    }
}

impl fmt::Debug for VaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultStore")
            .field("folder", &self.kv.folder())
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
