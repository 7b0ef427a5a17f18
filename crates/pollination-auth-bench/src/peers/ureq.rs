//! ureq, which has no runtime: one agent for each thread.

use ureq::Agent;

use super::{BlockingCalls, CONNECT_TIMEOUT, NewToken, TIMEOUT};
use crate::server::ID;

/// Makes the call with an access token that it was given.
pub struct Ureq {
    agent: Agent,
    url: String,
    authorization: String,
}

impl Ureq {
    /// Makes a client for the service at a base URL.
    #[must_use]
    pub fn new(base_url: &str, access_token: &str) -> Self {
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TIMEOUT))
            .build();
        Self {
            agent: config.into(),
            url: format!("{base_url}/auth/api-token"),
            authorization: format!("Bearer {access_token}"),
        }
    }
}

impl BlockingCalls for Ureq {
    fn get_api_token(&mut self) {
        let request = self
            .agent
            .get(&self.url)
            .header("accept", "application/json")
            .header("authorization", &self.authorization);
        let mut response = request.call().expect("a reply");
        let body = response.body_mut().read_to_vec().expect("a body");
        let token: NewToken = serde_json::from_slice(&body).expect("an id");
        assert_eq!(token.id, ID);
    }
}
