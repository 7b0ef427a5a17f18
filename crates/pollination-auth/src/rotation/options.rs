//! The options of a rotation, and their defaults.

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

/// The minimum lifetime of the access token for a recovery: 15 minutes.
const LEAST_HORIZON: Duration = Duration::from_secs(15 * 60);

/// The longest rotation in settle times: 10, more than all requests and waits of one run take.
const ROTATION_SETTLES: u32 = 10;

/// How long to wait for the lock at least: 10 s, more than any single write.
const LEAST_LOCK_WAIT: Duration = Duration::from_secs(10);

/// Options of a rotation.
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
    lock_wait: Option<Duration>,
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
            lock_wait: None,
            accept_volatile: false,
            emergency: None,
            on_wait: None,
        }
    }
}

impl RotateOptions {
    /// Sets the time after which the service has settled; the default is 60 s.
    ///
    /// It must be longer than a request can be at work in the service plus the time until a new
    /// secret is known everywhere in it. Everything rests on it: nothing is decided or repeated
    /// before it has passed. A rotation without a fault does not wait for it.
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

    /// Sets the minimum remaining lifetime of the access token, which a recovery may need.
    ///
    /// The default is 15 minutes or ten times the settle time, whichever is longer.
    #[must_use]
    pub fn recovery_horizon(mut self, horizon: Duration) -> Self {
        self.horizon = Some(horizon);
        self
    }

    /// Sets how long to wait for the lock.
    ///
    /// The default is ten times the settle time, and 10 s at least: another process's rotation takes
    /// that long at most, and its result is that of this one as well.
    #[must_use]
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = Some(wait);
        self
    }

    /// Accepts a store that does not outlive the process.
    #[must_use]
    pub fn accept_volatile(mut self) -> Self {
        self.accept_volatile = true;
        self
    }

    /// Sets a store that receives the new secret if the client's own store can't be written.
    ///
    /// It should be in another place, such as another disk. Nothing that is there is replaced, and a
    /// recovery with the same emergency store tries what it finds there.
    #[must_use]
    pub fn emergency_store(mut self, store: impl CredentialStore) -> Self {
        self.emergency = Some(Arc::new(store));
        self
    }

    /// Sets a function that is called with the length of each wait for the service to settle.
    ///
    /// A rotation without a fault has no wait; after a lost reply the result can be minutes away.
    /// The function must not block.
    #[must_use]
    pub fn on_wait(mut self, tell: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        self.on_wait = Some(Arc::new(tell));
        self
    }

    pub(super) fn patience(&self) -> Duration {
        let rotation = self.settle.saturating_mul(ROTATION_SETTLES);
        self.lock_wait.unwrap_or(LEAST_LOCK_WAIT.max(rotation))
    }

    pub(super) fn rules(&self) -> Rules {
        let least = LEAST_HORIZON.max(self.settle.saturating_mul(ROTATION_SETTLES));
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
            .field("accept_volatile", &self.accept_volatile)
            .field("has_emergency_store", &self.emergency.is_some())
            .field("tells_of_waits", &self.on_wait.is_some())
            .finish_non_exhaustive()
    }
}
