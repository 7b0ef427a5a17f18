//! One call as a series of attempts: deadline, retries, budget and log events.
//!
//! `retry` decides what may be retried; the caller passes in the attempt.

pub(crate) mod retry;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument as _;

use crate::call::retry::{RetryBudget, RetryPolicy};
use crate::error::classify::FailedAttempt;
use crate::foundation::chance;
use crate::foundation::operation::Operation;
use crate::wire::Wire;
use crate::wire::answer::{Answer, Attempted};

/// The latest deadline: a year, which is as good as none and which a clock can express.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The wire with the rules for its use.
pub(crate) struct Calls {
    pub(crate) wire: Wire,
    pub(crate) policy: RetryPolicy,
    pub(crate) budget: RetryBudget,
    pub(crate) attempt_timeout: Duration,
    pub(crate) total_timeout: Duration,
}

/// The calls, as tasks share them.
pub(crate) type SharedCalls = Arc<Calls>;

impl Calls {
    /// Returns the deadline of a call that begins now.
    pub(crate) fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.total_timeout.min(FAR)).unwrap_or(now)
    }

    /// Attempts a call until it succeeds, may not be retried, or the time is over.
    ///
    /// `attempt` receives its number, from 1, and the time that it may take. It calls
    /// [`observe`](Self::observe).
    pub(crate) async fn call<T, F>(
        &self,
        operation: Operation,
        deadline: Instant,
        mut attempt: impl FnMut(u32, Duration) -> F,
    ) -> Attempted<T>
    where
        F: Future<Output = Attempted<T>>,
    {
        let mut attempts = 1;
        let mut last = None;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(last.unwrap_or_else(|| FailedAttempt::too_late(operation)));
            }
            let timeout = left.min(self.attempt_timeout);
            let mut failed = match attempt(attempts, timeout).await {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            let wait = self.wait_before_next(operation, &failed, attempts);
            failed.facts.attempts = attempts;
            let failed = remember(last, failed);
            match wait {
                // A wait beyond the deadline is not started.
                Some(wait) if Instant::now() + wait < deadline && self.budget.take() => {
                    tokio::time::sleep(wait).await;
                    attempts = attempts.saturating_add(1);
                    last = Some(failed);
                }
                _ => return Err(failed),
            }
        }
    }

    fn wait_before_next(
        &self,
        operation: Operation,
        failed: &FailedAttempt,
        attempts: u32,
    ) -> Option<Duration> {
        let now = self.wire.clock.now().wall;
        let hint = failed
            .facts
            .retry_at
            .map(|at| at.duration_since(now).unwrap_or_default());
        self.policy
            .next(operation, failed.class, attempts, hint, chance::fraction())
    }

    /// Runs one attempt in a span with OpenTelemetry's names for HTTP clients.
    ///
    /// It never records a body, a header, a query or the server's error text.
    pub(crate) async fn observe<T>(
        &self,
        operation: Operation,
        attempt: u32,
        running: impl Future<Output = Attempted<Answer<T>>>,
    ) -> Attempted<T> {
        let span = tracing::debug_span!(
            "attempt",
            operation = operation.as_str(),
            "http.request.method" = operation.method(),
            "http.request.resend_count" = attempt - 1,
            "http.response.status_code" = tracing::field::Empty,
            "server.address" = self.wire.base_url.host(),
            "server.port" = self.wire.base_url.port(),
        );
        let started = Instant::now();
        let result = running.instrument(span.clone()).await;
        // Refunded per exchange: a call also returns the error of the login that it needed.
        if result.is_ok() {
            self.budget.refund();
        }
        let status = match &result {
            Ok(answer) => Some(answer.status),
            Err(failed) => failed.facts.status,
        };
        span.record("http.response.status_code", status);
        // The event is for those who record no spans.
        span.in_scope(|| {
            let seconds = started.elapsed().as_secs_f64();
            match &result {
                Ok(_) => tracing::debug!("http.client.request.duration" = seconds, "done"),
                Err(failed) => tracing::debug!(
                    "http.client.request.duration" = seconds,
                    "error.type" = %failed.facts.reason,
                    "failed"
                ),
            }
        });
        result.map(|answer| answer.value)
    }
}

