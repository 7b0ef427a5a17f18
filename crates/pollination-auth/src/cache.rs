//! One current access token for everybody: read without waiting, refreshed by one task.
//!
//! It knows when a token is due and who waits for whom. How a login is made comes in as a source,
//! and so does the time.

mod flight;
mod slot;
mod state;
#[cfg(test)]
mod tests;
mod wait;

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use self::flight::Flight;
pub(crate) use self::slot::Lent;
use self::slot::Slot;
use self::state::State;
use self::wait::Ask;
use crate::access_token::AccessToken;
use crate::clock::{Clock, Moment};
use crate::error::Error;
use crate::failure::{Facts, Reason};
use crate::operation::Operation;
use crate::validity::{Phase, Validity};
use crate::wire::Grant;

/// The generation of a token that was never in the cache; the first one in it is 1.
const NO_GENERATION: u64 = 0;

/// Fetches an access token: a login, or the knowledge that there can be none.
pub(crate) trait TokenSource: Send + Sync + 'static {
    /// Starts one login; it runs on a task of its own and is never cancelled by a caller.
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<Grant, Error>> + Send>>;
}

/// An access token in the cache.
#[derive(Debug)]
pub(crate) struct CachedToken {
    pub(crate) token: AccessToken,
    /// Counts the tokens of this cache, so that a late 401 can be told from a fresh one.
    pub(crate) generation: u64,
    pub(crate) validity: Validity,
    /// What was left of its life when it arrived; no later login promises more.
    at_arrival: Duration,
}

impl CachedToken {
    /// Stands for no token at all; it is past its end.
    fn none() -> Self {
        Self {
            token: AccessToken::none(),
            generation: NO_GENERATION,
            validity: Validity::over(),
            at_arrival: Duration::ZERO,
        }
    }

    /// Tells whether it may be handed out without asking for the next one first.
    fn is_good(&self, now: &Moment, least: Duration) -> bool {
        matches!(self.validity.phase(now), Phase::Fresh | Phase::Advisory)
            && self.validity.remaining(now) >= least
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
    changes: watch::Sender<Option<AccessToken>>,
    /// A flight that is older than this is not waited for; its runtime no longer drives it.
    flight_limit: Duration,
}

impl TokenCache {
    pub(crate) fn new(
        source: Box<dyn TokenSource>,
        clock: Arc<dyn Clock>,
        flight_limit: Duration,
    ) -> Self {
        Self(Arc::new(Shared {
            slot: Slot::new(CachedToken::none()),
            state: Mutex::default(),
            source,
            clock,
            changes: watch::Sender::new(None),
            flight_limit,
        }))
    }

    /// Puts in a token that no login brought.
    pub(crate) fn seed(&self, token: AccessToken, validity: Validity) {
        let mut state = self.0.lock();
        self.0.publish(&mut state, token, validity);
    }

    /// Puts in the token of a login that was made elsewhere.
    pub(crate) fn adopt(&self, grant: Grant) {
        let Grant {
            access_token,
            requested_at,
            lifetime,
        } = grant;
        let validity = Validity::refreshable(requested_at, lifetime, fastrand::f64());
        self.seed(access_token, validity);
    }

    /// Gives the current token if it is fresh and has at least `least` left.
    ///
    /// The way of nearly every caller, and the short one: it neither waits nor counts.
    pub(crate) fn fresh(&self, least: Duration) -> Option<AccessToken> {
        let lent = self.0.slot.lend();
        let now = self.0.clock.coarse();
        let fresh = lent.validity.is_fresh(&now)
            && (least.is_zero() || lent.validity.remaining(&now) >= least);
        fresh.then(|| AccessToken::lent(lent))
    }

    /// Gives the current token if it is good and has at least `least` left; never waits.
    ///
    /// In the advisory window it starts a login meanwhile, where there is a runtime for it.
    pub(crate) fn current(&self, least: Duration) -> Option<Lent<CachedToken>> {
        let now = self.0.clock.coarse();
        let current = self.0.loaded()?;
        if !current.is_good(&now, least) {
            return None;
        }
        if current.validity.phase(&now) == Phase::Advisory {
            self.refresh_meanwhile();
        }
        Some(current)
    }

    /// Gives a token with at least `least` left, waiting for a login only if there is none.
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
        if least.is_zero() || fetched.validity.remaining(&self.0.clock.coarse()) >= least {
            Ok(fetched)
        } else {
            Err(too_short())
        }
    }

    /// Tells whether a login would bring a token that lives too short: the current one did.
    fn promises_less_than(&self, least: Duration) -> bool {
        let now = self.0.clock.coarse();
        let current = self.0.loaded();
        current.is_some_and(|one| one.is_good(&now, Duration::ZERO) && one.at_arrival < least)
    }

    /// Gives the current token if it is not past its end, for when there is no better one.
    pub(crate) fn unexpired(&self, least: Duration) -> Option<Arc<CachedToken>> {
        let current = self.0.loaded()?;
        let left = current.validity.remaining(&self.0.clock.coarse());
        (!left.is_zero() && left >= least).then(|| current.into_owned())
    }

