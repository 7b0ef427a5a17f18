//! The stored credential as a caller has seen it: what a later change is compared with.

use std::fmt;
use std::time::SystemTime;

use super::record::Record;
use crate::credential::api_token::ApiToken;

/// An API token as it was stored when it was read.
///
/// Pass it to [`Profile::replace`](super::Profile::replace) or
/// [`Profile::remove`](super::Profile::remove): they change nothing if the stored credential is no
/// longer this one.
///
/// ```
/// use pollination_auth::{ApiToken, MemoryStore, Profile, Secret, StoreError, StoredToken};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let profile = Profile::new(store, "https://api.pollination.cloud", "default")?;
/// profile.save(&ApiToken::new("an-id", Secret::from("a-secret"))?).await?;
///
/// let seen: StoredToken = profile.stored().await?.ok_or("no API token is stored")?;
/// profile.replace(&seen, &ApiToken::new("an-id", Secret::from("a-new-secret"))?).await?;
/// assert!(matches!(profile.remove(&seen).await, Err(StoreError::Changed)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct StoredToken(pub(crate) Record);

impl StoredToken {
    /// Returns the API token.
    #[must_use]
    pub fn api_token(&self) -> &ApiToken {
        &self.0.token
    }

    /// Returns how often the stored credential has changed.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// Returns the time of the last rotation, if there was one.
    #[must_use]
    pub fn rotated_at(&self) -> Option<SystemTime> {
        self.0.rotated_at
    }
}

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredToken")
            .field("id", self.0.token.id())
            .field("generation", &self.0.generation)
            .field("rotated_at", &self.0.rotated_at)
            .finish_non_exhaustive()
    }
}
