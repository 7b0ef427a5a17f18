//! Scripted faults: what a test can make the next request meet.
//!
//! They are descriptions; [`crate::service`] acts on them.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::account::NewSecret;
use crate::operation::Operation;

/// The least status that ends an exchange.
///
/// 1xx announces another reply (RFC 9110, section 15.2).
const LEAST_FINAL_STATUS: u16 = 200;

/// What happens to a request instead of what happens to all others.
///
/// One request meets it, unless [`times`](Self::times) or [`always`](Self::always) says otherwise.
///
/// A fault that acts on the account waits for a request that the service would carry out. A request
/// that is refused, for example with 401, gets its usual answer and uses up no fault.
/// [`Fault::status`] and faults with a delay apply to the next request, whatever it is.
///
/// ```
/// use std::time::Duration;
/// use pollination_auth_fake::{Fault, FakeService, Operation};
///
/// let service = FakeService::start();
/// service.fail_next(Operation::Login, Fault::status(429).header("retry-after", "5"));
/// service.fail_next(Operation::Login, Fault::status(503).body("<html>no</html>").times(2));
/// service.fail_next(Operation::RotateApiTokenSecret, Fault::propagation_delay(Duration::from_secs(30)));
/// # service.clear_faults();
/// ```
///
/// A rotation can go wrong in all of these ways:
///
/// ```
/// use std::time::Duration;
/// use pollination_auth_fake::{Fault, FakeService, Operation};
///
/// let service = FakeService::start();
/// for fault in [
///     Fault::status(500),
///     Fault::drop_connection(),
///     Fault::commit_and_answer(502),
///     Fault::commit_and_drop(),
///     Fault::commit_late(3),
///     Fault::propagation_delay(Duration::from_secs(30)),
///     Fault::delay(Duration::from_secs(5)),
///     Fault::wrong_id(),
///     Fault::no_secret(),
///     Fault::same_secret(),
///     Fault::truncated().after(Duration::from_secs(1)),
///     Fault::raw_body("null"),
///     Fault::other_status(202),
/// ] {
///     service.fail_next(Operation::RotateApiTokenSecret, fault);
/// }
/// assert_eq!(service.unused_faults().len(), 13);
/// service.clear_faults();
/// ```
#[must_use = "a fault does nothing until it is given to `FakeService::fail_next`"]
#[derive(Clone)]
pub struct Fault {
    name: &'static str,
    pub(crate) act: Act,
    pub(crate) answer: Answer,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Option<Bytes>,
    pub(crate) delay: Duration,
    pub(crate) times: Times,
}

/// How many requests meet a fault.
#[derive(Clone, Copy)]
pub(crate) enum Times {
    Left(usize),
    Always,
}

/// What the service does before it answers.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    Nothing,
    AsEver(NewSecret),
    /// The change is made after this many further requests.
    Late(usize),
}

/// What the answer is made of.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Usual,
    UsualWithStatus(StatusCode),
    WrongId,
    NoSecret,
    Truncated,
    /// An error with this status, whatever the outcome.
    Error(StatusCode),
    /// The connection ends.
    Lost,
}

impl Fault {
    const fn new(name: &'static str, act: Act, answer: Answer) -> Self {
        Self {
            name,
            act,
            answer,
            headers: Vec::new(),
            body: None,
            delay: Duration::ZERO,
            times: Times::Left(1),
        }
    }

    const fn acted(name: &'static str, answer: Answer) -> Self {
        Self::new(name, Act::AsEver(NewSecret::AtOnce), answer)
    }

    /// Answers with this status and does nothing else.
    ///
    /// # Panics
    ///
    /// If the status is not between 200 and 999.
    #[track_caller]
    pub fn status(status: u16) -> Self {
        Self::new("status", Act::Nothing, Answer::Error(final_status(status)))
    }

    /// Does what was asked, and then answers with this status.
    ///
    /// # Panics
    ///
    /// If the status is not between 200 and 999.
    #[track_caller]
    pub fn commit_and_answer(status: u16) -> Self {
        Self::acted("commit_and_answer", Answer::Error(final_status(status)))
    }

    /// Does what was asked, and then ends the connection without a byte of an answer.
    pub fn commit_and_drop() -> Self {
        Self::acted("commit_and_drop", Answer::Lost)
    }

    /// Ends the connection, and does nothing else.
    pub fn drop_connection() -> Self {
        Self::new("drop_connection", Act::Nothing, Answer::Lost)
    }

