//! A store in memory, for tests: it forgets everything with the process.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::credential_store::{CredentialStore, ProfileLock, StoreLock};
use super::error::StoreError;
use super::kind::Document;
use crate::credential::profile_id::ProfileId;
use crate::foundation::secret::Secret;

/// A credential store in memory, for tests; clones share it.
///
/// A rotation refuses it unless
/// [`accept_volatile`](crate::RotateOptions::accept_volatile) is set: a crash would lose the
/// secret.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    documents: HashMap<(ProfileId, Document), Secret>,
    locked: HashSet<ProfileId>,
}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A panic elsewhere can't leave the state half changed, so a poisoned lock is still usable.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CredentialStore for MemoryStore {
    fn read(&self, profile: &ProfileId, document: Document) -> Result<Option<Secret>, StoreError> {
        let key = (profile.clone(), document);
        Ok(self.state().documents.get(&key).cloned())
    }

    fn try_lock(&self, profile: &ProfileId) -> Result<Option<StoreLock>, StoreError> {
        let free = self.state().locked.insert(profile.clone());
        Ok(free.then(|| {
            Box::new(Lock {
                store: self.clone(),
                profile: profile.clone(),
            }) as StoreLock
        }))
    }

    fn is_locked(&self, profile: &ProfileId) -> Result<bool, StoreError> {
        Ok(self.state().locked.contains(profile))
    }

    fn is_durable(&self) -> bool {
        false
    }
}

struct Lock {
    store: MemoryStore,
    profile: ProfileId,
}

impl ProfileLock for Lock {
    fn write(&mut self, document: Document, text: &Secret) -> Result<(), StoreError> {
        let key = (self.profile.clone(), document);
        self.store.state().documents.insert(key, text.clone());
        Ok(())
    }

    fn remove(&mut self, document: Document) -> Result<(), StoreError> {
        let key = (self.profile.clone(), document);
        self.store.state().documents.remove(&key);
        Ok(())
    }

    /// It lasts as long as the process, and so does the store.
    fn is_held(&mut self) -> Result<bool, StoreError> {
        Ok(true)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.store.state().locked.remove(&self.profile);
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("documents", &self.state().documents.len())
            .finish()
    }
}
