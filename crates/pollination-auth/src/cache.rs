//! One current access token for everybody: read without waiting, refreshed by one task.
//!
//! What happens when is decided in `machine`; here it is carried out. Nothing foreign runs under the
//! lock: no spawn, no drop of a task, no clock of the user's, no notification.

mod changes;
mod flight;
mod machine;
mod slot;
#[cfg(test)]
mod tests;
mod wait;

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use self::changes::Changes;
pub use self::changes::{AccessTokenChanges, ClientGone};
use self::flight::{Flight, Landing};
use self::machine::{Ask, Cached, Failure, Machine, NO_GENERATION};
pub(crate) use self::slot::Lent;
use self::slot::Slot;
use crate::access_token::AccessToken;
use crate::clock::{Clock, Moment};
use crate::error::Error;
use crate::failure::{Facts, Reason};
use crate::operation::Operation;
use crate::validity::{Phase, Validity};
use crate::wire::Grant;

/// Fetches an access token: a login, or the knowledge that there can be none.
pub(crate) trait TokenSource: Send + Sync + 'static {
    /// Starts one login; it runs on a task of its own and is never cancelled by a caller.
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<Grant, Error>> + Send>>;
}

/// An access token in the cache.
pub(crate) type CachedToken = Cached<AccessToken>;

impl CachedToken {
    /// Stands for no token at all; it is expired.
    fn none() -> Self {
        Self {
            token: AccessToken::none(),
            generation: NO_GENERATION,
            validity: Validity::over(),
            at_arrival: Duration::ZERO,
        }
    }
}

impl Failure for Error {
    fn is_retryable(&self) -> bool {
        Error::is_retryable(self)
    }

    fn asked_wait(&self, now: &Moment) -> Option<Duration> {
        self.retry_at()?.duration_since(now.wall).ok()
    }
}

/// The cache; clones share it.
#[derive(Clone)]
pub(crate) struct TokenCache(Arc<Shared>);

struct Shared {
    slot: Slot<CachedToken>,
    state: Mutex<State>,
    source: Box<dyn TokenSource>,
    clock: Arc<dyn Clock>,
    changes: Changes,
    /// A login that takes longer than this is not waited for.
    flight_limit: Duration,
}

/// What the lock guards.
struct State {
    machine: Machine<AccessToken, Error>,
    /// The login that the machine speaks of, for those who wait for it.
    flight: Option<Flight>,
    /// Counts the changes of the current token, so that they are told in their order.
    changes: u64,
}

impl State {
    /// Keeps nothing of a login that nobody is to join any longer.
    fn forget_flight(&mut self, id: u64) {
        self.flight.take_if(|flight| flight.id() == id);
    }
}

/// The token that is current after a change, with the number of the change.
struct Change(u64, Option<AccessToken>);

impl TokenCache {
    pub(crate) fn new(
        source: Box<dyn TokenSource>,
        clock: Arc<dyn Clock>,
        flight_limit: Duration,
    ) -> Self {
        Self(Arc::new(Shared {
            slot: Slot::new(CachedToken::none()),
            state: Mutex::new(State {
                machine: Machine::new(),
                flight: None,
                changes: 0,
            }),
            source,
            clock,
            changes: Changes::new(),
            flight_limit,
        }))
    }

    /// Puts in a token that no login brought.
    pub(crate) fn seed(&self, token: AccessToken, validity: Validity) {
        let now = self.0.clock.now();
        self.0.change(|machine| {
            machine.put(token, validity, &now);
        });
    }

    /// Puts in the token of a login that was made elsewhere.
    pub(crate) fn adopt(&self, grant: Grant) {
        let validity = Validity::refreshable(grant.requested_at, grant.lifetime, fastrand::f64());
        self.seed(grant.access_token, validity);
    }

