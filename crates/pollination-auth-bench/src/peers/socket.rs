//! A bare socket: the floor, below which there is nothing left but the system calls.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::{BlockingCalls, NewToken, TIMEOUT};
use crate::server::ID;

/// Writes a request that it keeps as bytes, and reads a reply whose length it is told.
pub struct Socket {
    stream: TcpStream,
    request: Vec<u8>,
    reply: Vec<u8>,
}

impl Socket {
    /// Connects to the service at a base URL.
    #[must_use]
    pub fn new(base_url: &str, access_token: &str) -> Self {
        let host = base_url.strip_prefix("http://").expect("plain http");
        let stream = TcpStream::connect(host).expect("a connection");
        stream.set_nodelay(true).expect("an option");
        stream.set_read_timeout(Some(TIMEOUT)).expect("an option");
        let request = format!(
            "GET /auth/api-token HTTP/1.1\r\nhost: {host}\r\naccept: application/json\r\n\
             authorization: Bearer {access_token}\r\n\r\n"
        );
        Self {
            stream,
            request: request.into_bytes(),
            reply: vec![0; 4 * 1024],
        }
    }
}

impl BlockingCalls for Socket {
    fn get_api_token(&mut self) {
        self.stream.write_all(&self.request).expect("sent");
        let mut length = 0;
        loop {
            let (_, room) = self.reply.split_at_mut(length);
            let read = self.stream.read(room).expect("a reply");
            assert!(read > 0, "the connection ended");
            length += read;
            let (reply, _) = self.reply.split_at(length);
            if let Some(body) = body(reply) {
                let token: NewToken = serde_json::from_slice(body).expect("an id");
                assert_eq!(token.id, ID);
                return;
            }
        }
    }
}

/// Returns the body of a reply, once it is all there.
fn body(reply: &[u8]) -> Option<&[u8]> {
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = reply.split_at(end);
    let head = std::str::from_utf8(head).expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let (_, length) = head.split_once("content-length: ").expect("a length");
    let length: usize = length.lines().next()?.parse().expect("a length");
    body.get(4..).filter(|body| body.len() == length)
}
