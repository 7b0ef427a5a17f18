//! A rotation on a task of its own, which no caller's end can end; and the wait for it.

use std::fmt;

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::outcome::{RotateCause, RotateError, Rotated};

/// Waits for a rotation that runs by itself; dropping it stops nothing.
///
/// Clones wait for the same rotation, and it can be waited for more than once.
#[must_use = "wait for it: the outcome may need something to be done"]
#[derive(Clone)]
pub struct RotationHandle(watch::Receiver<Option<Result<Rotated, RotateError>>>);

impl RotationHandle {
    pub(super) fn spawn(
        rotation: impl Future<Output = Result<Rotated, RotateError>> + Send + 'static,
    ) -> Self {
        let (outcome, waiting) = watch::channel(None);
        match runtime() {
            Ok(runtime) => {
                runtime.spawn(async move {
                    let inner = detached(rotation).await;
                    outcome.send_replace(Some(inner));
                });
            }
            Err(error) => {
                outcome.send_replace(Some(Err(error)));
            }
        }
        Self(waiting)
    }

    /// Waits for the end of the rotation.
    ///
    /// # Errors
    ///
    /// [`RotateError`]; it is [`Ambiguous`](RotateError::Ambiguous) when the runtime of the
    /// rotation was shut down: then [`recover`](super::Rotation::recover) it.
    pub async fn wait(&self) -> Result<Rotated, RotateError> {
        let mut waiting = self.0.clone();
        match waiting.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            _ => Err(RotateError::interrupted(RotateCause::NoRuntime)),
        }
    }
}

impl fmt::Debug for RotationHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotationHandle")
            .field("has_ended", &self.0.borrow().is_some())
            .finish()
    }
}

/// Runs something on a task of its own and waits for it.
pub(super) async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, RotateError>> + Send + 'static,
) -> Result<T, RotateError> {
    runtime()?.spawn(work).await.unwrap_or_else(|error| {
        Err(RotateError::interrupted(if error.is_panic() {
            RotateCause::Panicked
        } else {
            RotateCause::NoRuntime
        }))
    })
}

pub(super) fn runtime() -> Result<Handle, RotateError> {
    Handle::try_current().map_err(|_none| RotateError::not_started(RotateCause::NoRuntime))
}
