//! What one exchange comes to: a value with its status, or a failed attempt.

use crate::error::classify::Attempt;

/// What a call gives: a value, or an attempt that gave none.
pub(crate) type Attempted<T> = Result<T, Attempt>;

/// A value with the status of the reply that it was in.
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) status: u16,
}
