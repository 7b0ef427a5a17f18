//! Decides when another holder's lease has expired, by this machine's clock alone.
//!
//! A holder renews its lease with a write, and each write has a version of its own. If the same
//! version is there after a whole lease, nothing was renewed meanwhile. So no two clocks are
//! compared, and a clock that stands still while this machine sleeps only makes the wait longer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When each lock was first seen as it is.
#[derive(Default)]
pub(crate) struct Watch(Mutex<HashMap<String, Seen>>);

struct Seen {
    version: u64,
    since: Instant,
}

impl Watch {
    /// Notes the version of a lock that somebody else holds, and returns `true` if its lease is
    /// over.
    ///
    /// The engine had this version at some time between the question and now.
    pub(crate) fn is_expired(
        &self,
        key: &str,
        version: u64,
        lease: Duration,
        asked: Instant,
    ) -> bool {
        // The map is whole after a panic: each entry is put in at once.
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get(key) {
            Some(seen) if seen.version == version => {
                asked.saturating_duration_since(seen.since) >= lease
            }
            _ => {
                let since = Instant::now();
                seen.insert(key.to_owned(), Seen { version, since });
                false
            }
        }
    }

    /// Forgets a lock that is free, or this store's own.
    pub(crate) fn forget(&self, key: &str) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(30);
    const MOMENT: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_over_when_one_version_was_seen_for_as_long() {
        let watch = Watch::default();
        assert!(!watch.is_expired("a", 7, LEASE, Instant::now()));
        tokio::time::advance(LEASE - MOMENT).await;
        assert!(!watch.is_expired("a", 7, LEASE, Instant::now()));
        tokio::time::advance(MOMENT).await;
        assert!(watch.is_expired("a", 7, LEASE, Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn each_renewal_begins_a_new_lease() {
        let watch = Watch::default();
        assert!(!watch.is_expired("a", 7, LEASE, Instant::now()));
        tokio::time::advance(LEASE).await;
        assert!(!watch.is_expired("a", 8, LEASE, Instant::now()));
        tokio::time::advance(LEASE - MOMENT).await;
        assert!(!watch.is_expired("a", 8, LEASE, Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_that_an_answer_took_does_not_count() {
        let watch = Watch::default();
        let asked = Instant::now();
        tokio::time::advance(LEASE).await;
        assert!(!watch.is_expired("a", 7, LEASE, asked));
        let asked = Instant::now();
        tokio::time::advance(LEASE).await;
        assert!(!watch.is_expired("a", 7, LEASE, asked));
    }

    #[tokio::test(start_paused = true)]
    async fn other_locks_and_free_ones_do_not_count() {
        let watch = Watch::default();
        assert!(!watch.is_expired("a", 7, LEASE, Instant::now()));
        tokio::time::advance(LEASE).await;
        assert!(!watch.is_expired("b", 7, LEASE, Instant::now()));
        watch.forget("a");
        assert!(!watch.is_expired("a", 7, LEASE, Instant::now()));
    }
}
