//! hyper-util's client with its pool: what reqwest stands on.

use http::header::{ACCEPT, AUTHORIZATION, USER_AGENT};
use http::{HeaderValue, Request, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::{CONNECT_TIMEOUT, Calls, NewToken, TIMEOUT};
use crate::server::ID;

/// The longest reply that is read: 64 KiB, as `pollination-auth` has it.
const REPLY_LIMIT: usize = 64 * 1024;

/// Makes the call with an access token that it was given.
#[derive(Clone)]
pub struct HyperUtil {
    http: Client<HttpConnector, Empty<Bytes>>,
    uri: Uri,
    authorization: HeaderValue,
}

impl HyperUtil {
    /// Makes a client for the service at a base URL.
    #[must_use]
    pub fn new(base_url: &str, access_token: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector);
        let uri = format!("{base_url}/auth/api-token");
        let mut authorization =
            HeaderValue::try_from(format!("Bearer {access_token}")).expect("a header");
        authorization.set_sensitive(true);
        Self {
            http,
            uri: uri.parse().expect("a URI"),
            authorization,
        }
    }

    async fn call(&self) {
        let request = Request::get(self.uri.clone())
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, HeaderValue::from_static("hyper-util/0.1"))
            .header(AUTHORIZATION, self.authorization.clone());
        let request = request.body(Empty::new()).expect("a request");
        let response = self.http.request(request).await.expect("a reply");
        assert!(response.status().is_success(), "{}", response.status());
        let body = Limited::new(response.into_body(), REPLY_LIMIT).collect();
        let body = body.await.expect("a body").to_bytes();
        let token: NewToken = serde_json::from_slice(&body).expect("an id");
        assert_eq!(token.id, ID);
    }
}

impl Calls for HyperUtil {
    async fn get_api_token(&self) {
        let called = tokio::time::timeout(TIMEOUT, self.call());
        called.await.expect("in time");
    }
}
