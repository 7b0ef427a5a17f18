//! What can be set for a rotation, and the bounds that hold otherwise.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::protocol::Rules;
use crate::store::CredentialStore;

/// The time after which a service has settled: 60 s.
///
/// A request may be at work for as long as proxies wait, commonly 30 s, and identity providers
/// take up to 30 s until all their servers know a new secret.
const SETTLE: Duration = Duration::from_secs(60);

/// The requests of one run: 3, for two that get lost, and one more.
const REQUESTS: u32 = 3;

/// The least life of the access token that is the key for a recovery: 15 minutes.
const LEAST_HORIZON: Duration = Duration::from_secs(15 * 60);

/// The same in settle times: 10, more than all requests and waits of one run take.
const HORIZON_SETTLES: u32 = 10;

/// How long it is waited for the lock: 10 s, more than any single write.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// How long the secret before the last rotation is kept: 10 minutes.
const GRACE: Duration = Duration::from_secs(10 * 60);

/// Says how a rotation is carried out.
///
/// ```
/// use std::time::Duration;
/// use pollination_auth::RotateOptions;
///
/// let patient = RotateOptions::default().settle(Duration::from_secs(120)).requests(5);
/// # let _ = patient;
/// ```
#[derive(Clone)]
pub struct RotateOptions {
    settle: Duration,
    requests: u32,
    horizon: Option<Duration>,
    pub(super) lock_wait: Duration,
    pub(super) grace: Duration,
    pub(super) accept_volatile: bool,
    pub(super) emergency: Option<Arc<dyn CredentialStore>>,
    pub(super) on_wait: Option<OnWait>,
}

/// What is called before a rotation waits.
pub(super) type OnWait = Arc<dyn Fn(Duration) + Send + Sync>;

impl Default for RotateOptions {
    fn default() -> Self {
        Self {
            settle: SETTLE,
            requests: REQUESTS,
            horizon: None,
            lock_wait: LOCK_WAIT,
            grace: GRACE,
            accept_volatile: false,
            emergency: None,
            on_wait: None,
        }
    }
}

impl RotateOptions {
    /// Sets the time after which the service has settled; the default is 60 s.
    ///
    /// It has to be longer than a request can be at work in the service, and a new secret takes to
    /// be known everywhere in it, together. Everything rests on it: nothing is judged, and nothing
    /// repeated, before it has passed. A rotation without a fault does not wait for it.
    #[must_use]
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// Sets how many requests one run may make, the first included; 0 counts as 1.
    #[must_use]
    pub fn requests(mut self, requests: u32) -> Self {
        self.requests = requests.max(1);
        self
    }

    /// Sets how long the access token must live that is the key for a recovery.
    ///
    /// The default is 15 minutes or ten times the settle time, whichever is longer.
    #[must_use]
    pub fn recovery_horizon(mut self, horizon: Duration) -> Self {
        self.horizon = Some(horizon);
        self
    }

    /// Sets how long it is waited for the lock; the default is 10 s.
    #[must_use]
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// Sets how long the store keeps the old secret; the default is 10 minutes.
    ///
    /// A [`recover`](super::Rotation::recover) after that forgets it, if it logs in no more.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Accepts a store that forgets everything with the process.
    #[must_use]
    pub fn accept_volatile(mut self) -> Self {
        self.accept_volatile = true;
        self
    }

    /// Sets a store that is given the new secret when the first one can't be written.
    ///
    /// It should be in another place, as another disk. Nothing is read from it.
    #[must_use]
    pub fn emergency_store(mut self, store: Arc<dyn CredentialStore>) -> Self {
        self.emergency = Some(store);
        self
    }

    /// Calls this before each wait for the service to settle, with how long it is.
    ///
    /// There is none in a rotation that goes well. Who waits for the end can be told so: after an
    /// answer that leaves open what happened, it is minutes away. It must not block.
    #[must_use]
    pub fn on_wait(mut self, tell: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        self.on_wait = Some(Arc::new(tell));
        self
    }

    pub(super) fn rules(&self) -> Rules {
        let least = LEAST_HORIZON.max(self.settle.saturating_mul(HORIZON_SETTLES));
        Rules {
            settle: self.settle,
            horizon: self.horizon.unwrap_or(least),
            requests: self.requests,
        }
    }
}

impl fmt::Debug for RotateOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotateOptions")
            .field("settle", &self.settle)
            .field("requests", &self.requests)
            .field("lock_wait", &self.lock_wait)
            .field("grace", &self.grace)
            .field("accept_volatile", &self.accept_volatile)
            .field("has_emergency_store", &self.emergency.is_some())
            .field("tells_of_waits", &self.on_wait.is_some())
            .finish_non_exhaustive()
    }
}
