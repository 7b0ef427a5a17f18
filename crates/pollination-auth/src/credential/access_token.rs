//! The short-lived credential: an access token, and the cell for the current one.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::{ArcSwap, Guard};

use crate::credential::api_token::{CredentialError, checked_bearer, without_newline};
use crate::credential::cached_token::Cached;
use crate::credential::jwt::Times;
use crate::credential::validity::Validity;
use crate::foundation::clock::Moment;
use crate::foundation::secret::{Bearer, Secret};

/// An access token: the JWT that a request carries after `Bearer`. Clones share one text.
///
/// ```
/// use pollination_auth::AccessToken;
///
/// let token = AccessToken::new("eyJhbGciOiJIUzI1NiJ9.e30.c2ln")?;
/// assert_eq!(token.expose_secret(), "eyJhbGciOiJIUzI1NiJ9.e30.c2ln");
/// assert_eq!(format!("{token:?}"), "AccessToken { secret: [REDACTED], expires_at: None }");
/// # Ok::<(), pollination_auth::CredentialError>(())
/// ```
// A guard reads the cell without touching a reference count that the threads share. It also wraps
// an `Arc` of its own, so one type serves the tokens of the cell and all others.
pub struct AccessToken(Guard<Arc<Inner>>);

/// An access token in the cache.
pub(crate) type CachedToken = Cached<AccessToken>;

#[derive(Default)]
struct Inner {
    bearer: Bearer,
    expires_at: Option<SystemTime>,
    /// Known of the tokens that a cache may return.
    validity: Option<Validity>,
}

impl AccessToken {
    /// Checks that a text can be sent after `Bearer`. Ignores one newline at its end.
    ///
    /// # Errors
    ///
    /// [`CredentialError`] if it is empty, longer than 16 KiB, or not a b64token (RFC 6750,
    /// section 2.1).
    pub fn new(text: impl Into<String>) -> Result<Self, CredentialError> {
        let text = Secret::from(text.into());
        let bearer = checked_bearer(without_newline(text.expose_secret()))?;
        Ok(Self::of(Inner {
            bearer,
            ..Inner::default()
        }))
    }

    /// Creates the access token of a login.
    pub(crate) fn issued(
        bearer: Bearer,
        expires_at: Option<SystemTime>,
        validity: Validity,
    ) -> Self {
        Self::of(Inner {
            bearer,
            expires_at,
            validity: Some(validity),
        })
    }

    fn of(inner: Inner) -> Self {
        Self(Guard::from_inner(Arc::new(inner)))
    }

    /// Returns the token as a request carries it.
    pub(crate) fn bearer(&self) -> &Bearer {
        &self.0.bearer
    }

    /// Returns the token's text, for an `Authorization: Bearer` header.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.bearer.expose_secret()
    }

    /// Returns `true` if both have the same text.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.expose_secret() == other.expose_secret()
    }

    /// Returns when it expires by this machine's clock, if the service said so.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at
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
}

impl Clone for AccessToken {
    fn clone(&self) -> Self {
        Self(Guard::from_inner(Arc::clone(&self.0)))
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

/// The cell of the current access token: many threads read it at once, without a lock.
#[derive(Default)]
pub(crate) struct Current(ArcSwap<Inner>);

impl Current {
    /// Returns the current access token if it is fresh and has at least `least` left.
    pub(crate) fn fresh(&self, now: &Moment, least: Duration) -> Option<AccessToken> {
        let current = self.0.load();
        let validity = current.validity.as_ref()?;
        let fresh = validity.is_fresh(now) && validity.has_left(now, least);
        fresh.then(|| AccessToken(current))
    }

    /// Replaces the current access token.
    pub(crate) fn store(&self, token: Option<&AccessToken>) {
        let inner = token.map_or_else(Arc::default, |token| Arc::clone(&token.0));
        self.0.store(inner);
    }
}

#[cfg(test)]
mod tests {
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
