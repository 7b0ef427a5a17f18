//! The task of a login: it starts, beats while its runtime drives it, and lands.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;

use super::flight::{End, Flight, Pulse};
use super::shared::{Shared, State};
use crate::error::Error;
use crate::error::failure::Reason;
use crate::foundation::clock::Moment;
use crate::foundation::operation::Operation;
use crate::foundation::runtime::guarded;

/// How often a login that is driven beats: every 250 ms, several times within the time after which
/// callers elsewhere consider it stalled.
const BEAT: Duration = Duration::from_millis(250);

/// The end of a login, held by its task.
pub(super) struct Landing {
    shared: Arc<Shared>,
    login: u64,
    started_at: Moment,
    /// Taken when the end is sent; still there on drop if the task ended early.
    pulse: Option<Pulse>,
}

impl Landing {
    /// Prepares a login that the machine has decided on, for its waiting callers.
    pub(super) fn prepare(
        shared: &Arc<Shared>,
        state: &mut State,
        login: u64,
        now: Moment,
        runtime: &Handle,
    ) -> Self {
        let (flight, pulse) = Flight::prepare(login, runtime.id());
        state.flight = Some(flight);
        Self {
            shared: shared.clone(),
            login,
            started_at: now,
            pulse: Some(pulse),
        }
    }

    /// Starts the login on a task of its own, which outlives every caller. Called without the lock: a
    /// runtime that was shut down drops the task here and now.
    pub(super) fn take_off(self, runtime: &Handle) {
        runtime.spawn(self.land());
    }

    /// Runs the login to its end and sends it, to the waiting callers first.
    async fn land(mut self) {
        let driven = async {
            let mut fetched = self.shared.source.fetch();
            let mut beat = tokio::time::interval(BEAT);
            poll_fn(|context| {
                if let Poll::Ready(result) = fetched.as_mut().poll(context) {
                    return Poll::Ready(result);
                }
                while beat.poll_tick(context).is_ready() {
                    if let Some(pulse) = &self.pulse {
                        pulse.beat();
                    }
                }
                Poll::Pending
            })
            .await
        };
        let (end, changed) = match guarded(pin!(driven)).await {
            Ok(result) => {
                let (landed, changed) = self.shared.land(self.login, result);
                (End::Landed(landed), changed)
            }
            Err(missing) => {
                self.shared.lose(self.login);
                (End::Unfit(missing), None)
            }
        };
        if let Some(pulse) = self.pulse.take() {
            pulse.tell(end);
        }
        self.shared.tell(changed);
    }
}

impl Drop for Landing {
    /// The login panicked, or its runtime was shut down: nobody must wait for it forever.
    fn drop(&mut self) {
        let Some(pulse) = self.pulse.take() else {
            return;
        };
        if std::thread::panicking() {
            // The clock may have panicked: reading it again would abort the process.
            let error = Error::internal(Operation::Login, Reason::Panicked);
            self.shared.fail(self.login, &self.started_at, &error);
            pulse.tell(End::Landed(Err(error)));
        } else {
            self.shared.lose(self.login);
        }
    }
}