    /// Returns the current token if it is fresh and has at least `least` left.
    ///
    /// The way of nearly every caller, and the short one: it neither waits nor counts.
    pub(crate) fn fresh(&self, least: Duration) -> Option<AccessToken> {
        let lent = self.0.slot.lend();
        let now = self.0.clock.coarse();
        let fresh = lent.validity.is_fresh(&now) && lent.has_left(&now, least);
        fresh.then(|| AccessToken::lent(lent))
    }

    /// Returns the current token if it is good and has at least `least` left; never waits.
    ///
    /// In the advisory window it starts a login meanwhile, where there is a runtime for it.
    pub(crate) fn current(&self, least: Duration) -> Option<Lent<CachedToken>> {
        let now = self.0.clock.coarse();
        let current = self.0.loaded()?;
        if !current.is_good(&now, least) {
            return None;
        }
        if current.validity.phase(&now) == Phase::Advisory {
            self.refresh_meanwhile(&now);
        }
        Some(current)
    }

    /// Returns a token with at least `least` left, waiting for a login only if there is none.
    pub(crate) async fn get(
        &self,
        least: Duration,
        deadline: Instant,
    ) -> Result<Arc<CachedToken>, Error> {
        if let Some(current) = self.current(least) {
            return Ok(current.into_owned());
        }
        if !least.is_zero() && self.promises_less_than(least) {
            return Err(too_short());
        }
        let fetched = self.wait(Ask::Token { least }, deadline).await?;
        if fetched.has_left(&self.0.clock.coarse(), least) {
            Ok(fetched)
        } else {
            Err(too_short())
        }
    }

    /// Returns `true` if a login would bring a token that lives too short: the current one did.
    fn promises_less_than(&self, least: Duration) -> bool {
        let now = self.0.clock.coarse();
        let current = self.0.loaded();
        current.is_some_and(|one| one.is_good(&now, Duration::ZERO) && one.at_arrival < least)
    }

    /// Returns the current token if it has not expired, for when there is no better one.
    pub(crate) fn unexpired(&self, least: Duration) -> Option<Arc<CachedToken>> {
        let current = self.0.loaded()?;
        let now = self.0.clock.coarse();
        current
            .is_last_resort(&now, least)
            .then(|| current.into_owned())
    }

    /// Returns `true` if the current token has expired by this machine's clock, which may be wrong.
    pub(crate) fn seems_expired(&self) -> bool {
        let now = self.0.clock.coarse();
        let current = self.0.loaded();
        current.is_none_or(|current| current.validity.remaining(&now).is_zero())
    }

    /// Logs in now, whatever the current token is good for.
    pub(crate) async fn refresh(&self, deadline: Instant) -> Result<Arc<CachedToken>, Error> {
        self.wait(Ask::NewToken, deadline).await
    }

    /// Takes note of a 401 for the token of this generation.
    ///
    /// Returns `true` if a replay can have another token.
    pub(crate) fn refuse(&self, generation: u64) -> bool {
        let now = self.0.clock.coarse();
        self.0.change(|machine| machine.refuse(generation, &now))
    }

    /// Takes note that the service accepts the token that a 401 caused.
    pub(crate) fn accepted(&self) {
        self.0.change(Machine::accepted);
    }

    /// Drops the current token and what is known of failures; nobody may use it any longer.
    pub(crate) fn clear(&self) {
        self.0.change(Machine::clear);
    }

    /// Forgets a failure, because what the login is made with has changed.
    pub(crate) fn forget_failure(&self) {
        self.0.change(Machine::forget_failure);
    }

    pub(crate) fn changes(&self) -> AccessTokenChanges {
        self.0.changes.subscribe()
    }

