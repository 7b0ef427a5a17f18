//! The cache as the client uses it.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::changes::AccessTokenChanges;
use super::landing::Landing;
use super::machine::{Ask, Machine};
use super::shared::{Shared, State, TokenSource};
use super::wait;
use crate::credential::access_token::{AccessToken, CachedToken};
use crate::credential::cached_token::NO_GENERATION;
use crate::credential::grant::Grant;
use crate::credential::validity::Phase;
use crate::error::Error;
use crate::error::failure::{Facts, Reason};
use crate::foundation::clock::{Clock, Moment};
use crate::foundation::operation::Operation;

/// The cache; clones share it.
#[derive(Clone)]
pub(crate) struct TokenCache(Arc<Shared>);

impl TokenCache {
    pub(crate) fn new(
        source: Box<dyn TokenSource>,
        clock: Arc<dyn Clock>,
        flight_limit: Duration,
    ) -> Self {
        Self(Arc::new(Shared::new(source, clock, flight_limit)))
    }

    /// Puts in a token that was not fetched by this cache.
    pub(crate) fn put(&self, grant: Grant) {
        let now = self.0.clock.now();
        self.0.change(|machine| {
            machine.put(grant.access_token, grant.validity, &now);
        });
    }

    /// Returns the current token if it is fresh and has at least `least` left.
    ///
    /// Nearly every call gets its token here: without a lock, a count or an allocation.
    pub(crate) fn fresh(&self, least: Duration) -> Option<AccessToken> {
        self.0.current.fresh(&self.0.clock.now(), least)
    }

    /// Returns how long the current token stays fresh.
    pub(super) fn fresh_left(&self) -> Duration {
        let now = self.0.clock.now();
        let state = self.0.lock();
        let current = state.machine.current();
        current.map_or(Duration::ZERO, |current| current.validity.fresh_left(&now))
    }

    /// Returns the current token if it is good and has at least `least` left; never waits for a
    /// login.
    ///
    /// In the advisory window it also starts a login, if there is a runtime for it.
    fn current(&self, least: Duration) -> Option<Arc<CachedToken>> {
        let now = self.0.clock.now();
        let (current, landing) = {
            let mut state = self.0.lock();
            let current = state.machine.current()?.clone();
            if !current.is_good(&now, least) {
                return None;
            }
            let is_due = current.validity.phase(&now) == Phase::Advisory;
            let landing = is_due.then(|| self.refresh_meanwhile(&mut state, now));
            (current, landing.flatten())
        };
        if let Some((landing, runtime)) = landing {
            landing.take_off(&runtime);
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
            return Ok(current);
        }
        if !least.is_zero() && self.promises_less_than(least) {
            return Err(too_short());
        }
        let fetched = wait::wait(&self.0, Ask::Token { least }, deadline).await?;
        if fetched.validity.has_left(&self.0.clock.now(), least) {
            Ok(fetched)
        } else {
            Err(too_short())
        }
    }

    /// Returns `true` if a login would bring a token that expires too soon, as the current one did.
    fn promises_less_than(&self, least: Duration) -> bool {
        let now = self.0.clock.now();
        let state = self.0.lock();
        let current = state.machine.current();
        current.is_some_and(|one| one.is_good(&now, Duration::ZERO) && one.at_arrival < least)
    }

    /// Returns the current token if it has not expired, to use if there is no better one.
    pub(crate) fn unexpired(&self, least: Duration) -> Option<Arc<CachedToken>> {
        self.0.unexpired(least)
    }

    /// Returns `true` if the current token has expired by this machine's clock, which may be wrong.
    pub(crate) fn seems_expired(&self) -> bool {
        let now = self.0.clock.now();
        let state = self.0.lock();
        let current = state.machine.current();
        current.is_none_or(|current| current.validity.remaining(&now).is_zero())
    }

    /// Logs in now, even if the current token is valid.
    pub(crate) async fn refresh(&self, deadline: Instant) -> Result<Arc<CachedToken>, Error> {
        wait::wait(&self.0, Ask::NewToken, deadline).await
    }

    /// Records a 401 for the token of this generation.
    ///
    /// Returns `true` if a replay can have another token.
    pub(crate) fn refuse(&self, generation: u64) -> bool {
        let now = self.0.clock.now();
        self.0.change(|machine| machine.refuse(generation, &now))
    }

    /// Records a 401 for this token, as [`refuse`](Self::refuse).
    pub(crate) fn refuse_token(&self, token: &AccessToken) -> bool {
        let now = self.0.clock.now();
        self.0.change(|machine| {
            let current = machine.current().filter(|one| one.token.is_same_as(token));
            let generation = current.map_or(NO_GENERATION, |one| one.generation);
            machine.refuse(generation, &now)
        })
    }

    /// Records that the service accepted the token that a 401 caused: the one before was to blame.
    pub(crate) fn accepted(&self) {
        self.0.change(Machine::forget_refusal);
    }

    /// Drops the current token and forgets failures; nobody may use that token any longer.
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

    /// Prepares a login that nobody waits for, unless one is in progress or failed just now.
    fn refresh_meanwhile(&self, state: &mut State, now: Moment) -> Option<(Landing, Handle)> {
        let runtime = Handle::try_current().ok()?;
        let id = state.machine.refresh(&now, self.0.flight_limit)?;
        let landing = Landing::prepare(&self.0, state, id, now, &runtime);
        Some((landing, runtime))
    }
}

fn too_short() -> Error {
    Error::LifetimeTooShort(Facts::new(Operation::Login, Reason::TooShort).into())
}
