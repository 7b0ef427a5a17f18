//! Which errors prove that the service itself refused a request.
//!
//! Proxies, gateways and login pages answer with the same status codes, so only a JSON error counts.

use pollination_auth::Error;

/// Returns `true` if the service refused the id and secret, or the access token.
pub(crate) fn of_credential(error: &Error) -> bool {
    has_json_status(error, &[401])
}

/// Returns `true` if the service refused a creation, so that no API token was created.
pub(crate) fn of_creation(error: &Error) -> bool {
    has_json_status(error, &[401, 403, 409, 422])
}

fn has_json_status(error: &Error, statuses: &[u16]) -> bool {
    let is_one = |status| statuses.contains(&status);
    error.failure().has_json_error() && error.status().is_some_and(is_one)
}
