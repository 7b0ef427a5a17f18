//! One login under way, and those who wait for it.
//!
//! The login holds the `Landing`, everybody else a `Flight`. However the task ends, its end is seen; while its
//! runtime drives it, it beats.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{CachedToken, Shared, internal};
use crate::clock::Moment;
use crate::error::Error;
use crate::failure::Reason;
use crate::runtime::guarded;
use crate::wire::Grant;

/// How often a login that is driven says so: every 250 ms, several times within [`STALL`](super::wait::STALL).
const BEAT: Duration = Duration::from_millis(250);

type Landed = Result<Arc<CachedToken>, Error>;

/// How a login ended, for those who wait for it.
#[derive(Clone)]
enum End {
    Landed(Landed),
    /// The runtime that it was started on can't make one.
    Unfit(Reason),
}
type Fetch = Pin<Box<dyn Future<Output = Result<Grant, Error>> + Send>>;

/// A login under way, as those see it who wait for it.
#[derive(Clone)]
pub(super) struct Flight {
    id: u64,
    runtime: runtime::Id,
    beats: Arc<AtomicU32>,
    landed: watch::Receiver<Option<End>>,
}

/// How waiting for a login ended.
pub(super) enum Waited {
    Landed(Landed),
    /// The task is gone, and its result with it.
    Lost,
    /// The runtime that it was started on can't make one; another one may.
    Unfit(Reason),
    TooLong,
}

/// The end of a login, held by its task.
pub(super) struct Landing {
    shared: Arc<Shared>,
    flight: u64,
    started_at: Moment,
    beats: Arc<AtomicU32>,
    /// Taken when the end is told; still there on drop when the task ended early.
    waiting: Option<watch::Sender<Option<End>>>,
}

impl Flight {
    pub(super) fn prepare(
        id: u64,
        now: Moment,
        runtime: runtime::Id,
        shared: Arc<Shared>,
    ) -> (Self, Landing) {
        let (waiting, landed) = watch::channel(None);
        let beats = Arc::<AtomicU32>::default();
        let flight = Self {
            id,
            runtime,
            beats: beats.clone(),
            landed,
        };
        let landing = Landing {
            shared,
            flight: id,
            started_at: now,
            beats,
            waiting: Some(waiting),
        };
        (flight, landing)
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Returns the runtime that drives it, or should.
    pub(super) fn runtime(&self) -> runtime::Id {
        self.runtime
    }

    /// Returns the beats so far; a login whose beats stand still is not driven.
    pub(super) fn beats(&self) -> u32 {
        self.beats.load(Ordering::Relaxed)
    }

    /// Returns `true` if its task is gone without a result.
    pub(super) fn is_lost(&self) -> bool {
        self.landed.has_changed().is_err() && self.landed.borrow().is_none()
    }

    /// Waits for the end until a time.
    pub(super) async fn landed(&mut self, until: Instant) -> Result<Waited, Reason> {
        // Without timers it is the making of one that panics.
        let waiting = async {
            let landed = self.landed.wait_for(Option::is_some);
            tokio::time::timeout_at(until, landed).await
        };
        Ok(match guarded(pin!(waiting)).await? {
            Ok(Ok(end)) => match end.clone() {
                Some(End::Landed(landed)) => Waited::Landed(landed),
                Some(End::Unfit(reason)) => Waited::Unfit(reason),
                None => Waited::Lost,
            },
            Ok(Err(_sender_gone)) => Waited::Lost,
            Err(_late) => Waited::TooLong,
        })
    }
}

impl Landing {
    /// Runs the login to its end and tells it, to those who wait first.
    pub(super) async fn land(mut self, fetch: impl FnOnce() -> Fetch) {
        let beats = self.beats.clone();
        let driven = async {
            let mut fetched = fetch();
            let mut beat = tokio::time::interval(BEAT);
            poll_fn(|context| {
                if let Poll::Ready(result) = fetched.as_mut().poll(context) {
                    return Poll::Ready(result);
                }
                while beat.poll_tick(context).is_ready() {
                    beats.fetch_add(1, Ordering::Relaxed);
                }
                Poll::Pending
            })
            .await
        };
        let (end, changed) = match guarded(pin!(driven)).await {
            Ok(result) => {
                let (landed, changed) = self.shared.land(self.flight, result);
                (End::Landed(landed), changed)
            }
            Err(reason) => {
                self.shared.lose(self.flight);
                (End::Unfit(reason), None)
            }
        };
        if let Some(waiting) = self.waiting.take() {
            waiting.send_replace(Some(end));
        }
        self.shared.tell(changed);
    }
}

impl Drop for Landing {
    /// The login panicked, or its runtime was shut down: those who wait must not wait for ever.
    fn drop(&mut self) {
        let Some(waiting) = self.waiting.take() else {
            return;
        };
        if std::thread::panicking() {
            // It may be the clock that panicked: to read it again would end the process.
            let error = internal(Reason::Panicked);
            self.shared.fail(self.flight, &self.started_at, &error);
            waiting.send_replace(Some(End::Landed(Err(error))));
        } else {
            self.shared.lose(self.flight);
        }
    }
}
