//! The thread that drives the blocking client's calls: a runtime of its own, started and ended.
//!
//! What a call does is not known here. Nobody else's runtime is ever used, nor waited in.

use std::io;
use std::sync::mpsc;
use std::thread::{self, ThreadId};

use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;
use tracing::instrument::{Instrument as _, WithSubscriber as _};

use crate::error::Error;
use crate::failure::{Facts, Reason};
use crate::operation::Operation;

/// The thread's name, as debuggers and panics show it.
const NAME: &str = env!("CARGO_PKG_NAME");

/// A thread with a runtime, which ends when this is dropped.
pub(super) struct Worker {
    runtime: Handle,
    thread: ThreadId,
    /// Dropped with the worker, which wakes the thread up to its end. Nobody waits for that: a drop
    /// must not block, least of all in async code.
    _running: oneshot::Sender<()>,
}

impl Worker {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let (running, ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(move || {
                // It ends with an error always: nothing is ever sent.
                let _dropped = runtime.block_on(ended);
                // A look-up of a name may be stuck in the system; the others need not wait for it.
                runtime.shutdown_background();
            })?;
        Ok(Self {
            runtime: handle,
            thread: thread.thread().id(),
            _running: running,
        })
    }

    /// Runs a call on the thread, beside all others, and blocks until it has ended.
    ///
    /// The channel is one of the standard library, so that waiting is allowed in any runtime.
    pub(super) fn run<T: Send + 'static>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        if thread::current().id() == self.thread {
            return Err(internal(operation, Reason::OwnThread));
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        // Spans and subscribers belong to a thread; the caller's hold for its call.
        let call = call.in_current_span().with_current_subscriber();
        self.runtime.spawn(async move {
            let result = call.await;
            // The caller waits for it until it comes.
            let _received = sender.send(result);
        });
        // However the task ends, its sender is dropped, and the wait is over.
        receiver
            .recv()
            .unwrap_or_else(|_dropped| Err(internal(operation, Reason::Panicked)))
    }
}

fn internal(operation: Operation, reason: Reason) -> Error {
    Error::Internal(Facts::new(operation, reason).into())
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::RecvError;

    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber, dispatcher};

    use super::*;

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

    /// A subscriber that wants nothing, and is known by its type.
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
