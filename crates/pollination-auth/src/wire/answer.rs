//! The result of one exchange: a value with its status, or a failed attempt.

use crate::error::classify::FailedAttempt;

/// The result of an attempt or a call: a value, or the failed attempt.
pub(crate) type Attempted<T> = Result<T, FailedAttempt>;

/// A value with the status of its reply.
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) status: u16,
}
