//! The service for a test: starts in one line, can be inspected, and fails on demand.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::Location;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use pollination_auth_api::SecretText;

use crate::builder::Builder;
use crate::door::Outage;
use crate::fault::Fault;
use crate::operation::Operation;
use crate::port;
use crate::request_log::RecordedRequest;
use crate::server::Server;
use crate::service::Service;

impl Builder {
    /// Starts the service on a free port of the loopback address.
    ///
    /// # Panics
    ///
    /// If the system has no port or no thread left.
    #[expect(
        clippy::panic,
        reason = "a test that can't start its service has failed"
    )]
    #[track_caller]
    pub fn start(self) -> FakeService {
        match self.start_on((Ipv4Addr::LOCALHOST, 0).into()) {
            Ok(service) => service,
            Err(error) => panic!("cannot start a service: {error}"),
        }
    }

    /// Starts the service on an address of this machine.
    ///
    /// A service that others can reach shows its secret and whole requests to everybody who asks,
    /// and hands out access tokens that are valid only for itself. Its control endpoint answers to
    /// addresses, and to names that [`allow_host`](Self::allow_host) lists.
    ///
    /// ```
    /// use pollination_auth_fake::FakeService;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let service = FakeService::builder().start_on(([127, 0, 0, 1], 0).into())?;
    /// assert!(service.base_url().starts_with("http://127.0.0.1:"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The address can't be bound: another process uses it, or it is not this machine's.
    pub fn start_on(self, address: SocketAddr) -> io::Result<FakeService> {
        let socket = port::bind(address)?;
        let address = socket.local_addr()?;
        let (service, orders) = self.build(!address.ip().is_loopback());
        let service = Arc::new(service);
        let server = Server::start(Arc::clone(&service), orders, socket)?;
        Ok(FakeService {
            address,
            service,
            server,
        })
    }
}

/// The service in memory, reached over HTTP on the loopback address.
///
/// It has one account with one API token. Dropping it closes its port and every connection before
/// `drop` returns, and panics if a scripted fault was not met as often as it says: the test did not
/// do what its author expected. The message has the fault, and the line that scripted it.
///
/// ```
/// use pollination_auth_fake::{FakeService, Operation};
///
/// let service = FakeService::start();
/// assert!(service.base_url().starts_with("http://127.0.0.1:"));
/// assert_eq!(service.count(Operation::Login), 0);
/// ```
///
/// # Time and tokens
///
/// ```
/// use std::time::Duration;
/// use pollination_auth_fake::FakeService;
///
/// let service = FakeService::start();
/// service.set_expires_in(Duration::from_secs(60));
/// // Three ways to make a client's access token useless: it expires, it is said to be expired, and
/// // its signature is wrong.
/// service.advance(service.expires_in());
/// service.expire_all_tokens();
/// service.change_signing_key();
/// // What a scripted fault put off is done now.
/// service.settle();
/// assert_eq!((service.logins(), service.unused_faults().len()), (0, 0));
/// ```
///
/// # Paused time
///
/// In a test with `#[tokio::test(start_paused = true)]` timeouts end before a reply comes, whatever
/// the server: Tokio moves paused time forward while it waits for a socket. It does not while a
/// blocking task runs, so start one that ends with the test:
///
/// ```
/// use std::sync::mpsc;
/// use std::time::Duration;
/// use pollination_auth_fake::FakeService;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// tokio::time::pause();
/// let (_until_the_end, ended) = mpsc::channel::<()>();
/// tokio::task::spawn_blocking(move || ended.recv());
///
/// let service = FakeService::builder().latency(Duration::from_millis(50)).start();
/// let call = reqwest::get(service.base_url());
/// assert_eq!(tokio::time::timeout(Duration::from_secs(5), call).await??.status(), 404);
/// # Ok(())
/// # }
/// ```
///
/// Only `tokio::time::advance` moves the time of the test then. [`advance`](Self::advance) moves
/// that of the service.
#[must_use = "the service ends when it is dropped"]
pub struct FakeService {
    address: SocketAddr,
    service: Arc<Service>,
    server: Server,
}

