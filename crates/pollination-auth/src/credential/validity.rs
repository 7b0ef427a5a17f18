//! How long an access token may be used: its lifetime, and the windows at the end of it.
//!
//! Pure arithmetic on readings of a clock; who refreshes, and when, is decided in `cache`.

use std::time::Duration;

use crate::foundation::clock::Moment;

/// The longest lifetime that is believed: 30 days.
///
/// Far above the lifetimes of the service, far below where adding it to a clock could overflow.
pub(crate) const LONGEST_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The lifetime of a token that states none: 5 minutes, short enough to be safe with any issuer.
pub(crate) const UNKNOWN_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// The longest advisory window: 5 minutes before the end, time for several tries at refreshing.
const LONGEST_ADVISORY: Duration = Duration::from_secs(5 * 60);

/// The advisory window of a short-lived token: a quarter of its lifetime.
const ADVISORY_SHARE: u32 = 4;

/// The longest mandatory window: 10 seconds, time for a request to reach the service.
const LONGEST_MANDATORY: Duration = Duration::from_secs(10);

/// The mandatory window of a short-lived token: a twentieth of its lifetime.
const MANDATORY_SHARE: u32 = 20;

/// How far the jitter moves the advisory window, as a share of it: a tenth, both ways.
///
/// Clients that were started together do not stay together.
const JITTER: f64 = 0.1;

/// How long a given access token may be used unless the service refuses it: a millennium, which no
/// clock is wrong by.
const FOREVER: Duration = Duration::from_secs(1_000 * 365 * 24 * 60 * 60);

/// The span in which one access token may be used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Validity {
    requested_at: Moment,
    lifetime: Duration,
    advisory: Duration,
    mandatory: Duration,
    /// The end of [`Phase::Fresh`] on either clock.
    fresh_until: Moment,
    /// Only the service decides when it has expired.
    is_judged_by_service: bool,
}

/// Where in its life a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// Use it.
    Fresh,
    /// Use it, and get the next one meanwhile.
    Advisory,
    /// Get the next one first; use this one only if that fails.
    Mandatory,
    /// Never use it.
    Expired,
}

impl Validity {
    /// Counts a lifetime from the start of the request that brought it.
    ///
    /// `jitter` is a random number from 0 to 1.
    pub(crate) fn refreshable(requested_at: Moment, lifetime: Duration, jitter: f64) -> Self {
        let lifetime = lifetime.min(LONGEST_LIFETIME);
        let advisory = (lifetime / ADVISORY_SHARE).min(LONGEST_ADVISORY);
        let factor = 1.0 - JITTER + 2.0 * JITTER * jitter.clamp(0.0, 1.0);
        let mandatory = (lifetime / MANDATORY_SHARE).min(LONGEST_MANDATORY);
        Self::new(requested_at, lifetime, advisory.mul_f64(factor), mandatory)
    }

    /// Describes a token that has no successor: it is used until the service refuses it.
    ///
    /// How much is left of it is a guess by this machine's clock, which may be wrong.
    pub(crate) fn given(now: Moment, left: Duration) -> Self {
        Self {
            fresh_until: Moment {
                wall: now.wall.checked_add(FOREVER).unwrap_or(now.wall),
                monotonic: Duration::MAX,
            },
            is_judged_by_service: true,
            ..Self::new(now, left, Duration::ZERO, Duration::ZERO)
        }
    }

    fn new(
        requested_at: Moment,
        lifetime: Duration,
        advisory: Duration,
        mandatory: Duration,
    ) -> Self {
        let fresh = lifetime.saturating_sub(advisory.max(mandatory));
        let Moment { wall, monotonic } = requested_at;
        Self {
            requested_at,
            lifetime,
            advisory,
            mandatory,
            fresh_until: Moment {
                // Without a time that far away there is no short way to an answer.
                wall: wall.checked_add(fresh).unwrap_or(wall),
                monotonic: monotonic.saturating_add(fresh),
            },
            is_judged_by_service: false,
        }
    }

    /// Returns the time that is left, which is zero after the end.
    pub(crate) fn remaining(&self, now: &Moment) -> Duration {
        self.lifetime
            .saturating_sub(now.elapsed_since(&self.requested_at))
    }

    /// Returns `true` if at least `least` is left, and always if `least` is zero: a given token may be
    /// used beyond its stated expiry.
    pub(crate) fn has_left(&self, now: &Moment, least: Duration) -> bool {
        least.is_zero() || self.remaining(now) >= least
    }

    /// Returns `true` in [`Phase::Fresh`]; two comparisons are enough to know.
    pub(crate) fn is_fresh(&self, now: &Moment) -> bool {
        now.wall < self.fresh_until.wall && now.monotonic < self.fresh_until.monotonic
    }

