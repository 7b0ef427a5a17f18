//! `pollination-auth`, which is what is measured.

use pollination_auth::{ApiToken, Client, Secret};

use super::Calls;
use crate::server::ID;

/// Makes a client with the settings that it has by default.
#[must_use]
pub fn client(base_url: &str) -> Client {
    let api_token = ApiToken::new("an-id", Secret::from("a-secret")).expect("an id and a secret");
    let builder = Client::builder().api_token(api_token).base_url(base_url);
    builder.build().expect("a client")
}

impl Calls for Client {
    async fn get_api_token(&self) {
        let id = self.get_api_token().await.expect("an id");
        assert_eq!(id.as_str(), ID);
    }
}
