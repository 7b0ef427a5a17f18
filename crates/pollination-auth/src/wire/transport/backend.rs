//! The TLS backend, chosen by the features of this crate: how it is named, and what its errors mean.

use std::error::Error as StdError;

use reqwest::ClientBuilder;

#[cfg(not(any(feature = "rustls-no-provider", feature = "native-tls")))]
compile_error!(
    "pollination-auth needs a TLS backend: enable one of its features `rustls-aws-lc` (the \
     default), `rustls-no-provider` and `native-tls`"
);

/// Names the backend, because another crate of the program can change reqwest's default.
pub(super) fn named(http: ClientBuilder) -> ClientBuilder {
    #[cfg(feature = "rustls-no-provider")]
    let http = http.tls_backend_rustls();
    #[cfg(not(feature = "rustls-no-provider"))]
    let http = http.tls_backend_native();
    http
}

/// Undoes what writes the keys of connections to a file.
pub(super) fn without_key_log(http: ClientBuilder) -> ClientBuilder {
    // The native backends have no such setting.
    #[cfg(feature = "rustls-no-provider")]
    let http = http.tls_sslkeylogfile(false);
    http
}

/// Returns `true` if rustls lacks its cryptography; reqwest would panic.
///
/// That of reqwest does not count: whether it is built is up to other crates.
pub(super) fn lacks_provider() -> bool {
    #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls-aws-lc")))]
    let lacks = rustls::crypto::CryptoProvider::get_default().is_none();
    #[cfg(not(all(feature = "rustls-no-provider", not(feature = "rustls-aws-lc"))))]
    let lacks = false;
    lacks
}

/// Returns `true` if an error is one of the handshake or of a certificate.
pub(super) fn is_error(error: &(dyn StdError + 'static)) -> bool {
    #[cfg(feature = "rustls-no-provider")]
    if error.is::<rustls::Error>() {
        return true;
    }
    #[cfg(feature = "native-tls")]
    if error.is::<native_tls::Error>() {
        return true;
    }
    false
}

/// Returns `true` if no root certificate of the system was found.
///
/// The error has no kind of its own, so its text is compared.
#[cfg(feature = "rustls-no-provider")]
pub(super) fn are_roots_missing(error: &(dyn StdError + 'static)) -> bool {
    const NONE_FOUND: &str = "No CA certificates were loaded from the system";
    matches!(error.downcast_ref(), Some(rustls::Error::General(text)) if text == NONE_FOUND)
}

/// The native backends have no such error: without root certificates they trust no server.
#[cfg(not(feature = "rustls-no-provider"))]
pub(super) fn are_roots_missing(_: &(dyn StdError + 'static)) -> bool {
    false
}

/// Returns `true` if what came back is not TLS.
#[cfg(feature = "rustls-no-provider")]
pub(super) fn is_no_tls(error: &(dyn StdError + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(rustls::Error::InvalidMessage(_)))
}

/// The native backends have no such kind of error, only a text of the system.
#[cfg(not(feature = "rustls-no-provider"))]
pub(super) fn is_no_tls(_: &(dyn StdError + 'static)) -> bool {
    false
}

/// Returns `true` if the server refused this client's certificate, or requires one.
#[cfg(feature = "rustls-no-provider")]
pub(super) fn is_certificate_refused(error: &(dyn StdError + 'static)) -> bool {
    use rustls::AlertDescription as Alert;
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
}

/// The native backends do not show the alert: the connection is lost.
#[cfg(not(feature = "rustls-no-provider"))]
pub(super) fn is_certificate_refused(_: &(dyn StdError + 'static)) -> bool {
    false
}