/// Returns the attempt to report: one that was not sent does not undo one that may have been.
fn remember(last: Option<FailedAttempt>, failed: FailedAttempt) -> FailedAttempt {
    match last {
        Some(mut last) if last.may_have_happened() && failed.was_not_sent() => {
            last.facts.attempts = failed.facts.attempts;
            last
        }
        _ => failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::error::classify::Class;
    use crate::error::failure::{Facts, Reason};
    use crate::foundation::base_url::BaseUrl;
    use crate::foundation::clock::SystemClock;
    use crate::wire::transport::{Settings, Transport};

    fn calls(policy: RetryPolicy) -> Calls {
        let base_url = BaseUrl::parse("http://127.0.0.1", false).unwrap();
        let timeout = Duration::from_secs(1);
        let transport = Transport::build(Settings {
            base_url: base_url.clone(),
            connect_timeout: timeout,
            attempt_timeout: timeout,
            user_agent: "test".to_owned(),
            configure: None,
        });
        Calls {
            wire: Wire::new(base_url, transport.ok().unwrap(), Arc::new(SystemClock)),
            policy,
            budget: RetryBudget::new(),
            attempt_timeout: timeout,
            total_timeout: timeout,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_ends_behind_the_deadline_does_not_turn_a_lost_call_into_one_not_sent() {
        // The timer counts whole milliseconds, so it ends a shorter wait too late.
        const TIMER: Duration = Duration::from_millis(1);
        let calls = calls(RetryPolicy::default().first_wait(TIMER / 4));
        let deadline = Instant::now() + TIMER / 2;
        let attempt = |_number, _timeout| async {
            let facts = Facts::new(Operation::DeleteApiToken, Reason::ConnectionLost);
            Attempted::<()>::Err(FailedAttempt::new(Class::Lost, facts))
        };
        let result = calls
            .call(Operation::DeleteApiToken, deadline, attempt)
            .await;
        let failed = result.unwrap_err();
        assert_eq!(failed.class, Class::Lost);
        assert_eq!(failed.facts.attempts, 1);
        assert!(matches!(failed.into_error(), Error::Unavailable(_)));
    }

    /// Makes a delete whose attempts fail so one after the other, and returns what is reported.
    async fn reported(classes: [Class; 3]) -> (Class, u32) {
        let calls = calls(RetryPolicy::default().first_wait(Duration::ZERO));
        let mut classes = classes.into_iter();
        let attempt = |_number, _timeout| {
            let class = classes.next().unwrap();
            let facts = Facts::new(Operation::DeleteApiToken, Reason::ConnectionLost);
            std::future::ready(Attempted::<()>::Err(FailedAttempt::new(class, facts)))
        };
        let result = calls.call(Operation::DeleteApiToken, calls.deadline(), attempt);
        let failed = result.await.unwrap_err();
        (failed.class, failed.facts.attempts)
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_was_not_sent_does_not_undo_one_that_was_lost() {
        use Class::{Lost, NotSent};
        assert_eq!(reported([Lost, NotSent, NotSent]).await, (Lost, 3));
        assert_eq!(reported([NotSent, Lost, NotSent]).await, (Lost, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn of_other_attempts_the_last_one_is_reported() {
        use Class::{Lost, NotSent, Status};
        assert_eq!(reported([NotSent, NotSent, Lost]).await, (Lost, 3));
        assert_eq!(
            reported([Lost, Status(503), Status(502)]).await,
            (Status(502), 3)
        );
        assert_eq!(reported([Status(503), NotSent, Lost]).await, (Lost, 3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_beyond_the_deadline_is_not_started() {
        const HOUR: Duration = Duration::from_secs(3_600);
        let calls = calls(RetryPolicy::default().longest_retry_after(2 * HOUR));
        let retry_at = calls.wire.clock.now().wall + HOUR;
        let attempt = |_number, _timeout| async move {
            let mut facts = Facts::new(Operation::GetApiToken, Reason::Status);
            facts.retry_at = Some(retry_at);
            Attempted::<()>::Err(FailedAttempt::new(Class::Status(503), facts))
        };
        let before = Instant::now();
        let result = calls.call(Operation::GetApiToken, calls.deadline(), attempt);
        assert_eq!(result.await.unwrap_err().facts.attempts, 1);
        assert_eq!(before.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_budget_there_is_no_retry() {
        let calls = calls(RetryPolicy::default().first_wait(Duration::ZERO));
        while calls.budget.take() {}
        let attempt = |_number, _timeout| async {
            let facts = Facts::new(Operation::GetApiToken, Reason::ConnectionLost);
            Attempted::<()>::Err(FailedAttempt::new(Class::Lost, facts))
        };
        let result = calls.call(Operation::GetApiToken, calls.deadline(), attempt);
        assert_eq!(result.await.unwrap_err().facts.attempts, 1);
    }

    /// Uses the budget up, and counts what it takes until there is a retry again.
    fn refunds_until_a_retry(budget: &RetryBudget, mut refund: impl FnMut()) -> Option<usize> {
        const ENOUGH: usize = 100;
        while budget.take() {}
        (1..=ENOUGH).find(|_| {
            refund();
            budget.take()
        })
    }

    #[test]
    fn a_failed_login_within_a_call_refunds_no_retry_and_an_exchange_that_succeeded_does() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let calls = calls(RetryPolicy::default());
        let login_failed = || {
            let attempt = |_number, _timeout| async {
                let failed = FailedAttempt::too_late(Operation::Login);
                Attempted::Ok(Err::<(), _>(failed.into_error()))
            };
            let call = calls.call(Operation::GetApiToken, calls.deadline(), attempt);
            assert!(runtime.block_on(call).is_ok_and(|result| result.is_err()));
        };
        assert_eq!(refunds_until_a_retry(&calls.budget, login_failed), None);
        let succeeded = || {
            let exchange = std::future::ready(Attempted::Ok(Answer {
                value: (),
                status: 200,
            }));
            let observed = calls.observe(Operation::GetApiToken, 1, exchange);
            assert!(runtime.block_on(observed).is_ok());
        };
        assert_eq!(refunds_until_a_retry(&calls.budget, succeeded), Some(5));
    }
}
