//! Faults as JSON: the list of them, their arguments, and how one is read.
//!
//! What a fault does is in [`crate::fault`].

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use super::body;
use crate::fault::{Answer, Fault, is_final};
use crate::operation::Operation;

/// The name of any operation.
pub(super) const ANY: &str = "any";

/// How often a fault is met that lasts.
const ALWAYS: &str = "always";

/// A fault that can be scripted.
pub(super) struct Kind {
    pub(super) name: &'static str,
    takes: Takes,
    pub(super) does: &'static str,
}

/// The one argument that a fault needs, and what makes it.
enum Takes {
    Nothing(fn() -> Fault),
    Status(fn(u16) -> Fault),
    Seconds(fn(Duration) -> Fault),
    Requests(fn(usize) -> Fault),
    Body(fn(Bytes) -> Fault),
}

pub(super) const KINDS: [Kind; 13] = [
    Kind {
        name: "status",
        takes: Takes::Status(Fault::status),
        does: "answers with this status and does nothing else",
    },
    Kind {
        name: "other_status",
        takes: Takes::Status(Fault::other_status),
        does: "does what was asked, and answers with the usual body and this status",
    },
    Kind {
        name: "commit_and_answer",
        takes: Takes::Status(Fault::commit_and_answer),
        does: "does what was asked, and then answers with this status",
    },
    Kind {
        name: "commit_and_drop",
        takes: Takes::Nothing(Fault::commit_and_drop),
        does: "does what was asked, and then ends the connection without an answer",
    },
    Kind {
        name: "commit_late",
        takes: Takes::Requests(Fault::commit_late),
        does: "answers 504, and does what was asked after this many further requests",
    },
    Kind {
        name: "drop_connection",
        takes: Takes::Nothing(Fault::drop_connection),
        does: "ends the connection, and does nothing else",
    },
    Kind {
        name: "propagation_delay",
        takes: Takes::Seconds(Fault::propagation_delay),
        does: "answers with a new secret that is accepted only after this time of the service's clock",
    },
    Kind {
        name: "delay",
        takes: Takes::Seconds(Fault::delay),
        does: "does what was asked at once, and answers after this real time",
    },
    Kind {
        name: "wrong_id",
        takes: Takes::Nothing(Fault::wrong_id),
        does: "does what was asked, and answers with an id that is not the account's",
    },
    Kind {
        name: "no_secret",
        takes: Takes::Nothing(Fault::no_secret),
        does: "does what was asked, and answers without the secret",
    },
    Kind {
        name: "same_secret",
        takes: Takes::Nothing(Fault::same_secret),
        does: "answers with the secret that there was, which goes on being accepted",
    },
    Kind {
        name: "truncated",
        takes: Takes::Nothing(Fault::truncated),
        does: "does what was asked, and answers with the first half of the body",
    },
    Kind {
        name: "raw_body",
        takes: Takes::Body(Fault::raw_body),
        does: "does what was asked, and answers with the usual status and this body",
    },
];

impl Kind {
    /// Returns the field of its argument, if it needs one.
    pub(super) fn takes(&self) -> Option<&'static str> {
        match self.takes {
            Takes::Nothing(_) => None,
            Takes::Status(_) => Some("status"),
            Takes::Seconds(_) => Some("seconds"),
            Takes::Requests(_) => Some("requests"),
            Takes::Body(_) => Some("body"),
        }
    }

    /// Returns the operations that it changes something for.
    pub(super) fn operations(&self) -> Vec<&'static str> {
        // Any argument does: none decides on which operations a fault acts.
        let one = match self.takes {
            Takes::Nothing(make) => make(),
            Takes::Status(make) => make(503),
            Takes::Seconds(make) => make(Duration::from_secs(1)),
            Takes::Requests(make) => make(1),
            Takes::Body(make) => make(Bytes::new()),
        };
        ids(|operation| one.applies_to(operation))
    }

    /// Creates the fault, after checking what its constructor would panic on.
    fn make(&self, wanted: &Wanted) -> Result<Fault, String> {
        let needs = |what: &str| format!("{} needs {what}", self.name);
        match self.takes {
            Takes::Nothing(make) => Ok(make()),
            Takes::Status(make) => match whole(wanted.status.as_ref()) {
                Some(status) if is_final(status) => Ok(make(status)),
                _ => Err(needs("\"status\", a number from 200 to 999")),
            },
            Takes::Seconds(make) => match wanted.seconds.as_ref().and_then(Value::as_f64) {
                Some(seconds) => Ok(make(body::duration(seconds)?)),
                None => Err(needs("\"seconds\", a number")),
            },
            Takes::Requests(make) => match whole(wanted.requests.as_ref()) {
                Some(requests) => Ok(make(requests)),
                None => Err(needs("\"requests\", a whole number")),
            },
            Takes::Body(make) => match &wanted.body {
                Some(body) => Ok(make(body::bytes_of(body))),
                None => Err(needs("\"body\"")),
            },
        }
    }
}

