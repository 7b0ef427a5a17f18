//! The lock as rules on one register: taken, renewed, used and released by compare-and-set alone.
//!
//! The register is a profile's KV secret. It contains both documents and the holder of the lock, so
//! one comparison covers all of them: a write succeeds only if nothing has been written since the
//! writer's last look, its own renewals included. Whoever takes the lock over writes. So a holder
//! that was paused for longer than its lease can't write anything afterwards, at whatever step it
//! was paused, and no clock is part of that.

use std::time::Duration;

use pollination_auth::{Document, Secret, StoreError};

use crate::error::VaultError;
use crate::slot::{Holder, Mark, Slot, version_of};

/// The most attempts of one write: 5.
///
/// Each further one needs an earlier request of the same holder that had no reply and was applied
/// late, and there are few of them.
const ATTEMPTS: u32 = 5;

/// A place that keeps one slot, with a version that counts its writes.
pub(crate) trait Register: Send + Sync {
    /// Returns the content and its version; 0 if there is none.
    fn read(&self) -> impl Future<Output = Result<(u64, Slot), VaultError>> + Send;

    /// Returns the content once its version is above this one.
    fn read_after(
        &self,
        version: u64,
    ) -> impl Future<Output = Result<(u64, Slot), VaultError>> + Send;

    /// Writes if the version is still this one.
    fn compare_and_set(
        &self,
        version: u64,
        slot: &Slot,
    ) -> impl Future<Output = Result<Outcome, VaultError>> + Send;

    /// Prepares the place for its first write.
    fn prepare(&self) -> impl Future<Output = Result<(), VaultError>> + Send;

    /// Destroys everything that was written before this version.
    fn destroy_before(&self, version: u64) -> impl Future<Output = Result<(), VaultError>> + Send;
}

/// What came of a write with check-and-set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was written, and this is its version.
    Written(u64),
    /// Another version is there.
    Mismatch {
        /// Whether the request was repeated, so that the other version can be its own.
        was_repeated: bool,
    },
}

/// The lock while it is held, as far as its holder knows.
pub(crate) struct Held<R> {
    register: R,
    holder: Mark,
    version: u64,
    slot: Slot,
    is_lost: bool,
}

impl<R: Register> Held<R> {
    /// Takes the lock if it is free, or if its lease is over by the judgement of `is_expired`.
    pub(crate) async fn take(
        register: R,
        lease: Duration,
        is_expired: impl FnOnce(u64, Duration) -> bool + Send,
    ) -> Result<Option<Self>, VaultError> {
        let (version, mut slot) = register.read().await?;
        if let Some(holder) = slot.holder()
            && !is_expired(version, holder.lease())
        {
            return Ok(None);
        }
        register.prepare().await?;
        let holder = Holder::new(lease);
        let id = holder.id.clone();
        slot.set_holder(Some(holder));
        slot.write = Mark::new();
        let version = match register.compare_and_set(version, &slot).await? {
            Outcome::Written(version) => version,
            Outcome::Mismatch {
                was_repeated: false,
            } => return Ok(None),
            Outcome::Mismatch { was_repeated: true } => {
                let (found, now) = register.read_after(version).await?;
                if now.write != slot.write {
                    return Ok(None);
                }
                found
            }
        };
        Ok(Some(Self {
            register,
            holder: id,
            version,
            slot,
            is_lost: false,
        }))
    }

    /// Writes a document if it is still the expected one, and returns its new version.
    pub(crate) async fn write(
        &mut self,
        document: Document,
        expected: Option<&str>,
        text: &Secret,
    ) -> Result<String, StoreError> {
        self.update("write it to Vault", |slot| {
            compare(slot, document, expected)?;
            slot.set(document, Some(text));
            Ok(())
        })
        .await?;
        Ok(version_of(text.expose_secret()))
    }

    /// Destroys a document, with every older version of it, if it is still the expected one.
    ///
    /// Succeeds if there is none.
    pub(crate) async fn remove(
        &mut self,
        document: Document,
        expected: Option<&str>,
    ) -> Result<(), StoreError> {
        self.update("delete it in Vault", |slot| {
            if slot.get(document).is_some() {
                compare(slot, document, expected)?;
            }
            slot.set(document, None);
            Ok(())
        })
        .await?;
        self.destroy_old().await
    }

    /// Renews the lease, and returns `true` if the lock is still held.
    ///
    /// It is a write and not a read: only a write makes the lease a whole one, and only a write is
    /// certain to be answered by the active node.
    pub(crate) async fn renew(&mut self) -> Result<bool, StoreError> {
        match self.update("renew its lock in Vault", |_| Ok(())).await {
            Ok(()) => Ok(true),
            Err(StoreError::LockLost) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Releases the lock, and destroys the older versions of what was written under it.
    pub(crate) async fn release(&mut self) -> Result<(), StoreError> {
        let release = |slot: &mut Slot| {
            slot.set_holder(None);
            Ok(())
        };
        match self.update("unlock it in Vault", release).await {
            Ok(()) => {
                self.is_lost = true;
                self.destroy_old().await
            }
            // Somebody else has it.
            Err(StoreError::LockLost) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Returns `true` once the lock was released or taken over.
    pub(crate) fn is_over(&self) -> bool {
        self.is_lost
    }

    async fn destroy_old(&self) -> Result<(), StoreError> {
        let destroyed = self.register.destroy_before(self.version).await;
        destroyed.map_err(|error| StoreError::failed("destroy its old versions in Vault", error))
    }

    /// Changes the content by compare-and-set, and fails if the lock was taken over.
    async fn update(
        &mut self,
        doing: &'static str,
        change: impl Fn(&mut Slot) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        let failed = |error| StoreError::failed(doing, error);
        for _ in 0..ATTEMPTS {
            if self.is_lost {
                return Err(StoreError::LockLost);
            }
            let mut next = self.slot.clone();
            change(&mut next)?;
            next.write = Mark::new();
            let written = self.register.compare_and_set(self.version, &next).await;
            let was_repeated = match written.map_err(failed)? {
                Outcome::Written(version) => {
                    self.version = version;
                    self.slot = next;
                    return Ok(());
                }
                Outcome::Mismatch { was_repeated } => was_repeated,
            };
            let found = self.register.read_after(self.version).await;
            let (version, found) = found.map_err(failed)?;
            let is_done = found.write == next.write;
            if !is_done && found.holder().is_none_or(|now| now.id != self.holder) {
                self.is_lost = true;
                return Err(if was_repeated {
                    failed(VaultError::TakenOver)
                } else {
                    StoreError::LockLost
                });
            }
            // If it is another write of this holder, its reply was given up, and it came late.
            self.version = version;
            self.slot = found;
            if is_done {
                return Ok(());
            }
        }
        Err(StoreError::Changed)
    }
}

fn compare(slot: &Slot, document: Document, expected: Option<&str>) -> Result<(), StoreError> {
    if slot.version(document).as_deref() == expected {
        Ok(())
    } else {
        Err(StoreError::Changed)
    }
}

#[cfg(test)]
mod tests;
