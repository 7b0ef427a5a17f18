//! Waiting for other processes: they hold a lock for a moment, or rotate the secret.

use std::time::Duration;

use pollination_auth::StoreError;
use tokio::time::{Instant, sleep};

use crate::progress;

/// How often it is looked whether a lock is free: every 50 ms, a fraction of a login.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// How long it is waited for another process: 35 s.
///
/// A login takes 30 s at most. Who waits for longer waits for a process that hangs.
pub(crate) const LOCK_WAIT: Duration = Duration::from_secs(35);

/// Tries until no other process's lock is in the way, and says so when that takes long.
pub(crate) async fn outwait<T>(
    attempt: impl AsyncFnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    progress::watch("waiting for another process", outwait_unseen(attempt)).await
}

/// As [`outwait`], for those who say what they wait for by themselves.
pub(crate) async fn outwait_unseen<T>(
    mut attempt: impl AsyncFnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let started = Instant::now();
    loop {
        match attempt().await {
            Err(StoreError::Locked) if started.elapsed() < LOCK_WAIT => sleep(LOCK_POLL).await,
            other => return other,
        }
    }
}
