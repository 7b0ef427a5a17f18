//! Replies, in the form that FastAPI has.
//!
//! Which reply a request gets is decided elsewhere.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

/// The reply to a request.
pub(crate) struct Reply {
    /// `None` if the connection ends without a reply.
    pub(crate) response: Option<Response<Bytes>>,
    /// The delay of the reply.
    pub(crate) delay: Duration,
}

/// The body of every error but 422.
#[derive(Serialize)]
struct Detail<'a> {
    detail: &'a str,
}

impl Reply {
    pub(crate) fn new(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        response.into()
    }

    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self::new(status, body)
                .with(CONTENT_TYPE, HeaderValue::from_static("application/json")),
            Err(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new()),
        }
    }

    pub(crate) fn detail(status: StatusCode, detail: &str) -> Self {
        Self::json(status, &Detail { detail })
    }

    /// No such path.
    pub(crate) fn no_such_path(request: &str) -> Self {
        Self::detail(
            StatusCode::NOT_FOUND,
            &format!("no such operation: {request}"),
        )
    }

    /// The path has other methods.
    pub(crate) fn no_such_method(request: &str, allow: &str) -> Self {
        Self::detail(
            StatusCode::METHOD_NOT_ALLOWED,
            &format!("no such operation: {request}"),
        )
        .with_text(ALLOW, allow)
    }

    /// The same request belongs somewhere else.
    pub(crate) fn redirect(location: &str) -> Self {
        Self::new(StatusCode::TEMPORARY_REDIRECT, Bytes::new()).with_text(LOCATION, location)
    }

    /// The connection ends, and no byte of a reply was sent.
    pub(crate) fn lost() -> Self {
        Self {
            response: None,
            delay: Duration::ZERO,
        }
    }

    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.response.as_ref().map(Response::status)
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Some(response) = &mut self.response {
            response.headers_mut().append(name, value);
        }
        self
    }

    /// As [`with`](Self::with); a text that no header can have is left out.
    fn with_text(self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => self.with(name, value),
            Err(_) => self,
        }
    }
}

impl From<Response<Bytes>> for Reply {
    fn from(response: Response<Bytes>) -> Self {
        Self {
            response: Some(response),
            delay: Duration::ZERO,
        }
    }
}
