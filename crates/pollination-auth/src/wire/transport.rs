//! The HTTP clients and their safe settings; the only place that names reqwest.
//!
//! It builds and classifies; what is sent is put together in `wire`.

mod causes;
mod pools;
mod roots;

use std::error::Error as StdError;
use std::sync::Arc;
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

/// reqwest's own builder, handed through to the caller.
pub(crate) type HttpBuilder = reqwest::ClientBuilder;

/// What a caller may do to the HTTP client before the safe settings are put on.
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
    /// No root certificate was found; the text says where they were looked for.
    NoRoots(String),
    /// A setting of the caller's is not valid.
    Refused(reqwest::Error),
}

/// HTTP clients that are alike but for the connections that they use.
pub(crate) struct Transport {
    settings: Settings,
    pools: Pools<reqwest::Client>,
    /// Never reuses a connection. A server that closes an idle one just as a request is written
    /// leaves open whether it was read, and a rotate or create must not be left open needlessly.
    fresh: reqwest::Client,
}

impl Transport {
    pub(crate) fn build(settings: Settings) -> Result<Self, Unbuilt> {
        let unbuilt = |error| {
            if roots::are_missing(&error) {
                Unbuilt::NoRoots(roots::problem(|name| std::env::var_os(name)))
            } else {
                Unbuilt::Refused(error)
            }
        };
        Ok(Self {
            pools: Pools::new(pooled(&settings).map_err(unbuilt)?),
            fresh: build(&settings, |http| http.pool_max_idle_per_host(0)).map_err(unbuilt)?,
            settings,
        })
    }

    /// Gives the timeout that a request has to carry itself: none where it is that of the clients.
    pub(crate) fn own_timeout(&self, timeout: Duration) -> Option<Duration> {
        (timeout != self.settings.attempt_timeout).then_some(timeout)
    }

    /// Returns the client for an operation; the generated code sends with it.
    ///
    /// A runtime that has no pool yet, or can't have one, gets the client that needs none.
    pub(crate) fn client_for(&self, operation: Operation) -> reqwest::Client {
        let pool = if operation.mints_a_secret() {
            None
        } else {
            // It was built before; what has changed since, on disk, costs the pool alone.
            self.pools
                .current(|| pooled(&self.settings).unwrap_or_else(|_| self.fresh.clone()))
        };
        pool.unwrap_or_else(|| self.fresh.clone())
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
        Err(error) if roots::are_missing(&error) && !settings.base_url.is_https() => {
            set(safe(settings)).tls_certs_only([]).build()
        }
        built => built,
    }
}

/// Tells whether a text can be the `User-Agent`; reqwest's error would not say that it is the one.
pub(crate) fn is_user_agent(text: &str) -> bool {
    reqwest::header::HeaderValue::from_str(text).is_ok()
}

/// Lets the caller configure, and then puts on what must not be undone.
fn safe(settings: &Settings) -> HttpBuilder {
    // Another crate of the program can make another backend the default. It comes before the caller's
    // settings: a backend that was configured in advance is one, and a builder doesn't tell of it.
    let mut builder = reqwest::Client::builder().tls_backend_rustls();
    if settings.base_url.is_loopback() {
        // A proxy from the environment can't reach this machine; one that the caller sets may.
        builder = builder.no_proxy();
    }
    if let Some(configure) = &settings.configure {
        builder = configure(builder);
    }
    builder
        // reqwest re-sends the login body, id and secret, to whatever host a 307 names.
        .redirect(reqwest::redirect::Policy::none())
        // What may be repeated is decided in one place, and it is not here. Without the 0 reqwest
        // keeps a copy of each request that it never uses.
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .referer(false)
        // Plain http only where the base URL was allowed to have it.
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
        .tls_sslkeylogfile(false)
}

/// Says what a transport error means.
pub(crate) fn reason(error: &reqwest::Error) -> Reason {
    if chain(error).any(is_proxy_authentication) {
        Reason::ProxyAuthentication
    } else if chain(error).any(is_tls) {
        Reason::Tls
    } else if error.is_connect() || error.is_builder() {
        Reason::ConnectFailed
    } else if error.is_timeout() {
        Reason::TimedOut
    } else {
        Reason::ConnectionLost
    }
}

/// Tells whether the server refused this client's certificate, or missed it.
///
/// With TLS 1.3 it says so when the client has begun to send already; it ends the handshake all the
/// same, and reads no request before that (RFC 8446, sections 4.4.2.4 and 6.2).
pub(crate) fn is_certificate_refused(error: &reqwest::Error) -> bool {
    use rustls::AlertDescription as Alert;
    chain(error).any(|error| {
        matches!(
            error.downcast_ref(),
            Some(rustls::Error::AlertReceived(
                Alert::CertificateRequired
                    | Alert::BadCertificate
                    | Alert::UnsupportedCertificate
                    | Alert::CertificateRevoked
                    | Alert::CertificateExpired
                    | Alert::CertificateUnknown
                    | Alert::UnknownCA
                    | Alert::AccessDenied
            ))
        )
    })
}

/// Makes a transport error fit to be a source: without the URL, which the caller knows.
pub(crate) fn source(error: reqwest::Error) -> Arc<dyn StdError + Send + Sync> {
    Arc::new(error.without_url())
}

/// Returns `true` if a proxy answered 407 to the CONNECT that a connection over TLS begins with.
///
/// The type of the error is not public; its text is all that tells it apart.
fn is_proxy_authentication(error: &(dyn StdError + 'static)) -> bool {
    error.to_string() == "tunnel error: proxy authorization required"
}

fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    error.is::<rustls::Error>()
}

/// Gives an error of the HTTP client, for replies that are made up.
#[cfg(any(test, fuzzing))]
#[expect(clippy::expect_used, reason = "a panic is how a fuzzer is told")]
pub(crate) fn any_error() -> reqwest::Error {
    let unbuildable = reqwest::Client::builder().user_agent("\n").build();
    unbuildable.expect_err("a newline stands in no header")
}
