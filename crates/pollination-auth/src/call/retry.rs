//! The retry table, the waits and the budget: decides what is retried, and when.
//!
//! Randomness and time are arguments. The replay after a 401 is not a retry; it belongs to `client`.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::error::classify::Class;
use crate::foundation::operation::Operation;

/// Attempts of one call, the first included: 3, enough for one restart of a server.
const MAX_ATTEMPTS: u32 = 3;

/// The longest first wait: 200 ms, longer than a connection takes, shorter than a person notices.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// The longest wait that the service did not ask for: 5 s.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The longest `Retry-After` that a call waits for: 20 s, within the default total of 30 s.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(20);

/// The longest wait under any setting: a day, far from where adding it to a clock overflows.
const LONGEST_SETTING: Duration = Duration::from_secs(24 * 60 * 60);

/// The full budget: 500 tokens, for 100 retries in a row, so that one disturbance of many calls at
/// once does not use it up.
const BUDGET: u32 = 500;

/// The tokens that one retry takes from the budget.
const RETRY_COST: u32 = 5;

/// The tokens that one success returns: under a steady load one call in five may be a retry.
const SUCCESS_REFUND: u32 = 1;

/// How often a call is attempted, and how long it waits in between.
///
/// No setting retries a create or rotate that may have happened.
///
/// ```
/// use std::time::Duration;
/// use pollination_auth::RetryPolicy;
///
/// let patient = RetryPolicy::default().max_attempts(5).longest_wait(Duration::from_secs(10));
/// let never = RetryPolicy::none();
/// # let _ = (patient, never);
/// ```
#[derive(Clone, Debug)]
pub struct RetryPolicy {
    max_attempts: u32,
    first_wait: Duration,
    longest_wait: Duration,
    longest_retry_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: MAX_ATTEMPTS,
            first_wait: FIRST_WAIT,
            longest_wait: LONGEST_WAIT,
            longest_retry_after: LONGEST_RETRY_AFTER,
        }
    }
}

impl RetryPolicy {
    /// Creates a policy without retries.
    #[must_use]
    pub fn none() -> Self {
        Self::default().max_attempts(1)
    }

    /// Sets how often a call is attempted, the first attempt included; 0 counts as 1.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets the upper bound of the first wait; each further bound is twice the one before.
    #[must_use]
    pub fn first_wait(mut self, wait: Duration) -> Self {
        self.first_wait = wait;
        self
    }

    /// Sets the upper bound of every wait that the service did not ask for.
    #[must_use]
    pub fn longest_wait(mut self, wait: Duration) -> Self {
        self.longest_wait = wait;
        self
    }

    /// Sets the longest `Retry-After` of the service that a call waits for; the default is 20 s.
    ///
    /// With a longer one the call fails at once, with [`Error::retry_at`](crate::Error::retry_at),
    /// because the service asked for no earlier retry.
    #[must_use]
    pub fn longest_retry_after(mut self, wait: Duration) -> Self {
        self.longest_retry_after = wait;
        self
    }

    /// Returns the wait before the next attempt, or `None` if there is none.
    ///
    /// `attempts` have been made, the last one failed with `class`; `hint` is the wait that the
    /// service asked for; `random` is a number from 0 to 1 (full jitter).
    pub(crate) fn next(
        &self,
        operation: Operation,
        class: Class,
        attempts: u32,
        hint: Option<Duration>,
        random: f64,
    ) -> Option<Duration> {
        if attempts >= self.max_attempts || !may_repeat(operation, class) {
            return None;
        }
        let doublings = attempts.saturating_sub(1).min(31);
        let bound = self
            .first_wait
            .saturating_mul(1 << doublings)
            .min(self.longest_wait)
            .min(LONGEST_SETTING);
        let own = bound.mul_f64(random.clamp(0.0, 1.0));
        let asked = hint.unwrap_or_default();
        let longest = self.longest_retry_after.min(LONGEST_SETTING);
        (asked <= longest).then(|| own.max(asked))
    }
}

/// Returns `true` if an operation may be retried after this outcome.
fn may_repeat(operation: Operation, class: Class) -> bool {
    match class {
        Class::NotSent => true,
        Class::NeverSent | Class::Unusable | Class::Foreign => false,
        Class::Lost => !operation.mints_a_secret(),
        Class::Status(429) => !operation.mints_a_secret(),
        // A proxy uses 408 and 425 like a 503.
        Class::Status(408 | 425 | 500..=599) => !operation.mints_a_secret(),
        Class::Status(_) => false,
    }
}

/// The retries left to all calls of one client, so that an outage does not cause a flood.
pub(crate) struct RetryBudget(AtomicU32);

