//! Access tokens on the requests of a tower service, as a layer around it.
//!
//! It knows only the requests of the crate `http`; the inner service sends them.

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use super::selection::{Passes, own_credential, passes, put_on};
use crate::client::Client;

/// Error of a wrapped service: its own, or ours.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Wraps services so that their requests carry a fresh access token.
///
/// Needs the feature `tower`.
///
/// A request gets one if its URI names the service: the scheme, host and port of the client's base
/// URL, and any path. Every other request passes unchanged, and so does one that has an
/// `Authorization` header or a user name in its URI; an event at the level `debug` says why. The
/// header is marked sensitive.
///
/// A 401 drops the token, and the request is sent once more with the next one and a clone of its
/// body. It is not sent again if the body has no clone or the [`Client`] can't log in. Then, and
/// after a second 401, the caller gets the 401. For bodies that are not `Clone` see
/// [`with_clone_body`](Self::with_clone_body).
///
/// Put the layer inside layers that follow redirects or repeat requests: it then decides for each
/// request, and they never see the token.
///
/// The inner service has its own settings. It needs the same private CA, proxy or client
/// certificate as the [`Client`].
///
/// ```
/// use http::{Request, Response};
/// use pollination_auth::{ApiToken, AuthLayer, Client, Secret};
/// use tower::{BoxError, ServiceBuilder, ServiceExt as _};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
/// # let host = service.base_url();
/// let api_token = ApiToken::new("an-id", Secret::from("a-secret"))?;
/// let client = Client::builder().api_token(api_token).base_url(&*host).build()?;
///
/// let http = ServiceBuilder::new()
///     .layer(AuthLayer::new(client))
///     .service_fn(|request: Request<String>| async move {
///         // This stands for what sends the request.
///         let authorized = request.headers().contains_key("authorization");
///         Ok::<_, BoxError>(Response::new(authorized))
///     });
/// let request = Request::get(format!("{host}/jobs")).body(String::new())?;
/// assert!(http.oneshot(request).await?.into_body());
/// # Ok(())
/// # }
/// ```
///
/// A stack over reqwest, whose client sends its own kind of request:
///
/// ```
/// use http::Request;
/// use pollination_auth::{ApiToken, AuthLayer, Client, Error, Secret};
/// use reqwest::Body;
/// use tower::{BoxError, ServiceBuilder, ServiceExt as _};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
/// # let host = service.base_url();
/// let api_token = ApiToken::new("an-id", Secret::from("a-secret"))?;
/// let client = Client::builder().api_token(api_token).base_url(&*host).build()?;
///
/// let reqwest = reqwest::Client::new();
/// let http = ServiceBuilder::new()
///     .concurrency_limit(10)
///     // A body is sent again unless it is a stream.
///     .layer(AuthLayer::with_clone_body(client, |body: &Body| {
///         body.as_bytes().map(|bytes| Body::from(bytes.to_vec()))
///     }))
///     .service_fn(move |request: Request<Body>| {
///         let reqwest = reqwest.clone();
///         async move {
///             let response = reqwest.execute(request.try_into()?).await?;
///             Ok::<_, BoxError>(http::Response::from(response))
///         }
///     });
///
/// let request = Request::get(format!("{host}/auth/api-token")).body(Body::default())?;
/// match http.oneshot(request).await {
///     Ok(response) => assert_eq!(response.status(), 200),
///     Err(error) => match Error::from_middleware(&*error) {
///         Some(ours) => println!("no access token: {ours}"),
///         None => println!("the request failed: {error}"),
///     },
/// }
/// # assert_eq!(service.logins(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AuthLayer<C> {
    policy: Policy,
    clone_body: C,
}

impl<B: Clone> AuthLayer<fn(&B) -> Option<B>> {
    /// Creates the layer with the client whose access token the requests carry.
    ///
    /// Clones of a client share one access token.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self::with_clone_body(client, |body| Some(body.clone()))
    }
}

