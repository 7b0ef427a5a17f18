//! The service's own clock: it runs with the machine's, and a test can move it forward.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch, as the service sees them.
pub(crate) type Millis = u64;

/// Where the date stops: the last second of the year 9999.
///
/// The format of dates in HTTP has four digits for a year (RFC 9110, section 5.6.7).
const LATEST: Duration = Duration::from_secs(253_402_300_799);

/// Time that never runs backward, whatever happens to the machine's wall clock.
pub(crate) struct Clock {
    started_at: Duration,
    started: Instant,
    moved: Duration,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            started_at: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
            started: Instant::now(),
            moved: Duration::ZERO,
        }
    }

    pub(crate) fn now(&self) -> Millis {
        millis(self.since_epoch())
    }

    pub(crate) fn wall(&self) -> SystemTime {
        UNIX_EPOCH + self.since_epoch().min(LATEST)
    }

    pub(crate) fn since_start(&self) -> Duration {
        self.started.elapsed().saturating_add(self.moved)
    }

    fn since_epoch(&self) -> Duration {
        self.started_at.saturating_add(self.since_start())
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.moved = self.moved.saturating_add(by);
    }
}

/// Counts whole milliseconds, and stays at the largest number rather than overflow.
pub(crate) fn millis(duration: Duration) -> Millis {
    duration.as_millis().try_into().unwrap_or(Millis::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_moves_by_what_it_is_told() {
        let mut clock = Clock::start();
        let before = clock.now();
        clock.advance(Duration::from_secs(3600));
        assert!((3_600_000..3_660_000).contains(&(clock.now() - before)));
        assert!(clock.since_start() >= Duration::from_secs(3600));
        let wall = clock.wall().duration_since(UNIX_EPOCH).unwrap();
        assert!(wall >= Duration::from_millis(before) + Duration::from_secs(3600));
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        let mut clock = Clock::start();
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now(), Millis::MAX);
        assert_eq!(clock.since_start(), Duration::MAX);
        assert_eq!(clock.wall(), UNIX_EPOCH + LATEST);
    }
}
