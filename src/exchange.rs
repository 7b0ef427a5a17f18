//! One HTTP exchange, captured: what was sent, what came back, and how it ended.
//!
//! It is the generated client's inner value and sends for it. It decides nothing: no retry, no
//! redirect, no error type. It keeps the facts from which the layer above decides.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use progenitor_client::{ClientHooks, OperationInfo};
use zeroize::Zeroizing;

use crate::{Client, Error, ResponseValue, SecretBytes, SecretText};

/// The most bytes of a reply that are read: 64 KiB.
///
/// The largest documented reply is an access token of a few kilobytes; more than this is no reply
/// of this API, and reading on would let a server fill the memory.
pub const REPLY_LIMIT: usize = 64 * 1024;

/// Sent by progenitor with every request, and no part of the contract.
const API_VERSION: HeaderName = HeaderName::from_static("api-version");

/// One exchange with the service: made for one call, and read after it.
///
/// Clones share what was captured, so that the generated client can own one of them.
#[derive(Clone, Default)]
pub struct Exchange {
    authorization: Option<HeaderValue>,
    timeout: Option<Duration>,
    captured: Arc<Mutex<Captured>>,
}

/// What is known so far.
#[derive(Default)]
struct Captured {
    /// No byte of the request left this machine.
    not_sent: bool,
    head: Option<Head>,
    body: SecretBytes,
    cut_off: Option<CutOff>,
}

/// The status and the headers of a reply.
#[derive(Clone)]
pub struct Head {
    /// The status code.
    pub status: StatusCode,
    /// The headers, as they came; a value can hold anything a server writes.
    pub headers: HeaderMap,
}

/// Why a reply's body did not come to its end.
#[non_exhaustive]
#[derive(Debug)]
pub enum CutOff {
    /// It is longer than [`REPLY_LIMIT`]; the rest was not read.
    Limit,
    /// Reading failed: the connection ended, the time ran out, the encoding is broken.
    Transport(reqwest::Error),
}

/// How an exchange ended.
///
/// A body is kept as a secret, whatever the status: only the layer above knows what is in it.
#[non_exhaustive]
#[derive(Debug)]
pub enum Outcome {
    /// No byte of the request left this machine: sending it again is safe.
    NotSent(reqwest::Error),
    /// No reply, and nothing says that the service did not act on the request.
    ///
    /// The error is absent when the call was dropped before it ended.
    Ambiguous(Option<reqwest::Error>),
    /// A status and a part of the body.
    CutOff {
        /// Status and headers.
        head: Head,
        /// The bytes so far.
        body: SecretBytes,
        /// What ended it.
        cause: CutOff,
    },
    /// A status and the whole body.
    Complete {
        /// Status and headers.
        head: Head,
        /// All bytes.
        body: SecretBytes,
    },
}

/// The access token can't stand in a header.
#[derive(Debug)]
pub struct InvalidBearer;

impl fmt::Display for InvalidBearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the access token has a byte that no HTTP header can carry")
    }
}

impl std::error::Error for InvalidBearer {}

