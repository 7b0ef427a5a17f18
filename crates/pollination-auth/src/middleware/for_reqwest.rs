//! Access tokens on the requests of a reqwest client, as middleware of `reqwest-middleware`.
//!
//! It sees a request before redirects are followed, and the reply after them.

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next};

use super::replay::{Replay, replayed};
use super::selection::{passes, put_on};
use crate::client::Client;
use crate::credential::access_token::AccessToken;

/// Puts a fresh access token on the requests of a reqwest client.
///
/// Needs the feature `reqwest-middleware`.
///
/// A request gets one if it goes to the service: the scheme, host and port of the client's base
/// URL, and any path. Every other request passes unchanged, and so does one that has an
/// `Authorization` header or a user name in its URL; an event at the level `debug` says why. The
/// header is marked sensitive.
///
/// A 401 drops the token, and the request is sent once more with the next one. It is not sent again
/// if its body is a stream, if the 401 came after a redirect, or if the [`Client`] can't log in.
/// Then, and after a second 401, the caller gets the 401.
///
/// A client that progenitor generates takes no middleware, but hooks; see
/// [`Client::authorize`].
///
/// Add it last, so that middleware added before it (retries, logging) never sees the token. reqwest
/// removes the header when it follows a redirect to another scheme, host or port.
///
/// The reqwest client has its own settings. It needs the same private CA, proxy or client
/// certificate as the [`Client`].
///
/// ```
/// use pollination_auth::{ApiToken, AuthMiddleware, Client, Secret};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
/// # let host = service.base_url();
/// let api_token = ApiToken::new("an-id", Secret::from("a-secret"))?;
/// let client = Client::builder().api_token(api_token).base_url(&*host).build()?;
///
/// let http = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
///     .with(AuthMiddleware::new(client))
///     .build();
/// let reply = http.get(format!("{host}/auth/api-token")).send().await?;
/// assert_eq!(reply.status(), 200);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If no access token is available, nothing is sent. The error is
/// [`reqwest_middleware::Error::Middleware`], and
/// [`Error::from_middleware`](crate::Error::from_middleware) returns what is in it:
///
/// ```
/// # use pollination_auth::{ApiToken, AuthMiddleware, Client, Error, Secret};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let service = pollination_auth_fake::FakeService::start();
/// # let host = service.base_url();
/// # let api_token = ApiToken::new("an-id", Secret::from("a-wrong-secret"))?;
/// # let client = Client::builder().api_token(api_token).base_url(&*host).build()?;
/// # let http = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
/// #     .with(AuthMiddleware::new(client))
/// #     .build();
/// if let Err(error) = http.get(host).send().await {
///     match Error::from_middleware(&error) {
///         Some(Error::CredentialsRejected(_)) => println!("check the API token"),
///         Some(other) => println!("no access token: {other}"),
///         None => println!("the request failed: {error}"),
///     }
/// #   assert!(matches!(Error::from_middleware(&error), Some(Error::CredentialsRejected(_))));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AuthMiddleware {
    client: Client,
}

impl AuthMiddleware {
    /// Creates the middleware with the client whose access token the requests carry.
    ///
    /// Clones of a client share one access token.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    async fn token(&self) -> reqwest_middleware::Result<AccessToken> {
        let token = self.client.access_token().await;
        token.map_err(reqwest_middleware::Error::middleware)
    }
}

#[async_trait]
impl Middleware for AuthMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let (url, headers) = (request.url(), request.headers());
        if let Some(passes) = passes(&self.client, url.scheme(), url.authority(), headers) {
            let host = url.host_str().unwrap_or_default();
            passes.log(url.scheme(), host, url.port_or_known_default());
            return next.run(request, extensions).await;
        }
        let token = self.token().await?;
        let replay = Replay::prepare(&request);
        put_on(request.headers_mut(), &token);
        let response = next.clone().run(request, extensions).await?;
        let Some(mut replay) = replay.after(&self.client, &token, &response) else {
            return Ok(response);
        };
        drop(response);
        put_on(replay.headers_mut(), &self.token().await?);
        let response = next.run(replay, extensions).await?;
        replayed(&self.client, &response);
        Ok(response)
    }
}
