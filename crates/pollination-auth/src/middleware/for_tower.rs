//! The token on the requests of a tower service, as a layer around it.
//!
//! It knows requests of the crate `http` alone; what sends them is the service inside.

use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode, Uri};
use tower_layer::Layer;
use tower_service::Service;

use super::{ByClone, CloneBody, Passes, own_credential, passes, put_on};
use crate::client::Client;

/// What a service that is wrapped fails with: its own error, or ours.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Wraps services so that their requests carry a fresh access token.
///
/// Needs the feature `tower`.
///
/// A request gets one when its URI names the service itself, which is the scheme, host and port of
/// the client's base URL; the path does not matter, for the service's other parts lie beside it.
/// Every other request passes as it is, and so does one with an `Authorization` header of its own
/// or a user name in its URI; an event at the level `debug` says which of these it was. The token
/// stands in a header that is marked sensitive.
///
/// A 401 drops the token, and the request is made once more with the next one, its body cloned. It
/// is not when the body has no clone or the [`Client`] can't log in; then, and after a second 401,
/// the caller gets the 401. The body has to be `Clone`, unless
/// [`clone_body_with`](Self::clone_body_with) says what to do instead.
///
/// Put the layer inside of one that follows redirects or repeats requests: it then looks at each
/// request by itself, and the other layer never sees the token.
///
/// The service inside is your own, with its own settings: a private CA, a proxy or a client certificate
/// that is given to the [`Client`] has to be given to it too.
///
/// ```
/// use http::{Request, Response};
/// use pollination_auth::{ApiToken, AuthLayer, Client};
/// use tower::{BoxError, ServiceBuilder, ServiceExt as _};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
/// # let host = service.base_url();
/// let api_token = ApiToken::new("an-id", "a-secret")?;
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
#[derive(Clone)]
pub struct AuthLayer<C = ByClone> {
    policy: Policy,
    clone_body: C,
}

impl AuthLayer {
    /// Takes the client whose access token the requests carry.
    ///
    /// A clone of it is enough: clones share one access token.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            policy: Policy {
                client,
                relative_is_ours: false,
            },
            clone_body: ByClone,
        }
    }
}

impl<C> AuthLayer<C> {
    /// Takes a function that clones a body where it can, instead of `Clone`.
    ///
    /// It is called before the request is sent. When it gives none, the request is made only once,
    /// and a 401 is the caller's to deal with. So `|_: &B| None` is for bodies that can't be cloned
    /// at all. Those of reqwest can be when they are no streams:
    ///
    /// ```
    /// use http::{Request, Response};
    /// use pollination_auth::{ApiToken, AuthLayer, Client, reqwest::Body};
    /// use tower::{BoxError, ServiceBuilder, ServiceExt as _};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), BoxError> {
    /// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
    /// # let host = service.base_url();
    /// # let api_token = ApiToken::new("an-id", "a-secret")?;
    /// let client = Client::builder().api_token(api_token).base_url(&*host).build()?;
    ///
    /// let http = ServiceBuilder::new()
    ///     .layer(AuthLayer::new(client).clone_body_with(|body: &Body| {
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
    pub fn clone_body_with<F>(self, clone_body: F) -> AuthLayer<F> {
        AuthLayer {
            policy: self.policy,
            clone_body,
        }
    }

    /// Takes a URI without a host for one of the service.
    ///
    /// Set it only around something that is connected to the service and can send nowhere else,
    /// such as one connection of hyper. By default a request whose URI has a path alone gets no
    /// token: nobody can see here where it goes, and its `Host` header is only a claim.
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

/// Leaves out how bodies are cloned: a function shows nothing of itself.
impl<C> fmt::Debug for AuthLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Sends requests with an access token through the service inside.
///
/// Which ones, says [`AuthLayer`]. It is ready when the service inside is. A replay waits until it is ready once more.
///
/// # Errors
///
/// What the service inside fails with; or, when there is no access token to be had and nothing was
/// sent, an [`Error`](crate::Error), which `downcast_ref` gives back:
///
/// ```
/// # use http::{Request, Response};
/// # use pollination_auth::{ApiToken, AuthLayer, Client, Error};
/// # use tower::{BoxError, ServiceBuilder, ServiceExt as _};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// # let service = pollination_auth_fake::FakeService::start();
/// # let host = service.base_url();
/// # let api_token = ApiToken::new("an-id", "a-wrong-secret")?;
/// # let client = Client::builder().api_token(api_token).base_url(&*host).build()?;
/// # let http = ServiceBuilder::new()
/// #     .layer(AuthLayer::new(client))
/// #     .service_fn(|_: Request<()>| async { Ok::<_, BoxError>(Response::new(())) });
/// # let request = Request::get(format!("{host}/jobs")).body(())?;
/// match http.oneshot(request).await {
///     Err(error) => match error.downcast_ref::<Error>() {
///         Some(Error::CredentialsRejected(failure)) => assert_eq!(failure.status(), Some(401)),
///         other => panic!("{other:?}"),
///     },
///     Ok(_) => panic!("a wrong secret logs in"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AuthService<S, C = ByClone> {
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
    /// Tells why a request gets no token; none when it gets one.
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

fn tell(passes: Passes, uri: &Uri) {
    let scheme = uri.scheme_str().unwrap_or_default();
    passes.tell(scheme, uri.host().unwrap_or_default(), uri.port_u16());
}

impl<S, B, R, C> Service<Request<B>> for AuthService<S, C>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Send + 'static,
    R: Send + 'static,
    C: CloneBody<B> + Clone,
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
            let body = self.clone_body.clone_body(request.body());
            let replay = body.map(|body| like(&request, body));
            return Box::pin(send(ready, self.policy.client.clone(), request, replay));
        };
        tell(passes, request.uri());
        let sending = ready.call(request);
        Box::pin(async move { sending.await.map_err(Into::into) })
    }
}

/// Makes a request like this one, with another body.
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
    let cached = client.cached_token().await?;
    put_on(request.headers_mut(), &cached);
    let response = service.call(request).await.map_err(Into::into)?;
    if response.status() != StatusCode::UNAUTHORIZED || !client.token_refused(cached.generation) {
        return Ok(response);
    }
    let Some(mut replay) = replay else {
        return Ok(response);
    };
    // What the reply holds, a connection or a permit, may be what the replay waits for.
    drop(response);
    let cached = client.cached_token().await?;
    put_on(replay.headers_mut(), &cached);
    poll_fn(|context| service.poll_ready(context))
        .await
        .map_err(Into::into)?;
    let response = service.call(replay).await.map_err(Into::into)?;
    if response.status() != StatusCode::UNAUTHORIZED {
        client.replay_accepted();
    }
    Ok(response)
}