/// One fault, as it is scripted.
///
/// Numbers are read later, where an error can name the field.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    operation: String,
    fault: String,
    status: Option<Value>,
    seconds: Option<Value>,
    requests: Option<Value>,
    body: Option<Value>,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    after_seconds: Option<Value>,
    times: Option<Value>,
}

/// Reads a fault, and the operation that is to meet it; `None` is any.
pub(super) fn read(text: &[u8]) -> Result<(Option<Operation>, Fault), String> {
    let wanted: Wanted = body::read(text)?;
    let operation = match Operation::ALL
        .into_iter()
        .find(|one| one.as_str() == wanted.operation)
    {
        None if wanted.operation != ANY => {
            let mut choices = ids(|_| true);
            choices.push(ANY);
            return Err(no_such("operation", &wanted.operation, &choices));
        }
        operation => operation,
    };
    let kind = KINDS
        .iter()
        .find(|kind| kind.name == wanted.fault)
        .ok_or_else(|| no_such("fault", &wanted.fault, &KINDS.map(|kind| kind.name)))?;
    let mut fault = kind.make(&wanted)?;
    refuse_what_is_not_used(&wanted, kind, &fault)?;
    if let Some(body) = &wanted.body {
        fault = fault.body(body::bytes_of(body));
    }
    for (name, value) in body::headers(&wanted.headers)? {
        fault = fault.header(&name, &value);
    }
    if let Some(seconds) = &wanted.after_seconds {
        let seconds = seconds.as_f64().ok_or("\"after_seconds\" is a number")?;
        fault = fault.after(body::duration(seconds)?);
    }
    match (&wanted.times, whole(wanted.times.as_ref())) {
        (None, _) => {}
        (Some(Value::String(text)), _) if text == ALWAYS => fault = fault.always(),
        (_, Some(times @ 1..)) => fault = fault.times(times),
        _ => {
            return Err(format!(
                "\"times\" is a whole number from 1 on, or \"{ALWAYS}\""
            ));
        }
    }
    if let Some(operation) = operation
        && !fault.applies_to(operation)
    {
        let to_these = ids(|operation| fault.applies_to(operation)).join(", ");
        return Err(format!(
            "{fault:?} makes no difference to {operation}; it does to {to_these}"
        ));
    }
    Ok((operation, fault))
}

/// Refuses fields that a fault ignores: whoever wrote one expects an effect.
fn refuse_what_is_not_used(wanted: &Wanted, kind: &Kind, fault: &Fault) -> Result<(), String> {
    let takes = |name| kind.takes() == Some(name);
    let answers = !matches!(fault.answer, Answer::Lost);
    let Wanted { headers, .. } = wanted;
    for (name, is_given, is_taken) in [
        ("status", wanted.status.is_some(), takes("status")),
        ("seconds", wanted.seconds.is_some(), takes("seconds")),
        ("requests", wanted.requests.is_some(), takes("requests")),
        ("body", wanted.body.is_some(), answers),
        ("headers", !headers.is_empty(), answers),
        // Its own time is one already.
        (
            "after_seconds",
            wanted.after_seconds.is_some(),
            kind.name != "delay",
        ),
    ] {
        if is_given && !is_taken {
            return Err(format!("{} takes no {name}", kind.name));
        }
    }
    Ok(())
}

/// Reads a whole number that fits.
fn whole<T: TryFrom<u64>>(number: Option<&Value>) -> Option<T> {
    number?.as_u64()?.try_into().ok()
}

fn ids(is_meant: impl Fn(Operation) -> bool) -> Vec<&'static str> {
    let meant = Operation::ALL.into_iter().filter(|one| is_meant(*one));
    meant.map(Operation::as_str).collect()
}

fn no_such(what: &str, name: &str, choices: &[&str]) -> String {
    format!("no such {what}: {name}; there are {}", choices.join(", "))
}
