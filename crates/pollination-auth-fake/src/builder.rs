//! The builder of a service.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pollination_auth_api::SecretText;

use crate::listener::Listener;
use crate::random;
use crate::request_log::RecordedRequest;
use crate::service::{Observer, Service, Start};

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

    /// Delays every reply by this (real) time; without it no reply is delayed.
    ///
    /// A scripted fault with a delay of its own uses that one instead. A started service handles a
    /// request after this time, a bound one before it.
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
    /// A test can check there what must be on disk before a request is sent. It runs on the
    /// server's thread, so it must neither block for long nor script faults. A panic in it ends the
    /// connection without a reply.
    pub fn on_request(
        mut self,
        observe: impl Fn(&RecordedRequest) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Some(Box::new(observe));
        self
    }

    /// Binds the service to an address, to be run with [`Listener::run`].
    ///
    /// This is for a process that is only the service, like the binary; a test uses
    /// [`start`](Self::start).
    ///
    /// Its control endpoint shows the secret and whole requests to anyone who can reach it: use a
    /// loopback address.
    ///
    /// # Errors
    ///
    /// The address can't be bound: another process uses it, or it is not this machine's.
    pub fn bind(self, address: SocketAddr) -> io::Result<Listener> {
        Listener::bind(Arc::new(self.build()), address)
    }

    pub(crate) fn build(self) -> Service {
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
