//! The service: a request in, a reply out, and the state in between.
//!
//! It opens no socket, never sleeps, and knows nothing of the server in front of it.

use std::io::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, Request, StatusCode, request};
use pollination_auth_api::SecretText;

use crate::access_token::{Issuer, Refusal};
use crate::account::{Account, NewSecret};
use crate::body;
use crate::clock::{Clock, Millis};
use crate::door::Door;
use crate::fault::{Act, Answer, Fault};
use crate::login_body::{self, Credentials};
use crate::operation::Operation;
use crate::outcome::{Refused, Success};
use crate::reply::Reply;
use crate::request_log::{RecordedRequest, RequestLog};
use crate::route::{Route, Target};
use crate::script::Script;

/// Called with each request before the service handles it.
pub(crate) type Observer = Box<dyn Fn(&RecordedRequest) + Send + Sync>;

/// The scheme of a bearer token (RFC 6750, section 2.1); its case does not matter.
const BEARER: &str = "Bearer";

/// The most bytes of a body for the API: a login takes a few hundred.
const BODY_LIMIT: usize = 64 * 1024;

/// The most bytes of a body for an endpoint of the user's own: 2 MiB, the default of axum.
const ROUTE_BODY_LIMIT: usize = 2 * 1024 * 1024;

pub(crate) struct Service {
    start: Start,
    state: Mutex<State>,
    pub(crate) door: Door,
}

/// How a service starts; most of it is its state after a reset as well.
pub(crate) struct Start {
    pub(crate) id: String,
    pub(crate) secret: SecretText,
    pub(crate) expires_in: Duration,
    pub(crate) create_replaces: bool,
    pub(crate) wrong_secret_status: StatusCode,
    pub(crate) latency: Duration,
    pub(crate) kept_requests: usize,
    pub(crate) routes: Vec<Route>,
    pub(crate) observer: Option<Observer>,
    pub(crate) logs_requests: bool,
    pub(crate) hosts: Hosts,
}

/// Under which hosts the control endpoint can be called, beside those of loopback.
#[derive(Default)]
pub(crate) struct Hosts {
    pub(crate) names: Vec<String>,
    /// Other machines reach the service, by one address or another.
    pub(crate) is_exposed: bool,
}

/// The state that changes while the service runs.
pub(crate) struct State {
    pub(crate) account: Account,
    pub(crate) clock: Clock,
    pub(crate) expires_in: Duration,
    pub(crate) issuer: Issuer,
    /// The delay of a reply whose fault has no delay of its own.
    pub(crate) latency: Duration,
    pub(crate) log: RequestLog,
    pub(crate) routes: Vec<Route>,
    pub(crate) script: Script,
    /// Every request is answered with 503.
    pub(crate) is_unavailable: bool,
    wrong_secret_status: StatusCode,
    /// How many resets there were before.
    resets: u64,
}

impl Service {
    pub(crate) fn new(start: Start, door: Door) -> Self {
        Self {
            state: Mutex::new(State::new(&start, 0)),
            start,
            door,
        }
    }

    /// Resets everything to its start.
    ///
    /// A request is counted completely before it or not at all.
    pub(crate) fn reset(&self) {
        let mut state = self.state();
        *state = State::new(&self.start, state.resets + 1);
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.start.hosts
    }

    /// A panic elsewhere leaves the state consistent, so a poisoned lock can be used.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies all late changes, and ends every propagation.
    pub(crate) fn settle(&self) {
        let mut state = self.state();
        let now = state.clock.now();
        state.account.settle(now);
    }

    /// Returns the most bytes that the body of a request can have.
    pub(crate) fn body_limit(&self, head: &request::Parts) -> usize {
        match Target::of(&head.method, head.uri.path(), &self.state().routes) {
            Target::Route(_) => ROUTE_BODY_LIMIT,
            _ => BODY_LIMIT,
        }
    }

