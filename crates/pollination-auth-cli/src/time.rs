//! Times and durations as people read them: RFC 3339 in UTC, seconds since 1970, `1m 30s`. It reads no clock.

use std::time::{Duration, SystemTime};

use serde::Serialize;

/// A time in both forms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp(pub(crate) SystemTime);

impl Serialize for Stamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut both = serializer.serialize_struct("Stamp", 2)?;
        both.serialize_field("utc", &rfc3339(self.0))?;
        both.serialize_field("epoch", &epoch(self.0))?;
        both.end()
    }
}

/// Returns the time in UTC as RFC 3339 has it, in whole seconds.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(readable(time)).to_string()
}

/// Returns whole seconds since 1970.
pub(crate) fn epoch(time: SystemTime) -> u64 {
    since_1970(time).as_secs()
}

/// Reads seconds since 1970; more than the clock can express is the beginning, which is over.
pub(crate) fn of_epoch(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}

/// The last second that RFC 3339 can write, of the year 9999; beyond it the formatter panics.
const LAST_SECOND: u64 = 253_402_300_799;

fn readable(time: SystemTime) -> SystemTime {
    of_epoch(epoch(time).min(LAST_SECOND))
}

/// The longest name of a unit that is written without a space, as in `5ms`.
const SYMBOL: usize = 2;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The units of a duration of a day and more: two, since nobody counts the seconds of a year.
const UNITS: usize = 2;

/// Returns a duration as people write it, in whole seconds, or in milliseconds below one; from a
/// day on in its two largest units.
pub(crate) fn rounded(duration: Duration) -> String {
    let whole = match duration.as_secs() {
        0 => Duration::from_millis(u64::from(duration.subsec_millis()).max(1)),
        seconds => Duration::from_secs(seconds),
    };
    let text = humantime::format_duration(whole).to_string();
    let parts = text.split(' ').map(|part| {
        let (number, unit) = part.split_at(part.trim_end_matches(char::is_alphabetic).len());
        let space = if unit.len() > SYMBOL { " " } else { "" };
        format!("{number}{space}{unit}")
    });
    let most = if whole < DAY { usize::MAX } else { UNITS };
    parts.take(most).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_of_the_same_second() {
        let time = of_epoch(1_700_000_000) + Duration::from_millis(999);
        assert_eq!(
            serde_json::to_string(&Stamp(time)).unwrap(),
            r#"{"utc":"2023-11-14T22:13:20Z","epoch":1700000000}"#
        );
    }

    #[test]
    fn no_time_is_a_panic() {
        assert_eq!(rfc3339(of_epoch(u64::MAX)), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(of_epoch(LAST_SECOND + 1)), "9999-12-31T23:59:59Z");
        assert_eq!(epoch(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), 0);
    }

    #[test]
    fn a_duration_is_written_as_people_write_it() {
        let hour = 3600;
        let day = 24 * hour;
        for (seconds, text) in [
            (90, "1m 30s"),
            (3 * hour + 61, "3h 1m 1s"),
            (day + hour + 61, "1 day 1h"),
            (40 * day, "1 month 9 days"),
            (1800 * day, "4 years 11 months"),
            (365 * day, "11 months 30 days"),
        ] {
            assert_eq!(rounded(Duration::from_secs(seconds)).to_string(), text);
        }
        assert_eq!(rounded(Duration::from_micros(2500)).to_string(), "2ms");
    }
}
