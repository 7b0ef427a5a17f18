//! The cache's decisions, without time, runtime or network.
//!
//! It is given what happened and when, and returns what to do. The other files of `cache` carry that
//! out; the tests walk through every order of events within their bounds.

use std::sync::Arc;
use std::time::Duration;

use crate::credential::cached_token::{Cached, NO_GENERATION};
use crate::credential::validity::{Phase, Validity};
use crate::foundation::clock::Moment;

/// A failure that retrying may cure is kept for this long at first: 250 ms.
///
/// So callers that come one after the other share it, as callers that come together do.
const FIRST_COOLDOWN: Duration = Duration::from_millis(250);

/// No failure is kept longer than this: 5 s, so that callers soon notice that the service is back.
const LONGEST_COOLDOWN: Duration = Duration::from_secs(5);

/// A failure that retrying does not cure is kept at least this long: 1 s.
const PERMANENT_COOLDOWN: Duration = Duration::from_secs(1);

/// A failure is kept for as long as `Retry-After` asks, up to this: 1 hour.
///
/// A longer one is more likely a mistake; a forced login ignores it.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);

/// After a 401 caused a login, further 401s cause none for this long: 30 s, unless the new token is
/// accepted.
///
/// If a fresh token gets a 401 too, the token is not the cause, and dropping it would take it from all
/// other callers.
pub(super) const REFUSAL_PAUSE: Duration = Duration::from_secs(30);

/// A failed login, as far as it matters for when to log in again.
pub(super) trait Failure: Clone {
    /// Returns `true` if the next login may succeed though nothing was changed.
    fn is_retryable(&self) -> bool;
    /// Returns the wait that the service asked for, from `now` on.
    fn asked_wait(&self, now: &Moment) -> Option<Duration>;
}

/// Why a caller asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ask {
    /// It needs a token with this much left; the current one will do while it is good.
    Token { least: Duration },
    /// It needs a token that is not the current one.
    NewToken,
}

/// What a caller that has no token it can use does next.
pub(super) enum Next<T, E> {
    Use(Arc<Cached<T>>),
    Fail(E),
    /// Wait for this login.
    Wait(u64),
    /// Start this login, and wait for it.
    Start(u64),
}

/// What a caller sees of the login that it waits for.
pub(super) enum Seen<T, E> {
    Landed(Result<Arc<Cached<T>>, E>),
    /// Its task is gone, and its result with it.
    Lost,
    /// The runtime that it was started on can't make one.
    Unfit,
    /// Nothing, and the time to look up has come.
    Nothing {
        /// It has made no progress since the caller looked last.
        is_still: bool,
        /// The caller's own deadline has passed.
        is_late: bool,
    },
}

/// What a caller does that waited for a login.
#[derive(Debug)]
pub(super) enum Then<T, E> {
    Use(Arc<Cached<T>>),
    /// The login failed, and so does the caller.
    Fail(E),
    /// The caller's own runtime can make no login.
    Unfit,
    /// The caller's time is over.
    TooLate,
    /// Ask once more: the login ended without a usable token.
    LookAgain,
    /// Forget the login, whose runtime nobody drives, and ask once more.
    GiveUp,
    WaitOn,
}

/// Decides for a caller that waits; `is_elsewhere` is `true` if the login is on another runtime than
/// the caller, and `old` is a token to use if there is no better one.
pub(super) fn then<T, E>(
    seen: Seen<T, E>,
    is_elsewhere: bool,
    old: Option<Arc<Cached<T>>>,
    now: &Moment,
) -> Then<T, E> {
    match (seen, old) {
        // A caller that was not polled for long may come too late for what it waited for.
        (Seen::Landed(Ok(token)), _) if token.validity.remaining(now).is_zero() => Then::LookAgain,
        (Seen::Landed(Ok(token)), _) => Then::Use(token),
        (Seen::Landed(Err(_)) | Seen::Nothing { .. }, Some(old)) => Then::Use(old),
        (Seen::Landed(Err(error)), None) => Then::Fail(error),
        // If the login was lost with the caller's own runtime, starting the next one fails, and that
        // error is the caller's.
        (Seen::Lost, _) => Then::LookAgain,
        (Seen::Unfit, _) if is_elsewhere => Then::LookAgain,
        (Seen::Unfit, _) => Then::Unfit,
        (Seen::Nothing { is_late: true, .. }, None) => Then::TooLate,
        // A runtime that runs this caller runs the login beside it.
        (Seen::Nothing { is_still: true, .. }, None) if is_elsewhere => Then::GiveUp,
        (Seen::Nothing { .. }, None) => Then::WaitOn,
    }
}