    pub(crate) fn handle(&self, request: Request<Bytes>) -> Reply {
        let (method, path) = (request.method(), request.uri().path());
        let target = Target::of(method, path, &self.state().routes);
        let mut recorded = RecordedRequest::new(target.operation(), &request);
        if let Some(observe) = &self.start.observer {
            observe(&recorded);
        }

        let mut state = self.state();
        let resets = state.resets;
        let reply = match target {
            _ if state.is_unavailable => Reply::detail(
                StatusCode::SERVICE_UNAVAILABLE,
                "the service is down, as scripted",
            ),
            Target::Operation(operation) => state.answer(operation, &request),
            Target::Route(handler) => match state.verify(request.headers()) {
                Ok(()) => {
                    // Without the lock: the handler may look at the service.
                    drop(state);
                    let reply = handler(request).into();
                    state = self.state();
                    reply
                }
                Err(refusal) => Refused::from(refusal).into_reply(),
            },
            Target::OtherMethod { allow } => Reply::no_such_method(&named(&request), &allow),
            Target::OtherSlash { path } => Reply::redirect(&location(&request, &path)),
            Target::OtherPath => Reply::no_such_path(&named(&request)),
        };
        recorded.status = reply.status();
        let line = self.start.logs_requests.then(|| line(&recorded));
        if state.resets == resets {
            state.log.record(recorded);
            let now = state.clock.now();
            state.account.pass_one_request(now);
        }
        drop(state);
        if let Some(line) = line {
            // A closed stderr is no reason to panic.
            let _unheard = io::stderr().write_all(line.as_bytes());
        }
        reply
    }
}

fn reply_to(outcome: Result<Success, Refused>) -> Reply {
    outcome.map_or_else(Refused::into_reply, Success::into_reply)
}

fn named(request: &Request<Bytes>) -> String {
    format!("{} {}", request.method(), request.uri().path())
}

/// The line that tells of a request: its headers, query and body can hold secrets.
fn line(request: &RecordedRequest) -> String {
    let status = request
        .status()
        .map_or("-".to_owned(), |status| status.to_string());
    format!("{} {} {status}\n", request.method(), request.path())
}

/// Returns where a request for another slash belongs: an absolute URL, as FastAPI gives it.
fn location(request: &Request<Bytes>, path: &str) -> String {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    let origin = host.map_or(String::new(), |host| format!("http://{host}"));
    let query = request.uri().query();
    let query = query.map_or(String::new(), |query| format!("?{query}"));
    format!("{origin}{path}{query}")
}

impl State {
    fn new(start: &Start, resets: u64) -> Self {
        Self {
            account: Account::new(
                start.id.clone(),
                start.secret.clone(),
                start.create_replaces,
            ),
            clock: Clock::start(),
            expires_in: start.expires_in,
            issuer: Issuer::new(),
            latency: start.latency,
            log: RequestLog::new(start.kept_requests),
            routes: start.routes.clone(),
            script: Script::default(),
            is_unavailable: false,
            wrong_secret_status: start.wrong_secret_status,
            resets,
        }
    }

    fn answer(&mut self, operation: Operation, request: &Request<Bytes>) -> Reply {
        let Some((position, fault)) = self.script.next(operation) else {
            let as_ever = Act::AsEver(NewSecret::AtOnce);
            return reply_to(self.perform(operation, request, as_ever));
        };
        let fault = fault.clone();
        let outcome = self.perform(operation, request, fault.act);
        if outcome.is_err() && fault.waits_for_a_success() {
            return reply_to(outcome);
        }
        self.script.meet(position);
        dress(outcome, fault)
    }

    /// Checks the access token of a request.
    fn verify(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        self.issuer.verify(bearer(headers)?, self.clock.now())
    }

    fn perform(
        &mut self,
        operation: Operation,
        request: &Request<Bytes>,
        act: Act,
    ) -> Result<Success, Refused> {
        let now = self.clock.now();
        if operation != Operation::Login {
            self.verify(request.headers())?;
        }
        self.account.allows(operation)?;

        let new = match act {
            Act::AsEver(new) => new,
            Act::Nothing => return Ok(Success::NoContent),
            Act::Late(requests) => {
                self.account.defer(operation, requests);
                return Ok(Success::NoContent);
            }
        };
        Ok(match operation {
            Operation::Login => self.log_in(request, now)?,
            Operation::GetApiToken => Success::Id(self.account.show_id()?),
            Operation::CreateApiToken => Success::Created(self.account.create(new, now)?),
            Operation::RotateApiTokenSecret => Success::Rotated(self.account.rotate(new, now)?),
            Operation::DeleteApiToken => {
                self.account.delete()?;
                Success::NoContent
            }
        })
    }

