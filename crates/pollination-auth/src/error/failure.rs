//! The facts about a call that failed, safe to show.
//!
//! Nothing here holds a secret in a place that `Display` or `Debug` reaches; what the caller should
//! do about it is said by the variants in `error`.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::credential::api_token::{ApiTokenId, CredentialError};
use crate::credential::profile_id::ProfileId;
use crate::foundation::operation::Operation;
use crate::foundation::runtime::Missing;
use crate::foundation::secret::SecretBytes;

/// Holds the facts about a failed call: which operation, how often tried, what came back.
///
/// `Display` gives them in one line. The server's own words are not among them; they are in
/// [`detail`](Self::detail).
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
    /// Names the operation that failed; a call can fail in the login that it needed.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.0.operation
    }

    /// Counts the attempts that were made, the failed one included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Gives the HTTP status, if there was a reply.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Says what went wrong.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.0.reason
    }

    /// Gives the reply's `X-Request-Id`, for the service's support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Gives the server's own words, cut to 1 KiB, with the secrets that this client knows masked.
    ///
    /// They are a server's, so treat them as untrusted; they are never part of `Display`.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Lists what the server found wrong with the request, for a status 422.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// Gives the reply of a create or rotate whose secret could not be taken from it.
    ///
    /// It may hold the only copy of a new secret: store it somewhere safe before anything else.
    #[must_use]
    pub fn raw_reply(&self) -> Option<&SecretBytes> {
        self.0.raw.as_ref()
    }

    /// Gives the origin that a redirect pointed to; the client did not go there.
    #[must_use]
    pub fn redirect_origin(&self) -> Option<&str> {
        self.0.redirect_origin.as_deref()
    }

    /// Gives the time before which the service asked not to be called again.
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

/// Says what went wrong, in the client's words.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The service answered with a status that is no success.
    Status,
    /// No connection could be made: name look-up, refusal, or the connect timeout.
    ConnectFailed,
    /// The server's certificate or the TLS handshake was not accepted.
    Tls,
    /// The proxy wants a user and a password, or refused those that it got (407).
    ProxyAuthentication,
    /// The time ran out, for the attempt or for the whole call.
    TimedOut,
    /// The connection ended, or what came over it was not HTTP.
    ConnectionLost,
    /// A success without a body where one is needed.
    NoBody,
    /// The service took the request (202) and did not say that it was carried out.
    Pending,
    /// The reply is longer than 64 KiB; it was not read to its end.
    TooLarge,
    /// The reply has a content encoding that was not asked for.
    Encoded,
    /// The reply is not JSON.
    NotJson {
        /// The media type that the reply says it has.
        content_type: Option<String>,
        /// The length of the body in bytes.
        length: usize,
    },
    /// The reply is JSON, but not the document that belongs here.
    NotTheDocument {
        /// The line at which reading stopped, from 1.
        line: usize,
        /// The column at which reading stopped, in bytes.
        column: usize,
    },
    /// The reply has no usable id or secret.
    UnusableCredential(CredentialError),
    /// The new secret belongs to another API token than the one that was rotated.
    IdMismatch {
        /// The id of the API token that this client holds.
        expected: ApiTokenId,
        /// The id in the reply.
        received: ApiTokenId,
    },
    /// The lifetime of the access token is none: not a number of seconds, or not above zero.
    InvalidLifetime,
    /// The access token was past its use when it arrived.
    Stale,
    /// The access token is not of the type `Bearer`.
    UnsupportedTokenType,
    /// The credential store can't be used; the source says why.
    Store,
    /// A file that the credential is read from can't be used; the source says why.
    CredentialFile,
    /// The credential store has no credential for this host and profile.
    NothingStored(ProfileId),
    /// A rotation changes the stored secret, in this process or in another one.
    RotationUnderWay,
    /// A rotation of the stored secret was interrupted, and nobody recovers it.
    RotationUnfinished,
    /// The access token has ended.
    Expired,
    /// The access token does not live as long as was asked for.
    TooShort,
    /// The call was made outside of a Tokio runtime, or the runtime was shut down.
    NoRuntime,
    /// The Tokio runtime has no timers or no IO.
    IncompleteRuntime,
    /// The blocking client was called on its own thread, which would wait for itself.
    OwnThread,
    /// A bug: a task of the client panicked.
    Panicked,
}

