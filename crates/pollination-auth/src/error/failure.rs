//! The facts about a failed call, safe to show.
//!
//! `Display` and `Debug` show no secret. The variants in `error` tell the caller what to do.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::task::JoinError;

use crate::credential::api_token::{ApiTokenId, CredentialError};
use crate::credential::profile_id::ProfileId;
use crate::error::violation::Violation;
use crate::foundation::operation::Operation;
use crate::foundation::runtime::Missing;
use crate::foundation::secret::SecretBytes;

/// The facts about a failed call: the operation, the number of attempts, the reply.
///
/// `Display` writes them on one line, without the server's error text, which is in
/// [`detail`](Self::detail).
///
/// ```
/// use pollination_auth::Failure;
///
/// /// What to send to the service's support.
/// fn report(failure: &Failure) -> String {
///     format!("{} failed, request id {}", failure.operation(), failure.request_id().unwrap_or("-"))
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let service = pollination_auth_fake::FakeService::start();
/// # let api_token = pollination_auth::ApiToken::new("an-id", pollination_auth::Secret::from("a-wrong-secret"))?;
/// # let client = pollination_auth::Client::builder().api_token(api_token).base_url(service.base_url()).build()?;
/// # let error = client.login().await.unwrap_err();
/// # assert_eq!(report(error.failure()), "login failed, request id -");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Failure(Arc<Facts>);

/// What is known of a failed call.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) operation: Operation,
    pub(crate) attempts: u32,
    pub(crate) status: Option<u16>,
    pub(crate) reason: Reason,
    pub(crate) request_id: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) violations: Vec<Violation>,
    pub(crate) raw: Option<SecretBytes>,
    pub(crate) redirect_origin: Option<String>,
    pub(crate) retry_at: Option<SystemTime>,
    pub(crate) has_json_error: bool,
    pub(crate) is_not_the_api: bool,
    pub(crate) other_scheme: Option<&'static str>,
    pub(crate) source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Facts {
    pub(crate) fn new(operation: Operation, reason: Reason) -> Self {
        Self {
            operation,
            attempts: 1,
            status: None,
            reason,
            request_id: None,
            detail: None,
            violations: Vec::new(),
            raw: None,
            redirect_origin: None,
            retry_at: None,
            has_json_error: false,
            is_not_the_api: false,
            other_scheme: None,
            source: None,
        }
    }
}

impl From<Facts> for Failure {
    fn from(facts: Facts) -> Self {
        Self(Arc::new(facts))
    }
}

impl Failure {
    /// Creates the facts of a call that failed at its first attempt, for a stub in a test.
    ///
    /// ```
    /// use pollination_auth::{Error, Failure, Operation, Reason};
    ///
    /// let error = Error::Unavailable(Failure::new(Operation::Login, Reason::TimedOut));
    /// assert!(error.is_retryable());
    /// ```
    #[must_use]
    pub fn new(operation: Operation, reason: Reason) -> Self {
        Facts::new(operation, reason).into()
    }

