//! The error type of calls: each variant tells the caller what to do next.
//!
//! The facts are in `failure` and `violation`; `classify` maps replies to variants.

pub(crate) mod classify;
pub(crate) mod failure;
pub(crate) mod violation;

use std::fmt;
use std::time::SystemTime;

use crate::error::failure::{Facts, Failure, Reason};
use crate::error::violation::Violation;
use crate::foundation::operation::Operation;
use crate::foundation::secret::SecretBytes;

/// Error of a failed call; its variant tells you what to do next.
///
/// All callers that waited for a login share its error, so errors are cheap to clone. Neither
/// `Display` nor `Debug` nor a source shows a secret or the server's error text.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Error {
    /// The service refused the id or the secret at login (401 or 403). Give the client another API
    /// token.
    CredentialsRejected(Failure),
    /// The credential store, the files of
    /// [`api_token_files`](crate::ClientBuilder::api_token_files) or the
    /// [`credential_provider`](crate::ClientBuilder::credential_provider) have no usable credential.
    /// The source says why.
    ///
    /// Repair the store, or store a credential. After a rotate the new secret is in
    /// [`raw_reply`](Self::raw_reply): keep it.
    StoreFailed(Failure),
    /// The access token that the client was built with has expired. Build it with another one.
    AccessTokenExpired(Failure),
    /// Access tokens expire sooner than requested. Request a shorter validity.
    LifetimeTooShort(Failure),
    /// The service refused the access token (401), even a new one. Ask the service's operator.
    Unauthorized(Failure),
    /// The account may not do this (403). Ask for the permission.
    Forbidden(Failure),
    /// There is no API token (404). Create one.
    NotFound(Failure),
    /// The request is malformed (422). Look at the [`violations`](Self::violations).
    InvalidRequest(Failure),
    /// Another refusal (4xx), or another server answered: see [`Failure::is_not_the_api`]. Repeating
    /// does not help.
    Rejected(Failure),
    /// The reply points elsewhere, and the client did not follow. Check the base URL.
    Redirected(Failure),
    /// Too many requests (429). Wait until [`retry_at`](Self::retry_at).
    RateLimited(Failure),
    /// Nothing was sent: the service could not be reached. Try again later.
    NotSent(Failure),
    /// The service did not answer, or is unavailable. Trying again later is safe.
    Unavailable(Failure),
    /// The outcome of a create or rotate is unknown. Find out before you repeat it.
    ///
    /// `get_api_token` returns the id if there is an API token; if its secret was lost, rotate it.
    Ambiguous(Failure),
    /// The service answered with success, but its reply can't be used.
    ///
    /// After a create or rotate the old secret probably no longer works, and the new one may be in
    /// [`raw_reply`](Self::raw_reply). A delete may not have happened.
    UnusableReply(Failure),
    /// The program can't run the call: no Tokio runtime, or a bug in this client.
    Internal(Failure),
}

impl Error {
    /// Returns the error of a call that the program itself prevents.
    pub(crate) fn internal(operation: Operation, reason: Reason) -> Self {
        Self::Internal(Facts::new(operation, reason).into())
    }

