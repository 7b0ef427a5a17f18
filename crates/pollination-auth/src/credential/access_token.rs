//! The short-lived credential: an access token, as callers hold it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::credential::api_token::{CredentialError, checked_bearer};
use crate::credential::cached_token::{Cached, NO_GENERATION};
use crate::credential::jwt::Times;
use crate::credential::slot::Lent;
use crate::credential::validity::Validity;
use crate::foundation::secret::{Bearer, Secret};

/// Holds an access token: the JWT that is sent behind `Bearer`. Clones share one text.
///
/// ```
/// use pollination_auth::AccessToken;
///
/// let token = AccessToken::new("eyJhbGciOiJIUzI1NiJ9.e30.c2ln")?;
/// assert_eq!(token.expose_secret(), "eyJhbGciOiJIUzI1NiJ9.e30.c2ln");
/// assert_eq!(format!("{token:?}"), "AccessToken { secret: [REDACTED], expires_at: None }");
/// # Ok::<(), pollination_auth::CredentialError>(())
/// ```
pub struct AccessToken(Held);

/// An access token in the cache.
pub(crate) type CachedToken = Cached<AccessToken>;

impl CachedToken {
    /// Stands for no token at all; it is expired.
    pub(crate) fn none() -> Self {
        Self {
            token: AccessToken::none(),
            generation: NO_GENERATION,
            validity: Validity::over(),
            at_arrival: Duration::ZERO,
        }
    }
}

enum Held {
    Own(Arc<Inner>),
    /// As the cache lends it, which is cheaper than to count one more owner.
    Lent(Lent<CachedToken>),
}

struct Inner {
    bearer: Bearer,
    expires_at: Option<SystemTime>,
}

impl AccessToken {
    /// Checks that a text can be sent behind `Bearer`; one newline at its end is taken off.
    ///
    /// # Errors
    ///
    /// [`CredentialError`] when it is empty, longer than 16 KiB, or not a b64token (RFC 6750,
    /// section 2.1).
    pub fn new(text: impl Into<String>) -> Result<Self, CredentialError> {
        let text = Secret::from(text.into());
        let trimmed = text
            .expose_secret()
            .strip_suffix('\n')
            .unwrap_or(text.expose_secret());
        let trimmed = trimmed.strip_suffix('\r').unwrap_or(trimmed);
        Ok(Self::of(checked_bearer(trimmed)?, None))
    }

    pub(crate) fn of(bearer: Bearer, expires_at: Option<SystemTime>) -> Self {
        Self(Held::Own(Arc::new(Inner { bearer, expires_at })))
    }

    /// Stands for no token at all: an empty text.
    pub(crate) fn none() -> Self {
        Self::of(Bearer::default(), None)
    }

    pub(crate) fn lent(cached: Lent<CachedToken>) -> Self {
        Self(Held::Lent(cached))
    }

    /// Gives the token as a request carries it.
    pub(crate) fn bearer(&self) -> &Bearer {
        &self.inner().bearer
    }

    /// Gives the token's text, for an `Authorization: Bearer` header.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.inner().bearer.expose_secret()
    }

    /// Gives the end of its validity by this machine's clock, when the service told it.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.inner().expires_at
    }

    /// Returns the expiry that the token itself claims, by the issuer's clock.
    ///
    /// It is the claim `exp` of a JWT, read without verifying anything. `None` if the token is not a
    /// JWT or claims no expiry. To decide when to stop using a token, see
    /// [`expires_at`](Self::expires_at).
    #[must_use]
    pub fn claimed_expiry(&self) -> Option<SystemTime> {
        let times = Times::read(self.expose_secret())?;
        SystemTime::UNIX_EPOCH.checked_add(times.expiry())
    }

    fn inner(&self) -> &Inner {
        match &self.0 {
            Held::Own(inner) => inner,
            Held::Lent(cached) => cached.token.inner(),
        }
    }
}

impl Clone for AccessToken {
    fn clone(&self) -> Self {
        match &self.0 {
            Held::Own(inner) => Self(Held::Own(inner.clone())),
            Held::Lent(cached) => cached.token.clone(),
        }
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("secret", &format_args!("[REDACTED]"))
            .field("expires_at", &self.expires_at())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_claimed_expiry_is_that_of_a_jwt() {
        let claimed = |text: &str| AccessToken::new(text).unwrap().claimed_expiry();
        // {"exp":100}
        let expiry = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        assert_eq!(claimed("e30.eyJleHAiOjEwMH0.c2ln"), Some(expiry));
        assert_eq!(claimed("e30.e30.c2ln"), None);
        assert_eq!(claimed("opaque"), None);
    }
}
