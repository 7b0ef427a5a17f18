//! The cache as the client uses it.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::changes::AccessTokenChanges;
use super::landing::Landing;
use super::machine::{Ask, Machine};
use super::shared::{Shared, TokenSource};
use super::wait;
use crate::credential::access_token::{AccessToken, CachedToken};
use crate::credential::grant::Grant;
use crate::credential::slot::Lent;
use crate::credential::validity::{Phase, Validity};
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
        let fetched = wait::wait(&self.0, Ask::Token { least }, deadline).await?;
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
        self.0.unexpired(least)
    }

    /// Returns `true` if the current token has expired by this machine's clock, which may be wrong.
    pub(crate) fn seems_expired(&self) -> bool {
        let now = self.0.clock.coarse();
        let current = self.0.loaded();
        current.is_none_or(|current| current.validity.remaining(&now).is_zero())
    }

    /// Logs in now, whatever the current token is good for.
    pub(crate) async fn refresh(&self, deadline: Instant) -> Result<Arc<CachedToken>, Error> {
        wait::wait(&self.0, Ask::NewToken, deadline).await
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
            Landing::prepare(&self.0, &mut state, id, *now, &runtime)
        };
        landing.take_off(&runtime);
    }
}

fn too_short() -> Error {
    Error::LifetimeTooShort(Facts::new(Operation::Login, Reason::TooShort).into())
}
