//! The service on a TCP port of its own, for the binary.
//!
//! httpmock takes a given port only for a server that can't call back into this process, so here
//! hyper, which is under httpmock too, reads the requests. What is answered is the service's.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::control;
use crate::reply::Reply;
use crate::service::Service;

/// The most bytes of a request's body: a login takes a few hundred.
const BODY_LIMIT: usize = 64 * 1024;

/// The bytes after which a request's head is refused: a login's is a few hundred.
///
/// hyper looks after each read, which can be as long again: the most is a [`BODY_LIMIT`] here too.
const HEAD_LIMIT: usize = BODY_LIMIT / 2;

/// The pause after a connection could not be accepted.
///
/// Mostly there are no file descriptors left, and retrying at once would only burn CPU time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A bound service, ready to [`run`](Self::run).
///
/// It also has a control endpoint, where a test in any language scripts faults: see the
/// [crate](crate#the-program).
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// use pollination_auth_fake::FakeService;
///
/// let listener = FakeService::builder().bind(([127, 0, 0, 1], 8080).into())?;
/// println!("listening on {}", listener.base_url());
/// listener.run(std::future::pending()).await
/// # }
/// ```
#[must_use = "a bound service answers nothing until `run`"]
pub struct Listener {
    service: Arc<Service>,
    socket: std::net::TcpListener,
    address: SocketAddr,
}

/// Why a connection ends without a reply.
#[derive(Debug)]
struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reply is lost, as scripted")
    }
}

impl std::error::Error for Lost {}

impl Listener {
    pub(crate) fn bind(service: Arc<Service>, address: SocketAddr) -> io::Result<Self> {
        let socket = std::net::TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        Ok(Self {
            service,
            socket,
            address,
        })
    }

    /// Returns the base URL.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves every connection until the future ends.
    ///
    /// Connections that are still open end with the runtime.
    ///
    /// # Errors
    ///
    /// The socket can't be registered with the runtime.
    pub async fn run(self, until: impl Future<Output = ()>) -> io::Result<()> {
        let listener = TcpListener::from_std(self.socket)?;
        let mut until = std::pin::pin!(until);
        loop {
            let accepted = tokio::select! {
                () = &mut until => return Ok(()),
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(serve(Arc::clone(&self.service), stream));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

async fn serve(service: Arc<Service>, stream: TcpStream) {
    // A reply is small and goes out at once; waiting for more of it only costs time.
    let _best_effort = stream.set_nodelay(true);
    let answer = service_fn(|request| answer(&service, request));
    // It fails when the client goes away or a reply is lost on purpose: nothing to be done.
    let _ended = http1::Builder::new()
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

async fn answer(
    service: &Service,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Lost> {
    let (head, body) = request.into_parts();
    let reply = match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => reply_to(service, &Request::from_parts(head, body.to_bytes())),
        Err(_) => Reply::detail(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
    };
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    reply
        .response
        .map(|response| response.map(Full::new))
        .ok_or(Lost)
}

/// Replies of the service have its latency; the control endpoint, which sets it, has none.
fn reply_to(service: &Service, request: &Request<Bytes>) -> Reply {
    control::answer(service, request).unwrap_or_else(|| {
        let mut reply = service.handle(request);
        if reply.delay.is_zero() {
            reply.delay = service.state().latency;
        }
        reply
    })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::{Builder, Fault, Operation};

    /// The start of the reply to a request that no fault is for.
    const UNAUTHORIZED: &[u8] = b"HTTP/1.1 401 ";

    /// What comes back for a `GET` on a connection of its own.
    async fn get(address: SocketAddr) -> Vec<u8> {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"GET /auth/api-token HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut reply = Vec::new();
        // A connection that ends is an end, however it ends.
        let _ended = stream.read_to_end(&mut reply).await;
        reply
    }

    fn run(builder: Builder) -> (Arc<Service>, SocketAddr) {
        let listener = builder.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let (service, address) = (Arc::clone(&listener.service), listener.address);
        tokio::spawn(listener.run(std::future::pending()));
        (service, address)
    }

    #[tokio::test]
    async fn a_lost_reply_ends_the_connection_and_no_other() {
        let (service, address) = run(Builder::default());
        service
            .state()
            .script
            .push(Operation::GetApiToken, 0, Fault::drop_connection(), None);
        assert_eq!(get(address).await, b"");
        assert_eq!(get(address).await[..UNAUTHORIZED.len()], *UNAUTHORIZED);
    }

    #[tokio::test]
    async fn a_reply_is_held_back_by_the_latency_or_by_its_fault() {
        let latency = Duration::from_millis(50);
        let (service, address) = run(Builder::default().latency(latency));
        for delay in [latency, latency * 3] {
            let started = Instant::now();
            assert_eq!(get(address).await[..UNAUTHORIZED.len()], *UNAUTHORIZED);
            assert!(started.elapsed() >= delay);
            let fault = Fault::delay(latency * 3);
            service
                .state()
                .script
                .push(Operation::GetApiToken, 0, fault, None);
        }
    }

    #[tokio::test]
    async fn it_runs_until_it_is_told_to_end() {
        let listener = Builder::default().bind(([127, 0, 0, 1], 0).into()).unwrap();
        listener.run(std::future::ready(())).await.unwrap();
    }

    #[test]
    fn an_address_in_use_is_an_error() {
        let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let error = Builder::default()
            .bind(taken.local_addr().unwrap())
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
