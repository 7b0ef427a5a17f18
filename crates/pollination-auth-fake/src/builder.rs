//! The builder of a service.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use pollination_auth_api::SecretText;

use crate::door::{Door, Orders};
use crate::fault::final_status;
use crate::random;
use crate::request_log::RecordedRequest;
use crate::route::Route;
use crate::service::{Hosts, Observer, Service, Start};

/// Default lifetime of an access token: 24 hours.
///
/// Auth0, which signs the tokens of the service, has this default for the tokens of an API.
pub const DEFAULT_EXPIRES_IN: Duration = Duration::from_secs(24 * 60 * 60);

/// Default number of requests kept for [`FakeService::requests`](crate::FakeService::requests).
///
/// Enough for a test in which a thousand callers race ten times. A login takes some hundred bytes.
pub const DEFAULT_KEPT_REQUESTS: usize = 10_000;

/// Sets a service up before it starts.
///
/// ```
/// use std::time::Duration;
/// use pollination_auth_fake::FakeService;
///
/// let service = FakeService::builder()
///     .id("an-id")
///     .secret("a-secret")
///     .expires_in(Duration::from_secs(30))
///     .start();
/// assert_eq!(service.id().as_deref(), Some("an-id"));
/// ```
///
/// What is left out has a default, and the rest is for what a test is about:
///
/// ```
/// use std::time::Duration;
/// use pollination_auth_fake::{DEFAULT_EXPIRES_IN, DEFAULT_KEPT_REQUESTS, FakeService};
///
/// let service = FakeService::builder()
///     .create_replaces()
///     .wrong_secret_status(403)
///     .latency(Duration::from_millis(1))
///     .keep_requests(2 * DEFAULT_KEPT_REQUESTS)
///     .on_request(|request| assert!(request.is_known()))
///     .log_requests()
///     .allow_host("fake")
///     .start();
/// assert_eq!(service.expires_in(), DEFAULT_EXPIRES_IN);
/// ```
#[must_use = "a builder starts nothing until `start` or `start_on`"]
#[derive(Default)]
pub struct Builder {
    id: Option<String>,
    secret: Option<SecretText>,
    expires_in: Option<Duration>,
    create_replaces: bool,
    wrong_secret_status: Option<StatusCode>,
    latency: Duration,
    kept_requests: Option<usize>,
    routes: Vec<Route>,
    observer: Option<Observer>,
    logs_requests: bool,
    hosts: Vec<String>,
}

impl Builder {
    /// Sets the id of the API token; without it the id is random.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the secret of the API token; without it the secret is random.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(SecretText::from(secret.into()));
        self
    }

    /// Sets how long access tokens live; without it [`DEFAULT_EXPIRES_IN`].
    ///
    /// The reply to a login has it in whole seconds, rounded down.
    pub fn expires_in(mut self, expires_in: Duration) -> Self {
        self.expires_in = Some(expires_in);
        self
    }

    /// Lets a creation replace the existing API token; without this it is refused with 409.
    ///
    /// The contract does not say which of the two a service does.
    pub fn create_replaces(mut self) -> Self {
        self.create_replaces = true;
        self
    }

    /// Sets the status of a login with a wrong id or secret; without it 401.
    ///
    /// The contract does not have it. A service behind a gateway may answer 403.
    ///
    /// # Panics
    ///
    /// If the status is not between 200 and 999.
    #[track_caller]
    pub fn wrong_secret_status(mut self, status: u16) -> Self {
        self.wrong_secret_status = Some(final_status(status));
        self
    }

    /// Delays every reply by this (real) time; without it no reply is delayed.
    ///
    /// A request is handled at once, and its reply waits. A scripted fault with a delay of its own
    /// uses that one instead.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Sets how many requests are kept; without it [`DEFAULT_KEPT_REQUESTS`].
    ///
    /// The counts include requests that are no longer kept.
    pub fn keep_requests(mut self, newest: usize) -> Self {
        self.kept_requests = Some(newest);
        self
    }

    /// Calls this with each request before the service handles it.
    ///
    /// A test can check there what must be on disk before a request is sent, or hold the request
    /// back by blocking; others go on meanwhile. A panic in it ends the connection without a reply.
    pub fn on_request(
        mut self,
        observe: impl Fn(&RecordedRequest) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Some(Box::new(observe));
        self
    }

    /// Writes a line for each request to stderr: method, path and status, and never a secret.
    ///
    /// The status of a request whose connection was ended is a dash.
    pub fn log_requests(mut self) -> Self {
        self.logs_requests = true;
        self
    }

    /// Adds an endpoint of your own, behind the service's check of the access token.
    ///
    /// A request without a valid access token is answered with 401, like one for the API; the
    /// handler gets every other one. In the path, `{name}` stands for any one segment. The handler
    /// may block; other requests go on meanwhile. A panic in it ends the connection without a reply.
    ///
    /// ```
    /// use pollination_auth_fake::FakeService;
    /// use pollination_auth_fake::http::{Method, Response};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> reqwest::Result<()> {
    /// let service = FakeService::builder()
    ///     .route(Method::GET, "/projects/{id}", |request| {
    ///         Response::new(format!("you asked for {}", request.uri().path()))
    ///     })
    ///     .start();
    /// let reply = reqwest::get(format!("{}/projects/7", service.base_url())).await?;
    /// assert_eq!(reply.status(), 401);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If the path does not begin with a slash, or is one of the API or of the control endpoint.
    #[expect(
        clippy::panic,
        reason = "a mistake in a test is to be seen where it is made"
    )]
    #[track_caller]
    pub fn route<B: Into<Bytes>>(
        mut self,
        method: Method,
        path: &str,
        handler: impl Fn(Request<Bytes>) -> Response<B> + Send + Sync + 'static,
    ) -> Self {
        match Route::new(method, path, handler) {
            Ok(route) => route.add_to(&mut self.routes),
            Err(problem) => panic!("{problem}"),
        }
        self
    }

    /// Lets the control endpoint answer under this host name, for a program on another machine.
    ///
    /// Without it the endpoint refuses a request under a name other than `localhost`: a web page
    /// whose name was made to resolve to this machine could ask it.
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }

    pub(crate) fn build(self, is_exposed: bool) -> (Service, Orders) {
        let start = Start {
            id: self.id.unwrap_or_else(random::id),
            secret: self
                .secret
                .unwrap_or_else(|| SecretText::from(random::secret())),
            expires_in: self.expires_in.unwrap_or(DEFAULT_EXPIRES_IN),
            create_replaces: self.create_replaces,
            wrong_secret_status: self.wrong_secret_status.unwrap_or(StatusCode::UNAUTHORIZED),
            latency: self.latency,
            kept_requests: self.kept_requests.unwrap_or(DEFAULT_KEPT_REQUESTS),
            routes: self.routes,
            observer: self.observer,
            logs_requests: self.logs_requests,
            hosts: Hosts {
                names: self.hosts,
                is_exposed,
            },
        };
        let (door, orders) = Door::new();
        (Service::new(start, door), orders)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("id", &self.id)
            .field("expires_in", &self.expires_in)
            .field("create_replaces", &self.create_replaces)
            .field("latency", &self.latency)
            .finish_non_exhaustive()
    }
}
