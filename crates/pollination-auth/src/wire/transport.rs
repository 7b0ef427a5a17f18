//! The HTTP clients with their safe settings, and what their errors mean.

mod backend;
mod causes;
mod pools;
mod roots;

use std::error::Error as StdError;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub use reqwest;
#[cfg(any(test, fuzzing))]
pub(crate) use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};

use self::causes::chain;
use self::pools::Pools;
use crate::error::failure::Reason;
use crate::foundation::base_url::BaseUrl;
use crate::foundation::operation::Operation;

/// Why an exchange failed below HTTP.
pub(crate) type TransportError = reqwest::Error;

/// reqwest's own builder, as callers configure it.
pub(crate) type HttpBuilder = reqwest::ClientBuilder;

/// A caller's changes to the HTTP client, made before the safe settings.
pub(crate) type Configure = Arc<dyn Fn(HttpBuilder) -> HttpBuilder + Send + Sync>;

/// The settings of one client, checked.
pub(crate) struct Settings {
    pub(crate) base_url: BaseUrl,
    pub(crate) connect_timeout: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) user_agent: String,
    pub(crate) configure: Option<Configure>,
}

/// Why there is no HTTP client.
pub(crate) enum Unbuilt {
    /// rustls has no cryptography, and the program has to install it.
    NoProvider,
    /// No root certificate was found; the text names the searched places.
    NoRoots(String),
    /// A setting of the caller is invalid.
    Refused(reqwest::Error),
}

/// HTTP clients that differ only in the connections that they use.
pub(crate) struct Transport {
    settings: Settings,
    pools: Pools<reqwest::Client>,
    /// Never reuses a connection. If a server closes an idle one just as a request is written, it is
    /// unknown whether it was read. A rotate or create must avoid that. It is built when it is first
    /// needed: reading the root certificates takes most of the time of building a client.
    fresh: OnceLock<reqwest::Client>,
}

impl Transport {
    pub(crate) fn build(settings: Settings) -> Result<Self, Unbuilt> {
        if backend::lacks_provider() {
            return Err(Unbuilt::NoProvider);
        }
        let first = pooled(&settings).map_err(|error| {
            if are_roots_missing(&error) {
                Unbuilt::NoRoots(roots::problem(|name| std::env::var_os(name)))
            } else {
                Unbuilt::Refused(error)
            }
        })?;
        Ok(Self {
            pools: Pools::new(first),
            fresh: OnceLock::new(),
            settings,
        })
    }

    /// Returns the timeout for a request, unless the clients have the same one already.
    pub(crate) fn own_timeout(&self, timeout: Duration) -> Option<Duration> {
        (timeout != self.settings.attempt_timeout).then_some(timeout)
    }

    /// Returns the client for an operation; the generated code sends with it.
    ///
    /// A runtime that has no pool yet, or can't have one, gets the client that needs none.
    ///
    /// The same settings made a client before, so an error means that the system or the caller's
    /// function has changed since: the root certificates may be gone.
    pub(crate) fn client_for(
        &self,
        operation: Operation,
    ) -> Result<reqwest::Client, TransportError> {
        let pool = if operation.mints_a_secret() {
            None
        } else {
            self.pools.current(|| pooled(&self.settings).ok())
        };
        pool.map_or_else(|| self.fresh(), Ok)
    }

    fn fresh(&self) -> Result<reqwest::Client, TransportError> {
        if let Some(fresh) = self.fresh.get() {
            return Ok(fresh.clone());
        }
        let fresh = build(&self.settings, |http| http.pool_max_idle_per_host(0))?;
        Ok(self.fresh.get_or_init(|| fresh).clone())
    }
}

fn pooled(settings: &Settings) -> reqwest::Result<reqwest::Client> {
    build(settings, |http| http)
}

/// Builds a client that has the safe settings and one more.
fn build(
    settings: &Settings,
    set: impl Fn(HttpBuilder) -> HttpBuilder,
) -> reqwest::Result<reqwest::Client> {
    match set(safe(settings)).build() {
        // A service over plain http needs none; a proxy over TLS is not trusted then.
        Err(error) if are_roots_missing(&error) && !settings.base_url.is_https() => {
            set(safe(settings)).tls_certs_only([]).build()
        }
        built => built,
    }
}

/// Returns `true` if a text is a valid `User-Agent`; reqwest's error does not name the header.
pub(crate) fn is_user_agent(text: &str) -> bool {
    reqwest::header::HeaderValue::from_str(text).is_ok()
}

