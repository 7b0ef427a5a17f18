//! A store in memory, for tests: it forgets everything with the process.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::credential_store::{CredentialStore, ProfileLock, StoreFuture, StoreLock};
use super::error::StoreError;
use super::kind::Document;
use super::stored_document::{StoredDocument, Version};
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
    documents: HashMap<(ProfileId, Document), StoredDocument>,
    locked: HashSet<ProfileId>,
    /// The number of writes so far: the version of the newest document.
    writes: u64,
}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a lock end while its holder goes on.
    #[cfg(test)]
    pub(super) fn end_lock(&self, profile: &ProfileId) {
        self.state().locked.remove(profile);
    }

    /// A panic elsewhere can't leave the state half changed, so a poisoned lock is still usable.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CredentialStore for MemoryStore {
    fn read<'a>(
        &'a self,
        profile: &'a ProfileId,
        document: Document,
    ) -> StoreFuture<'a, Option<StoredDocument>> {
        let key = (profile.clone(), document);
        Box::pin(async move { Ok(self.state().documents.get(&key).cloned()) })
    }

    fn try_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, Option<StoreLock>> {
        Box::pin(async move {
            let is_free = self.state().locked.insert(profile.clone());
            Ok(is_free.then(|| {
                Box::new(Lock {
                    store: self.clone(),
                    profile: profile.clone(),
                }) as StoreLock
            }))
        })
    }

    fn is_locked<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
        Box::pin(async move { Ok(self.state().locked.contains(profile)) })
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
    fn write<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
        text: &'a Secret,
    ) -> StoreFuture<'a, Version> {
        Box::pin(async move {
            let mut state = self.store.state();
            let key = (self.profile.clone(), document);
            if state.documents.get(&key).map(StoredDocument::version) != expected {
                return Err(StoreError::Changed);
            }
            state.writes = state.writes.saturating_add(1);
            let version = Version::new(state.writes.to_string());
            let written = StoredDocument::new(text.clone(), version.clone());
            state.documents.insert(key, written);
            Ok(version)
        })
    }

    fn remove<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let mut state = self.store.state();
            let key = (self.profile.clone(), document);
            match state.documents.get(&key) {
                Some(stored) if Some(stored.version()) != expected => Err(StoreError::Changed),
                _ => {
                    state.documents.remove(&key);
                    Ok(())
                }
            }
        })
    }

    /// It lasts as long as the process, and so does the store.
    fn is_held<'a>(&'a mut self) -> StoreFuture<'a, bool> {
        Box::pin(ready(Ok(true)))
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
