//! One HTTP exchange, captured: what was sent, what came back, and how it ended.
//!
//! It is the generated client's inner value and sends for it. It does not retry, follow a redirect
//! or choose an error type: the layer above decides from the facts that are kept here.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::ResponseBuilderExt as _;
use zeroize::Zeroizing;

use crate::urls::Urls;
use crate::{Bearer, Client, Error, ResponseValue, SecretBytes};

/// The most bytes of a reply that are read: 64 KiB.
///
/// The largest documented reply is an access token of a few kilobytes; more than this is no reply
/// of this API, and reading on would let a server fill the memory.
pub const REPLY_LIMIT: usize = 64 * 1024;

/// One exchange with the service: made for one call, owned by the generated client that makes it,
/// and [concluded](Self::conclude) after it.
#[derive(Default)]
pub struct Exchange {
    /// Shared with the exchanges that were cloned from this one.
    pub(crate) urls: Arc<Urls>,
    authorization: Option<HeaderValue>,
    timeout: Option<Duration>,
    captured: Mutex<Captured>,
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
    /// The headers, as received; a value can be anything that a server writes.
    pub headers: HeaderMap,
}

/// Why a reply's body is incomplete.
#[non_exhaustive]
#[derive(Debug)]
pub enum CutOff {
    /// It is longer than [`REPLY_LIMIT`]; the rest was not read.
    Limit,
    /// Reading failed: the connection was closed, the time ran out, or the encoding is broken.
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
    /// No reply, and the service may have acted on the request.
    ///
    /// The error is absent if the generated code returned no transport error.
    Ambiguous(Option<reqwest::Error>),
    /// A status and a part of the body.
    CutOff {
        /// Status and headers.
        head: Head,
        /// The bytes so far.
        body: SecretBytes,
        /// What cut it off.
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

impl Exchange {
    /// Creates an exchange that sends no bearer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends this access token as the bearer.
    #[must_use]
    pub fn bearer(mut self, bearer: &Bearer) -> Self {
        self.authorization = Some(bearer.header().clone());
        self
    }

    /// Limits the exchange to this time, connecting and reading included.
    ///
    /// Without it the timeout of the reqwest client applies.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Returns how the exchange of a call ended, and the generated value if there is one.
    ///
    /// The generated value exists only for a documented success that the generated code can decode;
    /// the outcome has the bytes of every reply. The generated error, which shows bodies and headers,
    /// is dropped.
    pub fn conclude<T, E>(
        client: Client,
        result: Result<ResponseValue<T>, Error<E>>,
    ) -> (Outcome, Option<T>) {
        // A panic elsewhere leaves these fields whole, so a poisoned lock is still usable.
        let captured = client.inner.captured.into_inner();
        let Captured {
            not_sent,
            head,
            body,
            cut_off,
        } = captured.unwrap_or_else(PoisonError::into_inner);
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
        (outcome, value)
    }

    fn captured(&self) -> MutexGuard<'_, Captured> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the timeout and the headers of every request.
    fn prepare(&self, request: &mut reqwest::Request) {
        if let Some(timeout) = self.timeout {
            *request.timeout_mut() = Some(timeout);
        }
        let headers = request.headers_mut();
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
        self.captured().head = Some(Head {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
        });
        let (body, cut_off) = read_body(&mut response).await;
        let replay = replay(response, &body);
        let mut captured = self.captured();
        captured.body = body;
        captured.cut_off = cut_off;
        Ok(replay)
    }
}

/// Reads the body up to the limit. Every buffer that it outgrows is wiped.
async fn read_body(response: &mut reqwest::Response) -> (SecretBytes, Option<CutOff>) {
    let told = response.content_length().unwrap_or_default();
    let mut body = Body::with_room_for(usize::try_from(told).unwrap_or(REPLY_LIMIT));
    let cut_off = loop {
        match response.chunk().await {
            Ok(None) => break None,
            Ok(Some(chunk)) => {
                if !body.takes(&chunk) {
                    break Some(CutOff::Limit);
                }
            }
            Err(error) => break Some(CutOff::Transport(error)),
        }
    };
    (SecretBytes::from(body.0), cut_off)
}

/// A body that is being read; its buffer is wiped when it moves and when it is dropped.
struct Body(Zeroizing<Vec<u8>>);

impl Body {
    /// Creates a body with room for as much as the server announces, within the limit.
    fn with_room_for(announced: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(
            announced.min(REPLY_LIMIT),
        )))
    }

    /// Appends what fits below the limit, and returns `true` if that was the whole chunk.
    fn takes(&mut self, chunk: &[u8]) -> bool {
        let fitting = chunk.get(..REPLY_LIMIT - self.0.len()).unwrap_or(chunk);
        let needed = self.0.len() + fitting.len();
        if needed > self.0.capacity() {
            let room = needed.next_power_of_two().min(REPLY_LIMIT);
            let mut larger = Zeroizing::new(Vec::with_capacity(room));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(fitting);
        fitting.len() == chunk.len()
    }
}

/// Returns a reply for the generated code, with the same status and the same bytes, not copied.
fn replay(mut response: reqwest::Response, body: &SecretBytes) -> reqwest::Response {
    let mut replay = http::Response::builder().status(response.status());
    if let Some(extensions) = replay.extensions_mut() {
        *extensions = std::mem::take(response.extensions_mut());
    }
    // Without a URL the reply would get a default one, which is parsed each time.
    let replay = replay.url(response.url().clone()).body(body.shared());
    // A builder with only a status and a URL can't fail.
    replay.map_or(response, reqwest::Response::from)
}

/// Creates an exchange with the same settings and parsed URLs; what was captured is not cloned.
impl Clone for Exchange {
    fn clone(&self) -> Self {
        Self {
            urls: self.urls.clone(),
            authorization: self.authorization.clone(),
            timeout: self.timeout,
            captured: Mutex::default(),
        }
    }
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

/// Shows the status and the names of the headers; a value can contain a secret.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().collect();
        f.debug_struct("Head")
            .field("status", &self.status)
            .field("headers", &names)
            .finish()
    }
}
