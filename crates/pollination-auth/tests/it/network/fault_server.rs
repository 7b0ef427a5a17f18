//! A server that speaks HTTP badly on purpose: raw bytes on a socket, by a script.
//!
//! It keeps what it received and counts connections. What comes in is read in `request`, and what
//! goes out is made in `reply`.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pollination_auth::Operation;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

use super::reply::{Act, Reply};
use super::request::{Received, read_request};
use super::support::within;

/// No connection lives longer than this: 60 s, beyond the bound of every test.
const CONNECTION_LIFE: Duration = Duration::from_secs(60);

/// No server takes more connections than this; a client that opens more has lost count.
const CONNECTION_LIMIT: usize = 256;

/// No endless reply is longer than this: 64 MiB, a thousand times what a client may read.
const ENDLESS_LIMIT: usize = 64 * 1024 * 1024;

/// A server on a loopback port of its own; dropping it closes everything.
pub(super) struct FaultServer {
    address: SocketAddr,
    scheme: &'static str,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

/// What happens to a connection before anything is read from it.
#[derive(Clone, Copy)]
pub(super) enum OnAccept {
    /// Never reads and never answers.
    Ignore,
    Reset,
}

struct State {
    scripts: Mutex<HashMap<Operation, Script>>,
    on_accept: Mutex<VecDeque<OnAccept>>,
    received: watch::Sender<Vec<Received>>,
    connections: watch::Sender<usize>,
}

/// What is sent in turn; after the last one `then` forever, or good replies if there is none.
#[derive(Default)]
struct Script {
    next: VecDeque<Reply>,
    then: Option<Reply>,
}

impl FaultServer {
    pub(super) async fn start() -> Self {
        Self::listen("http", None).await
    }

    pub(super) async fn start_tls(config: ServerConfig) -> Self {
        Self::listen("https", Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn listen(scheme: &'static str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            scripts: Mutex::default(),
            on_accept: Mutex::default(),
            received: watch::Sender::new(Vec::new()),
            connections: watch::Sender::new(0),
        });
        let accepting = tokio::spawn(accept(listener, tls, state.clone()));
        Self {
            address,
            scheme,
            state,
            accepting,
        }
    }

    pub(super) fn base_url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Answers the next requests of an operation with these, and the ones after them well.
    pub(super) fn script(&self, operation: Operation, replies: impl IntoIterator<Item = Reply>) {
        let mut scripts = lock(&self.state.scripts);
        let script = scripts.entry(operation).or_default();
        script.next.extend(replies);
    }

    /// Answers every further request of an operation with this.
    pub(super) fn always(&self, operation: Operation, reply: Reply) {
        let mut scripts = lock(&self.state.scripts);
        scripts.entry(operation).or_default().then = Some(reply);
    }

    /// Does this with the next connections, and serves the ones after them.
    pub(super) fn on_accept(&self, accepts: impl IntoIterator<Item = OnAccept>) {
        lock(&self.state.on_accept).extend(accepts);
    }

    pub(super) fn connections(&self) -> usize {
        *self.state.connections.borrow()
    }

    /// Everything received so far, of all operations or of one.
    pub(super) fn received(&self) -> Vec<Received> {
        self.state.received.borrow().clone()
    }

    pub(super) fn requests(&self, operation: Operation) -> Vec<Received> {
        let mut received = self.received();
        received.retain(|one| one.operation == operation);
        received
    }

    /// Waits until this many requests of an operation have been read.
    pub(super) async fn has_received(&self, operation: Operation, count: usize) {
        let mut received = self.state.received.subscribe();
        let enough = |all: &Vec<Received>| {
            let of_this = all.iter().filter(|one| one.operation == operation);
            of_this.count() >= count
        };
        within(received.wait_for(enough)).await.unwrap();
    }

    /// Closes the port and every connection; later connections are refused.
    pub(super) async fn stop(mut self) -> super::support::ClosedPort {
        self.accepting.abort();
        let _cancelled = within(&mut self.accepting).await;
        super::support::ClosedPort::at(self.address)
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The connections end with this task, because it owns theirs.
async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, state: Arc<State>) {
    let mut running = JoinSet::new();
    for number in 0..CONNECTION_LIMIT {
        let Ok((stream, _)) = listener.accept().await else {
            return;
        };
        stream.set_nodelay(true).unwrap();
        state.connections.send_modify(|count| *count += 1);
        let on_accept = lock(&state.on_accept).pop_front();
        let (state, tls) = (state.clone(), tls.clone());
        running.spawn(tokio::time::timeout(CONNECTION_LIFE, async move {
            match on_accept {
                None => {}
                Some(OnAccept::Reset) => return stream.reset(),
                Some(OnAccept::Ignore) => std::future::pending().await,
            }
            match tls {
                None => serve(stream, number, &state).await,
                // A client that refuses the certificate leaves here.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, number, &state).await;
                    }
                }
            }
        }));
    }
}

/// Answers one request after the other, until a reply or the client ends the connection.
async fn serve(mut stream: impl Socket, number: usize, state: &State) {
    while let Some(received) = read_request(&mut stream, number).await {
        let operation = received.operation;
        let count = state
            .received
            .borrow()
            .iter()
            .filter(|one| one.operation == operation)
            .count();
        let reply = {
            let mut scripts = lock(&state.scripts);
            let script = scripts.entry(operation).or_default();
            script.next.pop_front().or_else(|| script.then.clone())
        };
        state.received.send_modify(|all| all.push(received));
        let reply = reply.unwrap_or_else(|| Reply::good(operation, count));
        for act in reply.into_acts() {
            match act {
                Act::Send(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Act::Endless(bytes) => {
                    let mut sent = 0;
                    while sent < ENDLESS_LIMIT && stream.write_all(&bytes).await.is_ok() {
                        sent += bytes.len();
                    }
                    return;
                }
                Act::Wait(gate) => gate.opened().await,
                Act::Hold => return hold(&mut stream).await,
                Act::Reset => return stream.reset(),
                Act::Close => {
                    let _ = stream.shutdown().await;
                    return;
                }
            }
        }
    }
}

/// Stops answering until the client gives up.
async fn hold(stream: &mut impl Socket) {
    let mut ignored = [0; 1024];
    while matches!(stream.read(&mut ignored).await, Ok(1..)) {}
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection, with TLS or without, that can be reset.
trait Socket: AsyncRead + AsyncWrite + Unpin + Send {
    /// Closes it with a RST instead of a FIN, which discards what was not yet delivered.
    fn reset(self);
}

impl Socket for TcpStream {
    fn reset(self) {
        self.set_zero_linger().unwrap();
    }
}

impl Socket for TlsStream<TcpStream> {
    fn reset(self) {
        self.into_inner().0.reset();
    }
}
