//! The thread that drives the blocking client's calls: a runtime of its own, started and ended.
//!
//! It does not know what a call does, and never uses another runtime or waits in one.

use std::io;
use std::process;
use std::sync::mpsc;
use std::thread::{self, ThreadId};

use tokio::runtime::{self, Handle, Runtime};
use tokio::sync::oneshot;
use tracing::instrument::{Instrument as _, WithSubscriber as _};

use crate::error::Error;
use crate::error::failure::Reason;
use crate::foundation::operation::Operation;

/// The thread's name, as debuggers and panics show it.
const NAME: &str = env!("CARGO_PKG_NAME");

/// A thread with a runtime, which ends when this is dropped.
pub(super) struct Worker {
    runtime: Handle,
    thread: ThreadId,
    /// The process that has the thread; a fork of it does not.
    process: u32,
    /// Dropped with the worker, which ends the thread. Nobody waits for that: a drop must not block,
    /// above all in async code.
    _running: oneshot::Sender<()>,
}

/// A runtime that may be dropped anywhere, for example if its thread can't be started.
///
/// Its drop does not wait for a name look-up that is stuck in the system.
struct Background(Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Worker {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let background = Background(Some(runtime));
        let (running, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(move || {
                if let Some(runtime) = &background.0 {
                    // Always an error: nothing is ever sent.
                    let _dropped = runtime.block_on(ended);
                }
            })?;
        Ok(Self {
            runtime: handle,
            thread: thread.thread().id(),
            process: process::id(),
            _running: running,
        })
    }

    /// Runs a call on the thread, concurrently with others, and blocks until it has ended.
    ///
    /// The channel is one of the standard library, so that waiting is allowed in any runtime.
    pub(super) fn run<T: Send + 'static>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        if thread::current().id() == self.thread {
            return Err(Error::internal(operation, Reason::OwnThread));
        }
        if process::id() != self.process {
            // Nobody would ever answer.
            return Err(Error::internal(operation, Reason::NoRuntime));
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        // Spans and subscribers belong to a thread; a call uses those of its caller.
        let call = call.in_current_span().with_current_subscriber();
        self.runtime.spawn(async move {
            let result = call.await;
            // The caller is still waiting.
            let _received = sender.send(result);
        });
        // However the task ends, its sender is dropped, and the wait is over.
        receiver
            .recv()
            .unwrap_or_else(|_dropped| Err(Error::internal(operation, Reason::Panicked)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::RecvError;

    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber, dispatcher};

    use super::*;

    #[tokio::test]
    async fn row_49_a_runtime_without_a_thread_is_dropped_where_others_must_not_be() {
        let runtime = runtime::Builder::new_current_thread().build().unwrap();
        drop(Background(Some(runtime)));
    }

    /// A fork has the memory, and only the thread that forked.
    #[test]
    fn row_49_a_call_in_a_fork_is_a_typed_error_and_no_wait_for_ever() {
        let mut worker = Worker::start().unwrap();
        worker.process = worker.process.wrapping_add(1);
        let failed = worker.run(Operation::Login, async { Ok(()) });
        let Err(Error::Internal(failure)) = failed else {
            panic!("{failed:?}")
        };
        assert_eq!(failure.reason(), &Reason::NoRuntime);
    }

    #[test]
    fn the_runtime_ends_with_the_worker() {
        let worker = Worker::start().unwrap();
        let (held_by_a_task, gone) = mpsc::channel::<()>();
        worker.runtime.spawn(async move {
            let _held = held_by_a_task;
            std::future::pending::<()>().await;
        });
        drop(worker);
        assert_eq!(gone.recv(), Err(RecvError));
    }

    /// A subscriber that is interested in nothing, and found by its type.
    struct Marker;

    impl Subscriber for Marker {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            false
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn a_call_is_seen_by_the_subscriber_of_its_caller() {
        let worker = Worker::start().unwrap();
        let here = async || Ok(dispatcher::get_default(|current| current.is::<Marker>()));
        let seen = tracing::subscriber::with_default(Marker, || {
            worker.run(Operation::Login, async move { here().await })
        });
        assert!(seen.unwrap());
        assert!(
            !worker
                .run(Operation::Login, async move { here().await })
                .unwrap()
        );
    }

    #[test]
    fn row_48_a_panic_is_the_failure_of_one_call() {
        let worker = Worker::start().unwrap();
        let failed = worker.run(Operation::GetApiToken, async {
            if thread::current().name() == Some(NAME) {
                panic!("planted");
            }
            Ok(())
        });
        let Err(Error::Internal(failure)) = failed else {
            panic!("{failed:?}")
        };
        assert_eq!(failure.reason(), &Reason::Panicked);
        assert_eq!(failure.operation(), Operation::GetApiToken);
        assert_eq!(worker.run(Operation::Login, async { Ok(1) }).unwrap(), 1);
    }
}
