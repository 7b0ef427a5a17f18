//! What a future needs from its Tokio runtime, and the reason if that is missing.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;

use tokio::runtime::Handle;

/// How tokio's message begins when a runtime lacks a driver or has been shut down.
const MISSING_DRIVER: &str = "A Tokio 1.x context was found, but";

/// Part of such a panic's message after the runtime was shut down.
const SHUT_DOWN: &str = "being shutdown";

/// What is missing for a future to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// There is no running Tokio runtime, or it was shut down.
    Runtime,
    /// The runtime has no timers or no IO.
    Drivers,
}

/// Returns the runtime that the caller is on.
pub(crate) fn current() -> Result<Handle, Missing> {
    Handle::try_current().map_err(|_none| Missing::Runtime)
}

/// Runs a future, and returns an error instead of a panic if the runtime lacks what it needs.
///
/// There is no way to ask Tokio whether a runtime has timers and IO: the first use panics. Any other
/// panic is resumed.
pub(crate) async fn guarded<F: Future>(mut future: Pin<&mut F>) -> Result<F::Output, Missing> {
    poll_fn(move |context| {
        // The future is not polled again after it has panicked.
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(poll) => poll.map(Ok),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().copied();
                let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
                match text.and_then(missing) {
                    Some(missing) => std::task::Poll::Ready(Err(missing)),
                    None => resume_unwind(panic),
                }
            }
        }
    })
    .await
}

fn missing(panic: &str) -> Option<Missing> {
    let problem = panic.strip_prefix(MISSING_DRIVER)?;
    Some(if problem.contains(SHUT_DOWN) {
        Missing::Runtime
    } else {
        Missing::Drivers
    })
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::time::Duration;

    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn row_60_a_runtime_without_timers_is_a_reason() {
        let runtime = Builder::new_current_thread().enable_io().build().unwrap();
        let slept = runtime.block_on(async {
            let sleep = async { tokio::time::sleep(Duration::from_secs(1)).await };
            guarded(pin!(sleep)).await
        });
        assert_eq!(slept, Err(Missing::Drivers));
    }

    #[test]
    fn row_60_a_runtime_without_io_is_a_reason() {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let connected = runtime.block_on(async {
            let connect = async { tokio::net::TcpStream::connect("127.0.0.1:9").await.is_ok() };
            guarded(pin!(connect)).await
        });
        assert_eq!(connected, Err(Missing::Drivers));
    }

    #[test]
    fn row_56_a_runtime_that_was_shut_down_is_a_reason() {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let handle = runtime.handle().clone();
        runtime.shutdown_background();
        let slept = handle.block_on(async {
            let sleep = async { tokio::time::sleep(Duration::from_secs(1)).await };
            guarded(pin!(sleep)).await
        });
        assert_eq!(slept, Err(Missing::Runtime));
    }

    #[test]
    #[should_panic(expected = "planned")]
    fn another_panic_goes_on() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let _never = runtime.block_on(async { guarded(pin!(async { panic!("planned") })).await });
    }
}
