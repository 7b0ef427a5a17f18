//! The control endpoint of the program: scripting faults and looking in, for tests in any language.
//!
//! It turns JSON into what [`crate::FakeService`] offers to Rust. It is no part of the API, and only
//! [`crate::Listener`] has it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::fault::{Fault, is_framing};
use crate::operation::Operation;
use crate::reply::Reply;
use crate::service::Service;

/// Where it lies: a prefix that no path of the API has.
const PREFIX: &str = "/__control/";

/// The longest time that is taken, in seconds: a year, far from where adding it could overflow.
const LONGEST: f64 = 365.0 * 24.0 * 60.0 * 60.0;

/// One fault, as it is scripted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    operation: String,
    fault: String,
    status: Option<u16>,
    seconds: Option<f64>,
    requests: Option<usize>,
    body: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    after_seconds: Option<f64>,
}

/// A time to move the clock by.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: f64,
}

/// Answers a request for the control endpoint; none when it is for the API.
pub(crate) fn answer(service: &Service, request: &Request<Bytes>) -> Option<Reply> {
    let name = request.uri().path().strip_prefix(PREFIX)?;
    let reply = carry_out(service, request.method(), name, request.body());
    Some(reply.unwrap_or_else(|problem| Reply::detail(StatusCode::BAD_REQUEST, &problem)))
}

fn carry_out(service: &Service, method: &Method, name: &str, body: &[u8]) -> Result<Reply, String> {
    let mut state = service.state();
    match (method.as_str(), name) {
        ("GET", "faults") => {
            let unused = state.script.unused();
            return Ok(Reply::json(StatusCode::OK, &json!({ "unused": unused })));
        }
        ("GET", "requests") => {
            let counts = Operation::ALL.map(|one| (one.id(), state.log.count(one)));
            return Ok(Reply::json(StatusCode::OK, &BTreeMap::from(counts)));
        }
        ("POST", "faults") => {
            let wanted: Wanted = read(body)?;
            let operation = operation(&wanted.operation)?;
            let fault = fault(wanted)?;
            if !fault.applies_to(operation) {
                return Err(format!("{fault:?} makes no difference to {operation}"));
            }
            let ticket = state.script.ticket();
            state.script.push(operation, ticket, fault, None);
        }
        ("DELETE", "faults") => state.script.clear(),
        ("POST", "advance") => {
            let Advance { seconds } = read(body)?;
            state.clock.advance(duration(seconds)?);
        }
        ("POST", "expire-all-tokens") => state.issuer.expire_all(),
        ("POST", "change-signing-key") => state.issuer.change_key(),
        ("POST", "settle") => {
            let now = state.clock.now();
            state.account.settle(now);
        }
        _ => {
            let request = format!("{method} {PREFIX}{name}");
            return Ok(Reply::no_such_operation(&request, allowed(name)));
        }
    }
    Ok(Reply::new(StatusCode::NO_CONTENT, Bytes::new()))
}

/// The methods of a path that exists.
fn allowed(name: &str) -> Option<&'static str> {
    match name {
        "faults" => Some("DELETE, GET, POST"),
        "requests" => Some("GET"),
        "advance" | "expire-all-tokens" | "change-signing-key" | "settle" => Some("POST"),
        _ => None,
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn operation(name: &str) -> Result<Operation, String> {
    let found = Operation::ALL.into_iter().find(|one| one.id() == name);
    found.ok_or_else(|| format!("no such operation: {name}"))
}

fn duration(seconds: f64) -> Result<Duration, String> {
    if (0.0..=LONGEST).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("no time that can be waited for: {seconds} seconds"))
    }
}

/// Refuses what a fault would not look at: whoever wrote it expects that it does something.
fn only_what_is_used(wanted: &Wanted) -> Result<(), String> {
    let fault = wanted.fault.as_str();
    let takes_status = matches!(fault, "status" | "other_status" | "commit_and_answer");
    let takes_seconds = matches!(fault, "propagation_delay" | "delay");
    for (name, is_given, is_taken) in [
        ("status", wanted.status.is_some(), takes_status),
        ("seconds", wanted.seconds.is_some(), takes_seconds),
        (
            "requests",
            wanted.requests.is_some(),
            fault == "commit_late",
        ),
    ] {
        if is_given && !is_taken {
            return Err(format!("{fault} takes no {name}"));
        }
    }
    Ok(())
}

/// Makes the fault, with everything checked that its constructors would panic over.
fn fault(wanted: Wanted) -> Result<Fault, String> {
    let status = || match wanted.status {
        Some(status @ 200..=999) => Ok(status),
        _ => Err("this fault needs a status from 200 to 999".to_owned()),
    };
    let seconds = || duration(wanted.seconds.ok_or("this fault needs seconds")?);
    let mut fault = match wanted.fault.as_str() {
        "status" => Fault::status(status()?),
        "other_status" => Fault::other_status(status()?),
        "commit_and_answer" => Fault::commit_and_answer(status()?),
        "commit_and_drop" => Fault::commit_and_drop(),
        "commit_late" => Fault::commit_late(wanted.requests.ok_or("this fault needs requests")?),
        "drop_connection" => Fault::drop_connection(),
        "propagation_delay" => Fault::propagation_delay(seconds()?),
        "delay" => Fault::delay(seconds()?),
        "wrong_id" => Fault::wrong_id(),
        "no_secret" => Fault::no_secret(),
        "same_secret" => Fault::same_secret(),
        "truncated" => Fault::truncated(),
        "raw_body" => Fault::raw_body(wanted.body.clone().ok_or("this fault needs a body")?),
        other => return Err(format!("no such fault: {other}")),
    };
    only_what_is_used(&wanted)?;
    if let Some(body) = wanted.body {
        fault = fault.body(body);
    }
    for (name, value) in &wanted.headers {
        let fits = name.parse::<HeaderName>().is_ok()
            && HeaderValue::from_str(value).is_ok_and(|value| value.to_str().is_ok());
        if !fits {
            return Err(format!("no HTTP header: {name}"));
        }
        if is_framing(name) {
            return Err(format!("the server sets this header by itself: {name}"));
        }
        fault = fault.header(name, value);
    }
    if let Some(seconds) = wanted.after_seconds {
        fault = fault.after(duration(seconds)?);
    }
    Ok(fault)
}
