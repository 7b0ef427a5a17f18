//! The cause of a failed rotation.

use std::fmt;
use std::time::Duration;

use crate::error::Error;
use crate::store::StoreError;

/// The cause of a failed rotation.
///
/// ```
/// use pollination_auth::{RotateCause, RotateError, StoreError};
///
/// /// Returns `true` if another process is rotating.
/// fn is_rotated_elsewhere(error: &RotateError) -> bool {
///     matches!(error.failure().cause(), Some(RotateCause::Store(StoreError::Locked)))
/// }
/// # let _ = is_rotated_elsewhere;
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum RotateCause {
    /// A call of the service failed.
    Service(Error),
    /// The store failed, is locked, or can't be trusted.
    Store(StoreError),
    /// The client was built without a store.
    NoStore,
    /// The store does not outlive the process, and the options do not accept that.
    Volatile,
    /// The access token expires too soon for a recovery.
    AccessTokenTooShort {
        /// The time that it has left.
        left: Duration,
        /// The time that it needs.
        needed: Duration,
    },
    /// There is no running Tokio runtime, or it was shut down.
    NoRuntime,
    /// A bug: a task of the client panicked.
    Panicked,
}

impl From<StoreError> for RotateCause {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoRuntime => Self::NoRuntime,
            error => Self::Store(error),
        }
    }
}

impl fmt::Display for RotateCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::NoStore => f.write_str("the client has no credential store; build it with one"),
            Self::Volatile => f.write_str("the store does not outlive the process"),
            Self::AccessTokenTooShort { left, needed } => write!(
                f,
                "the access token has {} s left, and a recovery may need {} s",
                left.as_secs(),
                needed.as_secs()
            ),
            Self::NoRuntime => f.write_str("there is no running Tokio runtime"),
            Self::Panicked => f.write_str("a task of the client panicked; please report this bug"),
        }
    }
}
