//! Test support: a raw TCP server, for what a mock library can't do on the wire.
//!
//! It counts connections, closes them in the middle of a reply, or never answers at all.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::support::{Answer, Seen, lock};

/// The bytes of a reply, and what happens after them.
pub(crate) struct Script {
    pub(crate) bytes: Vec<u8>,
    pub(crate) then: Then,
}

/// What the server does when it has written its bytes.
pub(crate) enum Then {
    NextRequest,
    Close,
    /// Keeps the connection open and writes nothing more.
    Hang,
    /// Writes these bytes again and again, until the client closes the connection.
    Repeat(Vec<u8>),
}

impl Script {
    pub(crate) fn new(bytes: impl Into<Vec<u8>>, then: Then) -> Self {
        Self {
            bytes: bytes.into(),
            then,
        }
    }
}

impl From<Answer> for Script {
    fn from(answer: Answer) -> Self {
        let Answer {
            status,
            headers,
            body,
        } = answer;
        let mut head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let bytes = [head.as_bytes(), b"\r\n", &body].concat();
        Self::new(bytes, Then::NextRequest)
    }
}

/// A server on the loopback address, driven by the runtime of the test.
pub(crate) struct Listener {
    address: SocketAddr,
    connections: Arc<Mutex<Vec<Vec<Seen>>>>,
    accepting: JoinHandle<()>,
}

impl Listener {
    pub(crate) async fn start<S: Into<Script>>(
        answer: impl Fn(&Seen) -> S + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(Mutex::new(Vec::new()));
        let seen = connections.clone();
        let answer = Arc::new(move |request: &Seen| answer(request).into());
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection = {
                    let mut seen = lock(&seen);
                    seen.push(Vec::new());
                    seen.len() - 1
                };
                let (seen, answer) = (seen.clone(), answer.clone());
                let record = move |request| lock(&seen)[connection].push(request);
                tokio::spawn(serve(stream, record, answer));
            }
        });
        Self {
            address,
            connections,
            accepting,
        }
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the requests of each connection.
    pub(crate) fn connections(&self) -> Vec<Vec<Seen>> {
        lock(&self.connections).clone()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.connections().concat()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    record: impl Fn(Seen),
    answer: Arc<impl Fn(&Seen) -> Script>,
) {
    while let Some(request) = read_request(&mut stream).await {
        let Script { bytes, then } = answer(&request);
        record(request);
        // In some tests the client leaves early.
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
        match then {
            Then::NextRequest => {}
            Then::Close => return,
            Then::Hang => pending().await,
            Then::Repeat(bytes) => while stream.write_all(&bytes).await.is_ok() {},
        }
    }
    // Answers a client that speaks TLS to it; one that has left does not matter.
    let _unheard = stream.write_all(b"HTTP/1.1 400 x\r\n\r\n").await;
}

/// Reads one request with a length; `None` if the connection ends or is not HTTP.
async fn read_request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let mut lines = head.split("\r\n");
            let mut start = lines.next().unwrap().split(' ');
            let (method, target) = (start.next().unwrap(), start.next().unwrap());
            let headers = lines.map(|line| {
                let (name, value) = line.split_once(':').unwrap();
                (name.to_owned(), value.trim().to_owned())
            });
            let seen = Seen::new(method, target, headers, b"");
            let length = seen.header("content-length");
            let length: usize = length.first().map_or(0, |length| length.parse().unwrap());
            if let Some(body) = bytes.get(end + 4..end + 4 + length) {
                let body = String::from_utf8(body.to_vec()).unwrap();
                return Some(Seen { body, ..seen });
            }
        }
        match stream.read_buf(&mut bytes).await {
            Ok(1..) if bytes[0].is_ascii_uppercase() => {}
            _ => return None,
        }
    }
}
