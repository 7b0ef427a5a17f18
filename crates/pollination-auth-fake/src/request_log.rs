//! The requests so far: a count for each operation, and the newest requests in full.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};

use crate::operation::Operation;

/// A request as it was received, and the status code of its response.
///
/// ```
/// use pollination_auth_fake::{FakeService, Operation};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> reqwest::Result<()> {
/// let service = FakeService::start();
/// reqwest::get(format!("{}/auth/api-token?a=b", service.base_url())).await?;
/// let request = &service.requests()[0];
/// assert_eq!((request.method(), request.path()), ("GET", "/auth/api-token"));
/// assert_eq!((request.query(), request.body()), (Some("a=b"), &b""[..]));
/// assert_eq!(request.operation(), Some(Operation::GetApiToken));
/// assert!(request.headers().contains_key("host"));
/// assert_eq!(request.header("authorization"), None);
/// assert_eq!(request.status(), Some(401));
/// # Ok(())
/// # }
/// ```
///
/// `Debug` shows the method, the path, the status and the names of the headers: a value or a body
/// can hold a secret.
#[derive(Clone)]
pub struct RecordedRequest {
    operation: Option<Operation>,
    method: Method,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    body: Bytes,
    pub(crate) status: Option<StatusCode>,
}

impl RecordedRequest {
    pub(crate) fn new(operation: Option<Operation>, request: &Request<Bytes>) -> Self {
        Self {
            operation,
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().map(str::to_owned),
            headers: request.headers().clone(),
            body: request.body().clone(),
            status: None,
        }
    }

    /// Returns the operation, if the contract has one for this method and path.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        self.operation
    }

    /// Returns `true` if the contract has an operation for this method and path.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.operation.is_some()
    }

    /// Returns the method, `GET` for example.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// Returns the path, without a query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the query, without the question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Returns all headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the first header of this name, if it is ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the bytes of the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the status code of the response.
    ///
    /// Returns `None` if the connection ended without a response, and before the response, as in
    /// [`Builder::on_request`](crate::Builder::on_request).
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status.map(|status| status.as_u16())
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().collect();
        f.debug_struct("RecordedRequest")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("headers", &names)
            .field("body_length", &self.body.len())
            .field("status", &self.status())
            .finish()
    }
}

/// The most bytes of bodies that are kept: 64 MiB, which a program can have for days.
const KEPT_BYTES: usize = 64 * 1024 * 1024;

/// Counts all requests and keeps the newest.
pub(crate) struct RequestLog {
    counts: HashMap<Operation, usize>,
    newest: VecDeque<RecordedRequest>,
    capacity: usize,
    /// The bytes of the bodies of the newest.
    bytes: usize,
}

impl RequestLog {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            counts: HashMap::new(),
            newest: VecDeque::new(),
            capacity,
            bytes: 0,
        }
    }

    pub(crate) fn record(&mut self, request: RecordedRequest) {
        if let Some(operation) = request.operation {
            *self.counts.entry(operation).or_default() += 1;
        }
        self.bytes += request.body.len();
        self.newest.push_back(request);
        while self.newest.len() > self.capacity || self.bytes > KEPT_BYTES {
            let Some(oldest) = self.newest.pop_front() else {
                return;
            };
            self.bytes -= oldest.body.len();
        }
    }

    pub(crate) fn count(&self, operation: Operation) -> usize {
        self.counts.get(&operation).copied().unwrap_or_default()
    }

    pub(crate) fn newest(&self) -> Vec<RecordedRequest> {
        self.newest.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, operation: Option<Operation>) -> RecordedRequest {
        let request = Request::builder()
            .uri(format!("http://127.0.0.1{path}?query"))
            .header("authorization", "Bearer planted")
            .body(Bytes::from_static(b"planted"))
            .unwrap();
        RecordedRequest::new(operation, &request)
    }

    #[test]
    fn the_oldest_request_makes_room_and_is_still_counted() {
        let mut log = RequestLog::new(2);
        for path in ["/a", "/b", "/c"] {
            log.record(request(path, Some(Operation::GetApiToken)));
        }
        let paths: Vec<_> = log.newest().iter().map(|r| r.path().to_owned()).collect();
        assert_eq!(paths, ["/b", "/c"]);
        assert_eq!(log.count(Operation::GetApiToken), 3);
        assert_eq!(log.count(Operation::Login), 0);
    }

    #[test]
    fn nothing_is_kept_when_there_is_no_room() {
        let mut log = RequestLog::new(0);
        log.record(request("/a", None));
        assert_eq!(log.newest().len(), 0);
    }

    #[test]
    fn bodies_take_so_much_room_and_no_more() {
        let mut log = RequestLog::new(usize::MAX);
        let body = Bytes::from(vec![0; KEPT_BYTES / 2]);
        for path in ["/a", "/b", "/c"] {
            let request = Request::builder().uri(path).body(body.clone()).unwrap();
            log.record(RecordedRequest::new(None, &request));
        }
        let paths: Vec<_> = log.newest().iter().map(|r| r.path().to_owned()).collect();
        assert_eq!(paths, ["/b", "/c"]);
    }

    #[test]
    fn debug_shows_no_header_value_and_no_body() {
        let shown = format!("{:?}", request("/a", None));
        assert!(shown.contains("authorization"), "{shown}");
        assert!(!shown.contains("planted"), "{shown}");
    }
}
