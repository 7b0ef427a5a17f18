//! The service for a test: starts in one line, can be inspected, and fails on demand.
//!
//! The server is httpmock; [`crate::service`] decides what it answers.

use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};
use pollination_auth_api::SecretText;

use crate::builder::Builder;
use crate::fake_clock::FakeClock;
use crate::fault::Fault;
use crate::operation::Operation;
use crate::reply::Reply;
use crate::request_log::RecordedRequest;
use crate::script::Place;
use crate::service::Service;

/// How long a start waits for a server: 30 seconds.
///
/// httpmock has 25 of them in a process (`HTTPMOCK_MAX_SERVERS`) and would wait forever if a
/// test holds all of them and starts one more.
pub const START_LIMIT: Duration = Duration::from_secs(30);

impl Builder {
    /// Starts the service on a free port of the loopback address.
    ///
    /// # Panics
    ///
    /// If no server is available within [`START_LIMIT`].
    #[track_caller]
    pub fn start(self) -> FakeService {
        FakeService::on_mock_server(Arc::new(self.build()))
    }
}

/// The service in memory, reached over HTTP on the loopback address.
///
/// It has one account with one API token. Dropping it ends it, and panics if a scripted fault was
/// never met: the test did not do what its author expected. The message has the fault, and the
/// line that scripted it.
///
/// ```
/// use pollination_auth_fake::{FakeService, Operation};
///
/// let service = FakeService::start();
/// assert!(service.base_url().starts_with("http://127.0.0.1:"));
/// assert_eq!(service.count(Operation::Login), 0);
/// ```
#[must_use = "the service ends when it is dropped"]
pub struct FakeService {
    service: Arc<Service>,
    server: MockServer,
}

impl FakeService {
    /// Starts a service with a random id and secret.
    ///
    /// It works in synchronous and in asynchronous tests.
    ///
    /// # Panics
    ///
    /// If no server is available within [`START_LIMIT`].
    #[track_caller]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Sets a service up before it starts.
    pub fn builder() -> Builder {
        Builder::default()
    }

    #[track_caller]
    pub(crate) fn on_mock_server(service: Arc<Service>) -> Self {
        let server = start_server();
        let latency = service.state().latency;
        let (matching, answering) = (Arc::clone(&service), Arc::clone(&service));
        server.mock(|when, then| {
            when.is_true(move |request| matching.next_delayed(&convert(request)).is_none());
            then.delay(latency)
                .respond_with(move |request| respond(answering.handle(&convert(request))));
        });
        Self { service, server }
    }

