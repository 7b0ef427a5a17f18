//! The service: a request in, a reply out, and the state in between.
//!
//! It opens no socket, never sleeps, and knows nothing of the server in front of it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request};
use pollination_auth_api::SecretText;
use pollination_auth_api::types::Auth0TokenResponse;

use crate::access_token::{Issuer, Refusal};
use crate::account::{Account, NewSecret};
use crate::clock::{Clock, Millis};
use crate::fault::{Act, Answer, Fault};
use crate::login_body::{self, Credentials};
use crate::operation::{Operation, Target};
use crate::outcome::{Refused, Success};
use crate::reply::Reply;
use crate::request_log::{RecordedRequest, RequestLog};
use crate::script::{Script, Ticket};

/// Called with each request before the service handles it.
pub(crate) type Observer = Box<dyn Fn(&RecordedRequest) + Send + Sync>;

/// The scheme of a bearer token (RFC 6750, section 2.1); its case does not matter.
const BEARER: &str = "Bearer";

pub(crate) struct Service {
    start: Start,
    state: Mutex<State>,
    observer: Option<Observer>,
}

/// The state of a service at its start and after a reset.
pub(crate) struct Start {
    pub(crate) id: String,
    pub(crate) secret: SecretText,
    pub(crate) expires_in: Duration,
    pub(crate) create_replaces: bool,
    pub(crate) latency: Duration,
    pub(crate) kept_requests: usize,
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
    pub(crate) script: Script,
}

impl Service {
    pub(crate) fn new(start: Start, observer: Option<Observer>) -> Self {
        Self {
            state: Mutex::new(State::new(&start)),
            start,
            observer,
        }
    }

    /// Resets everything to its start.
    ///
    /// A request is handled completely before it or completely after. It is for a service whose
    /// replies the listener delays: the mocks of a test's delayed faults would outlive it.
    pub(crate) fn reset(&self) {
        let new = State::new(&self.start);
        *self.state() = new;
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

    /// Returns the delayed fault that comes next for this request, if any.
    pub(crate) fn next_delayed(&self, request: &Request<Bytes>) -> Option<Ticket> {
        let operation = Target::of(request.method(), request.uri().path()).operation()?;
        self.state().script.next_delayed(operation)
    }

    pub(crate) fn handle(&self, request: &Request<Bytes>) -> Reply {
        let target = Target::of(request.method(), request.uri().path());
        let mut recorded = RecordedRequest::new(target.operation(), request);
        if let Some(observe) = &self.observer {
            observe(&recorded);
        }

        let mut state = self.state();
        let reply = match target {
            Target::Operation(operation) => state.answer(operation, request),
            Target::OtherMethod { allow } => Reply::no_such_operation(&named(request), Some(allow)),
            Target::OtherPath => Reply::no_such_operation(&named(request), None),
        };
        recorded.status = reply.status();
        state.log.record(recorded);
        let now = state.clock.now();
        state.account.pass_one_request(now);
        reply
    }
}

fn reply_to(outcome: Result<Success, Refused>) -> Reply {
    outcome.map_or_else(Refused::into_reply, Success::into_reply)
}

fn named(request: &Request<Bytes>) -> String {
    format!("{} {}", request.method(), request.uri().path())
}

impl State {
    fn new(start: &Start) -> Self {
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
            script: Script::default(),
        }
    }

    fn answer(&mut self, operation: Operation, request: &Request<Bytes>) -> Reply {
        let Some(scripted) = self.script.take(operation) else {
            let as_ever = Act::AsEver(NewSecret::AtOnce);
            return reply_to(self.perform(operation, request, as_ever));
        };
        let outcome = self.perform(operation, request, scripted.fault.act);
        if outcome.is_err() && scripted.fault.waits_for_a_success() {
            self.script.put_back(operation, scripted);
            return reply_to(outcome);
        }
        dress(outcome, scripted.fault)
    }

    fn perform(
        &mut self,
        operation: Operation,
        request: &Request<Bytes>,
        act: Act,
    ) -> Result<Success, Refused> {
        let now = self.clock.now();
        if operation != Operation::Login {
            let access_token = bearer(request.headers())?;
            self.issuer.verify(access_token, now)?;
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
            return Err(Refused::WrongCredentials);
        }
        let access_token = self
            .issuer
            .mint(now, self.expires_in)
            .map_err(|_| Refused::NotMinted)?;
        Ok(Success::LoggedIn(Auth0TokenResponse {
            access_token: SecretText::from(access_token),
            expires_in: i64::try_from(self.expires_in.as_secs()).unwrap_or(i64::MAX),
            token_type: BEARER.to_owned(),
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

    use http::StatusCode;
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
            latency: Duration::ZERO,
            kept_requests: TIMES,
        };
        let service = Service::new(start, None);
        let login = Request::post("/auth/login")
            .header(CONTENT_TYPE, "application/json")
            .body(Bytes::from_static(br#"{"id":"i","secret":"s"}"#))
            .unwrap();
        thread::scope(|scope| {
            scope.spawn(|| (0..TIMES).for_each(|_| service.reset()));
            for _ in 0..TIMES {
                assert_eq!(service.handle(&login).status(), Some(StatusCode::ACCEPTED));
                let log = &service.state().log;
                assert_eq!(log.count(Operation::Login), log.newest().len());
            }
        });
        service.reset();
        assert_eq!(service.state().log.count(Operation::Login), 0);
    }
}
