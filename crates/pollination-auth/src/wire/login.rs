//! The reply of a login: which lifetime it states, and how much of it is believed.
//!
//! Only the form of the lifetime is read leniently. A wrong type or token is refused.

use std::time::{Duration, SystemTime};

use pollination_auth_api::SecretText;
use serde::Deserialize;

use super::fields::{Field, Fields};
use crate::credential::api_token::checked_bearer;
use crate::credential::grant::Grant;
use crate::credential::jwt::Times;
use crate::credential::lifetime::{NoLifetime, lifetime};
use crate::credential::validity::Validity;
use crate::error::failure::Reason;
use crate::foundation::chance;
use crate::foundation::clock::Moment;

/// The fields of a login reply, before they are believed; a duplicate field is an error.
#[derive(Deserialize)]
pub(super) struct LoginFields {
    access_token: SecretText,
    token_type: String,
    #[serde(default)]
    expires_in: Option<Lifetime>,
}

impl Fields for LoginFields {
    const FIELDS: &'static [Field] = &[
        Field::required::<SecretText>("access_token"),
        Field::required::<SecretText>("token_type"),
        Field::optional::<Lifetime>("expires_in"),
    ];
}

impl LoginFields {
    /// Returns a grant with the shortest lifetime that anything states.
    ///
    /// `date` is the service's own time.
    pub(super) fn check(
        self,
        requested_at: Moment,
        date: Option<SystemTime>,
    ) -> Result<Grant, Reason> {
        if !self.token_type.trim().eq_ignore_ascii_case("bearer") {
            return Err(Reason::UnsupportedTokenType);
        }
        let text = self.access_token.expose_secret();
        let bearer = checked_bearer(text).map_err(Reason::UnusableCredential)?;
        let lifetime = lifetime(
            self.expires_in.map(|Lifetime(stated)| stated),
            Times::read(text),
            date,
        )
        .map_err(|none| match none {
            NoLifetime::None => Reason::InvalidLifetime,
            NoLifetime::Over => Reason::Stale,
        })?;
        let expires_at = requested_at.wall.checked_add(lifetime);
        let validity = Validity::refreshable(requested_at, lifetime, chance::fraction());
        Ok(Grant::new(bearer, expires_at, validity))
    }
}

/// A lifetime, read from a number of seconds in the forms that servers write.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "Seconds")]
pub(super) struct Lifetime(Duration);

#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(f64),
    Text(String),
}

/// Takes whole seconds; a negative number counts as zero, and one too large as the largest.
///
/// A float is exact up to 2^53 seconds, far beyond the longest lifetime that is believed.
impl TryFrom<Seconds> for Lifetime {
    type Error = &'static str;

    fn try_from(seconds: Seconds) -> Result<Self, Self::Error> {
        let seconds = match seconds {
            Seconds::Number(seconds) => seconds,
            Seconds::Text(text) => decimal(text.trim()).ok_or("not a number of seconds")?,
        };
        let whole = Duration::try_from_secs_f64(seconds.max(0.0).floor());
        Ok(Self(whole.unwrap_or(Duration::MAX)))
    }
}

/// Reads digits with at most one point; Rust alone would read `inf` and `1e3` too.
fn decimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_decimal = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_decimal.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> serde_json::Result<LoginFields> {
        serde_json::from_str(body)
    }

    fn lifetime(expires_in: &str) -> Option<Duration> {
        let body = format!(r#"{{"access_token":"a","token_type":"b","expires_in":{expires_in}}}"#);
        read(&body).ok()?.expires_in.map(|stated| stated.0)
    }

    fn secs(expires_in: &str) -> Option<u64> {
        lifetime(expires_in).map(|lifetime| lifetime.as_secs())
    }

    #[test]
    fn row_13_every_honest_form_of_a_number_is_read() {
        for form in [
            "3600",
            "3600.0",
            "3600.9",
            r#""3600""#,
            r#"" 3600 ""#,
            r#""3600.9""#,
            "3.6e3",
        ] {
            assert_eq!(secs(form), Some(3_600), "{form}");
        }
    }

    #[test]
    fn row_13_what_is_no_number_is_refused() {
        for form in [
            "1e400",
            r#""abc""#,
            r#""""#,
            r#""1e3""#,
            r#""inf""#,
            r#""NaN""#,
            r#""1.2.3""#,
        ] {
            assert_eq!(lifetime(form), None, "{form}");
        }
        for form in ["true", "[]", "{}", "NaN", "-"] {
            assert_eq!(lifetime(form), None, "{form}");
        }
    }

    #[test]
    fn row_11_zero_and_less_are_no_lifetime() {
        for form in ["0", "-1", "-9223372036854775808", "0.9", "-0.5", r#""-5""#] {
            assert_eq!(lifetime(form), Some(Duration::ZERO), "{form}");
        }
    }

    #[test]
    fn row_12_a_huge_number_does_not_overflow() {
        assert_eq!(secs("9223372036854775807"), Some(1 << 63));
        assert_eq!(lifetime("18446744073709551615"), Some(Duration::MAX));
        let digits = format!("\"{}\"", "9".repeat(400));
        assert_eq!(lifetime(&digits), Some(Duration::MAX));
        assert_eq!(secs("1e18"), Some(1_000_000_000_000_000_000));
        assert_eq!(lifetime("1e300"), Some(Duration::MAX));
    }

    #[test]
    fn row_14_a_missing_lifetime_is_not_one_of_zero() {
        assert_eq!(lifetime("null"), None);
        let missing = read(r#"{"access_token":"a","token_type":"b"}"#).unwrap();
        assert!(missing.expires_in.is_none());
    }

    #[test]
    fn row_20_a_duplicate_field_is_an_error() {
        let twice = r#"{"access_token":"a","access_token":"b","token_type":"c","expires_in":1}"#;
        assert!(read(twice).is_err());
    }
}
