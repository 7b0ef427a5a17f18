//! The store under test, as its author makes it reachable.

use std::future::ready;
use std::sync::Arc;

use crate::credential::profile_id::ProfileId;
use crate::store::{CredentialStore, StoreFuture};

/// The store under test, as a test can reach it.
pub trait Harness: Sync {
    /// Opens a handle on the store, as another process would.
    ///
    /// All handles are on the same documents and locks.
    fn open(&self) -> StoreFuture<'_, Arc<dyn CredentialStore>>;

    /// Ends whoever's lock of a profile while the holder goes on, as a lease ends that nobody could
    /// renew.
    ///
    /// Returns `false` if no lock of this store can end, as by default; what depends on it is not
    /// checked then.
    fn end_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
        let _ = profile;
        Box::pin(ready(Ok(false)))
    }

    /// Looks for a text in everything that the store still has, also as an old version.
    ///
    /// Returns `None` if the test can't look there, as by default; whether a removed document is
    /// destroyed is not checked then.
    fn find<'a>(&'a self, text: &'a str) -> StoreFuture<'a, Option<bool>> {
        let _ = text;
        Box::pin(ready(Ok(None)))
    }
}
