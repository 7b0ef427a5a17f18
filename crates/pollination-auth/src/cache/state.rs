//! What the cache knows besides the token: the flight, and the failure that is still shared.
//!
//! It holds and counts; what follows from it is decided in `cache`.

use std::time::Duration;

use tokio::time::Instant;

use super::flight::Flight;
use crate::clock::Moment;
use crate::error::Error;

/// A failure that another login would share is kept for this long at first: 250 ms.
///
/// Callers that come one after the other then share it as callers that come together do.
const FIRST_COOLDOWN: Duration = Duration::from_millis(250);

/// No failure is kept longer than this: 5 s, so that a service that is back is soon noticed.
const LONGEST_COOLDOWN: Duration = Duration::from_secs(5);

/// A failure that repeating does not mend is kept at least this long: 1 s.
const PERMANENT_COOLDOWN: Duration = Duration::from_secs(1);

/// A failure is kept for as long as the service asked to be left alone, up to this: 20 s, what a
/// call waits at the most by default.
const LONGEST_ASKED: Duration = Duration::from_secs(20);

/// What the writers of the cache share, under its lock.
#[derive(Default)]
pub(super) struct State {
    pub(super) flight: Option<Flight>,
    pub(super) cooldown: Option<Cooldown>,
    /// Failed flights since the last success.
    pub(super) failures: u32,
    pub(super) generations: u64,
    pub(super) flights: u64,
}

/// A failure, and how long it is shared with callers that come later.
pub(super) struct Cooldown {
    since: Moment,
    lasts: Duration,
    error: Error,
}

impl State {
    /// Tells whether there is a flight to wait for.
    pub(super) fn joinable(&self, limit: Duration) -> bool {
        self.flight
            .as_ref()
            .is_some_and(|flight| flight.may_land(Instant::now(), limit))
    }

    /// Ends a flight, and tells whether it was the one that is waited for.
    pub(super) fn end_flight(&mut self, flight: u64) -> bool {
        self.flight
            .take_if(|current| current.id() == flight)
            .is_some()
    }

    /// Gives the failure that is still shared.
    pub(super) fn cooling(&self, now: &Moment) -> Option<&Error> {
        let cooldown = self.cooldown.as_ref()?;
        (now.elapsed_since(&cooldown.since) < cooldown.lasts).then_some(&cooldown.error)
    }

    /// Keeps a failure for a while that grows with the failures in a row.
    pub(super) fn cool_down(&mut self, now: Moment, error: &Error) {
        let bound = FIRST_COOLDOWN
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST_COOLDOWN);
        let (least, most) = if error.is_retryable() {
            (bound / 2, bound)
        } else {
            (PERMANENT_COOLDOWN, LONGEST_COOLDOWN)
        };
        let lasts = least + (most - least).mul_f64(fastrand::f64());
        // Who asks a service again before it wants to be asked makes its trouble longer.
        let asked = error
            .retry_at()
            .and_then(|at| at.duration_since(now.wall).ok());
        let lasts = lasts.max(asked.unwrap_or_default().min(LONGEST_ASKED));
        self.failures = self.failures.saturating_add(1);
        self.cooldown = Some(Cooldown {
            since: now,
            lasts,
            error: error.clone(),
        });
    }
}
