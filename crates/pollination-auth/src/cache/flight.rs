//! One login under way, and those who wait for it.
//!
//! The login holds the `Landing`, everybody else a `Flight`. However the task ends, its end is seen.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::{CachedToken, Shared, internal};
use crate::clock::Moment;
use crate::error::Error;
use crate::failure::Reason;
use crate::wire::Grant;

type Landed = Result<Arc<CachedToken>, Error>;

/// A login under way, as those see it who wait for it.
#[derive(Clone)]
pub(super) struct Flight {
    id: u64,
    took_off: Instant,
    landed: watch::Receiver<Option<Landed>>,
}

/// How waiting for a login ended.
pub(super) enum Waited {
    Landed(Landed),
    /// The task is gone, and its result with it.
    Lost,
    TooLong,
}

/// The end of a login, held by its task.
pub(super) struct Landing {
    shared: Arc<Shared>,
    flight: u64,
    took_off: Moment,
    /// Taken when the end is told; still there on drop when the task ended early.
    waiting: Option<watch::Sender<Option<Landed>>>,
}

impl Flight {
    pub(super) fn take_off(id: u64, now: Moment, shared: Arc<Shared>) -> (Self, Landing) {
        let (waiting, landed) = watch::channel(None);
        let flight = Self {
            id,
            took_off: Instant::now(),
            landed,
        };
        (
            flight,
            Landing {
                shared,
                flight: id,
                took_off: now,
                waiting: Some(waiting),
            },
        )
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Tells whether it is still worth waiting for.
    pub(super) fn may_land(&self, now: Instant, limit: Duration) -> bool {
        let overdue = self.overdue(limit).is_some_and(|overdue| now >= overdue);
        self.landed.has_changed().is_ok() && !overdue
    }

    /// Gives the time from which on it has taken longer than a login can, as when nobody drives its
    /// runtime; none when no clock reaches it.
    pub(super) fn overdue(&self, limit: Duration) -> Option<Instant> {
        self.took_off.checked_add(limit)
    }

    /// Waits for the end until a time.
    pub(super) async fn landed(&mut self, until: Instant) -> Waited {
        match tokio::time::timeout_at(until, self.landed.wait_for(Option::is_some)).await {
            Ok(Ok(landed)) => landed.clone().map_or(Waited::Lost, Waited::Landed),
            Ok(Err(_sender_gone)) => Waited::Lost,
            Err(_late) => Waited::TooLong,
        }
    }
}

impl Landing {
    pub(super) fn land(mut self, result: Result<Grant, Error>) {
        let landed = self.shared.land(self.flight, result);
        if let Some(waiting) = self.waiting.take() {
            waiting.send_replace(Some(landed));
        }
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
            self.shared.fail(self.flight, self.took_off, &error);
            waiting.send_replace(Some(Err(error)));
        } else {
            self.shared.lose(self.flight);
        }
    }
}