    /// Answers 504, and does what was asked only after this many further requests.
    ///
    /// All requests count, of whatever kind; [`FakeService::settle`] does it at once. What a late
    /// rotation makes of the secret is never sent.
    ///
    /// [`FakeService::settle`]: crate::FakeService::settle
    pub fn commit_late(further_requests: usize) -> Self {
        Self::new(
            "commit_late",
            Act::Late(further_requests),
            Answer::Error(StatusCode::GATEWAY_TIMEOUT),
        )
    }

    /// Answers with a new secret that is accepted only after this time.
    ///
    /// Until then the old secret is accepted. The time is that of the service's clock, which
    /// [`FakeService::advance`] moves.
    ///
    /// [`FakeService::advance`]: crate::FakeService::advance
    pub fn propagation_delay(time: Duration) -> Self {
        Self::new(
            "propagation_delay",
            Act::AsEver(NewSecret::After(time)),
            Answer::Usual,
        )
    }

    /// Does what was asked, and answers with an id that is not the account's.
    pub fn wrong_id() -> Self {
        Self::acted("wrong_id", Answer::WrongId)
    }

    /// Does what was asked, and answers without the secret.
    pub fn no_secret() -> Self {
        Self::acted("no_secret", Answer::NoSecret)
    }

    /// Answers a rotation with the old secret, which stays valid.
    pub fn same_secret() -> Self {
        Self::new("same_secret", Act::AsEver(NewSecret::Same), Answer::Usual)
    }

    /// Does what was asked, and answers with the first half of the body.
    ///
    /// The length in the headers is that of the half, so HTTP sees nothing wrong with it. A body
    /// that ends before its announced length needs a raw socket and is not available here.
    pub fn truncated() -> Self {
        Self::acted("truncated", Answer::Truncated)
    }

    /// Does what was asked, and answers with the usual status and these bytes.
    pub fn raw_body(bytes: impl Into<Bytes>) -> Self {
        Self::acted("raw_body", Answer::Usual).body(bytes)
    }

    /// Does what was asked, and answers with the usual body and this status.
    ///
    /// # Panics
    ///
    /// If the status is not between 200 and 999.
    #[track_caller]
    pub fn other_status(status: u16) -> Self {
        Self::acted(
            "other_status",
            Answer::UsualWithStatus(final_status(status)),
        )
    }

    /// Does what was asked at once, and answers as usual after this time.
    ///
    /// This is real time, not that of the service's clock. Other requests don't wait.
    pub fn delay(time: Duration) -> Self {
        Self::acted("delay", Answer::Usual).after(time)
    }

    /// Sets the body of the answer.
    pub fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body = Some(bytes.into());
        self
    }

    /// Sets a header of the answer, replacing all headers of that name.
    ///
    /// The server sets the headers that frame the body, `content-length` and `transfer-encoding`: a
    /// wrong one needs a raw socket and is not available here.
    ///
    /// # Panics
    ///
    /// If the name or the value is not valid in a header, the value is not ASCII, or the header
    /// frames the body.
    #[expect(
        clippy::panic,
        reason = "a mistake in a test is to be seen where it is made"
    )]
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (name.parse(), HeaderValue::from_str(value)) {
            _ if is_framing(name) => panic!("the server sets this header by itself: {name:?}"),
            (Ok(header), Ok(value)) if value.to_str().is_ok() => self.headers.push((header, value)),
            _ => panic!("no HTTP header: {name:?}"),
        }
        self
    }

    /// Delays the answer by this (real) time; what the fault does is done at once.
    pub fn after(mut self, time: Duration) -> Self {
        self.delay = time;
        self
    }

    /// Lets this many requests meet the fault, one after the other, instead of one.
    ///
    /// # Panics
    ///
    /// If it is zero: such a fault does nothing.
    #[expect(
        clippy::panic,
        reason = "a mistake in a test is to be seen where it is made"
    )]
    #[track_caller]
    pub fn times(mut self, requests: usize) -> Self {
        if requests == 0 {
            panic!("a fault for no request does nothing");
        }
        self.times = Times::Left(requests);
        self
    }

    /// Lets every request from the next one on meet the fault.
    ///
    /// It lasts until [`FakeService::clear_faults`]; faults that are scripted after it wait behind
    /// it.
    ///
    /// ```
    /// use pollination_auth_fake::{FakeService, Fault, Operation};
    ///
    /// let service = FakeService::start();
    /// service.fail_any(Fault::status(503).always());
    /// # service.clear_faults();
    /// ```
    ///
    /// [`FakeService::clear_faults`]: crate::FakeService::clear_faults
    pub fn always(mut self) -> Self {
        self.times = Times::Always;
        self
    }

    /// Returns `true` if it is kept for a later request when this one is refused.
    pub(crate) fn waits_for_a_success(&self) -> bool {
        !matches!(self.act, Act::Nothing) && self.delay.is_zero()
    }

    /// Returns `true` if it changes something for this operation.
    pub(crate) fn applies_to(&self, operation: Operation) -> bool {
        let to_the_act = match self.act {
            Act::Nothing | Act::AsEver(NewSecret::AtOnce) => true,
            Act::AsEver(NewSecret::After(_)) => {
                matches!(
                    operation,
                    Operation::CreateApiToken | Operation::RotateApiTokenSecret
                )
            }
            Act::AsEver(NewSecret::Same) => operation == Operation::RotateApiTokenSecret,
            Act::Late(_) => operation.changes_the_account(),
        };
        let to_the_answer = match self.answer {
            // A 204 has no body to change.
            Answer::Usual => self.body.is_none() || operation != Operation::DeleteApiToken,
            Answer::Truncated => operation != Operation::DeleteApiToken,
            Answer::WrongId => !matches!(operation, Operation::Login | Operation::DeleteApiToken),
            Answer::NoSecret => matches!(
                operation,
                Operation::CreateApiToken | Operation::RotateApiTokenSecret
            ),
            Answer::UsualWithStatus(_) | Answer::Error(_) | Answer::Lost => true,
        };
        to_the_act && to_the_answer
    }
}

