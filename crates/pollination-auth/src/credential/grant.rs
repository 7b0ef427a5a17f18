//! The result of a login: an access token, and how long it may be used.

use std::time::SystemTime;

use crate::credential::access_token::AccessToken;
use crate::credential::validity::Validity;
use crate::foundation::secret::Bearer;

/// The result of a login.
pub(crate) struct Grant {
    pub(crate) access_token: AccessToken,
    pub(crate) validity: Validity,
    /// Another process logged in, so the token may be as old as the one that it replaces.
    pub(crate) is_shared: bool,
}

impl Grant {
    pub(crate) fn new(bearer: Bearer, expires_at: Option<SystemTime>, validity: Validity) -> Self {
        Self {
            access_token: AccessToken::issued(bearer, expires_at, validity),
            validity,
            is_shared: false,
        }
    }
}