    /// Returns the facts.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        match self {
            Self::CredentialsRejected(failure)
            | Self::StoreFailed(failure)
            | Self::AccessTokenExpired(failure)
            | Self::LifetimeTooShort(failure)
            | Self::Unauthorized(failure)
            | Self::Forbidden(failure)
            | Self::NotFound(failure)
            | Self::InvalidRequest(failure)
            | Self::Rejected(failure)
            | Self::Redirected(failure)
            | Self::RateLimited(failure)
            | Self::NotSent(failure)
            | Self::Unavailable(failure)
            | Self::Ambiguous(failure)
            | Self::UnusableReply(failure)
            | Self::Internal(failure) => failure,
        }
    }

    /// Returns the HTTP status, if there was a reply.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.failure().status()
    }

    /// Returns the operation that failed; a call can fail in the login that it needed.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.failure().operation()
    }

    /// Returns `true` if retrying later is safe and may succeed.
    ///
    /// The client has already retried; see [`RetryPolicy`](crate::RetryPolicy).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::RateLimited(_) | Self::Unavailable(_) => true,
            Self::NotSent(failure) => {
                !matches!(failure.reason(), Reason::Tls | Reason::ProxyAuthentication)
            }
            _ => false,
        }
    }

    /// Returns the time before which the service asked not to be called again.
    #[must_use]
    pub fn retry_at(&self) -> Option<SystemTime> {
        self.failure().retry_at()
    }

    /// Returns the server's error text; see [`Failure::detail`].
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.failure().detail()
    }

    /// Returns what the server found wrong with the request, for a status 422.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        self.failure().violations()
    }

    /// Returns the raw reply of a create or rotate; see [`Failure::raw_reply`].
    #[must_use]
    pub fn raw_reply(&self) -> Option<&SecretBytes> {
        self.failure().raw_reply()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = match self {
            Self::CredentialsRejected(failure) if failure.is_not_the_api() => {
                "the host does not look like the Pollination API; check the base URL, then the API \
                 token's id and secret"
            }
            Self::Unauthorized(failure)
            | Self::Forbidden(failure)
            | Self::InvalidRequest(failure)
            | Self::Rejected(failure)
                if failure.is_not_the_api() =>
            {
                match failure.other_scheme() {
                    Some(_) => "if the port speaks TLS, use https:// in the base URL",
                    None => "the host does not look like the Pollination API; check the base URL",
                }
            }
            Self::CredentialsRejected(_) => "check the API token's id and secret",
            Self::StoreFailed(failure) if failure.raw_reply().is_some() => {
                "the new secret is in the raw reply alone; keep it"
            }
            Self::StoreFailed(failure) if failure.reason() == &Reason::CredentialFile => {
                "check the files that the API token is read from"
            }
            Self::StoreFailed(failure) if failure.reason() == &Reason::CredentialProvider => {
                "its error is the source of this one"
            }
            Self::StoreFailed(failure) if matches!(failure.reason(), Reason::NothingStored(_)) => {
                "store one with `Profile::save`, or choose another profile"
            }
            Self::StoreFailed(failure) if failure.reason() == &Reason::RotationUnfinished => {
                "recover it with `Rotation::recover`"
            }
            Self::StoreFailed(_) => "check the credential store",
            Self::AccessTokenExpired(_) => {
                "give the client a new access token, or an API token to log in with"
            }
            Self::LifetimeTooShort(_) => "ask for a shorter validity",
            Self::Unauthorized(_) => "the access token is not valid for this service",
            Self::Forbidden(_) => "the account lacks the permission",
            Self::NotFound(_) => "there is no API token",
            Self::InvalidRequest(_) => "the service calls the request malformed",
            Self::Rejected(failure) | Self::NotSent(failure)
                if failure.reason() == &Reason::ProxyAuthentication =>
            {
                "check the proxy's user and password"
            }
            Self::Rejected(_) => "repeating does not help",
            Self::Redirected(_) => "redirects are not followed; check the base URL",
            Self::RateLimited(_) => "too many requests; wait before the next one",
            Self::NotSent(failure) if failure.other_scheme().is_some() => {
                "nothing was sent; if the port speaks plain http, use http:// in the base URL"
            }
            Self::NotSent(failure) if failure.reason() == &Reason::NoHttpClient => {
                "nothing was sent; check the root certificates (SSL_CERT_FILE, SSL_CERT_DIR) and the settings \
                 in `configure_http`"
            }
            Self::NotSent(failure) if failure.reason() == &Reason::Tls => {
                "check the host, or add its root certificate with `configure_http`"
            }
            Self::NotSent(_) => {
                "nothing was sent; check the network and the proxy, or try again later"
            }
            Self::Unavailable(failure) if failure.other_scheme().is_some() => {
                "try again later; if the port speaks TLS, use https:// in the base URL"
            }
            Self::Unavailable(_) => "try again later",
            Self::Ambiguous(_) => "it may have happened; find out before repeating it",
            Self::UnusableReply(failure) if failure.operation().mints_a_secret() => {
                "it probably happened; a new secret may stand in the raw reply"
            }
            Self::UnusableReply(failure) if failure.operation() == Operation::DeleteApiToken => {
                "the API token may not be deleted; check whether it still logs in"
            }
            Self::UnusableReply(failure) if failure.is_not_the_api() => {
                "the host does not look like the Pollination API; check the base URL"
            }
            Self::UnusableReply(_) => "the reply can't be used; check the base URL",
            Self::Internal(failure) if failure.reason() == &Reason::NoRuntime => {
                "call the client from inside a Tokio runtime"
            }
            Self::Internal(failure) if failure.reason() == &Reason::IncompleteRuntime => {
                "build the runtime with `enable_all`"
            }
            Self::Internal(failure) if failure.reason() == &Reason::OwnThread => {
                "call it from another thread"
            }
            Self::Internal(_) => "please report this bug",
        };
        write!(f, "{}; {advice}", self.failure())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.failure().source()
    }
}
