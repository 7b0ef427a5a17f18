//! Taking a profile's lock, and waiting for it: with back-off, so that many who wait do not crowd the
//! store.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::error::StoreError;
use super::profile::Profile;
use super::writer::Writer;
use crate::foundation::chance;

/// The first wait between two attempts: 10 ms, as a change of a stored credential takes.
const FIRST_WAIT: Duration = Duration::from_millis(10);

/// The longest wait between two attempts: 5 s.
///
/// At half of it on average at least, 50 replicas that wait for a rotation ask the store 20 times a
/// second. A rotation that settles takes minutes, so the wait behind its end is short.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

impl Profile {
    /// Takes the lock, if it is free.
    pub(crate) async fn try_lock(&self) -> Result<Option<Writer>, StoreError> {
        let lock = self.try_store_lock().await?;
        Ok(lock.map(|lock| Writer::new(self.clone(), lock)))
    }

    /// Takes the lock; waits at most this long for other holders.
    pub(crate) async fn lock(&self, patience: Duration) -> Result<Writer, StoreError> {
        let until = Instant::now().checked_add(patience);
        let mut longest = FIRST_WAIT;
        loop {
            if let Some(writer) = self.try_lock().await? {
                return Ok(writer);
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(StoreError::Locked);
            }
            let wait = jittered(longest);
            sleep(left.map_or(wait, |left| wait.min(left))).await;
            longest = LONGEST_WAIT.min(longest.saturating_mul(2));
        }
    }
}

/// Returns between half of a wait and all of it, so that those who began together drift apart.
fn jittered(longest: Duration) -> Duration {
    let half = longest / 2;
    half + half.mul_f64(chance::fraction())
}
