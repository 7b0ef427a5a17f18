//! How work on a store runs: on a thread that may block, to its end, and past its panics.

use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::credential_store::StoreFuture;
use super::error::StoreError;
use crate::error::failure::Reason;

/// Why work has no result.
pub(crate) enum Unfinished<E> {
    /// The work failed.
    Failed(E),
    /// Its task ended without a result.
    Stopped(Reason),
}

impl From<Unfinished<Self>> for StoreError {
    fn from(unfinished: Unfinished<Self>) -> Self {
        match unfinished {
            Unfinished::Failed(error) => error,
            Unfinished::Stopped(Reason::Panicked) => panicked(),
            Unfinished::Stopped(_) => Self::NoRuntime,
        }
    }
}

/// Runs work on a thread that may block.
///
/// The work owns what it uses: if the caller's future is dropped, it goes on to its end.
pub(crate) async fn on_blocking_thread<T: Send + 'static, E: Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Unfinished<E>> {
    let runtime = Handle::try_current().map_err(|_none| Unfinished::Stopped(Reason::NoRuntime))?;
    joined(runtime.spawn_blocking(work)).await
}

/// Runs work on a task of its own, so that it goes on to its end if the caller's future is dropped.
pub(crate) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    let runtime = Handle::try_current().map_err(|_none| StoreError::NoRuntime)?;
    Ok(joined(runtime.spawn(work)).await?)
}

async fn joined<T, E>(task: JoinHandle<Result<T, E>>) -> Result<T, Unfinished<E>> {
    match task.await {
        Ok(result) => result.map_err(Unfinished::Failed),
        Err(error) => Err(Unfinished::Stopped(Reason::of_task(&error))),
    }
}

/// Waits for a store; its panic counts as its failure, and ends nothing else.
pub(super) async fn caught<T>(mut future: StoreFuture<'_, T>) -> Result<T, StoreError> {
    poll_fn(move |context| {
        // The future is not polled again after it has panicked.
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        polled.unwrap_or_else(|_panic| Poll::Ready(Err(panicked())))
    })
    .await
}

fn panicked() -> StoreError {
    StoreError::failed("finish", io::Error::other("it panicked"))
}