impl Exchange {
    /// Makes an exchange that sends no credential of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends this access token as the bearer (RFC 6750, section 2.1).
    ///
    /// # Errors
    ///
    /// [`InvalidBearer`] when a byte of it is not allowed in a header.
    pub fn bearer(mut self, access_token: &SecretText) -> Result<Self, InvalidBearer> {
        const SCHEME: &[u8] = b"Bearer ";
        let token = access_token.expose_secret().as_bytes();
        let mut value = Zeroizing::new(Vec::with_capacity(SCHEME.len() + token.len()));
        value.extend_from_slice(SCHEME);
        value.extend_from_slice(token);
        // The header shares the wiped buffer instead of copying it.
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(value))
            .map_err(|_invalid| InvalidBearer)?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }

    /// Ends the exchange after this time, connecting and reading included.
    ///
    /// Without it the timeout of the reqwest client holds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Ends a call: the value, if the generated code could decode it, and how the exchange went.
    ///
    /// A value can come with [`Outcome::CutOff`]: the bytes so far were a whole document. The
    /// generated error is taken apart here and never printed, since it shows bodies and headers.
    pub fn conclude<T, E>(
        self,
        result: Result<ResponseValue<T>, Error<E>>,
    ) -> (Option<T>, Outcome) {
        let Captured {
            not_sent,
            head,
            body,
            cut_off,
        } = std::mem::take(&mut *self.captured());
        let (value, error) = match result {
            Ok(value) => (Some(value.into_inner()), None),
            Err(Error::CommunicationError(error)) => (None, Some(error)),
            Err(_) => (None, None),
        };
        let outcome = match (head, cut_off, error) {
            (Some(head), None, _) => Outcome::Complete { head, body },
            (Some(head), Some(cause), _) => Outcome::CutOff { head, body, cause },
            (None, _, Some(error)) if not_sent || error.is_builder() => Outcome::NotSent(error),
            (None, _, error) => Outcome::Ambiguous(error),
        };
        (value, outcome)
    }

    /// A panic elsewhere leaves these fields whole, so a poisoned lock is still good.
    fn captured(&self) -> MutexGuard<'_, Captured> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts on what every request carries, and takes off what the contract does not have.
    fn prepare(&self, request: &mut reqwest::Request) {
        if let Some(timeout) = self.timeout {
            *request.timeout_mut() = Some(timeout);
        }
        let headers = request.headers_mut();
        headers.remove(API_VERSION);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
    }

    async fn run(
        &self,
        client: &reqwest::Client,
        mut request: reqwest::Request,
    ) -> reqwest::Result<reqwest::Response> {
        self.prepare(&mut request);
        let mut response = client.execute(request).await.inspect_err(|error| {
            // Only a connection that was never made proves that nothing was sent.
            self.captured().not_sent = error.is_connect();
        })?;

        let head = Head {
            status: response.status(),
            headers: response.headers().clone(),
        };
        self.captured().head = Some(head.clone());
        let (body, cut_off) = read_body(&mut response).await;
        {
            let mut captured = self.captured();
            captured.body = body.clone();
            captured.cut_off = cut_off;
        }
        Ok(replay(head, body))
    }
}

/// Reads the body up to the limit into one buffer that never moves, so that no copy is left behind.
async fn read_body(response: &mut reqwest::Response) -> (SecretBytes, Option<CutOff>) {
    let mut body = Zeroizing::new(Vec::with_capacity(REPLY_LIMIT));
    let cut_off = loop {
        match response.chunk().await {
            Ok(None) => break None,
            Ok(Some(chunk)) => {
                let room = REPLY_LIMIT - body.len();
                if let Some(fitting) = chunk.get(..room)
                    && chunk.len() > room
                {
                    body.extend_from_slice(fitting);
                    break Some(CutOff::Limit);
                }
                body.extend_from_slice(&chunk);
            }
            Err(error) => break Some(CutOff::Transport(error)),
        }
    };
    (SecretBytes::from(std::mem::take(&mut *body)), cut_off)
}

/// Gives the generated code the same bytes to decode, shared and not copied.
fn replay(head: Head, body: SecretBytes) -> reqwest::Response {
    let mut response = http::Response::new(reqwest::Body::from(Bytes::from_owner(body)));
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    response.into()
}

impl ClientHooks<Exchange> for Client {
    async fn exec(
        &self,
        request: reqwest::Request,
        _: &OperationInfo,
    ) -> reqwest::Result<reqwest::Response> {
        self.inner.run(&self.client, request).await
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("bearer", &self.authorization.is_some())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Shows the status and the names of the headers; a value can hold anything.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().collect();
        f.debug_struct("Head")
            .field("status", &self.status)
            .field("headers", &names)
            .finish()
    }
}
