//! The result of a login: an access token, and how long it may be used.

use std::time::SystemTime;

use crate::credential::access_token::AccessToken;
use crate::credential::validity::Validity;
use crate::foundation::secret::Bearer;

/// The result of a login.
pub(crate) struct Grant {
    pub(crate) access_token: AccessToken,
    pub(crate) validity: Validity,
}

impl Grant {
    pub(crate) fn new(bearer: Bearer, expires_at: Option<SystemTime>, validity: Validity) -> Self {
        Self {
            access_token: AccessToken::issued(bearer, expires_at, validity),
            validity,
        }
    }
}
