//! The requests that the service has seen, as JSON, without those of the control endpoint.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Serialize;

use crate::operation::Operation;
use crate::reply::Reply;
use crate::request_log::RecordedRequest;
use crate::service::Service;

#[derive(Serialize)]
struct Seen {
    #[serde(flatten)]
    counts: BTreeMap<&'static str, usize>,
    /// The newest, the oldest of them first.
    requests: Vec<One>,
}

#[derive(Serialize)]
struct One {
    operation: Option<&'static str>,
    method: String,
    path: String,
    query: Option<String>,
    headers: BTreeMap<String, String>,
    body: String,
    status: Option<u16>,
}

pub(super) fn reply(service: &Service) -> Reply {
    let state = service.state();
    let counts = Operation::ALL.map(|one| (one.as_str(), state.log.count(one)));
    let newest = state.log.newest();
    // Writing takes a while, and the service can go on meanwhile.
    drop(state);
    let seen = Seen {
        counts: BTreeMap::from(counts),
        requests: newest.iter().map(One::of).collect(),
    };
    Reply::json(StatusCode::OK, &seen)
}

impl One {
    fn of(request: &RecordedRequest) -> Self {
        let mut headers = BTreeMap::<_, String>::new();
        for (name, value) in request.headers() {
            let value = String::from_utf8_lossy(value.as_bytes());
            headers
                .entry(name.to_string())
                // A header that comes twice is the same as a list (RFC 9110, section 5.3).
                .and_modify(|before| *before = format!("{before}, {value}"))
                .or_insert_with(|| value.to_string());
        }
        Self {
            operation: request.operation().map(Operation::as_str),
            method: request.method().to_owned(),
            path: request.path().to_owned(),
            query: request.query().map(str::to_owned),
            headers,
            body: String::from_utf8_lossy(request.body()).into_owned(),
            status: request.status(),
        }
    }
}
