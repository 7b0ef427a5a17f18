//! Reads the times in a JWT's payload. It verifies nothing: only the service can.

use std::time::Duration;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use zeroize::Zeroizing;

/// JWTs have no padding (RFC 7515, section 2); one that has it is read too.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The registered claims `exp` and `iat`: seconds since 1970 (RFC 7519, section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(crate) struct Times {
    pub(crate) exp: f64,
    #[serde(default)]
    pub(crate) iat: Option<f64>,
}

impl Times {
    /// Reads a token, if it is a JWT with a readable expiry; the signature stays unchecked.
    pub(crate) fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_header, payload) = (parts.next()?, parts.next()?);
        let (_signature, None) = (parts.next()?, parts.next()) else {
            return None;
        };
        let payload = Zeroizing::new(BASE64URL.decode(payload).ok()?);
        serde_json::from_slice(&payload).ok()
    }

    /// Returns the lifetime that the issuer meant, which is zero if it expires before it begins.
    pub(crate) fn lifetime(&self) -> Option<Duration> {
        Some(seconds(self.exp - self.iat?))
    }

    /// Returns the expiry as the time since 1970.
    pub(crate) fn expiry(&self) -> Duration {
        seconds(self.exp)
    }
}

/// A negative or unreadable number is zero; one beyond a `Duration` is the longest there is.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("e30.{}.c2ln", BASE64URL.encode(payload))
    }

    #[test]
    fn reads_whole_and_fractional_times() {
        let times = Times::read(&token(r#"{"iat":100,"exp":3700.5,"sub":"x"}"#)).unwrap();
        assert_eq!(times.lifetime(), Some(Duration::from_millis(3_600_500)));
        assert_eq!(times.expiry(), Duration::from_millis(3_700_500));
    }

    #[test]
    fn row_16_an_expiry_before_the_issue_is_a_lifetime_of_zero() {
        let times = Times::read(&token(r#"{"iat":100,"exp":50}"#)).unwrap();
        assert_eq!(times.lifetime(), Some(Duration::ZERO));
        let endless = Times::read(&token(r#"{"iat":0,"exp":1e300}"#)).unwrap();
        assert_eq!(endless.lifetime(), Some(Duration::MAX));
    }

    #[test]
    fn a_text_that_is_no_jwt_states_no_times() {
        let no_expiry = token(r#"{"iat":1}"#);
        for text in [
            "",
            "opaque",
            "a.b",
            "a.b.c",
            "a.b.c.d",
            "e30.e30.x",
            &no_expiry,
        ] {
            assert_eq!(Times::read(text), None, "{text}");
        }
    }
}
