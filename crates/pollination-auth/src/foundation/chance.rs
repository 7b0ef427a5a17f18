//! Random numbers for jitter and for names of files that are not secret.

use std::hash::{BuildHasher as _, RandomState};

/// Returns a random number.
pub(crate) fn number() -> u64 {
    // Each `RandomState` has random keys of its own.
    RandomState::new().hash_one(())
}

/// Returns a random fraction from 0 to below 1.
pub(crate) fn fraction() -> f64 {
    // As many bits as an `f64` represents exactly.
    let bits = number() >> (u64::BITS - f64::MANTISSA_DIGITS);
    bits as f64 / (1_u64 << f64::MANTISSA_DIGITS) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_does_not_repeat() {
        assert_ne!(number(), number());
    }

    #[test]
    fn fractions_spread_over_their_whole_range() {
        let mut tenths = [0; 10];
        for _ in 0..10_000 {
            let fraction = fraction();
            assert!((0.0..1.0).contains(&fraction), "{fraction}");
            tenths[(fraction * 10.0) as usize] += 1;
        }
        // 1000 on average with a standard deviation of 30: a fair source fails in one of 10^60 runs.
        assert!(
            tenths.iter().all(|&count| (500..1500).contains(&count)),
            "{tenths:?}"
        );
    }
}
