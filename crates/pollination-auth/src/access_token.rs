//! The short-lived credential: an access token, as callers hold it.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::credential::{CredentialError, check_bearer};
use crate::secret::Secret;

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
#[derive(Clone)]
pub struct AccessToken(Arc<Inner>);

struct Inner {
    secret: Secret,
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
        check_bearer(trimmed)?;
        Ok(Self::checked(Secret::from(trimmed.to_owned()), None))
    }

    /// Takes a text that has been checked.
    pub(crate) fn checked(secret: Secret, expires_at: Option<SystemTime>) -> Self {
        Self(Arc::new(Inner { secret, expires_at }))
    }

    /// Gives the token's text, for an `Authorization: Bearer` header.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.secret.expose_secret()
    }

    /// Gives the end of its validity by this machine's clock, when the service told it.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("secret", &format_args!("[REDACTED]"))
            .field("expires_at", &self.0.expires_at)
            .finish()
    }
}
