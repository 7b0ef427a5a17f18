//! One exchange with the server, repeated for a while if the server can't serve it.
//!
//! Every request of this store may be repeated: a read, a write with check-and-set whose outcome
//! the caller can look up, a login. So the server may be restarted, unsealed or replaced meanwhile.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::HeaderValue;
use reqwest::{Certificate, Method, StatusCode, redirect, retry};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use crate::address::Address;
use crate::error::{VaultError, causes};
use crate::tls;

/// The time for a connection: 5 s, more than a handshake through any healthy network takes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The time for one exchange: 10 s, above the few that a server takes to elect a new active node.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(10);

/// The first pause before an exchange is repeated: 100 ms; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause before an exchange is repeated: 2 s.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The longest reply that is read: 1 MiB, as much as a server stores for one secret.
const REPLY_LIMIT: usize = 1024 * 1024;

/// The memory for a reply without a length: 16 KiB, more than most need.
const REPLY_GUESS: usize = 16 * 1024;

/// The header that carries the token.
const TOKEN: &str = "X-Vault-Token";

/// The header that carries the namespace.
const NAMESPACE: &str = "X-Vault-Namespace";

/// The header without which an agent refuses requests, against requests forged in a browser.
const REQUEST: &str = "X-Vault-Request";

/// What a secrets engine answers to everything for a moment after it was enabled.
const UPGRADING: &str = "Upgrading from non-versioned to versioned data";

/// A server.
pub(crate) struct Server {
    http: reqwest::Client,
    address: Address,
    namespace: Option<String>,
    patience: Duration,
}

/// The settings of a server.
pub(crate) struct Settings {
    pub(crate) address: Address,
    pub(crate) namespace: Option<String>,
    /// Root certificates that are trusted instead of the system's.
    pub(crate) certificates: Option<Vec<Certificate>>,
    /// How long an exchange is repeated.
    pub(crate) patience: Duration,
}

/// A request; its path is the one that a policy names.
#[derive(Clone)]
pub(crate) struct Request {
    method: Method,
    path: String,
    body: Option<Bytes>,
}

impl Request {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            body: None,
        }
    }

    /// Creates a request with a body, which is wiped after it was sent.
    ///
    /// `size` is at least the length of all texts in the body, so that no part of it is copied.
    pub(crate) fn post(path: impl Into<String>, body: &impl Serialize, size: usize) -> Self {
        // JSON writes a quote as two bytes.
        let mut json = Zeroizing::new(Vec::with_capacity(2 * size + REPLY_GUESS));
        // It fails only for maps with keys that are not texts, and there are none.
        let written = serde_json::to_writer(&mut *json, body);
        debug_assert!(written.is_ok());
        Self {
            method: Method::POST,
            path: path.into(),
            body: Some(Bytes::from_owner(json)),
        }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

/// A reply that is not one of those that are repeated.
pub(crate) struct Reply {
    path: String,
    status: StatusCode,
    body: Zeroizing<Vec<u8>>,
    /// Whether the server may have acted on the same request before.
    pub(crate) was_repeated: bool,
}

impl Reply {
    pub(crate) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    pub(crate) fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// Returns `true` if an error of the server contains these words.
    pub(crate) fn says(&self, words: &str) -> bool {
        let errors = self.errors().unwrap_or_default();
        errors.iter().any(|error| error.contains(words))
    }

    /// Returns `true` if the body is the list of errors, and empty: there is nothing.
    pub(crate) fn has_no_errors(&self) -> bool {
        self.errors().is_some_and(|errors| errors.is_empty())
    }

    fn errors(&self) -> Option<Vec<String>> {
        #[derive(Deserialize)]
        struct Body {
            errors: Vec<String>,
        }
        let body: Body = self.decode().ok()?;
        Some(body.errors)
    }

    /// Decodes the body.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T, VaultError> {
        // The decoder's error could show a part of the body.
        serde_json::from_slice(&self.body).map_err(|_undecodable| self.unexpected())
    }

    /// Decodes the field of the body that most replies of the API have.
    pub(crate) fn data<T: DeserializeOwned>(&self) -> Result<T, VaultError> {
        #[derive(Deserialize)]
        struct Body<T> {
            data: T,
        }
        self.decode().map(|Body { data }| data)
    }

    pub(crate) fn unexpected(&self) -> VaultError {
        VaultError::Unexpected {
            path: self.path.clone(),
            status: self.status(),
        }
    }
}

impl Server {
    pub(crate) fn new(settings: Settings) -> Result<Self, VaultError> {
        let Settings {
            address,
            namespace,
            certificates,
            patience,
        } = settings;
        let mut http = tls::builder().map_err(|problem| VaultError::Client(problem.into()))?;
        if address.is_loopback() {
            // A proxy from the environment can't reach this machine.
            http = http.no_proxy();
        }
        if let Some(certificates) = certificates {
            http = http.tls_certs_only(certificates);
        } else if !address.is_https() {
            // Nothing is verified, so a machine without root certificates will do.
            http = http.tls_certs_only([]);
        }
        let http = http
            // A redirect would take the token to whatever host it names.
            .redirect(redirect::Policy::none())
            .retry(retry::never().max_retries_per_request(0))
            .https_only(address.is_https())
            .http1_only()
            // A connection belongs to the runtime that made it, and the store to all of them.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(EXCHANGE_TIMEOUT)
            .referer(false)
            .user_agent(concat!(
                "pollination-auth-vault/",
                env!("CARGO_PKG_VERSION")
            ))
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .connection_verbose(false)
            .tls_danger_accept_invalid_certs(false)
            .tls_danger_accept_invalid_hostnames(false)
            .build()
            .map_err(|error| VaultError::Client(error.into()))?;
        Ok(Self {
            http,
            address,
            namespace,
            patience,
        })
    }

