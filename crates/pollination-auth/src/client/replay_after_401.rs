//! What a 401 means for a call: its access token is dropped, and the call is made once more with
//! the next one.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::inner::Inner;
use crate::credential::access_token::AccessToken;
use crate::error::Error;
use crate::error::classify::{Class, FailedAttempt};
use crate::error::failure::{Facts, Reason};
use crate::foundation::operation::Operation;
use crate::foundation::runtime;
use crate::wire::answer::{Answer, Attempted};

impl Inner {
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
        runtime::current().map_err(|missing| Error::internal(operation, missing.into()))?;
        let mut refused_attempts = 0;
        loop {
            let used = AtomicU64::new(0);
            let used = &used;
            let attempt = &attempt;
            // Each attempt asks for the token anew: a wait may have outlived the last one.
            let attempt = |number, timeout: Duration| async move {
                let cached = match self.token(Duration::ZERO, deadline).await {
                    Ok(cached) => cached,
                    Err(error) => return Ok(Err(error)),
                };
                // A login may have taken a part of the time.
                let timeout = timeout.min(deadline.saturating_duration_since(Instant::now()));
                if timeout.is_zero() {
                    return Err(FailedAttempt::too_late(operation));
                }
                used.store(cached.generation, Ordering::Relaxed);
                // Pinned here, since it is large and would be moved once more for each wrapping.
                let exchange = pin!(attempt(cached.token.clone(), timeout));
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

    /// Returns the error of a call; a given access token has expired only when the service refuses
    /// it.
    fn explained(&self, failed: FailedAttempt) -> Error {
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
}

/// Returns the error of a call whose runtime could not go on with it.
fn broken_off(operation: Operation, reason: Reason) -> Error {
    if reason == Reason::NoRuntime && operation.mints_a_secret() {
        // The runtime was shut down in the middle, maybe after the request had been sent.
        return Error::Ambiguous(Facts::new(operation, reason).into());
    }
    Error::internal(operation, reason)
}
