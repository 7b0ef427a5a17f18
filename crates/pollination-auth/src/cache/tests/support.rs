//! A scripted source of access tokens, and helpers of the tests.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::super::shared::Shared as Inside;
use super::super::{TokenCache, TokenSource};
use crate::credential::api_token::checked_bearer;
use crate::credential::grant::Grant;
use crate::credential::validity::Validity;
use crate::error::Error;
use crate::error::failure::{Facts, Reason};
use crate::foundation::chance;
use crate::foundation::clock::Clock as _;
use crate::foundation::clock::tests::ManualClock;
use crate::foundation::operation::Operation;

/// How long a caller waits for a flight in these tests, on paused time.
pub(super) const FLIGHT_LIMIT: Duration = Duration::from_secs(31);

/// The deadline of a caller that outlasts any flight.
pub(super) fn in_time() -> Instant {
    Instant::now() + FLIGHT_LIMIT * 100
}

/// What a login does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Does {
    /// Returns a token.
    Succeed,
    /// Fails in a way that may pass.
    FailForNow,
    /// Fails for good: the service refuses the credential.
    FailForGood,
    /// Fails, and asks for a wait of this many seconds.
    AskToWait(u64),
    /// Takes this many seconds by the clock, and then returns a token.
    Take(u64),
    Panic,
}

/// A source under a test's control; its tokens are named `token-1`, `token-2` and so on.
pub(super) struct Source {
    pub(super) clock: ManualClock,
    does: Mutex<Does>,
    lifetime: Mutex<Duration>,
    started: AtomicUsize,
    granted: AtomicUsize,
    running: AtomicUsize,
    most_running: AtomicUsize,
    /// A login continues when there is a permit; closed gates have none.
    gate: Semaphore,
}

impl Source {
    pub(super) fn new(lifetime: Duration) -> Arc<Self> {
        Arc::new(Self {
            clock: ManualClock::new(),
            does: Mutex::new(Does::Succeed),
            lifetime: Mutex::new(lifetime),
            started: AtomicUsize::new(0),
            granted: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            most_running: AtomicUsize::new(0),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        })
    }

    pub(super) fn cache(self: &Arc<Self>) -> TokenCache {
        let clock = Arc::new(SharedClock(self.clone()));
        TokenCache::new(Box::new(Shared(self.clone())), clock, FLIGHT_LIMIT)
    }

    /// The inside of a cache, to look at its login.
    pub(super) fn inside(self: &Arc<Self>) -> Arc<Inside> {
        let clock = Arc::new(SharedClock(self.clone()));
        let inside = Inside::new(Box::new(Shared(self.clone())), clock, FLIGHT_LIMIT);
        Arc::new(inside)
    }

    pub(super) fn will(&self, does: Does) {
        *self.does.lock().unwrap() = does;
    }

    pub(super) fn set_lifetime(&self, lifetime: Duration) {
        *self.lifetime.lock().unwrap() = lifetime;
    }

    /// Lets no login end until [`open`](Self::open).
    pub(super) fn close(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(super) fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS);
    }

    pub(super) fn logins(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }

    pub(super) fn most_at_once(&self) -> usize {
        self.most_running.load(Ordering::SeqCst)
    }

    async fn login(self: Arc<Self>) -> Result<Grant, Error> {
        let requested_at = self.clock.now();
        self.started.fetch_add(1, Ordering::SeqCst);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(running, Ordering::SeqCst);
        let _running = Running(&self.running);
        // Two points at which the task yields, for sweeps over all of them.
        tokio::task::yield_now().await;
        let _permit = self.gate.acquire().await.unwrap();
        let does = *self.does.lock().unwrap();
        match does {
            Does::Succeed => {}
            Does::Take(seconds) => self.clock.advance(Duration::from_secs(seconds)),
            Does::FailForNow => {
                let facts = Facts::new(Operation::Login, Reason::ConnectionLost);
                return Err(Error::Unavailable(facts.into()));
            }
            Does::AskToWait(seconds) => {
                let until = self.clock.now().wall + Duration::from_secs(seconds);
                let facts = Facts {
                    retry_at: Some(until),
                    ..Facts::new(Operation::Login, Reason::Status)
                };
                return Err(Error::RateLimited(facts.into()));
            }
            Does::FailForGood => {
                let facts = Facts::new(Operation::Login, Reason::Status);
                return Err(Error::CredentialsRejected(facts.into()));
            }
            Does::Panic => panic!("as the test told it"),
        }
        let number = self.granted.fetch_add(1, Ordering::SeqCst) + 1;
        let bearer = checked_bearer(&format!("token-{number}")).unwrap();
        let lifetime = *self.lifetime.lock().unwrap();
        let validity = Validity::refreshable(requested_at, lifetime, chance::fraction());
        Ok(Grant::new(bearer, None, validity))
    }
}

struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Shared(Arc<Source>);

impl TokenSource for Shared {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<Grant, Error>> + Send>> {
        Box::pin(self.0.clone().login())
    }
}

struct SharedClock(Arc<Source>);

impl std::fmt::Debug for SharedClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedClock")
    }
}

impl crate::foundation::clock::Clock for SharedClock {
    fn now(&self) -> crate::foundation::clock::Moment {
        self.0.clock.now()
    }
}

/// Returns in a word what a caller got: `token-N`, or the failure.
pub(super) fn said(
    result: Result<Arc<crate::credential::access_token::CachedToken>, Error>,
) -> String {
    match result {
        Ok(cached) => cached.token.expose_secret().to_owned(),
        Err(Error::Unavailable(_)) => "unavailable".to_owned(),
        Err(Error::RateLimited(_)) => "rate limited".to_owned(),
        Err(Error::CredentialsRejected(_)) => "rejected".to_owned(),
        Err(Error::UnusableReply(_)) => "stale".to_owned(),
        Err(Error::LifetimeTooShort(_)) => "too short".to_owned(),
        Err(Error::Internal(failure)) => failure.reason().to_string(),
        Err(other) => other.to_string(),
    }
}

/// Runs every task until it waits for the test.
pub(super) async fn settle() {
    for _ in 0..16 {
        tokio::task::yield_now().await;
    }
}
