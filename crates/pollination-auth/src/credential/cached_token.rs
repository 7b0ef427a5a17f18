//! A cached token: how long it may be used, and which one it is.

use std::time::Duration;

use crate::credential::validity::{Phase, Validity};
use crate::foundation::clock::Moment;

/// The generation of a token that was never in the cache; the first one in it is 1.
pub(crate) const NO_GENERATION: u64 = 0;

/// A token in the cache.
#[derive(Debug)]
pub(crate) struct Cached<T> {
    pub(crate) token: T,
    /// Counts the tokens of this cache, to distinguish a late 401 from a fresh one.
    pub(crate) generation: u64,
    pub(crate) validity: Validity,
    /// Its remaining lifetime when it arrived; no later login promises more.
    pub(crate) at_arrival: Duration,
}

impl<T> Cached<T> {
    pub(crate) fn new(token: T, generation: u64, validity: Validity, now: &Moment) -> Self {
        Self {
            token,
            generation,
            validity,
            at_arrival: validity.remaining(now),
        }
    }

    /// Returns `true` if it may be returned without asking for the next one first.
    pub(crate) fn is_good(&self, now: &Moment, least: Duration) -> bool {
        matches!(self.validity.phase(now), Phase::Fresh | Phase::Advisory)
            && self.validity.has_left(now, least)
    }

    /// Returns `true` if it may be used where there is no better one.
    pub(crate) fn is_last_resort(&self, now: &Moment, least: Duration) -> bool {
        self.validity.phase(now) != Phase::Expired && self.validity.has_left(now, least)
    }
}