    /// Starts a login that nobody waits for, unless one is under way or failed just now.
    ///
    /// A caller never waits here: who finds the lock held leaves the work to its holder.
    fn refresh_meanwhile(&self, now: &Moment) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let landing = {
            let Ok(mut state) = self.0.state.try_lock() else {
                return;
            };
            let Some(id) = state.machine.refresh(now, self.0.flight_limit) else {
                return;
            };
            self.prepare(&mut state, id, *now, &runtime)
        };
        self.take_off(landing, &runtime);
    }

    /// Makes the flight of a login that the machine has decided on.
    fn prepare(&self, state: &mut State, id: u64, now: Moment, runtime: &Handle) -> Landing {
        let (flight, landing) = Flight::prepare(id, now, runtime.id(), self.0.clone());
        state.flight = Some(flight);
        landing
    }

    /// Starts the login on a task of its own, which no caller's end can end. Called without the lock: a
    /// runtime that was shut down drops the task here and now.
    fn take_off(&self, landing: Landing, runtime: &Handle) {
        let shared = self.0.clone();
        runtime.spawn(async move { landing.land(|| shared.source.fetch()).await });
    }
}

impl Shared {
    /// A panic elsewhere leaves the state whole, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the token that was put in last, whatever it is good for.
    fn loaded(&self) -> Option<Lent<CachedToken>> {
        Some(self.slot.lend()).filter(|current| current.generation != NO_GENERATION)
    }

    /// Lets the machine change, and then tells who wants to know.
    fn change<R>(&self, change: impl FnOnce(&mut Machine<AccessToken, Error>) -> R) -> R {
        let (result, changed) = {
            let mut state = self.lock();
            let result = change(&mut state.machine);
            (result, self.publish(&mut state))
        };
        self.tell(changed);
        result
    }

    /// Lets readers see the machine's token, if it is not the one that they see already.
    fn publish(&self, state: &mut State) -> Option<Change> {
        let current = state.machine.current();
        let generation = current.map_or(NO_GENERATION, |current| current.generation);
        if self.slot.lend().generation == generation {
            return None;
        }
        let token = current.map(|current| current.token.clone());
        let visible = current.cloned();
        self.slot
            .store(visible.unwrap_or_else(|| Arc::new(CachedToken::none())));
        state.changes = state.changes.saturating_add(1);
        Some(Change(state.changes, token))
    }

    fn tell(&self, changed: Option<Change>) {
        if let Some(Change(number, token)) = changed {
            self.changes.tell(number, token);
        }
    }

    /// Takes the end of a login, and returns what those get who wait for it, and what is to be told after
    /// them.
    fn land(
        &self,
        id: u64,
        result: Result<Grant, Error>,
    ) -> (Result<Arc<CachedToken>, Error>, Option<Change>) {
        let now = self.clock.now();
        let result = result.and_then(|grant| {
            let validity =
                Validity::refreshable(grant.requested_at, grant.lifetime, fastrand::f64());
            match validity.phase(&now) {
                Phase::Fresh | Phase::Advisory => Ok((grant.access_token, validity)),
                Phase::Mandatory | Phase::Expired => Err(stale()),
            }
        });
        let mut state = self.lock();
        let landed = state.machine.land(id, result, &now, fastrand::f64());
        state.forget_flight(id);
        let changed = self.publish(&mut state);
        (landed, changed)
    }

    /// Takes the end of a login that panicked; no clock is read, for it may be the clock that panics.
    fn fail(&self, id: u64, at: &Moment, error: &Error) {
        let mut state = self.lock();
        let _shared = state
            .machine
            .land(id, Err(error.clone()), at, fastrand::f64());
        state.forget_flight(id);
    }

    /// Forgets a login that ended without a result, or makes no progress.
    fn lose(&self, id: u64) {
        let mut state = self.lock();
        state.machine.lose(id);
        state.forget_flight(id);
    }
}

fn too_short() -> Error {
    Error::LifetimeTooShort(Facts::new(Operation::Login, Reason::TooShort).into())
}

fn stale() -> Error {
    Error::UnusableReply(Facts::new(Operation::Login, Reason::Stale).into())
}

fn internal(reason: Reason) -> Error {
    Error::Internal(Facts::new(Operation::Login, reason).into())
}
