//! The random numbers of a round: the same for the same seed, pair and round.

use std::time::Duration;

/// A sequence of numbers (SplitMix64: a counter, and a mix of its bits).
pub(super) struct Chance(u64);

/// What SplitMix64 adds to its counter: 2^64 divided by the golden ratio, so no pattern repeats.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Chance {
    /// Begins the sequence of one round.
    pub(super) fn of(seed: u64, pair: &str, round: u32) -> Self {
        let mut chance = Self(seed);
        for byte in pair.bytes() {
            chance.0 = chance.next() ^ u64::from(byte);
        }
        chance.0 = chance.next() ^ u64::from(round);
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns `true` half of the time.
    pub(super) fn coin(&mut self) -> bool {
        self.next() & 1 == 0
    }

    /// Returns a time below this one, in whole milliseconds.
    pub(super) fn below(&mut self, limit: Duration) -> Duration {
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX).max(1);
        Duration::from_millis(self.next() % limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_has_its_own_numbers_and_has_them_again() {
        let of = |seed, pair, round| Chance::of(seed, pair, round).next();
        assert_eq!(of(1, "a", 0), of(1, "a", 0));
        for other in [of(2, "a", 0), of(1, "b", 0), of(1, "a", 1)] {
            assert_ne!(of(1, "a", 0), other);
        }
    }

    #[test]
    fn a_time_is_below_its_limit() {
        let mut chance = Chance::of(1, "a", 0);
        let limit = Duration::from_millis(3);
        assert!((0..100).all(|_| chance.below(limit) < limit));
        assert_eq!(chance.below(Duration::ZERO), Duration::ZERO);
    }
}