    /// Logs in now, whatever the current token is good for.
    pub(crate) async fn refresh(&self, deadline: Instant) -> Result<Arc<CachedToken>, Error> {
        self.wait(Ask::NewToken, deadline).await
    }

    /// Drops the current token if it is still of this generation, and says whether it was.
    pub(crate) fn invalidate(&self, generation: u64) -> bool {
        let _state = self.0.lock();
        let refused = self
            .0
            .loaded()
            .is_some_and(|current| current.generation == generation);
        if refused {
            self.0.slot.store(Arc::new(CachedToken::none()));
        }
        refused
    }

    /// Drops the current token and what is known of failures; nobody may use it any more.
    pub(crate) fn clear(&self) {
        let mut state = self.0.lock();
        state.cooldown = None;
        // A login that is under way no longer brings a token for the cache.
        state.flight = None;
        self.0.slot.store(Arc::new(CachedToken::none()));
        self.0.changes.send_replace(None);
    }

    /// Forgets a failure, because what the login is made with has changed.
    pub(crate) fn forget_failure(&self) {
        self.0.lock().cooldown = None;
    }

    pub(crate) fn changes(&self) -> watch::Receiver<Option<AccessToken>> {
        self.0.changes.subscribe()
    }

    /// Starts a login that nobody waits for, unless one is under way or failed just now.
    ///
    /// A caller never waits here: who finds the lock held leaves the work to its holder.
    fn refresh_meanwhile(&self) {
        let Ok(mut state) = self.0.state.try_lock() else {
            return;
        };
        let now = self.0.clock.coarse();
        if state.joinable(self.0.flight_limit) || state.cooling(&now).is_some() {
            return;
        }
        // Somebody may have landed a new token since ours was read.
        let due = |current: Lent<CachedToken>| current.validity.phase(&now) != Phase::Fresh;
        if self.0.loaded().is_some_and(due)
            && let Ok(runtime) = Handle::try_current()
        {
            let _unwaited = self.take_off(&mut state, now, &runtime);
        }
    }

    /// Starts the login on a task of its own, which no caller's end can end.
    fn take_off(&self, state: &mut State, now: Moment, runtime: &Handle) -> Flight {
        state.flights = state.flights.saturating_add(1);
        let (flight, landing) = Flight::take_off(state.flights, now, self.0.clone());
        state.flight = Some(flight.clone());
        let shared = self.0.clone();
        runtime.spawn(async move { landing.land(shared.source.fetch().await) });
        flight
    }
}

impl Shared {
    /// A panic elsewhere leaves the state whole, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the token that was put in last, whatever it is good for.
    fn loaded(&self) -> Option<Lent<CachedToken>> {
        Some(self.slot.lend()).filter(|current| current.generation != NO_GENERATION)
    }

    fn publish(
        &self,
        state: &mut State,
        token: AccessToken,
        validity: Validity,
    ) -> Arc<CachedToken> {
        state.generations = state.generations.saturating_add(1);
        state.failures = 0;
        state.cooldown = None;
        let cached = Arc::new(CachedToken {
            token: token.clone(),
            generation: state.generations,
            validity,
            at_arrival: validity.remaining(&self.clock.now()),
        });
        self.slot.store(cached.clone());
        self.changes.send_replace(Some(token));
        cached
    }

    /// Takes the result of a login in, if it is still the flight that is waited for.
    fn land(&self, flight: u64, result: Result<Grant, Error>) -> Result<Arc<CachedToken>, Error> {
        let now = self.clock.now();
        let result = result.and_then(|grant| {
            let Grant {
                access_token,
                requested_at,
                lifetime,
            } = grant;
            let validity = Validity::refreshable(requested_at, lifetime, fastrand::f64());
            match validity.phase(&now) {
                Phase::Fresh | Phase::Advisory => Ok((access_token, validity)),
                Phase::Mandatory | Phase::Expired => Err(stale()),
            }
        });
        match result {
            Ok((token, validity)) => {
                let mut state = self.lock();
                if state.end_flight(flight) {
                    return Ok(self.publish(&mut state, token, validity));
                }
                // Given up as overdue, or voided by a clear: good for those who waited, and for
                // nobody else.
                let generation = NO_GENERATION;
                Ok(Arc::new(CachedToken {
                    token,
                    generation,
                    validity,
                    at_arrival: validity.remaining(&now),
                }))
            }
            Err(error) => {
                self.fail(flight, now, &error);
                Err(error)
            }
        }
    }

    /// Shares a failure with callers that come later, if it is the flight that is waited for.
    fn fail(&self, flight: u64, now: Moment, error: &Error) {
        let mut state = self.lock();
        if state.end_flight(flight) {
            state.cool_down(now, error);
        }
    }

    /// Forgets a flight whose task ended without a result.
    fn lose(&self, flight: u64) {
        self.lock().end_flight(flight);
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
