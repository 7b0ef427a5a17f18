//! The replay of a reqwest request after a 401.

use reqwest::{Request, Response, StatusCode, Url};

use crate::client::Client;
use crate::credential::access_token::AccessToken;

/// What a replay of a request needs; taken before the request is sent.
pub(super) struct Replay {
    /// `None` if its body is a stream.
    request: Option<Request>,
    url: Url,
}

impl Replay {
    pub(super) fn prepare(request: &Request) -> Self {
        Self {
            request: request.try_clone(),
            url: without_fragment(request.url()),
        }
    }

    /// Returns the request to send once more with another token, or `None` if the response stands.
    pub(super) fn after(
        self,
        client: &Client,
        token: &AccessToken,
        response: &Response,
    ) -> Option<Request> {
        let url = response.url();
        // After a redirect the 401 may be that of a server that never saw the token.
        let is_refused = response.status() == StatusCode::UNAUTHORIZED
            && client.service().is_at(url.scheme(), url.authority());
        if !is_refused || !client.invalidate_access_token(token) {
            return None;
        }
        // The first request of a chain may have been carried out, so a chain is not repeated.
        self.request
            .filter(|_replay| without_fragment(url) == self.url)
    }
}

/// Takes note of what the service says of the token of a replay.
pub(super) fn replayed(client: &Client, response: &Response) {
    if response.status() != StatusCode::UNAUTHORIZED {
        client.replay_accepted();
    }
}

/// Returns a URL as a request sends it. A fragment is never sent, and the reply's URL has none.
fn without_fragment(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    url
}
