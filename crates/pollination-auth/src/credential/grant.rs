//! What a login gave.

use std::time::Duration;

use crate::credential::access_token::AccessToken;
use crate::foundation::clock::Moment;

/// What a login gave: an access token, and how long it may be used.
pub(crate) struct Grant {
    pub(crate) access_token: AccessToken,
    pub(crate) requested_at: Moment,
    pub(crate) lifetime: Duration,
}
