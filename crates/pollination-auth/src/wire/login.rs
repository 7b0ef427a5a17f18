//! The reply of a login: read leniently where its form is not quite right, and believed only as far as it goes.
//!
//! Only the lifetime is read leniently; what a wrong reading could make dangerous is not.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::credential::access_token::AccessToken;
use crate::credential::api_token::checked_bearer;
use crate::credential::grant::Grant;
use crate::credential::jwt::Times;
use crate::credential::lifetime::{NoLifetime, lifetime};
use crate::error::failure::Reason;
use crate::foundation::clock::Moment;
use crate::foundation::secret::Secret;

/// What a login reply says, before it is believed.
pub(super) struct LoginFields {
    pub(super) access_token: Secret,
    pub(super) token_type: String,
    pub(super) expires_in: Option<Seconds>,
}

impl LoginFields {
    /// Believes the shortest lifetime of all views; `date` is the service's own time.
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
        let told = self.expires_in.map(Seconds::lifetime);
        let lifetime = lifetime(told, Times::read(text), date).map_err(|none| match none {
            NoLifetime::None => Reason::InvalidLifetime,
            NoLifetime::Over => Reason::Stale,
        })?;
        let expires_at = requested_at.wall.checked_add(lifetime);
        let access_token = AccessToken::of(bearer, expires_at);
        Ok(Grant {
            access_token,
            requested_at,
            lifetime,
        })
    }
}

/// Reads the fields of a login reply; duplicate fields are an error.
pub(super) fn lenient_login(body: &[u8]) -> Result<LoginFields, serde_json::Error> {
    let fields: Fields = serde_json::from_slice(body)?;
    Ok(LoginFields {
        access_token: Secret::from(fields.access_token.expose_secret().to_owned()),
        token_type: fields.token_type,
        expires_in: fields.expires_in,
    })
}

#[derive(serde::Deserialize)]
struct Fields {
    access_token: pollination_auth_api::SecretText,
    token_type: String,
    #[serde(default)]
    expires_in: Option<Seconds>,
}

/// A number of seconds in any of the forms that servers write.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Seconds {
    Whole(i64),
    Fraction(f64),
}

impl Seconds {
    /// Gives whole seconds; below one there are none.
    pub(super) fn lifetime(self) -> Duration {
        match self {
            Self::Whole(seconds) => Duration::from_secs(u64::try_from(seconds).unwrap_or(0)),
            Self::Fraction(seconds) => {
                Duration::try_from_secs_f64(seconds.max(0.0).floor()).unwrap_or(Duration::MAX)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecondsVisitor)
    }
}

struct SecondsVisitor;

impl Visitor<'_> for SecondsVisitor {
    type Value = Seconds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds")
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Seconds, E> {
        Ok(Seconds::Whole(seconds))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Seconds, E> {
        Ok(Seconds::Whole(i64::try_from(seconds).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Seconds, E> {
        if seconds.is_finite() {
            Ok(Seconds::Fraction(seconds))
        } else {
            Err(not_a_number())
        }
    }

    /// Rust reads `inf` and `1e3` as numbers too; a decimal string has digits and one point.
    fn visit_str<E: Error>(self, text: &str) -> Result<Seconds, E> {
        let text = text.trim();
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        {
            let seconds: f64 = text.parse().map_err(|_unparsed| not_a_number())?;
            return self.visit_f64(seconds);
        }
        Err(not_a_number())
    }
}

fn not_a_number<E: Error>() -> E {
    E::custom("not a number of seconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifetime(expires_in: &str) -> Option<Duration> {
        let body = format!(r#"{{"access_token":"a","token_type":"b","expires_in":{expires_in}}}"#);
        lenient_login(body.as_bytes())
            .ok()?
            .expires_in
            .map(Seconds::lifetime)
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
        assert_eq!(secs("9223372036854775807"), Some(i64::MAX as u64));
        assert_eq!(secs("18446744073709551615"), Some(i64::MAX as u64));
        assert_eq!(secs("1e18"), Some(1_000_000_000_000_000_000));
        assert_eq!(lifetime("1e300"), Some(Duration::MAX));
    }

    #[test]
    fn row_14_a_missing_lifetime_is_not_one_of_zero() {
        assert_eq!(lifetime("null"), None);
        let missing = lenient_login(br#"{"access_token":"a","token_type":"b"}"#).unwrap();
        assert_eq!(missing.expires_in, None);
    }

    #[test]
    fn row_20_a_duplicate_field_is_an_error() {
        let twice = br#"{"access_token":"a","access_token":"b","token_type":"c","expires_in":1}"#;
        assert!(lenient_login(twice).is_err());
    }
}