/// Shows its name and how often it is met, and no body: that can contain anything.
impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        match self.answer {
            Answer::Error(status) | Answer::UsualWithStatus(status) => {
                write!(f, "({})", status.as_u16())?;
            }
            _ => {}
        }
        match self.times {
            Times::Left(1) => Ok(()),
            Times::Left(requests) => write!(f, ", {requests} times"),
            Times::Always => f.write_str(", always"),
        }
    }
}

/// Returns `true` if a header frames the body.
///
/// The server panics on a wrong one, and the connection ends without a reason.
pub(crate) fn is_framing(name: &str) -> bool {
    ["content-length", "transfer-encoding"]
        .iter()
        .any(|framing| name.eq_ignore_ascii_case(framing))
}

#[expect(
    clippy::panic,
    reason = "a mistake in a test is to be seen where it is made"
)]
#[track_caller]
pub(crate) fn final_status(status: u16) -> StatusCode {
    match StatusCode::from_u16(status) {
        Ok(code) if is_final(status) => code,
        _ => panic!("no status of a final reply: {status}"),
    }
}

/// Returns `true` if a status code is valid and ends an exchange.
pub(crate) fn is_final(status: u16) -> bool {
    status >= LEAST_FINAL_STATUS && StatusCode::from_u16(status).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_that_would_do_nothing_is_known() {
        for (fault, operations) in [
            (Fault::status(503), &Operation::ALL[..]),
            (
                Fault::wrong_id(),
                &[
                    Operation::GetApiToken,
                    Operation::CreateApiToken,
                    Operation::RotateApiTokenSecret,
                ],
            ),
            (
                Fault::no_secret(),
                &[Operation::CreateApiToken, Operation::RotateApiTokenSecret],
            ),
            (Fault::same_secret(), &[Operation::RotateApiTokenSecret]),
            (
                Fault::commit_late(1),
                &[
                    Operation::CreateApiToken,
                    Operation::RotateApiTokenSecret,
                    Operation::DeleteApiToken,
                ],
            ),
        ] {
            let applies: Vec<_> = Operation::ALL
                .into_iter()
                .filter(|operation| fault.applies_to(*operation))
                .collect();
            assert_eq!(applies, operations, "{fault:?}");
        }
    }

    #[test]
    fn debug_shows_the_name_and_not_the_body() {
        let fault = Fault::commit_and_answer(502)
            .body("planted")
            .header("a", "planted");
        assert_eq!(format!("{fault:?}"), "commit_and_answer(502)");
    }

    #[test]
    #[should_panic(expected = "the server sets this header by itself: \"Content-Length\"")]
    fn a_length_that_could_lie_is_refused() {
        let _fault = Fault::status(503).header("Content-Length", "9");
    }

    #[test]
    #[should_panic(expected = "no status of a final reply: 100")]
    fn a_status_that_ends_no_exchange_is_refused() {
        let _fault = Fault::status(100);
    }
}