/// Returns a builder with the caller's settings, overridden by the safe ones.
fn safe(settings: &Settings) -> HttpBuilder {
    // Before the caller's settings, which may choose a backend too.
    let mut builder = backend::named(reqwest::Client::builder());
    if settings.base_url.is_loopback() {
        // A proxy from the environment can't reach this machine; one set by the caller may.
        builder = builder.no_proxy();
    }
    if let Some(configure) = &settings.configure {
        builder = configure(builder);
    }
    backend::without_key_log(builder)
        // reqwest re-sends the login body, id and secret, to whatever host a 307 names.
        .redirect(reqwest::redirect::Policy::none())
        // `call` decides what is retried. Without the 0, reqwest keeps a needless copy of each
        // request.
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .referer(false)
        // Plain http only if the base URL was allowed to use it.
        .https_only(settings.base_url.is_https())
        .connect_timeout(settings.connect_timeout)
        .timeout(settings.attempt_timeout)
        .user_agent(&settings.user_agent)
        // A reply of a few kilobytes gains nothing from compression, and a bomb needs it.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        // Verbose connections log every byte, the bearer included.
        .connection_verbose(false)
        .tls_danger_accept_invalid_certs(false)
        .tls_danger_accept_invalid_hostnames(false)
}

/// Returns what a transport error means.
pub(crate) fn reason(error: &reqwest::Error) -> Reason {
    if error.is_builder() {
        Reason::NoHttpClient
    } else if chain(error).any(is_proxy_authentication) {
        Reason::ProxyAuthentication
    } else if chain(error).any(backend::is_error) {
        Reason::Tls
    } else if error.is_connect() {
        Reason::ConnectFailed
    } else if error.is_timeout() {
        Reason::TimedOut
    } else {
        Reason::ConnectionLost
    }
}

/// Returns `true` if the server refused this client's certificate, or requires one.
///
/// With TLS 1.3 this alert can arrive after the client has begun to send. The server still aborts the
/// handshake, and reads no request before that (RFC 8446, sections 4.4.2.4 and 6.2).
pub(crate) fn is_certificate_refused(error: &reqwest::Error) -> bool {
    chain(error).any(backend::is_certificate_refused)
}

/// Returns `true` if a client can't be built because no root certificate was found.
fn are_roots_missing(error: &reqwest::Error) -> bool {
    chain(error).any(backend::are_roots_missing)
}

/// The scheme of a service over TLS.
pub(crate) const HTTPS: &str = "https";

/// The scheme of a service without TLS.
const HTTP: &str = "http";

/// Returns the scheme that the port seems to speak, if it is not that of the base URL.
///
/// Plain http is suggested on this machine alone: elsewhere a firewall or a proxy can answer without
/// TLS too, and nobody behind one must be told to do without it.
pub(crate) fn other_scheme(error: &reqwest::Error, base_url: &BaseUrl) -> Option<&'static str> {
    let is = |is: fn(&(dyn StdError + 'static)) -> bool| chain(error).any(is);
    if !base_url.is_https() {
        return (!error.is_connect() && (is(is_no_http) || is(is_cut))).then_some(HTTPS);
    }
    let is_plain =
        base_url.is_loopback() && error.is_connect() && (is(backend::is_no_tls) || is(is_cut));
    is_plain.then_some(HTTP)
}

/// Returns `true` if what came back is not HTTP, or nothing came back.
///
/// The type of the error is that of another crate, so its text is compared.
fn is_no_http(error: &(dyn StdError + 'static)) -> bool {
    let text = error.to_string();
    text.starts_with("invalid HTTP") || text == "connection closed before message completed"
}

/// Returns `true` if the server ended the connection.
fn is_cut(error: &(dyn StdError + 'static)) -> bool {
    use std::io::ErrorKind;
    let kind = error.downcast_ref().map(std::io::Error::kind);
    matches!(
        kind,
        Some(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset)
    )
}

/// Returns a transport error as a source, without its URL.
pub(crate) fn source(error: reqwest::Error) -> Arc<dyn StdError + Send + Sync> {
    Arc::new(error.without_url())
}

/// Returns `true` if a proxy answered 407 to the CONNECT that a connection over TLS begins with.
///
/// The type of the error is not public, so its text is compared.
fn is_proxy_authentication(error: &(dyn StdError + 'static)) -> bool {
    error.to_string() == "tunnel error: proxy authorization required"
}

/// Returns an error of the HTTP client, for invented replies.
#[cfg(any(test, fuzzing))]
#[expect(clippy::expect_used, reason = "a fuzzer reports panics")]
pub(crate) fn any_error() -> reqwest::Error {
    let unbuildable = reqwest::Client::builder().user_agent("\n").build();
    unbuildable.expect_err("a newline stands in no header")
}
