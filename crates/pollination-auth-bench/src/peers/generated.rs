//! The client that progenitor generates from the contract, without what makes it safe.

use progenitor_client::{ClientHooks, ClientInfo as _};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::Calls;
use super::by_hand::http;
use crate::server::ID;

/// The value that the generated client carries; without a credential of its own.
#[derive(Clone, Debug)]
pub struct Exchange(HeaderValue);

/// What progenitor makes of the contract.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::unwrap_used,
    missing_docs,
    unused_mut,
    reason = "generated: its lints are progenitor's, and differ with the contract"
)]
pub mod client {
    include!("../../../../tests/golden/client.rs");
}

use client::Client;

/// Returns a URL as progenitor has it: formatted and parsed for each call.
pub(crate) fn url(client: &Client, path: &str) -> reqwest::Result<Url> {
    Ok(Url::parse(&format!("{}{path}", client.baseurl)).expect("a URL"))
}

impl ClientHooks<Exchange> for Client {
    async fn pre<E>(
        &self,
        request: &mut reqwest::Request,
        _: &progenitor_client::OperationInfo,
    ) -> Result<(), progenitor_client::Error<E>> {
        // progenitor sends this header, which the contract does not have.
        let mut headers = HeaderMap::with_capacity(1);
        let version = HeaderValue::from_static(Client::api_version());
        headers.append(HeaderName::from_static("api-version"), version);
        request.headers_mut().extend(headers);
        let authorization = self.inner.0.clone();
        request.headers_mut().insert(AUTHORIZATION, authorization);
        Ok(())
    }
}

/// Makes a generated client for the service at a base URL.
#[must_use]
pub fn client(base_url: &str, access_token: &str) -> Client {
    let mut value = HeaderValue::try_from(format!("Bearer {access_token}")).expect("a header");
    value.set_sensitive(true);
    Client::new_with_client(base_url, http(), Exchange(value))
}

impl Calls for Client {
    async fn get_api_token(&self) {
        let token = Client::get_api_token(self).await.expect("an id");
        assert_eq!(token.into_inner().id, ID);
    }
}
