//! Error of the server or of the way to it, which never shows a token or a secret.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

/// Error of a Vault or OpenBao server, or of the settings to reach it.
///
/// A [`StoreError`](pollination_auth::StoreError) of this store has it as its source. Neither its
/// `Display` nor its `Debug` shows a token, a secret or a word that the server wrote.
///
/// ```
/// use pollination_auth::StoreError;
/// use pollination_auth_vault::VaultError;
///
/// /// Returns `true` if an operator has to act on the server.
/// fn is_sealed(error: &StoreError) -> bool {
///     match error {
///         StoreError::Failed { source, .. } => {
///             matches!(source.downcast_ref(), Some(VaultError::Sealed))
///         }
///         _ => false,
///     }
/// }
/// # let _ = is_sealed;
/// ```
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A setting of the store is invalid.
    #[error("the setting `{setting}` is invalid: {problem}")]
    InvalidSetting {
        /// The name of the builder's method.
        setting: &'static str,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// The HTTP client can't be built.
    #[error("the HTTP client can't be built: {0}")]
    Client(#[source] Box<dyn StdError + Send + Sync>),
    /// No connection to the server could be made, or it broke off.
    #[error("the server can't be reached: {}", innermost(.0.as_ref()))]
    Unreachable(#[source] Box<dyn StdError + Send + Sync>),
    /// The server did not answer in time.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The server's certificate is not trusted, or TLS failed in another way.
    #[error(
        "the connection is not secure: {}; if the CA of the server is private, pass it to \
         `ca_certificates`",
        innermost(.0.as_ref())
    )]
    Tls(#[source] Box<dyn StdError + Send + Sync>),
    /// The server is sealed.
    #[error("the server is sealed; an operator has to unseal it")]
    Sealed,
    /// The server can't serve requests now.
    #[error("the server can't serve requests now (status {status})")]
    Unavailable {
        /// The status code of the last reply.
        status: u16,
    },
    /// A standby node redirects to another address, which is not followed.
    #[error("the server redirects to another address; use the address of the active node")]
    Redirected,
    /// The token's policy does not allow a request.
    #[error(
        "the policy of the token does not allow it; it needs: \
         path \"{path}\" {{ capabilities = [{capabilities}] }}"
    )]
    Forbidden {
        /// The path of the request, as a policy names it.
        path: String,
        /// The capabilities it needs, each in quotes.
        capabilities: &'static str,
    },
    /// The server refuses the token, and there is no way to get another one.
    #[error("the server refuses the token: it expired or was revoked; pass a new one")]
    TokenRefused,
    /// The server refuses to log in.
    #[error("the server refuses the login at {path} (status {status}); check role and mount")]
    LoginRefused {
        /// The path of the login.
        path: String,
        /// The status code of the reply.
        status: u16,
    },
    /// The token of the Kubernetes service account can't be read.
    #[error("the service account's token {} can't be read: {source}", path.display())]
    ServiceAccount {
        /// The file.
        path: PathBuf,
        /// Why it can't be read.
        source: io::Error,
    },
    /// The namespace does not exist.
    #[error("there is no namespace `{namespace}` on the server")]
    NoSuchNamespace {
        /// The namespace of the store's settings.
        namespace: String,
    },
    /// No secrets engine is mounted there.
    #[error(
        "no secrets engine is mounted at `{mount}`, or the policy of the token allows nothing there"
    )]
    NoSuchMount {
        /// The mount of the store's settings.
        mount: String,
    },
    /// The secrets engine is another one than version 2 of KV.
    #[error("the secrets engine at `{mount}` is not version 2 of KV; enable it with `-version=2`")]
    NotVersion2 {
        /// The mount of the store's settings.
        mount: String,
    },
    /// The server returned an older version of a secret than it had confirmed.
    #[error(
        "the server returned an older version of {path} than it had confirmed: a replica lags \
         behind, or somebody deleted the secret"
    )]
    Outdated {
        /// The path of the secret.
        path: String,
    },
    /// Another process took the lock over while a write had to be repeated.
    #[error("another process took the lock over; it is not known whether this write came before")]
    TakenOver,
    /// The reply is longer than any that this store expects.
    #[error("the server's reply is too long")]
    TooLong,
    /// The reply is not what the API documents.
    #[error("the server's reply for {path} is not what its API documents (status {status})")]
    Unexpected {
        /// The path of the request.
        path: String,
        /// The status code of the reply.
        status: u16,
    },
    /// The call was not made on a Tokio runtime with IO and timers, or the runtime was shut down.
    #[error("there is no Tokio runtime with IO and timers; build it with `enable_all`")]
    NoRuntime,
}

/// Returns an error and its causes in order; an `io::Error` hides its cause from `source`.
pub(crate) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn StdError + 'static) = *error;
        match error.downcast_ref().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

/// Returns the last cause of an error of the HTTP client: the outer ones name only its steps.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    causes(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}
