//! The description of the control endpoint: its calls, the faults, the operations.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::Value;

use super::call::Call;
use super::faults::{KINDS, Kind};
use crate::operation::Operation;
use crate::reply::Reply;
use crate::route::CONTROL;

#[derive(Serialize)]
struct Description {
    about: &'static str,
    calls: Vec<CallLine>,
    faults: Vec<FaultLine>,
    fault_fields: [FieldLine; 9],
    operations: Vec<OperationLine>,
}

#[derive(Serialize)]
struct CallLine {
    call: String,
    /// A body that it takes; null when it takes none.
    takes: Option<Value>,
    does: &'static str,
}

#[derive(Serialize)]
struct FaultLine {
    fault: &'static str,
    takes: Option<&'static str>,
    does: &'static str,
    operations: Vec<&'static str>,
}

#[derive(Serialize)]
struct FieldLine {
    field: &'static str,
    is: &'static str,
}

#[derive(Serialize)]
struct OperationLine {
    operation: &'static str,
    request: String,
}

/// The fields of the body that scripts a fault.
const FIELDS: [FieldLine; 9] = [
    FieldLine {
        field: "operation",
        is: "the operation whose next request meets the fault; \"any\" for the next request that it makes a difference to",
    },
    FieldLine {
        field: "fault",
        is: "the fault",
    },
    FieldLine {
        field: "status",
        is: "a number from 200 to 999, for a fault that takes it",
    },
    FieldLine {
        field: "seconds",
        is: "a number, for a fault that takes it",
    },
    FieldLine {
        field: "requests",
        is: "a whole number, for a fault that takes it",
    },
    FieldLine {
        field: "body",
        is: "the body of the answer of any fault that answers: a text as it is, or any other JSON",
    },
    FieldLine {
        field: "headers",
        is: "an object of headers, put into the answer of any fault that answers",
    },
    FieldLine {
        field: "after_seconds",
        is: "a number: holds the answer of any fault but delay back for this real time",
    },
    FieldLine {
        field: "times",
        is: "a whole number: so many requests meet the fault; or \"always\"",
    },
];

pub(super) fn reply(calls: &[Call]) -> Reply {
    let description = Description {
        about: "the Pollination authentication service in memory; its secrets open nothing but itself",
        calls: calls.iter().map(CallLine::of).collect(),
        faults: KINDS.iter().map(FaultLine::of).collect(),
        fault_fields: FIELDS,
        operations: Operation::ALL.map(OperationLine::of).into(),
    };
    // In lines, since it is read by people.
    match serde_json::to_string_pretty(&description) {
        Ok(text) => Reply::new(StatusCode::OK, Bytes::from(text + "\n"))
            .with(CONTENT_TYPE, HeaderValue::from_static("application/json")),
        Err(_) => Reply::new(StatusCode::INTERNAL_SERVER_ERROR, Bytes::new()),
    }
}

impl CallLine {
    fn of(call: &Call) -> Self {
        Self {
            call: format!("{} {CONTROL}{}", call.method, call.name),
            takes: call.takes.and_then(|body| serde_json::from_str(body).ok()),
            does: call.does,
        }
    }
}

impl FaultLine {
    fn of(kind: &Kind) -> Self {
        Self {
            fault: kind.name,
            takes: kind.takes(),
            does: kind.does,
            operations: kind.operations(),
        }
    }
}

impl OperationLine {
    fn of(operation: Operation) -> Self {
        Self {
            operation: operation.as_str(),
            request: format!("{} {}", operation.method(), operation.path()),
        }
    }
}
