//! One login in progress, as its waiting callers see it.
//!
//! However the login's task ends, callers see its end; while its runtime drives it, it beats.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::runtime;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::credential::access_token::CachedToken;
use crate::error::Error;
use crate::foundation::runtime::{Missing, guarded};

pub(super) type Landed = Result<Arc<CachedToken>, Error>;

/// How a login ended, for its waiting callers.
#[derive(Clone)]
pub(super) enum End {
    Landed(Landed),
    /// The runtime that it was started on can't make one.
    Unfit(Missing),
}

/// A login in progress, as its waiting callers see it.
#[derive(Clone)]
pub(super) struct Flight {
    id: u64,
    runtime: runtime::Id,
    beats: Arc<AtomicU32>,
    landed: watch::Receiver<Option<End>>,
}

/// How waiting for a login ended.
pub(super) enum Waited {
    Ended(End),
    /// The task is gone, and its result with it.
    Lost,
    TooLong,
}

/// The task's half of a login: it beats while it is driven, and sends how it ended.
pub(super) struct Pulse {
    beats: Arc<AtomicU32>,
    waiting: watch::Sender<Option<End>>,
}

impl Pulse {
    pub(super) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn tell(&self, end: End) {
        self.waiting.send_replace(Some(end));
    }
}

impl Flight {
    /// Creates the two halves of a login: for its waiting callers, and for its task.
    pub(super) fn prepare(id: u64, runtime: runtime::Id) -> (Self, Pulse) {
        let (waiting, landed) = watch::channel(None);
        let beats = Arc::<AtomicU32>::default();
        let flight = Self {
            id,
            runtime,
            beats: beats.clone(),
            landed,
        };
        (flight, Pulse { beats, waiting })
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
    pub(super) async fn landed(&mut self, until: Instant) -> Result<Waited, Missing> {
        // Without timers, creating one panics.
        let waiting = async {
            let landed = self.landed.wait_for(Option::is_some);
            tokio::time::timeout_at(until, landed).await
        };
        Ok(match guarded(pin!(waiting)).await? {
            Ok(Ok(end)) => end.clone().map_or(Waited::Lost, Waited::Ended),
            Ok(Err(_sender_gone)) => Waited::Lost,
            Err(_late) => Waited::TooLong,
        })
    }
}