    /// Returns how long it stays in [`Phase::Fresh`], by the clock that says the less.
    pub(crate) fn fresh_left(&self, now: &Moment) -> Duration {
        let Moment { wall, monotonic } = self.fresh_until;
        let by_wall = wall.duration_since(now.wall).unwrap_or_default();
        by_wall.min(monotonic.saturating_sub(now.monotonic))
    }

    pub(crate) fn phase(&self, now: &Moment) -> Phase {
        if self.is_judged_by_service {
            return Phase::Fresh;
        }
        let remaining = self.remaining(now);
        if remaining.is_zero() {
            Phase::Expired
        } else if remaining <= self.mandatory {
            Phase::Mandatory
        } else if remaining <= self.advisory {
            Phase::Advisory
        } else {
            Phase::Fresh
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::foundation::clock::Clock as _;
    use crate::foundation::clock::tests::ManualClock;

    const MIDDLE: f64 = 0.5;

    fn phases(lifetime_ms: u64, at_ms: &[u64]) -> Vec<Phase> {
        let clock = ManualClock::new();
        let start = clock.now();
        let validity = Validity::refreshable(start, Duration::from_millis(lifetime_ms), MIDDLE);
        at_ms
            .iter()
            .map(|ms| {
                let by = Duration::from_millis(*ms);
                validity.phase(&Moment {
                    wall: start.wall + by,
                    monotonic: start.monotonic + by,
                })
            })
            .collect()
    }

    proptest! {
        #[test]
        fn the_short_way_to_fresh_agrees_with_the_phase(
            lifetime_ms in 0..10_000_000_u64,
            jitter in 0.0..1.0,
            wall_ms in -5_000_000..15_000_000_i64,
            monotonic_ms in 0..15_000_000_u64,
        ) {
            let start = ManualClock::new().now();
            let lifetime = Duration::from_millis(lifetime_ms);
            let wall = Duration::from_millis(wall_ms.unsigned_abs());
            let now = Moment {
                wall: if wall_ms < 0 { start.wall - wall } else { start.wall + wall },
                monotonic: start.monotonic + Duration::from_millis(monotonic_ms),
            };
            for validity in [
                Validity::refreshable(start, lifetime, jitter),
                Validity::given(start, lifetime),
            ] {
                prop_assert_eq!(validity.is_fresh(&now), validity.phase(&now) == Phase::Fresh);
            }
        }
    }

    #[test]
    fn an_hour_has_minutes_of_warning() {
        use Phase::{Advisory, Expired, Fresh, Mandatory};
        let at = [
            0,
            3_299_999,
            3_300_000,
            3_589_999,
            3_590_000,
            3_599_999,
            3_600_000,
            // 557 years: more does not fit into the time of every system.
            u64::MAX >> 20,
        ];
        assert_eq!(
            phases(3_600_000, &at),
            [
                Fresh, Fresh, Advisory, Advisory, Mandatory, Mandatory, Expired, Expired
            ]
        );
    }

    #[test]
    fn row_15_windows_shrink_with_the_lifetime() {
        use Phase::{Advisory, Expired, Fresh, Mandatory};
        assert_eq!(
            phases(30_000, &[22_499, 22_500, 28_500]),
            [Fresh, Advisory, Mandatory]
        );
        let two_seconds = phases(2_000, &[1_499, 1_500, 1_900, 2_000]);
        assert_eq!(two_seconds, [Fresh, Advisory, Mandatory, Expired]);
    }

    #[test]
    fn row_12_a_huge_lifetime_is_clamped() {
        let now = ManualClock::new().now();
        for huge in [Duration::MAX, Duration::from_secs(i64::MAX as u64)] {
            let validity = Validity::refreshable(now, huge, 1.0);
            assert_eq!(validity.lifetime, LONGEST_LIFETIME);
            assert_eq!(validity.remaining(&now), LONGEST_LIFETIME);
        }
    }

    #[test]
    fn jitter_moves_the_advisory_window_by_a_tenth_and_no_more() {
        let now = ManualClock::new().now();
        for (jitter, window) in [(0.0, 270), (1.0, 330), (f64::INFINITY, 330), (-7.0, 270)] {
            let validity = Validity::refreshable(now, Duration::from_secs(3_600), jitter);
            assert_eq!(validity.advisory, Duration::from_secs(window));
        }
    }

    #[test]
    fn row_46_the_time_that_the_login_took_is_gone() {
        let clock = ManualClock::new();
        let start = clock.now();
        clock.advance(Duration::from_secs(20));
        let validity = Validity::refreshable(start, Duration::from_secs(30), MIDDLE);
        assert_eq!(validity.remaining(&clock.now()), Duration::from_secs(10));
    }
}