/// What the writers of the cache share, under its lock.
#[cfg_attr(test, derive(Clone))]
pub(super) struct Machine<T, E> {
    current: Option<Arc<Cached<T>>>,
    login: Option<Login>,
    cooldown: Option<Cooldown<E>>,
    /// Failed logins since the last success.
    failures: u32,
    generations: u64,
    logins: u64,
    /// When a 401 last caused a login whose token nobody has seen accepted.
    refused_at: Option<Moment>,
}

/// A login under way.
#[cfg_attr(test, derive(Clone))]
struct Login {
    id: u64,
    since: Moment,
}

/// A failure, and how long it is shared with callers that come later.
#[cfg_attr(test, derive(Clone))]
struct Cooldown<E> {
    since: Moment,
    lasts: Duration,
    error: E,
}

impl<T, E: Failure> Machine<T, E> {
    pub(super) fn new() -> Self {
        Self {
            current: None,
            login: None,
            cooldown: None,
            failures: 0,
            generations: NO_GENERATION,
            logins: 0,
            refused_at: None,
        }
    }

    /// Returns the token that was put in last, even if it has expired.
    pub(super) fn current(&self) -> Option<&Arc<Cached<T>>> {
        self.current.as_ref()
    }

    /// Decides for a caller that found no token it can use; `limit` is the longest that a login
    /// takes.
    pub(super) fn ask(&mut self, ask: Ask, now: &Moment, limit: Duration) -> Next<T, E> {
        if let Ask::Token { least } = ask
            && let Some(current) = self.current.as_ref().filter(|one| one.is_good(now, least))
        {
            return Next::Use(current.clone());
        }
        if let Some(id) = self.joinable(now, limit) {
            return Next::Wait(id);
        }
        if let Ask::Token { least } = ask
            && let Some(error) = self.cooling(now)
        {
            let old = self.current.as_ref();
            let old = old.filter(|old| old.is_last_resort(now, least));
            return old.map_or_else(|| Next::Fail(error.clone()), |old| Next::Use(old.clone()));
        }
        Next::Start(self.start(now))
    }

    /// Returns a login to start that nobody waits for, where the current token is about to expire.
    pub(super) fn refresh(&mut self, now: &Moment, limit: Duration) -> Option<u64> {
        // Another login may have brought a new token since the caller read the old one.
        let due = self
            .current
            .as_ref()
            .is_some_and(|current| current.validity.phase(now) != Phase::Fresh);
        let start = due && self.joinable(now, limit).is_none() && self.cooling(now).is_none();
        start.then(|| self.start(now))
    }

    fn start(&mut self, now: &Moment) -> u64 {
        self.logins = self.logins.saturating_add(1);
        self.login = Some(Login {
            id: self.logins,
            since: *now,
        });
        self.logins
    }

    /// Returns the login that is worth waiting for.
    fn joinable(&self, now: &Moment, limit: Duration) -> Option<u64> {
        let login = self.login.as_ref()?;
        let age = now.monotonic.saturating_sub(login.since.monotonic);
        (age < limit).then_some(login.id)
    }

    /// Returns the failure that is still shared.
    fn cooling(&self, now: &Moment) -> Option<&E> {
        let cooldown = self.cooldown.as_ref()?;
        (now.elapsed_since(&cooldown.since) < cooldown.lasts).then_some(&cooldown.error)
    }

    /// Records the end of a login; `random` is a number from 0 to 1.
    ///
    /// A login that was given up, or voided by a clear, serves those who waited for it, and
    /// for nobody else.
    pub(super) fn land(
        &mut self,
        id: u64,
        result: Result<(T, Validity), E>,
        now: &Moment,
        random: f64,
    ) -> Result<Arc<Cached<T>>, E> {
        let is_current = self.lose(id);
        match result {
            Ok((token, validity)) if is_current => Ok(self.put(token, validity, now)),
            Ok((token, validity)) => Ok(Arc::new(Cached::new(token, NO_GENERATION, validity, now))),
            Err(error) => {
                if is_current {
                    self.cool_down(now, &error, random);
                }
                Err(error)
            }
        }
    }

