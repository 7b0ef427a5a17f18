//! A rotation on a task of its own, which no caller can cancel, and the handle to wait for it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::cause::RotateCause;
use super::outcome::{RotateError, Rotated};

/// A handle to a rotation that runs on its own task; dropping it stops nothing.
///
/// Clones wait for the same rotation, as often as you like.
///
/// ```
/// use pollination_auth::{Client, RotateError, RotateOptions, RotationHandle};
///
/// async fn rotate(client: &Client) -> Result<u64, RotateError> {
///     let handle: RotationHandle = client.rotation(RotateOptions::default()).start();
///     Ok(handle.wait().await?.generation())
/// }
/// # let _ = rotate;
/// ```
#[must_use = "wait for it: the outcome may need an action"]
#[derive(Clone)]
pub struct RotationHandle {
    outcome: watch::Receiver<Option<Result<Rotated, RotateError>>>,
    begun: Begun,
}

/// Whether a task has run at all; on a runtime that was shut down it never does.
#[derive(Clone, Default)]
pub(super) struct Begun(Arc<AtomicBool>);

impl Begun {
    /// Returns the error of a task whose runtime was shut down.
    fn no_runtime(&self) -> RotateError {
        if self.0.load(Ordering::SeqCst) {
            RotateError::interrupted(RotateCause::NoRuntime)
        } else {
            RotateError::not_started(RotateCause::NoRuntime)
        }
    }
}

impl RotationHandle {
    pub(super) fn spawn(
        rotation: impl Future<Output = Result<Rotated, RotateError>> + Send + 'static,
    ) -> Self {
        let (outcome, waiting) = watch::channel(None);
        let begun = Begun::default();
        match runtime() {
            Ok(runtime) => {
                let begun = begun.clone();
                runtime.spawn(async move {
                    let inner = detached(begun, rotation).await;
                    outcome.send_replace(Some(inner));
                });
            }
            Err(error) => {
                outcome.send_replace(Some(Err(error)));
            }
        }
        Self {
            outcome: waiting,
            begun,
        }
    }

    /// Waits for the result of the rotation.
    ///
    /// # Errors
    ///
    /// [`RotateError`]; it is [`Ambiguous`](RotateError::Ambiguous) when the runtime of the
    /// rotation was shut down after it had begun: then [`recover`](super::Rotation::recover) it.
    pub async fn wait(&self) -> Result<Rotated, RotateError> {
        let mut waiting = self.outcome.clone();
        match waiting.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            _ => Err(self.begun.no_runtime()),
        }
    }
}

impl fmt::Debug for RotationHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotationHandle")
            .field("has_ended", &self.outcome.borrow().is_some())
            .finish()
    }
}

/// Runs something on a task of its own and waits for it.
pub(super) async fn detached<T: Send + 'static>(
    begun: Begun,
    work: impl Future<Output = Result<T, RotateError>> + Send + 'static,
) -> Result<T, RotateError> {
    let flag = begun.0.clone();
    let work = async move {
        flag.store(true, Ordering::SeqCst);
        work.await
    };
    runtime()?.spawn(work).await.unwrap_or_else(|error| {
        Err(if error.is_panic() {
            RotateError::interrupted(RotateCause::Panicked)
        } else {
            begun.no_runtime()
        })
    })
}

pub(super) fn runtime() -> Result<Handle, RotateError> {
    Handle::try_current().map_err(|_none| RotateError::not_started(RotateCause::NoRuntime))
}