    /// Returns the pauses between repetitions of something that begins now.
    pub(crate) fn pause(&self) -> Pause {
        Pause {
            // A patience beyond what a clock can name never ends.
            deadline: Instant::now().checked_add(self.patience),
            next: FIRST_PAUSE,
        }
    }

    /// Sends a request until the server serves it or the patience is over.
    pub(crate) async fn send(
        &self,
        request: &Request,
        token: Option<&HeaderValue>,
    ) -> Result<Reply, VaultError> {
        let mut pause = self.pause();
        let mut was_repeated = false;
        loop {
            let error = match self.exchange(request, token).await {
                Ok(reply) => match self.judged(reply)? {
                    Judged::Served(reply) => {
                        return Ok(Reply {
                            was_repeated,
                            ..reply
                        });
                    }
                    Judged::Later(error) => error,
                },
                Err(error @ (VaultError::Unreachable(_) | VaultError::TimedOut)) => error,
                Err(error) => return Err(error),
            };
            tracing::debug!(path = request.path(), %error, "the server did not serve a request");
            if !pause.wait().await {
                return Err(error);
            }
            was_repeated = true;
        }
    }

    /// Sends a request once and reads the whole reply.
    async fn exchange(
        &self,
        request: &Request,
        token: Option<&HeaderValue>,
    ) -> Result<Reply, VaultError> {
        let url = self.address.join(&request.path);
        let mut builder = self
            .http
            .request(request.method.clone(), url)
            .header(REQUEST, "true");
        if let Some(namespace) = &self.namespace {
            builder = builder.header(NAMESPACE, namespace);
        }
        if let Some(token) = token {
            builder = builder.header(TOKEN, token);
        }
        if let Some(body) = &request.body {
            builder = builder
                .header("Content-Type", "application/json")
                .body(body.clone());
        }
        let mut response = builder.send().await.map_err(transport)?;
        let status = response.status();
        let length = response
            .content_length()
            .and_then(|length| usize::try_from(length).ok());
        let mut body = Zeroizing::new(Vec::with_capacity(
            length.unwrap_or(REPLY_GUESS).min(REPLY_LIMIT),
        ));
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            if body.len() + chunk.len() > REPLY_LIMIT {
                return Err(VaultError::TooLong);
            }
            append(&mut body, &chunk);
        }
        Ok(Reply {
            path: request.path.clone(),
            status,
            body,
            was_repeated: false,
        })
    }

    /// Distinguishes a reply to the request from one of a server that can't serve requests now.
    fn judged(&self, reply: Reply) -> Result<Judged, VaultError> {
        let status = reply.status();
        match status {
            // A standby: the next node asked, or the same a moment later, may be the active one.
            301 | 302 | 303 | 307 | 308 => Ok(Judged::Later(VaultError::Redirected)),
            404 if self.namespace.is_some() && reply.says("namespace not found") => {
                Err(VaultError::NoSuchNamespace {
                    namespace: self.namespace.clone().unwrap_or_default(),
                })
            }
            503 if reply.says("sealed") => Ok(Judged::Later(VaultError::Sealed)),
            // 412: a replica lags behind. 473, 472: a standby. 501: not initialized yet.
            412 | 429 | 472 | 473 | 500..=599 => {
                Ok(Judged::Later(VaultError::Unavailable { status }))
            }
            400 if reply.says(UPGRADING) => Ok(Judged::Later(VaultError::Unavailable { status })),
            _ => Ok(Judged::Served(reply)),
        }
    }
}

/// Whether a reply is the answer to the request.
enum Judged {
    Served(Reply),
    /// Repeating the request later may help; the error if it is not repeated.
    Later(VaultError),
}

/// The pauses between repetitions: each is twice as long as the one before, with jitter.
pub(crate) struct Pause {
    deadline: Option<Instant>,
    next: Duration,
}

impl Pause {
    /// Waits, and returns `true` unless the deadline is over.
    pub(crate) async fn wait(&mut self) -> bool {
        let left = self.deadline.map_or(Duration::MAX, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        });
        if left.is_zero() {
            return false;
        }
        // Between one and two halves, so that many processes don't come back at the same time.
        let pause = self.next.mul_f64(f64::midpoint(1.0, fastrand::f64()));
        self.next = (self.next * 2).min(LONGEST_PAUSE);
        sleep(pause.min(left)).await;
        true
    }
}

/// Appends to a buffer and leaves no copy behind when it grows.
fn append(body: &mut Zeroizing<Vec<u8>>, chunk: &[u8]) {
    if body.capacity() - body.len() < chunk.len() {
        let mut larger = Vec::with_capacity(2 * (body.len() + chunk.len()));
        larger.extend_from_slice(body);
        *body = Zeroizing::new(larger);
    }
    body.extend_from_slice(chunk);
}

/// Returns what an error of the HTTP client means, without the URL.
fn transport(error: reqwest::Error) -> VaultError {
    let error = error.without_url();
    if causes(&error).any(tls::is_error) {
        VaultError::Tls(error.into())
    } else if error.is_timeout() {
        VaultError::TimedOut
    } else {
        VaultError::Unreachable(error.into())
    }
}

#[cfg(test)]
mod tests;