    /// Forgets a login that ended without a result or makes no progress; `true` if it was the
    /// current one.
    pub(super) fn lose(&mut self, id: u64) -> bool {
        self.login.take_if(|login| login.id == id).is_some()
    }

    /// Puts a token in.
    pub(super) fn put(&mut self, token: T, validity: Validity, now: &Moment) -> Arc<Cached<T>> {
        self.generations = self.generations.saturating_add(1);
        self.failures = 0;
        self.cooldown = None;
        let cached = Arc::new(Cached::new(token, self.generations, validity, now));
        self.current = Some(cached.clone());
        cached
    }

    /// Records a 401 for the token of this generation.
    ///
    /// Returns `true` if a replay can have another token, and drops the current one for that at
    /// most once in [`REFUSAL_PAUSE`].
    pub(super) fn refuse(&mut self, generation: u64, now: &Moment) -> bool {
        let is_current = self
            .current
            .as_ref()
            .is_some_and(|current| current.generation == generation);
        if !is_current {
            // Only the first of many late 401s finds its token still there.
            return true;
        }
        let pauses = self
            .refused_at
            .is_some_and(|at| now.elapsed_since(&at) < REFUSAL_PAUSE);
        if pauses {
            return false;
        }
        self.refused_at = Some(*now);
        self.current = None;
        true
    }

    /// Forgets that a 401 caused a login: a 401 for the token that came of it drops that one too.
    pub(super) fn forget_refusal(&mut self) {
        self.refused_at = None;
    }

    /// Drops the current token and forgets failures; nobody may use that token any longer.
    pub(super) fn clear(&mut self) {
        self.cooldown = None;
        // A login that is under way no longer brings a token for the cache.
        self.login = None;
        self.current = None;
    }

    /// Forgets a failure, because what the login is made with has changed.
    pub(super) fn forget_failure(&mut self) {
        self.cooldown = None;
    }

    /// Keeps a failure for a while that grows with the failures in a row.
    fn cool_down(&mut self, now: &Moment, error: &E, random: f64) {
        let bound = FIRST_COOLDOWN
            .saturating_mul(1 << self.failures.min(16))
            .min(LONGEST_COOLDOWN);
        let (least, most) = if error.is_retryable() {
            (bound / 2, bound)
        } else {
            (PERMANENT_COOLDOWN, LONGEST_COOLDOWN)
        };
        let lasts = least + (most - least).mul_f64(random.clamp(0.0, 1.0));
        // Asking an overloaded service again too early prolongs the overload.
        let asked = error.asked_wait(now).unwrap_or_default();
        self.failures = self.failures.saturating_add(1);
        self.cooldown = Some(Cooldown {
            since: *now,
            lasts: lasts.max(asked.min(LONGEST_ASKED)),
            error: error.clone(),
        });
    }

    /// Hashes all that decides what follows, for tests that visit every state once; what only
    /// counts is left out.
    #[cfg(test)]
    pub(super) fn fingerprint(&self, now: &Moment, state: &mut impl std::hash::Hasher)
    where
        E: std::hash::Hash,
    {
        use std::hash::Hash as _;
        let current = self.current.as_ref();
        let life = current.map(|one| (one.validity.phase(now), one.validity.remaining(now)));
        let login = self.login.as_ref();
        let age = login.map(|login| now.monotonic.saturating_sub(login.since.monotonic));
        let age = age.map(|age| age.min(Duration::from_secs(60)));
        (life, age, self.failures, self.cooling(now)).hash(state);
        let cooled = self.cooldown.as_ref();
        let cooled = cooled.map(|one| (now.elapsed_since(&one.since), one.lasts));
        let refused = self.refused_at.map(|at| now.elapsed_since(&at));
        (cooled, refused).hash(state);
    }

    /// Returns `true` if callers join this login.
    #[cfg(test)]
    pub(super) fn is_joined(&self, id: u64) -> bool {
        self.login.as_ref().is_some_and(|login| login.id == id)
    }

    /// Returns `true` if a 401 for this generation is one for the current token.
    #[cfg(test)]
    pub(super) fn refusable(&self, generation: u64) -> bool {
        let current = self.current.as_ref();
        current.is_some_and(|current| current.generation == generation)
    }
}
