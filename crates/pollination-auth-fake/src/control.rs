//! The control endpoint: scripts and inspects the service, from any language.
//!
//! It takes and returns JSON, and is not part of the API.

mod body;
mod browser;
mod call;
mod description;
mod faults;
mod outage;
mod routes;
mod seen;

use body::seconds;
use bytes::Bytes;
use call::{Act, Call};
use http::header::ALLOW;
use http::{HeaderValue, Method, Request, StatusCode};
use serde_json::json;

use crate::reply::Reply;
use crate::route::CONTROL;
use crate::service::Service;

/// What a request is told that a web page may have sent.
const FOREIGN: &str = "no web page may ask: call localhost or a loopback address, \
    or start the program with --allow-host NAME and call that";

/// The most faults that wait at once, for a request or to be applied late.
///
/// More than a test scripts, and with bodies as large as a request can be 64 MiB.
const MOST_FAULTS: usize = 1024;

/// All calls; those of one path by method, as in `Allow`.
const CALLS: [Call; 15] = [
    Call {
        method: "GET",
        name: "",
        takes: None,
        does: "describes all this",
        act: Act::Show(|_| description::reply(&CALLS)),
    },
    Call {
        method: "DELETE",
        name: "/faults",
        takes: None,
        does: "removes all scripted faults",
        act: Act::Change(|service| service.state().script.clear()),
    },
    Call {
        method: "GET",
        name: "/faults",
        takes: None,
        does: "lists the scripted faults that no request has met",
        act: Act::Show(|service| {
            let unused = service.state().script.unused();
            Reply::json(StatusCode::OK, &json!({ "unused": unused }))
        }),
    },
    Call {
        method: "POST",
        name: "/faults",
        takes: Some(r#"{"operation":"login","fault":"status","status":503}"#),
        does: "makes the next request for an operation meet a fault; faults queue up",
        act: Act::Read(script),
    },
    Call {
        method: "DELETE",
        name: "/outage",
        takes: None,
        does: "ends an outage",
        act: Act::Change(outage::end),
    },
    Call {
        method: "POST",
        name: "/outage",
        takes: Some(r#"{"outage":"unavailable"}"#),
        does: "answers every request with 503 from now on; with \"refused\" and \"seconds\", refuses connections for this real time",
        act: Act::Read(outage::start),
    },
    Call {
        method: "POST",
        name: "/routes",
        takes: Some(r#"{"method":"GET","path":"/projects/{id}","status":200,"body":{"name":"a"}}"#),
        does: "answers requests for a path of your own, with 401 unless they have a valid access token",
        act: Act::Read(routes::add),
    },
    Call {
        method: "GET",
        name: "/requests",
        takes: None,
        does: "counts the requests by operation, and shows the newest with the status answered",
        act: Act::Show(seen::reply),
    },
    Call {
        method: "GET",
        name: "/credential",
        takes: None,
        does: "shows the id and the secret that log in now; null after a delete",
        act: Act::Show(show_credential),
    },
    Call {
        method: "POST",
        name: "/reset",
        takes: None,
        does: "restores the state of the start: credential, faults, tokens, clock, latency, routes, requests",
        act: Act::Change(Service::reset),
    },
    Call {
        method: "POST",
        name: "/latency",
        takes: Some(r#"{"seconds":0.5}"#),
        does: "holds every reply of the API back for this real time; 0 ends it",
        act: Act::Read(|service, body| {
            service.state().latency = seconds(body)?;
            Ok(())
        }),
    },
    Call {
        method: "POST",
        name: "/advance",
        takes: Some(r#"{"seconds":60}"#),
        does: "moves the service's clock forward",
        act: Act::Read(|service, body| {
            service.state().clock.advance(seconds(body)?);
            Ok(())
        }),
    },
    Call {
        method: "POST",
        name: "/expire-all-tokens",
        takes: None,
        does: "refuses all access tokens so far, as expired",
        act: Act::Change(|service| service.state().issuer.expire_all()),
    },
    Call {
        method: "POST",
        name: "/change-signing-key",
        takes: None,
        does: "signs with another key from now on, which refuses all access tokens so far",
        act: Act::Change(|service| service.state().issuer.change_key()),
    },
    Call {
        method: "POST",
        name: "/settle",
        takes: None,
        does: "does now what commit_late put off, and ends every propagation_delay",
        act: Act::Change(Service::settle),
    },
];

/// Answers a request for the control endpoint; returns `None` if it is for the API.
pub(crate) fn answer(service: &Service, request: &Request<Bytes>) -> Option<Reply> {
    let name = match request.uri().path().strip_prefix(CONTROL)? {
        "/" => "",
        name if name.is_empty() || name.starts_with('/') => name,
        _ => return None,
    };
    if browser::is_foreign(request, service.hosts()) {
        return Some(Reply::detail(StatusCode::FORBIDDEN, FOREIGN));
    }
    let method = request.method();
    let Some(call) = CALLS
        .iter()
        .find(|call| call.name == name && call.method == method.as_str())
    else {
        return Some(no_such_call(method, name));
    };
    let changed = match call.act {
        Act::Show(show) => return Some(show(service)),
        Act::Change(change) => {
            change(service);
            Ok(())
        }
        Act::Read(change) => change(service, request.body()),
    };
    Some(match changed {
        Ok(()) => Reply::new(StatusCode::NO_CONTENT, Bytes::new()),
        Err(problem) => Reply::detail(StatusCode::BAD_REQUEST, &problem),
    })
}

/// Answers a request for a path or a method that no call has.
fn no_such_call(method: &Method, name: &str) -> Reply {
    let methods: Vec<_> = CALLS
        .iter()
        .filter(|call| call.name == name)
        .map(|call| call.method)
        .collect();
    let detail =
        format!("no such call: {method} {CONTROL}{name}; GET {CONTROL} shows those there are");
    if methods.is_empty() {
        return Reply::detail(StatusCode::NOT_FOUND, &detail);
    }
    let reply = Reply::detail(StatusCode::METHOD_NOT_ALLOWED, &detail);
    match HeaderValue::from_str(&methods.join(", ")) {
        Ok(methods) => reply.with(ALLOW, methods),
        Err(_) => reply,
    }
}

fn script(service: &Service, body: &[u8]) -> Result<(), String> {
    let (operation, fault) = faults::read(body)?;
    let mut state = service.state();
    let waiting = state.script.len() + state.account.late_changes();
    if waiting >= MOST_FAULTS {
        return Err(format!(
            "{MOST_FAULTS} faults wait already; DELETE {CONTROL}/faults takes them back, \
             POST {CONTROL}/settle does what was put off"
        ));
    }
    state.script.push(operation, fault, None);
    Ok(())
}

fn show_credential(service: &Service) -> Reply {
    let state = service.state();
    let secret = state.account.secret().map(|secret| secret.expose_secret());
    let credential = json!({ "id": state.account.id(), "secret": secret });
    Reply::json(StatusCode::OK, &credential)
}