    /// Returns the operation that failed; a call can fail in the login that it needed.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// Returns the number of attempts, including the failed one.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns the HTTP status, if there was a reply.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Returns what went wrong.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.0.reason
    }

    /// Returns the field of the reply that can't be used, such as `expires_in`. Never its value.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        self.0.reason.field()
    }

    /// Returns the reply's `X-Request-Id`, for the service's support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the server's error text, truncated to 1 KiB, with this client's secrets masked.
    ///
    /// Treat it as untrusted. It is never part of `Display`.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Returns what the server found wrong with the request, for a status 422.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// Returns the reply of a create or rotate if its secret could not be read.
    ///
    /// It may contain the only copy of a new secret: store it somewhere safe before anything else.
    #[must_use]
    pub fn raw_reply(&self) -> Option<&SecretBytes> {
        self.0.raw.as_ref()
    }

    /// Returns the origin that a redirect pointed to; the client did not follow it.
    #[must_use]
    pub fn redirect_origin(&self) -> Option<&str> {
        self.0.redirect_origin.as_deref()
    }

    /// Returns `true` if the reply was an error with a JSON body, as the service writes it.
    ///
    /// Proxies and login pages answer with the same status codes, mostly in HTML.
    #[must_use]
    pub fn has_json_error(&self) -> bool {
        self.0.has_json_error
    }

    /// Returns `true` if the API does not answer like this, so the base URL is probably wrong.
    ///
    /// The service refuses with JSON or without a body, and has every operation: a page, a login
    /// that is not found, or a method that is not supported comes from another server.
    #[must_use]
    pub fn is_not_the_api(&self) -> bool {
        self.0.is_not_the_api
    }

    /// Returns the scheme that the port seems to speak, `https` or `http`, if it is not that of the
    /// base URL.
    #[must_use]
    pub fn other_scheme(&self) -> Option<&'static str> {
        self.0.other_scheme
    }

    /// Returns the time before which the service asked not to be called again.
    #[must_use]
    pub fn retry_at(&self) -> Option<SystemTime> {
        self.0.retry_at
    }

    pub(crate) fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.operation, self.0.reason)?;
        // Without it nobody could tell what to repair. A provider's error is not ours to show.
        if let (Reason::Store | Reason::CredentialFile, Some(source)) =
            (&self.0.reason, &self.0.source)
        {
            write!(f, ": {source}")?;
        }
        if let Some(status) = self.0.status {
            write!(f, ", status {status}")?;
        }
        if let Some(request_id) = &self.0.request_id {
            write!(f, ", request id {request_id}")?;
        }
        if let Some(origin) = &self.0.redirect_origin {
            write!(f, ", to {origin}")?;
        }
        if self.0.attempts > 1 {
            write!(f, ", after {} attempts", self.0.attempts)?;
        }
        for violation in &self.0.violations {
            write!(f, ", {violation}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("operation", &self.0.operation)
            .field("attempts", &self.0.attempts)
            .field("status", &self.0.status)
            .field("reason", &self.0.reason)
            .field("request_id", &self.0.request_id)
            .field("violations", &self.0.violations)
            .field("raw", &self.0.raw)
            .field("redirect_origin", &self.0.redirect_origin)
            .field("retry_at", &self.0.retry_at)
            .finish_non_exhaustive()
    }
}

