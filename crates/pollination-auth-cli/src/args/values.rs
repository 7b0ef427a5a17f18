//! Reads the values of options. An error does not quote the value.

use std::time::Duration;

/// The longest settle time: 1 h.
///
/// Services and the proxies in front of them give up on a request within minutes, so a longer time
/// is a mistake, and its wait would look like a program that hangs.
const LONGEST_SETTLE: Duration = Duration::from_secs(60 * 60);

/// Reads a profile's name. `status` shows it, so it must not be able to forge other lines.
pub(super) fn profile_name(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        Err("it is empty")
    } else if text.chars().any(char::is_control) {
        Err("it has a control character")
    } else {
        Ok(text.to_owned())
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_quotes_it| "write it as 90s, 5m or 1h30m")
}

pub(super) fn settle(text: &str) -> Result<Duration, &'static str> {
    match duration(text)? {
        settle if settle > LONGEST_SETTLE => Err("it is longer than 1h"),
        settle => Ok(settle),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settle_time_of_days_is_refused() {
        assert_eq!(settle("1h"), Ok(LONGEST_SETTLE));
        assert_eq!(settle("1h1s"), Err("it is longer than 1h"));
        assert_eq!(settle("1000d"), Err("it is longer than 1h"));
        assert!(settle("60").is_err());
    }
}
