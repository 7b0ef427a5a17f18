//! Which requests get an access token, and how; all kinds of HTTP client share it.

use reqwest::header::{AUTHORIZATION, HeaderMap};

use crate::client::Client;
use crate::credential::access_token::AccessToken;

/// Puts a token on a request, replacing an earlier one.
pub(super) fn put_on(headers: &mut HeaderMap, token: &AccessToken) {
    headers.insert(AUTHORIZATION, token.bearer().header().clone());
}

/// Why a request passes as it is, without an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passes {
    OtherOrigin,
    OwnCredential,
    #[cfg(feature = "tower")]
    NoHost,
}

impl Passes {
    /// Logs where the request goes, to explain a later 401; never a path or a query.
    pub(super) fn log(self, scheme: &str, host: &str, port: Option<u16>) {
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

/// Returns why a request gets no token, or `None` if it gets one.
///
/// The authority is that of the URL as written, including a user.
pub(super) fn passes(
    client: &Client,
    scheme: &str,
    authority: &str,
    headers: &HeaderMap,
) -> Option<Passes> {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    if !client.service().is_at(scheme, host) {
        Some(Passes::OtherOrigin)
    } else if user.is_some() {
        Some(Passes::OwnCredential)
    } else {
        own_credential(headers)
    }
}

/// Returns why a request to the service gets no token: the caller set a credential.
pub(super) fn own_credential(headers: &HeaderMap) -> Option<Passes> {
    headers
        .contains_key(AUTHORIZATION)
        .then_some(Passes::OwnCredential)
}
