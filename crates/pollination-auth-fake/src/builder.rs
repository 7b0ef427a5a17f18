//! What a service is started with.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pollination_auth_api::SecretText;

use crate::FakeService;
use crate::listener::Listener;
use crate::random;
use crate::request_log::RecordedRequest;
use crate::service::{Observer, Service, Start};

/// How long an access token lives unless told otherwise: 24 hours.
///
/// It is what Auth0, which signs the tokens of the service, takes for the tokens of an API.
pub const DEFAULT_EXPIRES_IN: Duration = Duration::from_secs(24 * 60 * 60);

/// How many requests are kept for [`FakeService::requests`] unless told otherwise.
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
#[must_use = "a builder starts nothing until `start` or `bind`"]
#[derive(Default)]
pub struct Builder {
    id: Option<String>,
    secret: Option<SecretText>,
    expires_in: Option<Duration>,
    create_replaces: bool,
    latency: Duration,
    kept_requests: Option<usize>,
    observer: Option<Observer>,
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
    /// The reply to a login says it in whole seconds, rounded down.
    pub fn expires_in(mut self, expires_in: Duration) -> Self {
        self.expires_in = Some(expires_in);
        self
    }

    /// Lets a creation replace the API token that there is; without it, it is refused with 409.
    ///
    /// The contract leaves open which of the two a service does.
    pub fn create_replaces(mut self) -> Self {
        self.create_replaces = true;
        self
    }

    /// Holds every reply back for this (real) time; without it no reply is.
    ///
    /// A scripted fault with a delay of its own has that one instead. A started service acts on a
    /// request after this time, a bound one before it.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Sets how many requests are kept; without it [`DEFAULT_KEPT_REQUESTS`].
    ///
    /// The counts go on whatever is kept.
    pub fn keep_requests(mut self, newest: usize) -> Self {
        self.kept_requests = Some(newest);
        self
    }

    /// Calls this with each request before the service acts on it.
    ///
    /// A test can look there at what must be on disk before a request is sent. It runs on the
    /// server's thread, so it must not block for long, nor script faults. A panic in it ends the
    /// connection without a reply.
    pub fn on_request(
        mut self,
        observe: impl Fn(&RecordedRequest) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Some(Box::new(observe));
        self
    }

    /// Starts the service on a free port of the loopback address.
    ///
    /// # Panics
    ///
    /// When no server is to be had within [`START_LIMIT`](crate::START_LIMIT).
    #[track_caller]
    pub fn start(self) -> FakeService {
        FakeService::on_mock_server(Arc::new(self.build()))
    }

    /// Binds the service to an address, to be run with [`Listener::run`].
    ///
    /// This is for a process that is the service and nothing else, like the binary; a test wants
    /// [`start`](Self::start).
    ///
    /// Its control endpoint shows the secret and whole requests to whoever reaches the address: let
    /// it be one of the loopback.
    ///
    /// # Errors
    ///
    /// When the address can't be bound: another process has it, or it is not this machine's.
    pub fn bind(self, address: SocketAddr) -> io::Result<Listener> {
        Listener::bind(Arc::new(self.build()), address)
    }

    fn build(self) -> Service {
        let start = Start {
            id: self.id.unwrap_or_else(random::id),
            secret: self
                .secret
                .unwrap_or_else(|| SecretText::from(random::secret())),
            expires_in: self.expires_in.unwrap_or(DEFAULT_EXPIRES_IN),
            create_replaces: self.create_replaces,
            latency: self.latency,
            kept_requests: self.kept_requests.unwrap_or(DEFAULT_KEPT_REQUESTS),
        };
        Service::new(start, self.observer)
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
