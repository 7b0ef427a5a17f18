//! What the clones of a client share, and how its secret is replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::held::Held;
use crate::cache::TokenCache;
use crate::call::SharedCalls;
use crate::credential::access_token::{AccessToken, CachedToken};
use crate::credential::api_token::ApiToken;
use crate::error::Error;
use crate::error::classify::FailedAttempt;
use crate::foundation::operation::Operation;

/// What the clones of a client share.
pub(super) struct Inner {
    pub(super) calls: SharedCalls,
    pub(super) cache: TokenCache,
    /// The API token to log in with; `None` if the client was given an access token alone.
    pub(super) held: Option<Held>,
    /// Two rotations at once would each revoke the other's secret.
    pub(super) rotating: Arc<Mutex<()>>,
}

impl Inner {
    /// Returns an access token: at once if a good one is cached, else within the deadline.
    pub(super) async fn token(
        &self,
        least: Duration,
        deadline: Instant,
    ) -> Result<Arc<CachedToken>, Error> {
        let token = self.cache.get(least, deadline).await;
        token.or_else(|error| self.cache.unexpired(least).ok_or(error))
    }

    /// Rotates once; `may_be_sent` is set before the request can be.
    pub(super) async fn rotate(
        &self,
        deadline: Instant,
        may_be_sent: &AtomicBool,
    ) -> Result<ApiToken, Error> {
        const OPERATION: Operation = Operation::RotateApiTokenSecret;
        let held = match &self.held {
            Some(held) => {
                let found = tokio::time::timeout_at(deadline, held.get(OPERATION)).await;
                Some(found.map_err(|_late| FailedAttempt::too_late(OPERATION).into_error())??)
            }
            None => None,
        };
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
        if let Some(held) = &self.held {
            held.replace(token.clone());
            self.cache.forget_failure();
        }
        Ok(token)
    }
}

/// Marks the secret as being changed until this is dropped, for logins meanwhile.
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
