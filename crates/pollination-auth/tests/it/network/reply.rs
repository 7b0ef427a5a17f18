//! What the fault server sends: good replies, broken ones, and the acts that they are made of.

use std::sync::Arc;

use pollination_auth::Operation;
use tokio::sync::Semaphore;

/// The access token of a good login.
pub(super) const ACCESS_TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln";

/// The id of the one API token.
pub(super) const ID: &str = "an-id";

/// One step of a reply.
#[derive(Clone)]
pub(super) enum Act {
    Send(Vec<u8>),
    /// Sends the same bytes again and again, until the client leaves.
    Endless(Vec<u8>),
    /// Waits for the test.
    Wait(Gate),
    /// Waits forever.
    Hold,
    /// Ends the connection with a RST.
    Reset,
    /// Ends the connection with a FIN.
    Close,
}

/// A reply, step by step; the connection is kept alive unless a step ends it.
#[derive(Clone, Default)]
pub(super) struct Reply(Vec<Act>);

/// Delays a reply until a test opens it; it stays open.
#[derive(Clone)]
pub(super) struct Gate(Arc<Semaphore>);

impl Gate {
    pub(super) fn shut() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    pub(super) fn open(&self) {
        self.0.close();
    }

    pub(super) async fn opened(&self) {
        assert!(self.0.acquire().await.is_err(), "a gate has no permits");
    }
}

impl Reply {
    /// Starts a reply with these bytes, including the status line.
    pub(super) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::default().send(bytes)
    }

    /// Begins a reply that is held back.
    pub(super) fn behind(gate: &Gate) -> Self {
        Self(vec![Act::Wait(gate.clone())])
    }

    /// A whole reply with a true length.
    pub(super) fn json(status: u16, body: &str) -> Self {
        let length = body.len();
        Self::raw(format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\
             \r\n\r\n{body}"
        ))
    }

    /// A success with this length, whatever the body's is.
    pub(super) fn with_length(operation: Operation, length: usize, body: &str) -> Self {
        let status = body_status(operation);
        Self::raw(format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    }

    /// A success in chunks, with these bytes in place of the chunks.
    pub(super) fn chunked(operation: Operation, chunks: impl AsRef<[u8]>) -> Self {
        let status = body_status(operation);
        let head = format!("HTTP/1.1 {status} X\r\ntransfer-encoding: chunked\r\n\r\n");
        Self::raw([head.as_bytes(), chunks.as_ref()].concat())
    }

    /// The reply that the contract documents; `count` makes new secrets distinct.
    pub(super) fn good(operation: Operation, count: usize) -> Self {
        match operation {
            Operation::DeleteApiToken => Self::raw("HTTP/1.1 204 No Content\r\n\r\n"),
            _ => Self::json(status(operation), &good_body(operation, count)),
        }
    }

    pub(super) fn send(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.push(Act::Send(bytes.into()));
        self
    }

    /// Sends each byte by itself.
    pub(super) fn byte_by_byte(self) -> Self {
        let single = |act| match act {
            Act::Send(bytes) => bytes
                .into_iter()
                .map(|byte| Act::Send(vec![byte]))
                .collect(),
            other => vec![other],
        };
        Self(self.0.into_iter().flat_map(single).collect())
    }

    pub(super) fn endless(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.0.push(Act::Endless(bytes.into()));
        self
    }

    /// Continues with another reply.
    pub(super) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub(super) fn hold(mut self) -> Self {
        self.0.push(Act::Hold);
        self
    }

    pub(super) fn reset(mut self) -> Self {
        self.0.push(Act::Reset);
        self
    }

    pub(super) fn close(mut self) -> Self {
        self.0.push(Act::Close);
        self
    }

    pub(super) fn into_acts(self) -> Vec<Act> {
        self.0
    }
}

/// The documented status of success.
fn status(operation: Operation) -> u16 {
    match operation {
        Operation::Login => 202,
        Operation::CreateApiToken => 201,
        Operation::DeleteApiToken => 204,
        _ => 200,
    }
}

/// A status of success that can have a body, whatever the documented one is.
pub(super) fn body_status(operation: Operation) -> u16 {
    match operation {
        Operation::DeleteApiToken => 200,
        _ => status(operation),
    }
}

/// The documented body of a success.
pub(super) fn good_body(operation: Operation, count: usize) -> String {
    match operation {
        Operation::Login => format!(
            r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"Bearer","expires_in":3600}}"#
        ),
        Operation::GetApiToken => format!(r#"{{"id":"{ID}"}}"#),
        Operation::CreateApiToken | Operation::RotateApiTokenSecret => {
            format!(r#"{{"id":"{ID}","secret":"{}"}}"#, new_secret(count))
        }
        _ => String::new(),
    }
}

/// The secret of the nth create or rotate, from 0.
pub(super) fn new_secret(count: usize) -> String {
    format!("new-secret-{count}")
}
