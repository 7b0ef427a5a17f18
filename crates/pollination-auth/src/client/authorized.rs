//! What the clones of a client share, and the rules that join cache and calls: a 401 drops the
//! access token and the call is made once more; logins are told while the secret changes.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::cache::TokenCache;
use crate::call::SharedCalls;
use crate::client::login::Held;
use crate::credential::access_token::AccessToken;
use crate::credential::access_token::CachedToken;
use crate::credential::api_token::ApiToken;
use crate::error::Error;
use crate::error::classify::{Attempt, Class};
use crate::error::failure::{Facts, Reason};
use crate::foundation::operation::Operation;
use crate::foundation::runtime;
use crate::wire::answer::{Answer, Attempted};

/// What the clones of a client share.
pub(super) struct Inner {
    pub(super) calls: SharedCalls,
    pub(super) cache: TokenCache,
    /// The API token to log in with; none for a client that was given an access token alone.
    pub(super) held: Option<Held>,
    /// Two rotations at once would each make the other's secret the dead one.
    pub(super) rotating: Arc<Mutex<()>>,
}

impl Inner {
    /// Gives an access token: at once while one is good, else within the deadline.
    pub(super) async fn token(
        &self,
        least: Duration,
        deadline: Instant,
    ) -> Result<Arc<CachedToken>, Error> {
        let token = self.cache.get(least, deadline).await;
        token.or_else(|error| self.cache.unexpired(least).ok_or(error))
    }

    /// Makes a call with an access token; after a 401 once more, with the next one.
    pub(super) async fn authorized<T, F>(
        &self,
        operation: Operation,
        deadline: Instant,
        attempt: impl Fn(AccessToken, Duration) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Attempted<Answer<T>>>,
    {
        // A good access token is given without a runtime; sending needs one.
        runtime::current().map_err(|missing| internal(operation, missing.into()))?;
        let mut refused_attempts = 0;
        loop {
            let used = AtomicU64::new(0);
            let used = &used;
            let attempt = &attempt;
            // Each attempt asks for the token anew: a wait may have outlived the last one.
            let attempt = |number, timeout: Duration| async move {
                let mut timeout = timeout;
                let bearer = match self.cache.current(Duration::ZERO) {
                    Some(lent) => {
                        used.store(lent.generation, Ordering::Relaxed);
                        AccessToken::lent(lent)
                    }
                    None => {
                        let cached = match self.token(Duration::ZERO, deadline).await {
                            Ok(cached) => cached,
                            Err(error) => return Ok(Err(error)),
                        };
                        timeout = timeout.min(deadline.saturating_duration_since(Instant::now()));
                        if timeout.is_zero() {
                            return Err(Attempt::too_late(operation));
                        }
                        used.store(cached.generation, Ordering::Relaxed);
                        cached.token.clone()
                    }
                };
                // Pinned here, since it is large and would be moved once more for each wrapping.
                let exchange = pin!(attempt(bearer, timeout));
                self.calls
                    .observe(operation, number, exchange)
                    .await
                    .map(Ok)
            };
            let call = pin!(self.calls.call(operation, deadline, attempt));
            let ended = match runtime::guarded(call).await {
                Ok(ended) => ended,
                Err(missing) => return Err(broken_off(operation, missing.into())),
            };
            match ended {
                Ok(result) => {
                    if refused_attempts > 0 && result.is_ok() {
                        self.cache.accepted();
                    }
                    return result;
                }
                Err(failed)
                    if failed.class == Class::Status(401)
                        && refused_attempts == 0
                        && self.refused(used.load(Ordering::Relaxed)) =>
                {
                    refused_attempts = failed.facts.attempts;
                }
                Err(mut failed) => {
                    failed.facts.attempts = failed.facts.attempts.saturating_add(refused_attempts);
                    return Err(self.explained(failed));
                }
            }
        }
    }

    /// Takes note of a 401 for an access token; returns `true` if a replay can have another one.
    pub(super) fn refused(&self, generation: u64) -> bool {
        self.held.is_some() && self.cache.refuse(generation)
    }

    /// Returns the error of a call; a given access token has expired only when the service refuses it.
    fn explained(&self, failed: Attempt) -> Error {
        let is_given = self.held.is_none();
        if is_given && failed.class == Class::Status(401) && self.cache.seems_expired() {
            let facts = Facts {
                reason: Reason::Expired,
                ..*failed.facts
            };
            return Error::AccessTokenExpired(facts.into());
        }
        failed.into_error()
    }

    /// Rotates once; `may_be_sent` is set before the request can be.
    pub(super) async fn rotate(
        &self,
        deadline: Instant,
        may_be_sent: &AtomicBool,
    ) -> Result<ApiToken, Error> {
        const OPERATION: Operation = Operation::RotateApiTokenSecret;
        let change = match &self.held {
            Some(held) => Some(held.begin_change(OPERATION).await?),
            None => None,
        };
        let held = change.as_ref().map(|change| change.token.clone());
        let changing = Changing(self.held.as_ref());
        let changing = &changing;
        let calls = &self.calls;
        let rotate = |bearer: AccessToken, timeout| {
            let held = held.clone();
            async move {
                may_be_sent.store(true, Ordering::SeqCst);
                changing.set(true);
                let result = calls
                    .wire
                    .rotate_api_token_secret(&bearer, held.as_deref(), timeout)
                    .await;
                if let Err(failed) = &result {
                    changing.set(false);
                    may_be_sent.store(failed.may_have_happened(), Ordering::SeqCst);
                }
                result
            }
        };
        let token = self.authorized(OPERATION, deadline, rotate).await?;
        if let Some(change) = change {
            change.finish(OPERATION, token.clone()).await?;
            self.cache.forget_failure();
        }
        Ok(token)
    }
}

/// Tells logins that the secret is being changed, until its end.
struct Changing<'a>(Option<&'a Held>);

impl Changing<'_> {
    fn set(&self, changing: bool) {
        if let Some(held) = self.0 {
            held.set_changing(changing);
        }
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.set(false);
    }
}

/// Returns the error of a call whose runtime could not go on with it.
fn broken_off(operation: Operation, reason: Reason) -> Error {
    if reason == Reason::NoRuntime && operation.mints_a_secret() {
        // The runtime was shut down in the middle, maybe after the request had been sent.
        return Error::Ambiguous(Facts::new(operation, reason).into());
    }
    internal(operation, reason)
}

pub(super) fn internal(operation: Operation, reason: Reason) -> Error {
    Error::Internal(Facts::new(operation, reason).into())
}
