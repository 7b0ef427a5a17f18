//! reqwest as a careful person writes it by hand, with the same safe settings.

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;

use super::{CONNECT_TIMEOUT, Calls, NewToken, TIMEOUT};
use crate::server::ID;

/// Makes the call with an access token that it was given.
#[derive(Clone)]
pub struct ByHand {
    http: reqwest::Client,
    url: String,
    access_token: String,
}

/// Builds a client of reqwest with the settings that are safe for a credential.
pub(crate) fn http() -> reqwest::Client {
    let identity = (ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .default_headers(HeaderMap::from_iter([identity]))
        .user_agent("by-hand/1.0");
    builder.build().expect("a client")
}

impl ByHand {
    /// Makes a client for the service at a base URL.
    #[must_use]
    pub fn new(base_url: &str, access_token: String) -> Self {
        let url = format!("{base_url}/auth/api-token");
        Self {
            http: http(),
            url,
            access_token,
        }
    }
}

impl Calls for ByHand {
    async fn get_api_token(&self) {
        let request = self
            .http
            .get(&self.url)
            .header(ACCEPT, "application/json")
            .bearer_auth(&self.access_token);
        let response = request.send().await.expect("a reply");
        let response = response.error_for_status().expect("a success");
        let token: NewToken = response.json().await.expect("an id");
        assert_eq!(token.id, ID);
    }
}
