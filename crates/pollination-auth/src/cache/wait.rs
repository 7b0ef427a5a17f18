//! A caller that has no token it can use: what it does next, and how long it waits.
//!
//! Nothing is fetched here; a caller joins the flight that there is, or has one take off.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::flight::{Flight, Waited};
use super::{CachedToken, TokenCache, internal};
use crate::error::Error;
use crate::failure::{Facts, Reason};
use crate::operation::Operation;

/// How often a caller looks again when the flight that it waited for was lost with its runtime.
const MAX_LOST_FLIGHTS: u32 = 8;

/// How long a caller waits for the next token while the old one still has some seconds: 1 s, several
/// times what a login takes.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a caller that can't use the current token does next.
enum Next {
    Use(Arc<CachedToken>),
    Fail(Error),
    Wait(Flight),
}

/// Why a caller asks.
#[derive(Clone, Copy)]
pub(super) enum Ask {
    /// It needs a token that has so much left; the current one will do while it is good.
    Token { least: Duration },
    /// It needs a token that is not the current one.
    NewToken,
}

impl TokenCache {
    /// Waits for the one login that everybody waits for.
    pub(super) async fn wait(
        &self,
        ask: Ask,
        deadline: Instant,
    ) -> Result<Arc<CachedToken>, Error> {
        for _ in 0..MAX_LOST_FLIGHTS {
            let mut flight = match self.next(ask) {
                Next::Use(token) => return Ok(token),
                Next::Fail(error) => return Err(error),
                Next::Wait(flight) => flight,
            };
            let until = self.until(&flight, ask, deadline);
            match flight.landed(until).await {
                // A caller that was not polled for long may come too late for what it waited for.
                Waited::Landed(Ok(token)) if self.is_past(&token) => {}
                Waited::Landed(Ok(token)) => return Ok(token),
                Waited::Landed(Err(error)) => {
                    return self.last_resort(ask).ok_or(error);
                }
                // The runtime that drove it is gone; ours is not.
                Waited::Lost => {}
                Waited::TooLong if Instant::now() >= deadline => return Err(too_late()),
                // Where there is no old token, the runtime that drives it drives it no more.
                Waited::TooLong => {
                    if let Some(old) = self.last_resort(ask) {
                        return Ok(old);
                    }
                }
            }
        }
        Err(internal(Reason::NoRuntime))
    }

    /// Gives the time until which a flight is waited for, the same for all that may end the wait: a
    /// herd of callers starts a timer each, and a second one would be as many again.
    fn until(&self, flight: &Flight, ask: Ask, deadline: Instant) -> Instant {
        let until = flight
            .overdue(self.0.flight_limit)
            .map_or(deadline, |overdue| overdue.min(deadline));
        match self.last_resort(ask) {
            // A login that hangs must not withhold a token that is good for some seconds more.
            Some(_) => until.min(Instant::now() + PATIENCE),
            None => until,
        }
    }

    fn is_past(&self, token: &CachedToken) -> bool {
        token.validity.remaining(&self.0.clock.coarse()).is_zero()
    }

    /// Decides under the lock, with a second look at everything that was read without it.
    fn next(&self, ask: Ask) -> Next {
        // Waiting needs a runtime, as logging in does.
        let Ok(runtime) = Handle::try_current() else {
            return Next::Fail(internal(Reason::NoRuntime));
        };
        let mut state = self.0.lock();
        let now = self.0.clock.coarse();
        if let Ask::Token { least } = ask
            && let Some(current) = self.0.loaded().filter(|one| one.is_good(&now, least))
        {
            return Next::Use(current.into_owned());
        }
        if let Some(flight) = state
            .flight
            .clone()
            .filter(|_| state.joinable(self.0.flight_limit))
        {
            return Next::Wait(flight);
        }
        if let Ask::Token { .. } = ask
            && let Some(error) = state.cooling(&now).cloned()
        {
            drop(state);
            return self.last_resort(ask).map_or(Next::Fail(error), Next::Use);
        }
        Next::Wait(self.take_off(&mut state, now, &runtime))
    }

    /// Gives the old token where the new one failed to come, unless it is the old one that won't do.
    fn last_resort(&self, ask: Ask) -> Option<Arc<CachedToken>> {
        match ask {
            Ask::Token { least } => self.unexpired(least),
            Ask::NewToken => None,
        }
    }
}

fn too_late() -> Error {
    Error::Unavailable(Facts::new(Operation::Login, Reason::TimedOut).into())
}