    /// Returns the base URL, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.server.base_url()
    }

    /// Returns the id of the API token, unless it was deleted.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        self.service.state().account.id().map(str::to_owned)
    }

    /// Returns the current secret of the API token, unless it was deleted.
    ///
    /// While a new secret propagates this is the new one.
    #[must_use]
    pub fn secret(&self) -> Option<SecretText> {
        self.service.state().account.secret().cloned()
    }

    /// Returns the lifetime of access tokens minted from now on.
    #[must_use]
    pub fn expires_in(&self) -> Duration {
        self.service.state().expires_in
    }

    /// Sets the lifetime of access tokens minted from now on.
    pub fn set_expires_in(&self, expires_in: Duration) {
        self.service.state().expires_in = expires_in;
    }

    /// Returns the service's clock, for a client to use.
    #[must_use]
    pub fn clock(&self) -> FakeClock {
        FakeClock::of(&self.service)
    }

    /// Moves the service's clock forward; access tokens and new secrets depend on it.
    ///
    /// No other clock moves, except that of a client that uses [`clock`](Self::clock).
    pub fn advance(&self, time: Duration) {
        self.service.state().clock.advance(time);
    }

    /// Refuses from now on all access tokens that were minted so far, as expired.
    pub fn expire_all_tokens(&self) {
        self.service.state().issuer.expire_all();
    }

    /// Signs with another key from now on, which refuses all earlier access tokens.
    pub fn change_signing_key(&self) {
        self.service.state().issuer.change_key();
    }

    /// Applies now what [`Fault::commit_late`] put off, and ends every propagation.
    pub fn settle(&self) {
        self.service.settle();
    }

    /// Counts the requests for an operation, the refused ones too.
    #[must_use]
    pub fn count(&self, operation: Operation) -> usize {
        self.service.state().log.count(operation)
    }

    /// Counts the logins, the refused ones too.
    #[must_use]
    pub fn logins(&self) -> usize {
        self.count(Operation::Login)
    }

    /// Returns the newest requests, the oldest of them first.
    ///
    /// [`Builder::keep_requests`] sets how many are kept.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.service.state().log.newest()
    }

    /// Scripts a fault for the next request of this operation; faults queue up.
    ///
    /// # Panics
    ///
    /// If the fault would change nothing for the operation: the reply to a login has no id that
    /// could be wrong.
    #[expect(
        clippy::panic,
        reason = "a mistake in a test is to be seen where it is made"
    )]
    #[track_caller]
    pub fn fail_next(&self, operation: Operation, fault: Fault) {
        if !fault.applies_to(operation) {
            panic!("{fault:?} makes no difference to {operation}");
        }
        let place = Some(Location::caller());
        if fault.delay.is_zero() {
            let mut state = self.service.state();
            let ticket = state.script.ticket();
            state.script.push(operation, ticket, fault, place);
        } else {
            self.push_delayed(operation, fault, place);
        }
    }

    /// Lists the scripted faults that no request has met.
    #[must_use]
    pub fn unused_faults(&self) -> Vec<String> {
        self.service.state().script.unused()
    }

    /// Removes all scripted faults.
    pub fn clear_faults(&self) {
        self.service.state().script.clear();
    }

    /// Creates a mock for a delayed fault.
    ///
    /// httpmock can wait without blocking its thread, but only for a time that is fixed with the
    /// mock. The request is handled when it is matched, so that the change is made before the wait.
    fn push_delayed(&self, operation: Operation, fault: Fault, place: Place) {
        let delay = fault.delay;
        let ticket = self.service.state().script.ticket();
        let slot = Arc::new(Mutex::new(None));
        let (service, filled) = (Arc::clone(&self.service), Arc::clone(&slot));
        self.server.mock(|when, then| {
            when.is_true(move |request| {
                let request = convert(request);
                let is_next = service.next_delayed(&request) == Some(ticket);
                if is_next {
                    // A panic here, of an observer, would break httpmock's own lock.
                    let handled = catch_unwind(AssertUnwindSafe(|| service.handle(&request)));
                    *filled.lock().unwrap_or_else(PoisonError::into_inner) = Some(handled);
                }
                is_next
            });
            then.delay(delay).respond_with(move |_| {
                let handled = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
                match handled {
                    Some(Ok(reply)) => respond(reply),
                    Some(Err(panic)) => resume_unwind(panic),
                    None => respond(Reply::lost()),
                }
            });
        });
        // Only now: otherwise a request could meet a fault whose mock does not exist yet.
        let mut state = self.service.state();
        state.script.push(operation, ticket, fault, place);
    }
}

/// Takes a server from httpmock's pool, and waits if all are in use.
#[expect(
    clippy::panic,
    reason = "a test that can't start its service has failed"
)]
#[track_caller]
fn start_server() -> MockServer {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // A server that comes too late goes back to the pool.
        let _too_late = sender.send(MockServer::start());
    });
    match receiver.recv_timeout(START_LIMIT) {
        Ok(server) => server,
        Err(_) => panic!(
            "no server within {} s: are more than HTTPMOCK_MAX_SERVERS (25) services running?",
            START_LIMIT.as_secs()
        ),
    }
}

/// Reads httpmock's request.
///
/// Its own conversion panics on a header that comes twice.
fn convert(request: &HttpMockRequest) -> Request<Bytes> {
    let mut converted = Request::new(request.body().to_bytes());
    *converted.method_mut() = request.method();
    *converted.uri_mut() = request.uri();
    for (name, value) in request.headers_vec() {
        if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), value.parse()) {
            converted.headers_mut().append(name, value);
        }
    }
    converted
}

fn respond(reply: Reply) -> HttpMockResponse {
    match reply.response {
        Some(response) => response.into(),
        // Unwinding ends the task of this connection, and with it the connection; httpmock has no
        // other way to end one. This way of unwinding prints nothing.
        None => resume_unwind(Box::new("the reply is lost, as scripted")),
    }
}

impl Drop for FakeService {
    #[expect(
        clippy::panic,
        reason = "a fault that was never met means that the test proved less than it says"
    )]
    fn drop(&mut self) {
        // The server outlives this value in httpmock's pool, and must answer for it no more.
        self.server.reset();
        let unused = self.service.state().script.unused_with_places();
        if !unused.is_empty() && !thread::panicking() {
            panic!("scripted faults that no request met: {}", unused.join(", "));
        }
    }
}

impl fmt::Debug for FakeService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeService")
            .field("base_url", &self.base_url())
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}
