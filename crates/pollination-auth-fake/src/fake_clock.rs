//! The service's clock as others may read it: a client in a test goes by it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::service::Service;

/// Reads the service's clock, which [`FakeService::advance`] moves.
///
/// A client with the machine's clock notices an [`advance`] only by a 401. A client with this clock
/// refreshes early, and knows when a token expires. This crate does not depend on the client: the
/// documentation of `ClientBuilder::clock` in `pollination-auth` has the few lines that make it
/// that client's clock. It can be read after the service has ended.
///
/// ```
/// use std::time::Duration;
/// use pollination_auth_fake::FakeService;
///
/// let service = FakeService::start();
/// let clock = service.clock();
/// let before = clock.monotonic();
/// service.advance(Duration::from_secs(3600));
/// assert!(clock.monotonic() >= before + Duration::from_secs(3600));
/// ```
///
/// [`FakeService::advance`]: crate::FakeService::advance
/// [`advance`]: crate::FakeService::advance
#[derive(Clone)]
pub struct FakeClock(Arc<Service>);

impl FakeClock {
    pub(crate) fn of(service: &Arc<Service>) -> Self {
        Self(Arc::clone(service))
    }

    /// Returns the date and time, which stops ten thousand years after 1970.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        self.0.state().clock.wall()
    }

    /// Returns the time since the service started, including every [`advance`].
    ///
    /// [`advance`]: crate::FakeService::advance
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        self.0.state().clock.since_start()
    }
}

impl fmt::Debug for FakeClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FakeClock").field(&self.monotonic()).finish()
    }
}
