//! The adapters under one interface, for tests of what holds for each.

use bytes::Bytes;
use http::{Request, StatusCode};
use pollination_auth::{Client, Error};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Adapter {
    /// The two methods of the client that a generated client calls.
    Requests,
    #[cfg(feature = "reqwest-middleware")]
    Reqwest,
    #[cfg(feature = "tower")]
    Tower,
}

pub(super) const ADAPTERS: &[Adapter] = &[
    Adapter::Requests,
    #[cfg(feature = "reqwest-middleware")]
    Adapter::Reqwest,
    #[cfg(feature = "tower")]
    Adapter::Tower,
];

impl Adapter {
    /// Sends a request over HTTP.
    pub(super) async fn send(
        self,
        client: &Client,
        request: Request<Bytes>,
    ) -> Result<StatusCode, Error> {
        match self {
            Self::Requests => {
                let http = reqwest::Client::builder().no_proxy().build().unwrap();
                let mut request = request.try_into().unwrap();
                client.authorize(&mut request).await?;
                Ok(client.execute(&http, request).await.unwrap().status())
            }
            #[cfg(feature = "reqwest-middleware")]
            Self::Reqwest => {
                let http = super::reqwest_chain::http(client.clone());
                match http.execute(request.try_into().unwrap()).await {
                    Ok(reply) => Ok(reply.status()),
                    Err(error) => Err(Error::from_middleware(&error).unwrap().clone()),
                }
            }
            #[cfg(feature = "tower")]
            Self::Tower => {
                let http = super::tower_service::over_http(client.clone());
                match tower::ServiceExt::oneshot(http, request).await {
                    Ok(reply) => Ok(reply.status()),
                    Err(error) => Err(Error::from_middleware(&*error).unwrap().clone()),
                }
            }
        }
    }

    /// Returns `true` if a request gets a token, without sending it; `None` if the adapter's client
    /// can't parse the URL.
    pub(super) async fn authorizes(
        self,
        client: Client,
        url: &str,
        header: Option<&str>,
    ) -> Option<bool> {
        let mut request = Request::new(());
        if let Some(header) = header {
            let header = header.parse().unwrap();
            request.headers_mut().insert("authorization", header);
        }
        match self {
            Self::Requests => {
                let mut by_reqwest = by_reqwest(request, url)?;
                client.authorize(&mut by_reqwest).await.unwrap();
                Some(seen(by_reqwest.headers()) == AUTHORIZED)
            }
            #[cfg(feature = "reqwest-middleware")]
            Self::Reqwest => {
                let by_reqwest = by_reqwest(request, url)?;
                let http = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
                    .with(pollination_auth::AuthMiddleware::new(client))
                    .with(Nowhere)
                    .build();
                let reply = http.execute(by_reqwest).await.unwrap();
                Some(reply.status() == AUTHORIZED)
            }
            #[cfg(feature = "tower")]
            Self::Tower => {
                *request.uri_mut() = url.parse().ok()?;
                let http = tower::ServiceBuilder::new()
                    .layer(pollination_auth::AuthLayer::new(client))
                    .service_fn(|request: Request<()>| {
                        let reply = http::Response::builder().status(seen(request.headers()));
                        std::future::ready(reply.body(()))
                    });
                let reply = tower::ServiceExt::oneshot(http, request).await.unwrap();
                Some(reply.status() == AUTHORIZED)
            }
        }
    }
}

fn by_reqwest(request: Request<()>, url: &str) -> Option<reqwest::Request> {
    let mut made = reqwest::Request::new(reqwest::Method::GET, url.parse().ok()?);
    *made.headers_mut() = request.into_parts().0.headers;
    Some(made)
}

/// The reply to a request with a token.
const AUTHORIZED: StatusCode = StatusCode::ACCEPTED;

/// Returns the status that shows if a request had a token of ours.
fn seen(headers: &http::HeaderMap) -> StatusCode {
    let header = headers.get("authorization").map(|value| value.as_bytes());
    if header.is_some_and(|value| value.starts_with(b"Bearer ")) {
        AUTHORIZED
    } else {
        StatusCode::OK
    }
}

/// Sends nothing, and replies by what it saw.
#[cfg(feature = "reqwest-middleware")]
struct Nowhere;

#[cfg(feature = "reqwest-middleware")]
#[async_trait::async_trait]
impl reqwest_middleware::Middleware for Nowhere {
    async fn handle(
        &self,
        request: reqwest::Request,
        _: &mut http::Extensions,
        _: reqwest_middleware::Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let reply = http::Response::builder().status(seen(request.headers()));
        Ok(reply.body("").unwrap().into())
    }
}
