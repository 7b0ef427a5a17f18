//! What the clones of a cache and its logins share, and the lock around it.
//!
//! Nothing foreign runs under the lock: no spawn, no drop of a task, no clock of the user's, no
//! notification.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::changes::Changes;
use super::flight::Flight;
use super::machine::{Failure, Machine};
use crate::credential::access_token::{AccessToken, CachedToken, Current};
use crate::credential::cached_token::NO_GENERATION;
use crate::credential::grant::Grant;
use crate::credential::validity::Phase;
use crate::error::Error;
use crate::error::failure::{Facts, Reason};
use crate::foundation::chance;
use crate::foundation::clock::{Clock, Moment};
use crate::foundation::operation::Operation;

/// A source of access tokens: logins, or an error if there is nothing to log in with.
pub(crate) trait TokenSource: Send + Sync + 'static {
    /// Starts one login; it runs on a task of its own and is never cancelled by a caller.
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<Grant, Error>> + Send>>;
}

impl Failure for Error {
    fn is_retryable(&self) -> bool {
        Error::is_retryable(self)
    }

    fn asked_wait(&self, now: &Moment) -> Option<Duration> {
        self.retry_at()?.duration_since(now.wall).ok()
    }
}

pub(super) struct Shared {
    /// What readers see without the lock.
    pub(super) current: Current,
    pub(super) state: Mutex<State>,
    pub(super) source: Box<dyn TokenSource>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) changes: Changes,
    /// A login that takes longer than this is not waited for.
    pub(super) flight_limit: Duration,
}

/// What the lock guards.
pub(super) struct State {
    pub(super) machine: Machine<AccessToken, Error>,
    /// The machine's login, for its waiting callers.
    pub(super) flight: Option<Flight>,
    /// The generation of the token that readers see.
    visible: u64,
    /// Counts the changes of the current token, so that they are sent in their order.
    changes: u64,
}

impl State {
    /// Drops a login that nobody may join any longer.
    fn forget_flight(&mut self, id: u64) {
        self.flight.take_if(|flight| flight.id() == id);
    }
}

/// The token that is current after a change, with the number of the change.
pub(super) struct Change(u64, Option<AccessToken>);

impl Shared {
    pub(super) fn new(
        source: Box<dyn TokenSource>,
        clock: Arc<dyn Clock>,
        flight_limit: Duration,
    ) -> Self {
        Self {
            current: Current::default(),
            state: Mutex::new(State {
                machine: Machine::new(),
                flight: None,
                visible: NO_GENERATION,
                changes: 0,
            }),
            source,
            clock,
            changes: Changes::new(),
            flight_limit,
        }
    }

    /// A panic elsewhere leaves the state whole, so a poisoned lock is still usable.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the current token if it has not expired, to use if there is no better one.
    pub(super) fn unexpired(&self, least: Duration) -> Option<Arc<CachedToken>> {
        let now = self.clock.now();
        let state = self.lock();
        let current = state.machine.current()?;
        current.is_last_resort(&now, least).then(|| current.clone())
    }

    /// Changes the machine, and then notifies the watchers.
    pub(super) fn change<R>(
        &self,
        change: impl FnOnce(&mut Machine<AccessToken, Error>) -> R,
    ) -> R {
        let (result, changed) = {
            let mut state = self.lock();
            let result = change(&mut state.machine);
            (result, self.publish(&mut state))
        };
        self.tell(changed);
        result
    }

    /// Shows the machine's token to readers, unless they see it already.
    fn publish(&self, state: &mut State) -> Option<Change> {
        let current = state.machine.current();
        let generation = current.map_or(NO_GENERATION, |current| current.generation);
        if state.visible == generation {
            return None;
        }
        let token = current.map(|current| current.token.clone());
        self.current.store(token.as_ref());
        state.visible = generation;
        state.changes = state.changes.saturating_add(1);
        Some(Change(state.changes, token))
    }

    pub(super) fn tell(&self, changed: Option<Change>) {
        if let Some(Change(number, token)) = changed {
            self.changes.tell(number, token);
        }
    }

    /// Records the end of a login, and returns the result for its waiting callers and the change to
    /// send after them.
    pub(super) fn land(
        &self,
        id: u64,
        result: Result<Grant, Error>,
    ) -> (Result<Arc<CachedToken>, Error>, Option<Change>) {
        let now = self.clock.now();
        let is_shared = result.as_ref().is_ok_and(|grant| grant.is_shared);
        let result = result.and_then(|grant| match grant.validity.phase(&now) {
            Phase::Fresh | Phase::Advisory => Ok((grant.access_token, grant.validity)),
            Phase::Mandatory | Phase::Expired => Err(stale()),
        });
        let mut state = self.lock();
        let landed = state.machine.land(id, result, &now, chance::fraction());
        if is_shared {
            // Only a 401 for the token of a new login shows that tokens are not the cause.
            state.machine.forget_refusal();
        }
        state.forget_flight(id);
        let changed = self.publish(&mut state);
        (landed, changed)
    }

    /// Records the end of a login that panicked. It reads no clock, because the clock may have
    /// panicked.
    pub(super) fn fail(&self, id: u64, at: &Moment, error: &Error) {
        let mut state = self.lock();
        let _shared = state
            .machine
            .land(id, Err(error.clone()), at, chance::fraction());
        state.forget_flight(id);
    }

    /// Forgets a login that ended without a result, or makes no progress.
    pub(super) fn lose(&self, id: u64) {
        let mut state = self.lock();
        state.machine.lose(id);
        state.forget_flight(id);
    }
}

pub(super) fn stale() -> Error {
    Error::UnusableReply(Facts::new(Operation::Login, Reason::Stale).into())
}