impl RetryBudget {
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(BUDGET))
    }

    /// Takes one retry out, and returns `true` if enough was left.
    pub(crate) fn take(&self) -> bool {
        let take = |tokens: u32| tokens.checked_sub(RETRY_COST);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }

    /// Returns the tokens of one success to the budget.
    pub(crate) fn refund(&self) {
        // It is nearly always full, and threads that only read it do not contend.
        if self.0.load(Ordering::Relaxed) == BUDGET {
            return;
        }
        let put = |tokens: u32| Some(tokens.saturating_add(SUCCESS_REFUND).min(BUDGET));
        // The update always applies, so there is no error.
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, put);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Operation; 5] = [
        Operation::Login,
        Operation::GetApiToken,
        Operation::CreateApiToken,
        Operation::RotateApiTokenSecret,
        Operation::DeleteApiToken,
    ];

    fn repeats(class: Class) -> [bool; 5] {
        ALL.map(|operation| may_repeat(operation, class))
    }

    #[test]
    fn table_5_6_what_was_not_sent_is_repeated_for_every_operation() {
        assert_eq!(repeats(Class::NotSent), [true; 5]);
        assert_eq!(repeats(Class::NeverSent), [false; 5]);
    }

    #[test]
    fn table_5_6_what_may_have_happened_is_repeated_unless_it_mints_a_secret() {
        let safe = [true, true, false, false, true];
        assert_eq!(repeats(Class::Lost), safe);
        for status in [429, 408, 425, 500, 502, 503, 504, 599] {
            assert_eq!(repeats(Class::Status(status)), safe, "{status}");
        }
    }

    #[test]
    fn table_5_6_a_refusal_a_redirect_or_a_useless_reply_is_never_repeated() {
        for status in [
            301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 409, 418, 422, 600,
        ] {
            assert_eq!(repeats(Class::Status(status)), [false; 5], "{status}");
        }
        assert_eq!(repeats(Class::Unusable), [false; 5]);
        assert_eq!(repeats(Class::Foreign), [false; 5]);
    }

    fn wait(attempts: u32, hint: Option<u64>, random: f64) -> Option<Duration> {
        RetryPolicy::default().max_attempts(40).next(
            Operation::Login,
            Class::Lost,
            attempts,
            hint.map(Duration::from_secs),
            random,
        )
    }

    #[test]
    fn the_waits_double_under_full_jitter_up_to_their_cap() {
        let bounds: Vec<_> = (1..8)
            .map(|attempts| wait(attempts, None, 1.0).unwrap())
            .collect();
        let millis: Vec<_> = bounds.iter().map(Duration::as_millis).collect();
        assert_eq!(millis, [200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert_eq!(wait(39, None, 1.0), Some(LONGEST_WAIT));
        assert_eq!(wait(3, None, 0.0), Some(Duration::ZERO));
        assert_eq!(wait(3, None, 0.5), Some(Duration::from_millis(400)));
    }

    #[test]
    fn row_24_a_hint_is_waited_for_and_shortens_nothing() {
        assert_eq!(wait(1, Some(5), 1.0), Some(Duration::from_secs(5)));
        assert_eq!(wait(1, Some(20), 0.0), Some(LONGEST_RETRY_AFTER));
        assert_eq!(wait(3, Some(0), 1.0), Some(Duration::from_millis(800)));
    }

    #[test]
    fn row_75_a_hint_beyond_its_cap_ends_the_call() {
        for hint in [21, 1_000_000_000, u64::MAX] {
            assert_eq!(wait(1, Some(hint), 0.0), None, "{hint}");
        }
    }

    #[test]
    fn every_setting_of_a_policy_holds() {
        let policy = RetryPolicy::default()
            .max_attempts(9)
            .first_wait(Duration::from_secs(1))
            .longest_wait(Duration::from_secs(3))
            .longest_retry_after(Duration::from_secs(7));
        let wait = |attempts, hint| {
            policy
                .next(Operation::Login, Class::Lost, attempts, hint, 1.0)
                .map(|wait| wait.as_secs())
        };
        assert_eq!(
            [1, 2, 3, 8, 9].map(|n| wait(n, None)),
            [Some(1), Some(2), Some(3), Some(3), None]
        );
        assert_eq!(wait(1, Some(Duration::from_secs(7))), Some(7));
        assert_eq!(wait(1, Some(Duration::from_secs(8))), None);
    }

    #[test]
    fn the_longest_settings_do_not_overflow() {
        let policy = RetryPolicy::default()
            .first_wait(Duration::MAX)
            .longest_wait(Duration::MAX)
            .longest_retry_after(Duration::MAX);
        let wait = |hint| policy.next(Operation::Login, Class::Lost, 1, hint, 1.0);
        assert_eq!(wait(Some(LONGEST_SETTING)), Some(LONGEST_SETTING));
        assert_eq!(wait(Some(Duration::MAX)), None);
    }

    #[test]
    fn attempts_end() {
        let policy = RetryPolicy::default();
        let next = |attempts| policy.next(Operation::Login, Class::Lost, attempts, None, 0.0);
        assert_eq!(
            [1, 2, 3, 4].map(|n| next(n).is_some()),
            [true, true, false, false]
        );
        let none = RetryPolicy::none();
        assert_eq!(
            none.next(Operation::Login, Class::NotSent, 1, None, 0.0),
            None
        );
    }

    #[test]
    fn the_budget_runs_out_and_successes_fill_it_again() {
        let budget = RetryBudget::new();
        let taken = (0..1_000).filter(|_| budget.take()).count();
        assert_eq!(taken, 100);
        for _ in 0..4 {
            budget.refund();
        }
        assert!(!budget.take());
        budget.refund();
        assert!(budget.take());
        for _ in 0..10_000 {
            budget.refund();
        }
        assert_eq!((0..1_000).filter(|_| budget.take()).count(), 100);
    }
}