    fn log_in(&self, request: &Request<Bytes>, now: Millis) -> Result<Success, Refused> {
        let Credentials { id, secret } =
            login_body::parse(request.headers(), request.body()).map_err(Refused::InvalidBody)?;
        if !self.account.accepts(&id, secret.as_ref(), now) {
            return Err(Refused::WrongCredentials(self.wrong_secret_status));
        }
        let access_token = self
            .issuer
            .mint(now, self.expires_in)
            .map_err(|_| Refused::NotMinted)?;
        Ok(Success::LoggedIn(body::AccessToken {
            access_token: SecretText::from(access_token),
            expires_in: self.expires_in.as_secs(),
            token_type: BEARER,
        }))
    }
}

/// Returns the one bearer token of a request.
fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Refusal::Missing)?;
    if values.next().is_some() {
        return Err(Refusal::Malformed);
    }
    let value = value.to_str().map_err(|_| Refusal::Malformed)?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(BEARER) => Ok(token),
        _ => Err(Refusal::Missing),
    }
}

/// Builds the answer that a fault describes.
fn dress(outcome: Result<Success, Refused>, fault: Fault) -> Reply {
    let mut reply = match fault.answer {
        Answer::Usual | Answer::UsualWithStatus(_) | Answer::Truncated => reply_to(outcome),
        Answer::WrongId => reply_to(outcome.map(Success::with_another_id)),
        Answer::NoSecret => reply_to(outcome.map(Success::without_secret)),
        Answer::Error(status) => Reply::detail(status, "a scripted fault"),
        Answer::Lost => Reply::lost(),
    };
    reply.delay = fault.delay;
    if let Some(response) = &mut reply.response {
        if let Answer::UsualWithStatus(status) = fault.answer {
            *response.status_mut() = status;
        }
        if let Some(body) = fault.body {
            *response.body_mut() = body;
        }
        if matches!(fault.answer, Answer::Truncated) {
            let half = response.body().len() / 2;
            response.body_mut().truncate(half);
        }
        for (name, _) in &fault.headers {
            response.headers_mut().remove(name);
        }
        for (name, value) in fault.headers {
            response.headers_mut().append(name, value);
        }
    }
    reply
}

#[cfg(test)]
mod tests {
    use std::thread;

    use http::header::CONTENT_TYPE;

    use super::*;

    /// Often enough that requests and resets meet.
    const TIMES: usize = 200;

    #[test]
    fn a_request_comes_wholly_before_a_reset_or_wholly_after() {
        let start = Start {
            id: "i".to_owned(),
            secret: SecretText::from("s".to_owned()),
            expires_in: Duration::from_secs(60),
            create_replaces: false,
            wrong_secret_status: StatusCode::UNAUTHORIZED,
            latency: Duration::ZERO,
            kept_requests: TIMES,
            routes: Vec::new(),
            observer: None,
            logs_requests: false,
            hosts: Hosts::default(),
        };
        let service = Service::new(start, Door::new().0);
        let login = || {
            Request::post("/auth/login")
                .header(CONTENT_TYPE, "application/json")
                .body(Bytes::from_static(br#"{"id":"i","secret":"s"}"#))
                .unwrap()
        };
        thread::scope(|scope| {
            scope.spawn(|| (0..TIMES).for_each(|_| service.reset()));
            for _ in 0..TIMES {
                assert_eq!(service.handle(login()).status(), Some(StatusCode::ACCEPTED));
                let log = &service.state().log;
                assert_eq!(log.count(Operation::Login), log.newest().len());
            }
        });
        service.reset();
        assert_eq!(service.state().log.count(Operation::Login), 0);
    }
}
