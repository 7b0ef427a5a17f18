//! What several tests need: a profile, texts, and errors by their source.

use std::sync::Arc;

use pollination_auth::{
    CredentialStore, MemoryStore, Profile, ProfileId, Secret, StoreError, StoreLock,
};
use pollination_auth_vault::VaultError;

/// Where the profiles' credentials belong.
const HOST: &str = "https://api.pollination.cloud";

pub(crate) fn profile(name: &str) -> ProfileId {
    let profile = Profile::new(Arc::new(MemoryStore::new()), HOST, name).unwrap();
    profile.id().clone()
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

/// Takes a lock that is free.
pub(crate) async fn lock(store: &impl CredentialStore, profile: &ProfileId) -> StoreLock {
    let lock = store.try_lock(profile).await.unwrap();
    lock.expect("nobody holds the lock")
}

/// Returns the store's own error.
pub(crate) fn vault_error(error: &StoreError) -> &VaultError {
    let StoreError::Failed { source, .. } = error else {
        panic!("not an error of the server: {error}");
    };
    source.downcast_ref().expect("the source is this store's")
}