impl FakeService {
    /// Starts a service with a random id and secret.
    ///
    /// It works in synchronous and in asynchronous tests.
    ///
    /// # Panics
    ///
    /// If the system has no port or no thread left.
    #[track_caller]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Sets a service up before it starts.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Returns the base URL, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the id and the secret that log in now.
    ///
    /// ```
    /// use pollination_auth_fake::FakeService;
    ///
    /// let service = FakeService::builder().id("an-id").secret("a-secret").start();
    /// let (id, secret) = service.api_token();
    /// assert_eq!((&*id, &*secret), ("an-id", "a-secret"));
    /// ```
    ///
    /// # Panics
    ///
    /// If the API token was deleted; [`id`](Self::id) and [`secret`](Self::secret) return `None`
    /// then.
    #[expect(
        clippy::panic,
        reason = "a mistake in a test is to be seen where it is made"
    )]
    #[must_use]
    #[track_caller]
    pub fn api_token(&self) -> (String, String) {
        let state = self.service.state();
        match (state.account.id(), state.account.secret()) {
            (Some(id), Some(secret)) => (id.to_owned(), secret.expose_secret().to_owned()),
            _ => panic!("the API token was deleted"),
        }
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

    /// Returns the service's clock, for a client to use: `Client::builder().clock(service.clock())`.
    ///
    /// A client with the machine's clock notices an [`advance`](Self::advance) only by a 401. A
    /// client with this clock refreshes early, and knows when a token expires. It reads the date
    /// and time, which stops ten thousand years after 1970, and the time since the service started.
    /// It can be read after the service has ended.
    ///
    /// ```
    /// use std::time::Duration;
    /// use pollination_auth_fake::FakeService;
    ///
    /// let service = FakeService::start();
    /// let clock = service.clock();
    /// let (_, before) = clock();
    /// service.advance(Duration::from_secs(3600));
    /// let (_, monotonic) = clock();
    /// assert!(monotonic >= before + Duration::from_secs(3600));
    /// ```
    pub fn clock(
        &self,
    ) -> impl Fn() -> (SystemTime, Duration) + Clone + Send + Sync + use<> + 'static {
        let service = Arc::clone(&self.service);
        move || {
            let state = service.state();
            (state.clock.wall(), state.clock.since_start())
        }
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
        self.script(Some(operation), fault);
    }

    /// Scripts a fault for the next request of any operation that it makes a difference to.
    ///
    /// It queues up with the faults of that operation.
    #[track_caller]
    pub fn fail_any(&self, fault: Fault) {
        self.script(None, fault);
    }

    #[track_caller]
    fn script(&self, operation: Option<Operation>, fault: Fault) {
        let place = Some(Location::caller());
        self.service.state().script.push(operation, fault, place);
    }

    /// Lists the scripted faults that no request has met, or fewer than they say.
    #[must_use]
    pub fn unused_faults(&self) -> Vec<String> {
        self.service.state().script.unused()
    }

    /// Removes all scripted faults.
    pub fn clear_faults(&self) {
        self.service.state().script.clear();
    }

    /// Takes the service down, in the way that is given, until [`end_outage`](Self::end_outage).
    ///
    /// ```
    /// use pollination_auth_fake::{FakeService, Outage};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> reqwest::Result<()> {
    /// let service = FakeService::start();
    /// service.start_outage(Outage::Refused);
    /// assert!(reqwest::get(service.base_url()).await.is_err_and(|error| error.is_connect()));
    /// service.end_outage();
    /// service.start_outage(Outage::Unavailable);
    /// assert_eq!(reqwest::get(service.base_url()).await?.status(), 503);
    /// service.end_outage();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If another program takes the port in the moment between two sockets.
    #[track_caller]
    pub fn start_outage(&self, outage: Outage) {
        match outage {
            Outage::Refused => carried_out(self.service.door.close()),
            Outage::Unavailable => self.service.state().is_unavailable = true,
        }
    }

    /// Ends an outage. The port is the same as before.
    ///
    /// # Panics
    ///
    /// If another program has taken the port, as for [`start_outage`](Self::start_outage).
    #[track_caller]
    pub fn end_outage(&self) {
        self.service.state().is_unavailable = false;
        carried_out(self.service.door.open());
    }
}

#[expect(clippy::panic, reason = "a test without its service has failed")]
#[track_caller]
fn carried_out(order: io::Result<()>) {
    if let Err(error) = order {
        panic!("the service has lost its port: {error}");
    }
}

impl Drop for FakeService {
    #[expect(
        clippy::panic,
        reason = "a fault that was never met means that the test proved less than it says"
    )]
    fn drop(&mut self) {
        self.server.stop();
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
