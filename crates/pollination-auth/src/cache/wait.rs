//! A caller that has no token it can use: what it does next, and how long it waits.
//!
//! Nothing is fetched here; a caller joins the login in progress, or starts one.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::flight::{End, Flight, Waited};
use super::landing::Landing;
use super::machine::{Ask, Next, Seen, Then, then};
use super::shared::{Shared, stale};
use crate::credential::access_token::CachedToken;
use crate::error::Error;
use crate::error::failure::{Facts, Reason};
use crate::foundation::operation::Operation;
use crate::foundation::runtime;

/// How often a caller looks again after a login ended without a result: 64 times, far more than
/// runtimes end during one wait.
const MOST_LOOKS: u32 = 64;

/// How long a caller waits for the next token while the old one still has some seconds: 1 s,
/// several times what a login takes.
const PATIENCE: Duration = Duration::from_secs(1);

/// A login on another runtime that has not beaten for this long is not driven: 1.5 s, six beats.
///
/// A caller then has its token within 2 s, which leaves half a second for a login of its own.
pub(super) const STALL: Duration = Duration::from_millis(1_500);

/// What a caller finds.
enum Found {
    Use(Arc<CachedToken>),
    Wait(Flight),
}

/// How waiting for one login ended.
enum Ended {
    Use(Arc<CachedToken>),
    /// It ended without a usable token, so look again; the error is for when that happens too often.
    LookAgain(Error),
}

/// Waits for the one login that everybody waits for.
pub(super) async fn wait(
    shared: &Arc<Shared>,
    ask: Ask,
    deadline: Instant,
) -> Result<Arc<CachedToken>, Error> {
    // Waiting needs a runtime, as logging in does.
    let runtime = runtime::current().map_err(|missing| failed(missing.into()))?;
    let mut last = None;
    for _ in 0..MOST_LOOKS {
        let flight = match look(shared, ask, &runtime)? {
            Found::Use(token) => return Ok(token),
            Found::Wait(flight) => flight,
        };
        match wait_for(shared, flight, ask, deadline, &runtime).await? {
            Ended::Use(token) => return Ok(token),
            Ended::LookAgain(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| failed(Reason::NoRuntime)))
}

/// Decides under the lock, looking again at everything that was read without it.
fn look(shared: &Arc<Shared>, ask: Ask, runtime: &Handle) -> Result<Found, Error> {
    let now = shared.clock.now();
    let (flight, landing) = {
        let mut state = shared.lock();
        match state.machine.ask(ask, &now, shared.flight_limit) {
            Next::Use(token) => return Ok(Found::Use(token)),
            Next::Fail(error) => return Err(error),
            Next::Wait(id) => {
                let flight = state.flight.clone().filter(|flight| flight.id() == id);
                (flight, None)
            }
            Next::Start(id) => {
                let landing = Landing::prepare(shared, &mut state, id, now, runtime);
                (state.flight.clone(), Some(landing))
            }
        }
    };
    let Some(flight) = flight else {
        return Err(failed(Reason::Panicked));
    };
    if let Some(landing) = landing {
        landing.take_off(runtime);
        if flight.is_lost() {
            return Err(failed(Reason::NoRuntime));
        }
    }
    Ok(Found::Wait(flight))
}

async fn wait_for(
    shared: &Arc<Shared>,
    mut flight: Flight,
    ask: Ask,
    deadline: Instant,
    runtime: &Handle,
) -> Result<Ended, Error> {
    let is_elsewhere = flight.runtime() != runtime.id();
    loop {
        let beats = flight.beats();
        let until = until(shared, ask, is_elsewhere, deadline);
        let waited = flight.landed(until).await;
        let (seen, reason) = match waited.map_err(|missing| failed(missing.into()))? {
            Waited::Ended(End::Landed(landed)) => (Seen::Landed(landed), Reason::Stale),
            Waited::Ended(End::Unfit(missing)) => (Seen::Unfit, missing.into()),
            Waited::Lost => (Seen::Lost, Reason::NoRuntime),
            Waited::TooLong => {
                let nothing = Seen::Nothing {
                    is_still: flight.beats() == beats,
                    is_late: Instant::now() >= deadline,
                };
                (nothing, Reason::TimedOut)
            }
        };
        let now = shared.clock.now();
        match then(seen, is_elsewhere, last_resort(shared, ask), &now) {
            Then::Use(token) => return Ok(Ended::Use(token)),
            Then::Fail(error) => return Err(error),
            Then::Unfit | Then::TooLate => return Err(failed(reason)),
            Then::LookAgain => return Ok(Ended::LookAgain(failed(reason))),
            Then::GiveUp => {
                shared.lose(flight.id());
                return Ok(Ended::LookAgain(failed(reason)));
            }
            Then::WaitOn => {}
        }
    }
}

/// Returns the time until which a caller waits for a login, one for all that may end the wait: each
/// caller of a herd starts a timer, and a second one would double them.
fn until(shared: &Arc<Shared>, ask: Ask, is_elsewhere: bool, deadline: Instant) -> Instant {
    let now = Instant::now();
    if last_resort(shared, ask).is_some() {
        // A login that hangs must not withhold a token that is valid for some seconds more.
        deadline.min(now + PATIENCE)
    } else if is_elsewhere {
        deadline.min(now + STALL)
    } else {
        deadline
    }
}

/// Returns the old token if no new one came, unless the caller can't use the old one.
fn last_resort(shared: &Arc<Shared>, ask: Ask) -> Option<Arc<CachedToken>> {
    match ask {
        Ask::Token { least } => shared.unexpired(least),
        Ask::NewToken => None,
    }
}

/// Returns the error of a caller that waited in vain.
fn failed(reason: Reason) -> Error {
    match reason {
        Reason::TimedOut => Error::Unavailable(Facts::new(Operation::Login, reason).into()),
        Reason::Stale => stale(),
        other => Error::internal(Operation::Login, other),
    }
}
