//! An access token on the requests of somebody else: which requests get one, and how.
//!
//! What is the same for every kind of client stands here; each kind has a module. Where a token
//! comes from, and what a 401 means for it, is the client's business.

#[cfg(feature = "tower")]
mod clone_body;
#[cfg(feature = "reqwest-middleware")]
mod for_reqwest;
#[cfg(feature = "tower")]
mod for_tower;

use http::HeaderMap;
use http::header::AUTHORIZATION;

#[cfg(feature = "tower")]
pub use self::clone_body::{ByClone, CloneBody};
#[cfg(feature = "reqwest-middleware")]
pub use self::for_reqwest::AuthMiddleware;
#[cfg(feature = "tower")]
pub use self::for_tower::{AuthLayer, AuthService};
use crate::client::Client;
use crate::credential::access_token::CachedToken;

/// Puts a token on a request, in the place of an earlier one.
fn put_on(headers: &mut HeaderMap, cached: &CachedToken) {
    headers.insert(AUTHORIZATION, cached.token.bearer().header().clone());
}

/// Why a request passes as it is, without an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passes {
    OtherOrigin,
    OwnCredential,
    #[cfg(feature = "tower")]
    NoHost,
}

impl Passes {
    /// Says so to whoever wonders about a 401: where it goes, and never a path or a query.
    fn tell(self, scheme: &str, host: &str, port: Option<u16>) {
        tracing::debug!(
            "url.scheme" = scheme,
            "server.address" = host,
            "server.port" = port,
            "no access token on this request: {}",
            match self {
                Self::OtherOrigin => "it goes to another scheme, host or port than the base URL's",
                Self::OwnCredential => "it has a credential of its own",
                #[cfg(feature = "tower")]
                Self::NoHost => "its URI names no host",
            }
        );
    }
}

/// Returns why a request gets no token; none when it gets one.
///
/// The authority is that of its URL as it is written, with the user where it names one.
fn passes(client: &Client, scheme: &str, authority: &str, headers: &HeaderMap) -> Option<Passes> {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    if !client.base_url().is_at(scheme, host) {
        Some(Passes::OtherOrigin)
    } else if user.is_some() {
        Some(Passes::OwnCredential)
    } else {
        own_credential(headers)
    }
}

/// Returns why a request to the service passes all the same: it has a credential of the caller's.
fn own_credential(headers: &HeaderMap) -> Option<Passes> {
    headers
        .contains_key(AUTHORIZATION)
        .then_some(Passes::OwnCredential)
}
