//! The server: reads requests on a TCP port, and writes what the service answers.
//!
//! It has a thread and a runtime of its own: a test needs none, and a test that blocks its runtime
//! or pauses its time does not hold the server up.

use std::future::pending;
use std::io;
use std::net::TcpListener as Socket;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use http::header::{DATE, Entry};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::control;
use crate::door::{Order, Orders};
use crate::port::Port;
use crate::reply::Reply;
use crate::service::Service;

/// The bytes after which a request's head is refused: a login's is a few hundred.
///
/// hyper looks after each read, which can be as long again: the most is 64 KiB.
const HEAD_LIMIT: usize = 32 * 1024;

/// How long a client may take to send a head, and then a body: 30 seconds, the default of hyper.
///
/// A connection without a request is closed after the same time.
const PATIENCE: Duration = Duration::from_secs(30);

/// The pause after a connection could not be accepted.
///
/// Mostly there are no file descriptors left, and retrying at once would only burn CPU time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long an end waits for observers and handlers that are running: a second.
///
/// One that takes longer waits for something, maybe for the test that is ending the service.
const END_PATIENCE: Duration = Duration::from_secs(1);

/// A running server. When it has been dropped, its port is closed and no connection is left.
pub(crate) struct Server {
    service: Arc<Service>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(service: Arc<Service>, orders: Orders, socket: Socket) -> io::Result<Self> {
        Self::start_with(service, orders, socket, PATIENCE)
    }

    fn start_with(
        service: Arc<Service>,
        orders: Orders,
        socket: Socket,
        patience: Duration,
    ) -> io::Result<Self> {
        let (started, came) = mpsc::channel();
        let serving = Arc::clone(&service);
        let thread = thread::Builder::new()
            .name("pollination-auth-fake".to_owned())
            .spawn(move || {
                // It fails before it has started, or not at all.
                if let Err(error) = serve(serving, orders, socket, patience, &started) {
                    let _unheard = started.send(Err(error));
                }
            })?;
        let server = Self {
            service,
            thread: Some(thread),
        };
        came.recv()
            .unwrap_or_else(|_| Err(io::Error::other("the server's thread has ended")))
            .map(|()| server)
    }

    /// Ends it; returns when its port and every connection is closed.
    pub(crate) fn stop(&mut self) {
        self.service.door.end();
        if let Some(thread) = self.thread.take() {
            // It can't have panicked: each connection is a task of its own.
            let _ended = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs a server to its end.
fn serve(
    service: Arc<Service>,
    orders: Orders,
    socket: Socket,
    patience: Duration,
    started: &mpsc::Sender<io::Result<()>>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let served = runtime.block_on(async {
        let port = Port::open(socket)?;
        let _unheard = started.send(Ok(()));
        accept(&service, orders, port, patience).await;
        Ok(())
    });
    runtime.shutdown_timeout(END_PATIENCE);
    served
}

async fn accept(service: &Arc<Service>, mut orders: Orders, mut port: Port, patience: Duration) {
    let mut connections = JoinSet::new();
    let mut opens_at = None;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Close(time, done)) => {
                    opens_at = time.and_then(|time| Instant::now().checked_add(time));
                    connections.shutdown().await;
                    let _unheard = done.send(port.refuse());
                }
                Some(Order::Open(done)) => {
                    opens_at = None;
                    let _unheard = done.send(port.listen());
                }
                Some(Order::End) | None => {
                    connections.shutdown().await;
                    return;
                }
            },
            () = at(opens_at) => {
                opens_at = None;
                // If another program has taken the port, it stays with that program.
                let _lost = port.listen();
            }
            accepted = port.accept() => match accepted {
                Ok(stream) => {
                    connections.spawn(converse(Arc::clone(service), stream, patience));
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

/// Serves one connection.
async fn converse(service: Arc<Service>, stream: TcpStream, patience: Duration) {
    // A reply is small and goes out at once; waiting for more of it only costs time.
    let _best_effort = stream.set_nodelay(true);
    let answer = service_fn(|request| answer(Arc::clone(&service), request, patience));
    // It fails when the client goes away or a reply is lost on purpose: nothing to be done.
    let _ended = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

async fn answer(
    service: Arc<Service>,
    request: Request<Incoming>,
    patience: Duration,
) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, service.body_limit(&head)).collect();
    let reply = match timeout(patience, body).await {
        Ok(Ok(body)) => reply_to(&service, Request::from_parts(head, body.to_bytes())).await?,
        Ok(Err(_)) => Reply::detail(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
        Err(_) => Reply::detail(StatusCode::REQUEST_TIMEOUT, "the body did not come"),
    };
    if !reply.delay.is_zero() {
        sleep(reply.delay).await;
    }
    // hyper ends the connection then.
    let lost = || io::Error::other("the reply is lost, as scripted");
    let mut response = reply.response.ok_or_else(lost)?;
    if let Entry::Vacant(date) = response.headers_mut().entry(DATE) {
        // hyper's own would be the machine's, which does not move with the service's clock.
        let now = httpdate::fmt_http_date(service.state().clock.wall());
        date.insert(HeaderValue::try_from(now).map_err(io::Error::other)?);
    }
    Ok(response.map(Full::new))
}

/// Replies of the service have its latency; the control endpoint, which sets it, has none.
async fn reply_to(service: &Arc<Service>, request: Request<Bytes>) -> io::Result<Reply> {
    if let Some(reply) = control::answer(service, &request) {
        return Ok(reply);
    }
    let service = Arc::clone(service);
    let handle = move || {
        let mut reply = service.handle(request);
        if reply.delay.is_zero() {
            reply.delay = service.state().latency;
        }
        reply
    };
    // An observer or a handler may block, or panic.
    spawn_blocking(handle).await.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, SocketAddr, TcpStream};

    use super::*;
    use crate::{FakeService, port};

    /// Less than [`PATIENCE`], and more than any machine takes for a [`SHORT`] one.
    const LIMIT: Duration = Duration::from_secs(20);

    const SHORT: Duration = Duration::from_millis(20);

    fn impatient() -> (Server, SocketAddr) {
        let (service, orders) = FakeService::builder().build(false);
        let socket = port::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let address = socket.local_addr().unwrap();
        let server = Server::start_with(Arc::new(service), orders, socket, SHORT).unwrap();
        (server, address)
    }

    /// Sends the beginning of a request and no more; returns what comes until the end.
    fn begin(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    }

    #[test]
    fn a_connection_that_sends_no_whole_head_is_closed() {
        let (_server, address) = impatient();
        for head in ["", "GET", "GET / HTTP/1.1\r\nhost: a\r\n"] {
            assert_eq!(begin(address, head), "", "{head}");
        }
    }

    #[test]
    fn a_body_that_does_not_come_is_a_408() {
        let (_server, address) = impatient();
        let head = "POST /auth/login HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{";
        let reply = begin(address, head);
        assert!(reply.starts_with("HTTP/1.1 408 "), "{reply}");
    }
}
