//! The TLS backend of this crate's HTTP client, chosen by its features as in `pollination-auth`.

use std::error::Error as StdError;

use reqwest::ClientBuilder;

/// Returns a builder whose backend is named, because another crate of the program can change
/// reqwest's default. It never writes the keys of connections to a file.
///
/// # Errors
///
/// rustls lacks its cryptography; reqwest would panic.
pub(crate) fn builder() -> Result<ClientBuilder, &'static str> {
    #[cfg(all(feature = "rustls-no-provider", not(feature = "rustls-aws-lc")))]
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        return Err("rustls has no cryptography provider; install one with \
             `CryptoProvider::install_default` before building the store");
    }
    let builder = reqwest::Client::builder();
    #[cfg(feature = "rustls-no-provider")]
    let builder = builder.tls_backend_rustls().tls_sslkeylogfile(false);
    #[cfg(not(feature = "rustls-no-provider"))]
    let builder = builder.tls_backend_native();
    Ok(builder)
}

/// Returns `true` if an error is one of the handshake or of a certificate.
pub(crate) fn is_error(error: &(dyn StdError + 'static)) -> bool {
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
