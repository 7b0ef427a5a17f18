//! Time as an argument: one reading of two clocks.
//!
//! It reads clocks and compares readings; nothing here waits.

use std::time::{Duration, SystemTime};

/// One reading of the wall clock and of a clock that only goes forward.
///
/// Both are kept, because each misses something: the wall clock is set by hand and by NTP, and the
/// monotonic one stands still while a laptop sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock.
    pub wall: SystemTime,
    /// The time since a fixed but arbitrary moment.
    pub monotonic: Duration,
}

impl Moment {
    /// Gives the time that has passed since an earlier reading, by the clock that saw more of it.
    ///
    /// A clock that was set back shows no time at all; the other one still counts.
    #[must_use]
    pub fn elapsed_since(&self, earlier: &Moment) -> Duration {
        let wall = self.wall.duration_since(earlier.wall).unwrap_or_default();
        wall.max(self.monotonic.saturating_sub(earlier.monotonic))
    }
}

/// Tells the time to a client; tests bring their own.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use pollination_auth::{Clock, Moment};
///
/// /// A clock that stands still.
/// #[derive(Debug)]
/// struct Stopped;
///
/// impl Clock for Stopped {
///     fn now(&self) -> Moment {
///         Moment { wall: SystemTime::UNIX_EPOCH, monotonic: Duration::ZERO }
///     }
/// }
/// ```
pub trait Clock: std::fmt::Debug + Send + Sync + 'static {
    /// Reads both clocks.
    fn now(&self) -> Moment;

    /// Reads both clocks where being some milliseconds late does not matter, but the time that
    /// reading takes does.
    fn coarse(&self) -> Moment {
        self.now()
    }
}

/// The clocks of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        system::now()
    }

    fn coarse(&self) -> Moment {
        system::coarse()
    }
}

/// Linux keeps readings of its clocks that are some milliseconds old, and reads them in a fifth of
/// the time.
#[cfg(target_os = "linux")]
mod system {
    use std::time::{Duration, SystemTime};

    use rustix::time::{ClockId, Timespec, clock_gettime};

    use super::Moment;

    pub(super) fn now() -> Moment {
        read(ClockId::Realtime, ClockId::Monotonic)
    }

    pub(super) fn coarse() -> Moment {
        read(ClockId::RealtimeCoarse, ClockId::MonotonicCoarse)
    }

    fn read(wall: ClockId, monotonic: ClockId) -> Moment {
        Moment {
            // A clock before 1970 is one that nobody has set, and a lifetime counts from anywhere.
            wall: SystemTime::UNIX_EPOCH + since_zero(clock_gettime(wall)),
            monotonic: since_zero(clock_gettime(monotonic)),
        }
    }

    fn since_zero(time: Timespec) -> Duration {
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

    pub(super) fn coarse() -> Moment {
        now()
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

        /// Moves the wall clock alone, in seconds, as NTP, a hand or a suspend does.
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
    fn the_quick_reading_is_of_the_same_clocks() {
        // More than the reading can be late, and less than any wrong clock would be off.
        const LATE: Duration = Duration::from_secs(60);
        let before = SystemClock.now();
        let quick = SystemClock.coarse();
        let after = SystemClock.now();
        for (quick, exact) in [(&quick, &before), (&after, &quick)] {
            assert!(quick.elapsed_since(exact) < LATE, "{quick:?} {exact:?}");
        }
        assert!(quick.monotonic + LATE > before.monotonic);
        assert!(quick.monotonic <= after.monotonic);
    }
}