impl From<Missing> for Reason {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Runtime => Self::NoRuntime,
            Missing::Drivers => Self::IncompleteRuntime,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status => f.write_str("the service did not accept the request"),
            Self::ConnectFailed => f.write_str("no connection could be made"),
            Self::Tls => f.write_str("the server's certificate or TLS handshake is not acceptable"),
            Self::ProxyAuthentication => f.write_str("the proxy requires authentication"),
            Self::TimedOut => f.write_str("the time ran out"),
            Self::ConnectionLost => f.write_str("the connection broke"),
            Self::NoBody => f.write_str("the reply has no body"),
            Self::Pending => {
                f.write_str("the service took the request without saying that it is done")
            }
            Self::TooLarge => f.write_str("the reply is longer than 64 KiB"),
            Self::Encoded => f.write_str("the reply has a content encoding that was not asked for"),
            Self::NotJson {
                content_type: Some(content_type),
                length,
            } => {
                write!(
                    f,
                    "the reply is not JSON but {length} bytes of {content_type}"
                )
            }
            Self::NotJson {
                content_type: None,
                length,
            } => {
                write!(
                    f,
                    "the reply is not JSON but {length} bytes of no stated type"
                )
            }
            Self::NotTheDocument { line, column } => {
                write!(
                    f,
                    "the reply is not the document of this operation ({line}:{column})"
                )
            }
            Self::UnusableCredential(error) => write!(f, "in the reply, {error}"),
            Self::IdMismatch { expected, received } => {
                write!(
                    f,
                    "the reply is for the API token {received}, not for {expected}"
                )
            }
            Self::InvalidLifetime => f.write_str("the access token has no valid lifetime"),
            Self::Stale => f.write_str("the access token was past its use when it arrived"),
            Self::UnsupportedTokenType => f.write_str("the access token is no bearer token"),
            Self::Store => f.write_str("the credential store can't be used"),
            Self::CredentialFile => f.write_str("a file with the API token can't be used"),
            Self::NothingStored(profile) => write!(
                f,
                "no credential is stored for {} (profile {})",
                profile.base_url(),
                profile.name()
            ),
            Self::RotationUnderWay => f.write_str("a rotation of the stored secret is under way"),
            Self::RotationUnfinished => {
                f.write_str("a rotation of the stored secret was interrupted")
            }
            Self::Expired => f.write_str("the access token has no time left"),
            Self::TooShort => f.write_str("the access token lives shorter than was asked for"),
            Self::NoRuntime => f.write_str("there is no running Tokio runtime"),
            Self::IncompleteRuntime => f.write_str("the Tokio runtime has no timers or no IO"),
            Self::OwnThread => f.write_str("the blocking client was called on its own thread"),
            Self::Panicked => f.write_str("a task of the client panicked"),
        }
    }
}

/// Says of one place in a request what the server found wrong with it.
///
/// `Display` gives the place and the kind; the server's message is in [`message`](Self::message).
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    pub(crate) location: Vec<Location>,
    pub(crate) kind: String,
    pub(crate) message: String,
}

/// One step on the way to a place in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A name: of a part of the request, or of a field.
    Field(String),
    /// A position in a list, from 0.
    Index(i64),
}

impl Violation {
    /// Gives the way to the place, such as `body`, `items`, 0, `id`.
    #[must_use]
    pub fn location(&self) -> &[Location] {
        &self.location
    }

    /// Gives the kind of violation, such as `missing`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Gives the server's own words, with the secrets that this client knows masked.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.location.iter().enumerate() {
            let dot = if position == 0 { "" } else { "." };
            match step {
                Location::Field(name) => write!(f, "{dot}{}", name.escape_debug())?,
                Location::Index(index) => write!(f, "{dot}{index}")?,
            }
        }
        write!(f, " ({})", self.kind.escape_debug())
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Violation({self})")
    }
}
