//! How long an access token lasts: the shortest of all stated lifetimes.

use std::time::{Duration, SystemTime};

use super::jwt::Times;
use super::validity::{LONGEST_LIFETIME, UNKNOWN_LIFETIME};

/// Why a token has no lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoLifetime {
    /// The reply or the token states a lifetime of zero.
    None,
    /// It had expired by the service's own time when it was sent.
    Over,
}

/// Returns the lifetime of a token, counted from the start of the request that brought it.
///
/// `told` is the reply's `expires_in`, `times` are the token's claims, and `date` is the reply's
/// `Date`: a service can return a token that it issued a while ago.
pub(crate) fn lifetime(
    told: Option<Duration>,
    times: Option<Times>,
    date: Option<SystemTime>,
) -> Result<Duration, NoLifetime> {
    let meant = times.and_then(|times| times.lifetime());
    if [told, meant].contains(&Some(Duration::ZERO)) {
        return Err(NoLifetime::None);
    }
    let left = times.zip(date).map(|(times, date)| {
        let since_1970 = date.duration_since(SystemTime::UNIX_EPOCH);
        times
            .expiry()
            .saturating_sub(since_1970.unwrap_or_default())
    });
    if left == Some(Duration::ZERO) {
        return Err(NoLifetime::Over);
    }
    let shortest = [told, meant, left].into_iter().flatten().min();
    Ok(shortest.unwrap_or(UNKNOWN_LIFETIME).min(LONGEST_LIFETIME))
}
