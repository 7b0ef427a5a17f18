//! A task that keeps the access token fresh, for callers that can't wait for a login.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use super::token_cache::TokenCache;
use crate::credential::access_token::AccessToken;
use crate::error::Error;
use crate::error::failure::{Failure, Reason};
use crate::foundation::operation::Operation;
use crate::foundation::runtime;

/// The shortest pause while the token is fresh: 100 ms. The clock that decides about freshness can
/// be some milliseconds behind the timer.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// The first pause after a login that brought nothing: 1 s, some times what a login takes.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The longest pause between two logins that bring nothing: 30 s.
///
/// A service that is down all night is not asked more often for callers that ask for nothing; one
/// that does ask is served at once.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// An access token that a background task keeps fresh, for code that can't wait for one.
///
/// [`Client::keep_fresh`](crate::Client::keep_fresh) creates it. Clones share the task, which ends
/// with the last of them.
#[derive(Clone)]
pub struct FreshAccessToken(Arc<Keeper>);

struct Keeper {
    cache: TokenCache,
    task: AbortHandle,
    shared: Arc<Shared>,
}

/// What the task and its callers share.
#[derive(Default)]
struct Shared {
    /// A caller found no fresh token.
    wanted: Notify,
    /// Why there is no fresh token.
    failure: Mutex<Option<Error>>,
}

impl FreshAccessToken {
    /// Returns the access token. Never waits, and never returns an expired one. Of an access token
    /// that the client was given, only the service decides when it has expired.
    ///
    /// # Errors
    ///
    /// The error of the last login, if there is no valid token. [`Error::Unavailable`] while the
    /// first login has not finished. [`Error::Internal`] if the runtime of the task was shut down.
    pub fn get(&self) -> Result<AccessToken, Error> {
        let Keeper {
            cache,
            task,
            shared,
        } = &*self.0;
        if let Some(fresh) = cache.fresh(Duration::ZERO) {
            return Ok(fresh);
        }
        shared.wanted.notify_one();
        if let Some(old) = cache.unexpired(Duration::ZERO) {
            return Ok(old.token.clone());
        }
        if task.is_finished() {
            return Err(Error::internal(Operation::Login, Reason::NoRuntime));
        }
        let failure = shared.failure().clone();
        Err(failure.unwrap_or_else(|| {
            Error::Unavailable(Failure::new(Operation::Login, Reason::LoginUnderWay))
        }))
    }
}

impl fmt::Debug for FreshAccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreshAccessToken").finish_non_exhaustive()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn failure(&self) -> std::sync::MutexGuard<'_, Option<Error>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenCache {
    /// Starts a task that keeps the token fresh; no login is waited for longer than `patience`.
    pub(crate) fn keep_fresh(&self, patience: Duration) -> Result<FreshAccessToken, Error> {
        let runtime = runtime::current()
            .map_err(|missing| Error::internal(Operation::Login, missing.into()))?;
        let shared = Arc::<Shared>::default();
        let task = runtime.spawn(keep(self.clone(), shared.clone(), patience));
        Ok(FreshAccessToken(Arc::new(Keeper {
            cache: self.clone(),
            task: task.abort_handle(),
            shared,
        })))
    }
}

/// Asks for a token as each caller does, whenever the one there is stops being fresh.
async fn keep(cache: TokenCache, shared: Arc<Shared>, patience: Duration) {
    let mut changes = cache.changes();
    let mut retry = FIRST_RETRY;
    loop {
        let result = cache.get(Duration::ZERO, Instant::now() + patience).await;
        *shared.failure() = result.err();
        let left = cache.fresh_left();
        let pause = if left.is_zero() {
            let pause = retry;
            retry = LONGEST_RETRY.min(retry * 2);
            pause
        } else {
            retry = FIRST_RETRY;
            left.max(SHORTEST_PAUSE)
        };
        let mut wanted = pin!(shared.wanted.notified());
        let mut changed = pin!(changes.changed());
        let either = poll_fn(|context| {
            if wanted.as_mut().poll(context).is_ready() || changed.as_mut().poll(context).is_ready()
            {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        let _time_is_up = timeout(pause, either).await;
    }
}
