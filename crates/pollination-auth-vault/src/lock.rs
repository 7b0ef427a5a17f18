//! The lock as the library holds it: renewed by a task, and each change carried to its end.

use std::sync::{Arc, Weak};
use std::time::Duration;

use pollination_auth::{Document, ProfileLock, Secret, StoreError, StoreFuture, Version};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::sleep;

use crate::error::VaultError;
use crate::held::Held;
use crate::kv::Entry;

/// The renewals in one lease: 3, so that one may fail and the next is still in time.
const RENEWALS: u32 = 3;

/// The lock of one profile.
pub(crate) struct VaultLock {
    /// `None` once it is being released.
    held: Option<Arc<Mutex<Held<Entry>>>>,
}

impl VaultLock {
    /// Starts to renew the lease; it needs a runtime.
    pub(crate) fn new(held: Held<Entry>, lease: Duration) -> Self {
        let held = Arc::new(Mutex::new(held));
        tokio::spawn(renew(Arc::downgrade(&held), lease / RENEWALS));
        Self { held: Some(held) }
    }

    /// Returns the lock for work that goes on although the caller stops waiting for it.
    ///
    /// The work owns the guard before it begins, so nothing releases the lock in between.
    async fn held(&self) -> Result<OwnedMutexGuard<Held<Entry>>, StoreError> {
        let held = self.held.clone().ok_or(StoreError::LockLost)?;
        Ok(held.lock_owned().await)
    }
}

impl ProfileLock for VaultLock {
    fn write<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
        text: &'a Secret,
    ) -> StoreFuture<'a, Version> {
        Box::pin(async move {
            let mut held = self.held().await?;
            let (expected, text) = (expected.cloned(), text.clone());
            on_task("write it to Vault", async move {
                let expected = expected.as_ref().map(Version::as_str);
                let version = held.write(document, expected, &text).await?;
                Ok(Version::new(version))
            })
            .await
        })
    }

    fn remove<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let mut held = self.held().await?;
            let expected = expected.cloned();
            on_task("delete it in Vault", async move {
                let expected = expected.as_ref().map(Version::as_str);
                held.remove(document, expected).await
            })
            .await
        })
    }

    fn is_held(&mut self) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let mut held = self.held().await?;
            let renew = async move { held.renew().await };
            on_task("renew its lock in Vault", renew).await
        })
    }

    fn release(mut self: Box<Self>) -> StoreFuture<'static, ()> {
        // A future that is dropped before its first step drops the lock, which releases it.
        Box::pin(async move {
            let Some(held) = self.held.take() else {
                return Ok(());
            };
            let release = async move { held.lock().await.release().await };
            on_task("unlock it in Vault", release).await
        })
    }
}

impl Drop for VaultLock {
    /// Releases the lock once the work that was begun is done; without a runtime its lease expires.
    fn drop(&mut self) {
        if let (Some(held), Ok(runtime)) = (self.held.take(), Handle::try_current()) {
            runtime.spawn(async move {
                if let Err(error) = held.lock().await.release().await {
                    tracing::warn!(%error, "a lock was not released; its lease will expire");
                }
            });
        }
    }
}

/// Renews the lease until the lock is released, dropped or lost.
async fn renew(held: Weak<Mutex<Held<Entry>>>, pause: Duration) {
    loop {
        sleep(pause).await;
        let Some(held) = held.upgrade() else {
            return;
        };
        let mut held = held.lock().await;
        if held.is_over() {
            return;
        }
        match held.renew().await {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!("another process took over the lock of a profile in Vault");
                return;
            }
            Err(error) => tracing::warn!(%error, "a lease was not renewed"),
        }
    }
}

/// Runs work on a task of its own, so that it comes to its end although its caller stops waiting.
pub(crate) async fn on_task<T: Send + 'static>(
    doing: &'static str,
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    let stopped = || StoreError::failed(doing, VaultError::NoRuntime);
    let runtime = Handle::try_current().map_err(|_none| stopped())?;
    runtime
        .spawn(work)
        .await
        .unwrap_or_else(|_stopped| Err(stopped()))
}
