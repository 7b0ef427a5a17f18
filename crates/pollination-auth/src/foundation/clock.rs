//! Time as an argument: one reading of two clocks.
//!
//! Nothing here waits.

use std::time::{Duration, SystemTime};

/// One reading of the wall clock and of a clock that only goes forward.
///
/// Both are needed: the wall clock is set by hand and by NTP, and the monotonic clock stops while a
/// laptop sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock.
    pub wall: SystemTime,
    /// The time since a fixed, arbitrary moment.
    pub monotonic: Duration,
}

impl Moment {
    /// Returns the time since an earlier reading, by the clock that measured more.
    ///
    /// A clock that was set back counts as zero.
    #[must_use]
    pub fn elapsed_since(&self, earlier: &Moment) -> Duration {
        let wall = self.wall.duration_since(earlier.wall).unwrap_or_default();
        wall.max(self.monotonic.saturating_sub(earlier.monotonic))
    }
}

impl From<(SystemTime, Duration)> for Moment {
    /// Takes the reading of the wall clock, and of the clock that only goes forward.
    fn from((wall, monotonic): (SystemTime, Duration)) -> Self {
        Self { wall, monotonic }
    }
}

/// A source of time for a client; tests can pass their own.
///
/// A closure is one, if it returns a [`Moment`] or both readings as a pair:
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use pollination_auth::{Client, Clock};
///
/// let stopped = || (SystemTime::UNIX_EPOCH, Duration::ZERO);
/// assert_eq!(stopped.now().elapsed_since(&stopped.now()), Duration::ZERO);
/// let builder = Client::builder().clock(stopped);
/// ```
pub trait Clock: Send + Sync + 'static {
    /// Reads both clocks. Each call of the client does it, so it should be quick. The result may be
    /// some milliseconds old.
    fn now(&self) -> Moment;
}

impl<F, M> Clock for F
where
    F: Fn() -> M + Send + Sync + 'static,
    M: Into<Moment>,
{
    fn now(&self) -> Moment {
        self().into()
    }
}

/// The clocks of the operating system, which a client uses unless it is given another [`Clock`].
///
/// ```
/// use std::time::Duration;
/// use pollination_auth::{Client, Clock, Moment, SystemClock};
///
/// // An hour fast, to see what a client does then.
/// let fast = || {
///     let Moment { wall, monotonic } = SystemClock.now();
///     (wall + Duration::from_secs(3_600), monotonic)
/// };
/// let builder = Client::builder().clock(fast);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        system::now()
    }
}

/// Linux caches readings of its clocks for some milliseconds; reading the cache takes a fifth of the
/// time.
#[cfg(target_os = "linux")]
mod system {
    use std::time::{Duration, SystemTime};

    use rustix::time::{ClockId, clock_gettime};

    use super::Moment;

    pub(super) fn now() -> Moment {
        Moment {
            // A clock before 1970 was never set. A lifetime can be counted from any start.
            wall: SystemTime::UNIX_EPOCH + since_zero(ClockId::RealtimeCoarse),
            monotonic: since_zero(ClockId::MonotonicCoarse),
        }
    }

    fn since_zero(clock: ClockId) -> Duration {
        let time = clock_gettime(clock);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
        Duration::new(seconds, nanoseconds)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::sync::LazyLock;
    use std::time::{Instant, SystemTime};

    use super::Moment;

    pub(super) fn now() -> Moment {
        static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
        let origin = *ORIGIN;
        Moment {
            wall: SystemTime::now(),
            monotonic: Instant::now().duration_since(origin),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;

    /// A clock that a test sets.
    #[derive(Debug)]
    pub(crate) struct ManualClock(Mutex<Moment>);

    impl ManualClock {
        pub(crate) fn new() -> Self {
            let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
            Self(Mutex::new(Moment {
                wall,
                monotonic: Duration::from_secs(1_000),
            }))
        }

        pub(crate) fn advance(&self, by: Duration) {
            let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            now.wall += by;
            now.monotonic += by;
        }

        /// Moves only the wall clock, in seconds, as NTP, a user or a suspend does.
        pub(crate) fn jump_wall(&self, seconds: i64) {
            let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let by = Duration::from_secs(seconds.unsigned_abs());
            now.wall = if seconds < 0 {
                now.wall - by
            } else {
                now.wall + by
            };
        }
    }

    impl Clock for ManualClock {
        fn now(&self) -> Moment {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    #[test]
    fn row_44_the_clock_that_saw_more_time_counts() {
        let clock = ManualClock::new();
        let start = clock.now();
        clock.advance(Duration::from_secs(10));
        assert_eq!(clock.now().elapsed_since(&start), Duration::from_secs(10));
        clock.jump_wall(-86_400);
        assert_eq!(clock.now().elapsed_since(&start), Duration::from_secs(10));
        clock.jump_wall(2 * 86_400);
        assert_eq!(
            clock.now().elapsed_since(&start),
            Duration::from_secs(86_410)
        );
    }

    #[test]
    fn the_quick_reading_is_of_the_systems_clock() {
        // More than a reading can be late, and less than the error of a wrong clock.
        const LATE: Duration = Duration::from_secs(60);
        let (before, quick) = (SystemTime::now(), SystemClock.now());
        assert!(quick.wall + LATE > before);
        assert!(quick.wall < before + LATE);
        assert!(quick.monotonic <= SystemClock.now().monotonic);
    }
}
