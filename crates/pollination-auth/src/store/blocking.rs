//! Work on a store from asynchronous code: on a thread that may block.

use tokio::runtime::Handle;

use super::error::StoreError;
use crate::error::failure::Reason;

/// Why work on a store has no result.
pub(crate) enum Unfinished<E = StoreError> {
    /// The work failed.
    Failed(E),
    /// Its task ended without a result.
    Stopped(Reason),
}

/// Runs work on a store on a thread that may block.
///
/// The work owns what it uses, a [`Writer`](super::writer::Writer) above all: if the caller's
/// future is dropped, the lock is held until the work is done.
pub(crate) async fn on_store<T: Send + 'static, E: Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Unfinished<E>> {
    let runtime = Handle::try_current().map_err(|_none| Unfinished::Stopped(Reason::NoRuntime))?;
    match runtime.spawn_blocking(work).await {
        Ok(result) => result.map_err(Unfinished::Failed),
        Err(error) => Err(Unfinished::Stopped(Reason::of_task(&error))),
    }
}
