//! Work on a store from asynchronous code: on a thread that may block.

use tokio::runtime::Handle;

use super::error::StoreError;

/// Why work on a store has no result.
pub(crate) enum Unfinished<E = StoreError> {
    /// The work failed.
    Failed(E),
    /// The work panicked.
    Panicked,
    /// There is no running Tokio runtime, or it was shut down.
    NoRuntime,
}

/// Runs work on a store on a thread that may block.
///
/// The work owns what it uses, a [`Writer`](super::writer::Writer) above all: if the caller's future is
/// dropped, the lock is held until the work has ended.
pub(crate) async fn on_store<T: Send + 'static, E: Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Unfinished<E>> {
    let runtime = Handle::try_current().map_err(|_none| Unfinished::NoRuntime)?;
    match runtime.spawn_blocking(work).await {
        Ok(result) => result.map_err(Unfinished::Failed),
        Err(error) if error.is_panic() => Err(Unfinished::Panicked),
        Err(_shut_down) => Err(Unfinished::NoRuntime),
    }
}