impl<C> AuthLayer<C> {
    /// Creates the layer with a function that clones a body if it can, instead of `Clone`.
    ///
    /// It is called before the request is sent. If it returns `None`, the request is sent only
    /// once, and the caller gets the 401. So `|_: &B| None` suits bodies that can never be cloned.
    /// Those of reqwest can be cloned unless they are streams:
    ///
    /// ```
    /// use http::{Request, Response};
    /// use pollination_auth::{ApiToken, AuthLayer, Client, Secret, reqwest::Body};
    /// use tower::{BoxError, ServiceBuilder, ServiceExt as _};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
    /// # let host = service.base_url();
    /// # let api_token = ApiToken::new("an-id", Secret::from("a-secret"))?;
    /// let client = Client::builder().api_token(api_token).base_url(&*host).build()?;
    ///
    /// let http = ServiceBuilder::new()
    ///     .layer(AuthLayer::with_clone_body(client, |body: &Body| {
    ///         body.as_bytes().map(|bytes| Body::from(bytes.to_vec()))
    ///     }))
    ///     .service_fn(|request: Request<Body>| async move {
    ///         // This stands for what sends the request.
    ///         let authorized = request.headers().contains_key("authorization");
    ///         Ok::<_, BoxError>(Response::new(authorized))
    ///     });
    /// let request = Request::put(format!("{host}/jobs")).body(Body::from("a job"))?;
    /// assert!(http.oneshot(request).await?.into_body());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_clone_body(client: Client, clone_body: C) -> Self {
        Self {
            policy: Policy {
                client,
                relative_is_ours: false,
            },
            clone_body,
        }
    }

    /// Treats a URI without a host as one of the service.
    ///
    /// Use it only around something that is connected to the service and can send nowhere else,
    /// such as one connection of hyper. By default a request whose URI is only a path gets no
    /// token: the layer can't see where it goes, and its `Host` header is only a claim.
    #[must_use]
    pub fn relative_uris_are_ours(mut self) -> Self {
        self.policy.relative_is_ours = true;
        self
    }
}

impl<S, C: Clone> Layer<S> for AuthLayer<C> {
    type Service = AuthService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthService {
            inner,
            policy: self.policy.clone(),
            clone_body: self.clone_body.clone(),
        }
    }
}

impl<C> fmt::Debug for AuthLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// A service that sends requests with an access token through the inner service.
///
/// See [`AuthLayer`] for which. Ready when the inner service is. A replay waits until it is ready
/// again.
///
/// The second parameter is the type of the function that clones a body; for
/// [`AuthLayer::new`] it can be named:
///
/// ```
/// use pollination_auth::AuthService;
///
/// /// Calls the jobs of the service through any inner service.
/// struct Jobs<S> {
///     http: AuthService<S, fn(&String) -> Option<String>>,
/// }
/// # let client = pollination_auth::Client::builder()
/// #     .access_token(pollination_auth::AccessToken::new("eyJhbGciOiJIUzI1NiJ9.e30.c2ln")?)
/// #     .build()?;
/// # use tower::Layer as _;
/// # let _ = Jobs { http: pollination_auth::AuthLayer::new(client).layer(()) }.http;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// The error of the inner service. If no access token is available, nothing is sent, and the error
/// is an [`Error`](crate::Error), which
/// [`Error::from_middleware`](crate::Error::from_middleware) returns, also from outside of other
/// layers:
///
/// ```
/// # use http::{Request, Response};
/// # use pollination_auth::{ApiToken, AuthLayer, Client, Error, Secret};
/// # use tower::{BoxError, ServiceBuilder, ServiceExt as _};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// # let service = pollination_auth_fake::FakeService::start();
/// # let host = service.base_url();
/// # let api_token = ApiToken::new("an-id", Secret::from("a-wrong-secret"))?;
/// # let client = Client::builder().api_token(api_token).base_url(&*host).build()?;
/// # let http = ServiceBuilder::new()
/// #     .layer(AuthLayer::new(client))
/// #     .service_fn(|_: Request<()>| async { Ok::<_, BoxError>(Response::new(())) });
/// # let request = Request::get(format!("{host}/jobs")).body(())?;
/// match http.oneshot(request).await {
///     Err(error) => match Error::from_middleware(&*error) {
///         Some(Error::CredentialsRejected(failure)) => assert_eq!(failure.status(), Some(401)),
///         other => panic!("{other:?}"),
///     },
///     Ok(_) => panic!("a wrong secret logs in"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AuthService<S, C> {
    inner: S,
    policy: Policy,
    clone_body: C,
}

