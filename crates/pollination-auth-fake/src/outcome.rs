//! The outcome of an operation, and its reply.

use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};

use crate::access_token::Refusal;
use crate::account::Impossible;
use crate::body::{AccessToken, ApiToken, Id, Invalid, Violation};
use crate::random;
use crate::reply::Reply;

/// The result of an operation that succeeded.
pub(crate) enum Success {
    LoggedIn(AccessToken),
    Id(Id),
    Created(ApiToken),
    Rotated(ApiToken),
    /// Also when nothing was done or is yet: a fault then makes the answer.
    NoContent,
}

/// Why an operation was not carried out.
pub(crate) enum Refused {
    InvalidBody(Vec<Violation>),
    /// The reply does not say which of id and secret is wrong.
    WrongCredentials(StatusCode),
    Unauthorized(Refusal),
    Impossible(Impossible),
    /// An access token could not be encoded; only a bug leads here.
    NotMinted,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Unauthorized(refusal)
    }
}

impl From<Impossible> for Refused {
    fn from(impossible: Impossible) -> Self {
        Self::Impossible(impossible)
    }
}

impl Success {
    pub(crate) fn into_reply(self) -> Reply {
        match self {
            Self::LoggedIn(token) => Reply::json(StatusCode::ACCEPTED, &token),
            Self::Id(id) => Reply::json(StatusCode::OK, &id),
            Self::Created(token) => Reply::json(StatusCode::CREATED, &token),
            Self::Rotated(token) => Reply::json(StatusCode::OK, &token),
            Self::NoContent => Reply::new(StatusCode::NO_CONTENT, Bytes::new()),
        }
    }

    pub(crate) fn with_another_id(mut self) -> Self {
        match &mut self {
            Self::Id(Id { id })
            | Self::Created(ApiToken { id, .. })
            | Self::Rotated(ApiToken { id, .. }) => *id = random::id(),
            Self::LoggedIn(_) | Self::NoContent => {}
        }
        self
    }

    pub(crate) fn without_secret(mut self) -> Self {
        if let Self::Created(token) | Self::Rotated(token) = &mut self {
            token.secret = None;
        }
        self
    }
}

impl Refused {
    pub(crate) fn into_reply(self) -> Reply {
        match self {
            Self::InvalidBody(detail) => {
                Reply::json(StatusCode::UNPROCESSABLE_ENTITY, &Invalid { detail })
            }
            Self::WrongCredentials(status) => Reply::detail(status, "wrong id or secret"),
            // RFC 6750, section 3.
            Self::Unauthorized(refusal) => {
                Reply::detail(StatusCode::UNAUTHORIZED, refusal.detail())
                    .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            Self::Impossible(Impossible::NoApiToken) => {
                Reply::detail(StatusCode::NOT_FOUND, "there is no API token")
            }
            Self::Impossible(Impossible::ApiTokenExists) => {
                Reply::detail(StatusCode::CONFLICT, "there is an API token already")
            }
            Self::NotMinted => Reply::detail(
                StatusCode::INTERNAL_SERVER_ERROR,
                "no access token was made",
            ),
        }
    }
}