/// What went wrong.
///
/// The variant of an [`Error`](crate::Error) says what to do; the reason is for a report, or to tell
/// causes with the same remedy apart:
///
/// ```
/// use pollination_auth::{Error, Reason};
///
/// fn hint(error: &Error) -> &'static str {
///     match error.failure().reason() {
///         Reason::ProxyAuthentication => "the proxy wants a password",
///         Reason::NotJson { .. } => "something else answered for the service",
///         Reason::ConnectFailed | Reason::TimedOut => "the service can't be reached",
///         _ => "see the log",
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let service = pollination_auth_fake::FakeService::start();
/// # service.fail_next(
/// #     pollination_auth_fake::Operation::Login,
/// #     pollination_auth_fake::Fault::status(404).body("<html>"),
/// # );
/// # let api_token = pollination_auth::ApiToken::new("an-id", pollination_auth::Secret::from("a-secret"))?;
/// # let client = pollination_auth::Client::builder().api_token(api_token).base_url(service.base_url()).build()?;
/// # assert_eq!(hint(&client.login().await.unwrap_err()), "something else answered for the service");
/// # Ok(())
/// # }
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The service answered with a status that is not a success.
    #[error("the server did not accept the request")]
    Status,
    /// No connection could be made: name look-up, refusal, or the connect timeout.
    #[error("no connection could be made")]
    ConnectFailed,
    /// A further HTTP client, for a create or rotate or for another Tokio runtime, can't be built; the
    /// source says why.
    ///
    /// The first one was built with the same settings, so something has changed since: the file of
    /// the root certificates is missing, for example.
    #[error("an HTTP client can no longer be built")]
    NoHttpClient,
    /// The server's certificate or the TLS handshake was not accepted.
    #[error("the server's certificate or TLS handshake is not acceptable")]
    Tls,
    /// The proxy requires a user and a password, or refused the given ones (407).
    #[error("the proxy requires authentication")]
    ProxyAuthentication,
    /// The time ran out, for the attempt or for the whole call.
    #[error("the time ran out")]
    TimedOut,
    /// The connection was lost, or the reply was not HTTP.
    #[error("the connection broke")]
    ConnectionLost,
    /// A success without a body where one is needed.
    #[error("the reply has no body")]
    NoBody,
    /// The service accepted the request (202) without confirming that it was carried out.
    #[error("the service accepted the request without confirming that it is done")]
    Pending,
    /// The reply is longer than 64 KiB; the rest was not read.
    #[error("the reply is longer than 64 KiB")]
    TooLarge,
    /// The reply has a content encoding that was not asked for.
    #[error("the reply has a content encoding that was not asked for")]
    Encoded,
    /// The reply is not JSON.
    #[error(
        "the reply is not JSON but {length} bytes of {}",
        content_type.as_deref().unwrap_or("no stated type")
    )]
    NotJson {
        /// The media type that the reply states.
        content_type: Option<String>,
        /// The length of the body in bytes.
        length: usize,
    },
    /// The reply is JSON, but not the document of this operation.
    #[error("{} ({line}:{column})", undecoded(*.field))]
    NotTheDocument {
        /// The field that is missing, repeated or of the wrong type, if it is one of those.
        field: Option<&'static str>,
        /// The line at which reading stopped, from 1.
        line: usize,
        /// The column at which reading stopped, in bytes.
        column: usize,
    },
    /// The reply has no usable id or secret.
    #[error("in the reply, {0}")]
    UnusableCredential(CredentialError),
    /// The new secret belongs to another API token than the one that was rotated.
    #[error("the reply is for the API token {received}, not for {expected}")]
    IdMismatch {
        /// The id of the API token that this client holds.
        expected: ApiTokenId,
        /// The id in the reply.
        received: ApiTokenId,
    },
    /// The access token has no valid lifetime: it is not a number of seconds, or not above zero.
    #[error("the access token has no valid lifetime (`expires_in` or `exp`)")]
    InvalidLifetime,
    /// The access token had expired when it arrived.
    #[error("the access token had expired when it arrived")]
    Stale,
    /// The access token is not of the type `Bearer`.
    #[error("the access token is not a bearer token (`token_type`)")]
    UnsupportedTokenType,
    /// The credential store can't be used; the source says why.
    #[error("the credential store can't be used")]
    Store,
    /// A file that the credential is read from can't be used; the source says why.
    #[error("a file with the API token can't be used")]
    CredentialFile,
    /// The provider of the credential failed; the source is its error.
    #[error("the credential provider has no API token")]
    CredentialProvider,
    /// The credential store has no credential for this host and profile.
    #[error("no credential is stored for {} (profile {})", .0.base_url(), .0.name())]
    NothingStored(ProfileId),
    /// A rotation of the stored secret is in progress, in this process or in another one.
    #[error("a rotation of the stored secret is under way")]
    RotationUnderWay,
    /// A rotation of the stored secret was interrupted and has not been recovered.
    #[error("a rotation of the stored secret was interrupted")]
    RotationUnfinished,
    /// The first login has not finished yet.
    #[error("the first login has not finished yet")]
    LoginUnderWay,
    /// The access token has expired.
    #[error("the access token has expired")]
    Expired,
    /// The access token expires sooner than requested.
    #[error("the access token expires sooner than requested")]
    TooShort,
    /// The call was made outside of a Tokio runtime, or the runtime was shut down.
    #[error("there is no running Tokio runtime")]
    NoRuntime,
    /// The Tokio runtime has no timers or no IO.
    #[error("the Tokio runtime has no timers or no IO")]
    IncompleteRuntime,
    /// The blocking client was called on its own thread, where it would wait for itself.
    #[error("the blocking client was called on its own thread")]
    OwnThread,
    /// A bug: a task of the client panicked.
    #[error("a task of the client panicked")]
    Panicked,
}

impl Reason {
    /// Returns the field of the reply that it is about.
    fn field(&self) -> Option<&'static str> {
        match self {
            Self::NotTheDocument { field, .. } => *field,
            Self::UnusableCredential(error) => Some(error.field()),
            Self::IdMismatch { .. } => Some("id"),
            Self::InvalidLifetime => Some("expires_in"),
            Self::UnsupportedTokenType => Some("token_type"),
            _ => None,
        }
    }

    /// Returns why a task ended without a result.
    pub(crate) fn of_task(error: &JoinError) -> Self {
        if error.is_panic() {
            Self::Panicked
        } else {
            Self::NoRuntime
        }
    }
}

impl From<Missing> for Reason {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Runtime => Self::NoRuntime,
            Missing::Drivers => Self::IncompleteRuntime,
        }
    }
}

/// Describes what is wrong with a document, without its content.
fn undecoded(field: Option<&'static str>) -> String {
    match field {
        Some(field) => format!("in the reply, `{field}` is missing, repeated or of the wrong type"),
        None => "the reply is not the document of this operation".to_owned(),
    }
}
