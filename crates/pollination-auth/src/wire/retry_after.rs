//! Reads `Retry-After` (RFC 9110, section 10.2.3): seconds or a date.

use std::time::{Duration, SystemTime};

/// Returns the wait that the headers ask for; the longest if there are several.
///
/// A date in the past is a wait of zero. A header that is neither a number nor a date is ignored.
pub(crate) fn wait<'a>(
    values: impl Iterator<Item = &'a [u8]>,
    now: SystemTime,
) -> Option<Duration> {
    values.filter_map(|value| one(value, now)).max()
}

fn one(value: &[u8], now: SystemTime) -> Option<Duration> {
    let text = std::str::from_utf8(value.trim_ascii()).ok()?;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large for the type counts as the longest wait.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(values: &[&str]) -> Option<u64> {
        // Sun, 06 Nov 1994 08:49:37 GMT
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        wait(values.iter().map(|value| value.as_bytes()), now).map(|wait| wait.as_secs())
    }

    #[test]
    fn row_24_both_forms_are_read() {
        assert_eq!(secs(&["5"]), Some(5));
        assert_eq!(secs(&[" 5 "]), Some(5));
        assert_eq!(secs(&["0"]), Some(0));
        assert_eq!(secs(&["1000000000"]), Some(1_000_000_000));
        assert_eq!(secs(&["99999999999999999999999"]), Some(u64::MAX));
        assert_eq!(secs(&["Sun, 06 Nov 1994 08:50:37 GMT"]), Some(60));
        assert_eq!(secs(&["Sunday, 06-Nov-94 08:50:37 GMT"]), Some(60));
        assert_eq!(secs(&["Sun, 06 Nov 1994 08:48:37 GMT"]), Some(0));
    }

    #[test]
    fn row_24_of_two_headers_the_longer_wait_holds() {
        assert_eq!(secs(&["5", "7"]), Some(7));
        assert_eq!(secs(&["garbage", "7"]), Some(7));
    }

    #[test]
    fn row_24_garbage_asks_for_nothing() {
        for text in ["", "-5", "1e9", "5.5", "+5", "soon", "5 seconds", "\u{a0}5"] {
            assert_eq!(secs(&[text]), None, "{text:?}");
        }
        assert_eq!(
            wait([&b"\xff\xfe"[..]].into_iter(), SystemTime::UNIX_EPOCH),
            None
        );
        assert_eq!(secs(&[]), None);
    }
}