impl<S: fmt::Debug, C> fmt::Debug for AuthService<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthService")
            .field("inner", &self.inner)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Which requests get the token of which client.
#[derive(Clone, Debug)]
struct Policy {
    client: Client,
    relative_is_ours: bool,
}

impl Policy {
    /// Returns why a request gets no token, or `None` if it gets one.
    fn passes<B>(&self, request: &Request<B>) -> Option<Passes> {
        let uri = request.uri();
        match (uri.scheme_str(), uri.authority()) {
            (Some(scheme), Some(authority)) => {
                passes(&self.client, scheme, authority.as_str(), request.headers())
            }
            (None, None) if self.relative_is_ours => own_credential(request.headers()),
            (None, None) => Some(Passes::NoHost),
            // A host without a scheme is what CONNECT asks a proxy for.
            _ => Some(Passes::OtherOrigin),
        }
    }
}

impl<S, B, R, C> Service<Request<B>> for AuthService<S, C>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Send + 'static,
    R: Send + 'static,
    C: Fn(&B) -> Option<B>,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Only this very value was polled until it was ready; a clone of it is not.
        let clone = self.inner.clone();
        let mut ready = mem::replace(&mut self.inner, clone);
        let Some(passes) = self.policy.passes(&request) else {
            let body = (self.clone_body)(request.body());
            let replay = body.map(|body| like(&request, body));
            return Box::pin(send(ready, self.policy.client.clone(), request, replay));
        };
        let uri = request.uri();
        let (scheme, host) = (uri.scheme_str(), uri.host());
        passes.log(
            scheme.unwrap_or_default(),
            host.unwrap_or_default(),
            uri.port_u16(),
        );
        let sending = ready.call(request);
        Box::pin(async move { sending.await.map_err(Into::into) })
    }
}

/// Creates a request like this one, with another body.
fn like<B>(request: &Request<B>, body: B) -> Request<B> {
    let mut other = Request::new(body);
    *other.method_mut() = request.method().clone();
    *other.uri_mut() = request.uri().clone();
    *other.version_mut() = request.version();
    *other.headers_mut() = request.headers().clone();
    *other.extensions_mut() = request.extensions().clone();
    other
}

/// Sends a request with a token, and the one for a replay after a 401.
async fn send<S, B, R>(
    mut service: S,
    client: Client,
    mut request: Request<B>,
    replay: Option<Request<B>>,
) -> Result<Response<R>, BoxError>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
{
    let token = client.access_token().await?;
    put_on(request.headers_mut(), &token);
    let response = service.call(request).await.map_err(Into::into)?;
    if response.status() != StatusCode::UNAUTHORIZED || !client.invalidate_access_token(&token) {
        return Ok(response);
    }
    let Some(mut replay) = replay else {
        return Ok(response);
    };
    // The reply may own the connection or the permit that the replay waits for.
    drop(response);
    let token = client.access_token().await?;
    put_on(replay.headers_mut(), &token);
    poll_fn(|context| service.poll_ready(context))
        .await
        .map_err(Into::into)?;
    let response = service.call(replay).await.map_err(Into::into)?;
    if response.status() != StatusCode::UNAUTHORIZED {
        client.replay_accepted();
    }
    Ok(response)
}
