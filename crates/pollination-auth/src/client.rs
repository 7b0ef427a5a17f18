//! The client that people hold: the five operations and the access token.
//!
//! Each method is one call; the rules that join cache and calls are in `inner`.

pub(crate) mod authorized;
pub(crate) mod build_error;
pub(crate) mod builder;
pub(crate) mod env;
pub(crate) mod login;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::MutexGuard;

use self::authorized::{Inner, internal};
use crate::cache::{AccessTokenChanges, TokenCache};
use crate::call::SharedCalls;
use crate::client::login::Held;
use crate::credential::access_token::AccessToken;
use crate::credential::api_token::{ApiToken, ApiTokenId};
use crate::error::Error;
use crate::error::classify::{Attempt, Class};
use crate::error::failure::{Facts, Reason};
use crate::foundation::operation::Operation;
use crate::store::Profile;
use crate::wire::answer::Answer;

/// Talks to the service with one credential; clones share it, and are cheap.
///
/// Call it from as many tasks as you like: the access token is fetched once for all of them, and
/// is replaced before it ends.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

impl Client {
    pub(crate) fn new(calls: SharedCalls, cache: TokenCache, held: Option<Held>) -> Self {
        Self(Arc::new(Inner {
            calls,
            cache,
            held,
            rotating: Arc::default(),
        }))
    }

    /// Gives an access token that is good now, logging in only if there is none.
    ///
    /// While the current one is good this neither waits nor allocates. Shortly before its end one
    /// task fetches the next one, and callers go on with the old one meanwhile.
    ///
    /// ```
    /// # use pollination_auth::{ApiToken, Client};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
    /// # let api_token = ApiToken::new("an-id", "a-secret")?;
    /// # let client = Client::builder().api_token(api_token).base_url(service.base_url()).build()?;
    /// let token = client.access_token().await?;
    /// let header = format!("Bearer {}", token.expose_secret());
    /// # assert!(header.len() > 20);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`login`](Self::login). A failure is shared by all callers that waited for it.
    pub async fn access_token(&self) -> Result<AccessToken, Error> {
        self.access_token_valid_for(Duration::ZERO).await
    }

    /// Gives an access token that stays good for at least this long.
    ///
    /// # Errors
    ///
    /// [`Error::LifetimeTooShort`] when the service's access tokens don't live that long, and those
    /// of [`login`](Self::login).
    pub async fn access_token_valid_for(&self, least: Duration) -> Result<AccessToken, Error> {
        if let Some(fresh) = self.0.cache.fresh(least) {
            return Ok(fresh);
        }
        let cached = self.0.token(least, self.0.calls.deadline()).await?;
        Ok(cached.token.clone())
    }

    /// Returns a receiver of every new access token, for code that keeps it elsewhere.
    #[must_use]
    pub fn access_token_changes(&self) -> AccessTokenChanges {
        self.0.cache.changes()
    }

    /// Logs in now, and uses the new access token from here on (`POST /auth/login`).
    ///
    /// There is no need to call it before anything else: every operation logs in by itself. Calls
    /// made at the same time share one login.
    ///
    /// # Errors
    ///
    /// [`Error::CredentialsRejected`] when the service refuses id and secret,
    /// [`Error::AccessTokenExpired`] when the client has nothing to log in with,
    /// [`Error::NotSent`] or [`Error::Unavailable`] when the service can't be reached or can't
    /// answer, [`Error::UnusableReply`] when its access token can't be used.
    pub async fn login(&self) -> Result<AccessToken, Error> {
        let cached = self.0.cache.refresh(self.0.calls.deadline()).await?;
        Ok(cached.token.clone())
    }

    /// Asks for the id of the account's API token (`GET /auth/api-token`).
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when the account has none, those of [`login`](Self::login), and those
    /// of a refusal.
    pub async fn get_api_token(&self) -> Result<ApiTokenId, Error> {
        let deadline = self.0.calls.deadline();
        let calls = &self.0.calls;
        let get = |bearer: AccessToken, timeout| async move {
            calls.wire.get_api_token(&bearer, timeout).await
        };
        self.0
            .authorized(Operation::GetApiToken, deadline, get)
            .await
    }

    /// Creates an API token (`POST /auth/api-token`); it does not change what this client holds.
    ///
    /// The reply is the only place where its secret is ever seen. The request is never made twice
    /// once it may have been sent.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] when it may have happened; [`Error::UnusableReply`] when it happened
    /// and the reply can't be used, with [`raw_reply`](Error::raw_reply); those of
    /// [`login`](Self::login), and those of a refusal.
    pub async fn create_api_token(&self) -> Result<ApiToken, Error> {
        let deadline = self.0.calls.deadline();
        let calls = &self.0.calls;
        let create = |bearer: AccessToken, timeout| async move {
            calls.wire.create_api_token(&bearer, timeout).await
        };
        self.0
            .authorized(Operation::CreateApiToken, deadline, create)
            .await
    }

    /// Replaces the secret of the account's API token (`PUT /auth/api-token`).
    ///
    /// The client logs in with the new secret from then on. The old one is dead at once, so store
    /// the new one before anything else; a client that was built on a store does that by itself.
    /// The request is never made twice once it may have been sent, and goes on when the returned
    /// future is dropped.
    ///
    /// A crash at the wrong moment loses the secret. [`rotation`](Self::rotation) does not.
    ///
    /// # Errors
    ///
    /// [`Error::StoreFailed`] when the client's store can't be read or locked, or has an unfinished
    /// rotation: then nothing was sent; or when the new secret can't be stored: then it is in
    /// [`raw_reply`](Error::raw_reply).
    /// [`Error::Ambiguous`] when it may have happened; [`Error::UnusableReply`] when it happened
    /// and the reply can't be used, with [`raw_reply`](Error::raw_reply); those of
    /// [`login`](Self::login), and those of a refusal.
    pub async fn rotate_api_token_secret(&self) -> Result<ApiToken, Error> {
        const OPERATION: Operation = Operation::RotateApiTokenSecret;
        let runtime =
            Handle::try_current().map_err(|_none| internal(OPERATION, Reason::NoRuntime))?;
        let deadline = self.0.calls.deadline();
        // Who gives up while others rotate has not begun: nothing is sent on its behalf.
        let turn = tokio::time::timeout_at(deadline, self.0.rotating.clone().lock_owned())
            .await
            .map_err(|_late| Attempt::too_late(OPERATION).into_error())?;
        let inner = self.0.clone();
        let sent = Arc::new(AtomicBool::new(false));
        let may_be_sent = sent.clone();
        // On a task of its own: once it is sent, only its reply knows the secret.
        let task = runtime.spawn(async move {
            let _turn = turn;
            inner.rotate(deadline, &may_be_sent).await
        });
        task.await.unwrap_or_else(|error| {
            let reason = if error.is_panic() {
                Reason::Panicked
            } else {
                Reason::NoRuntime
            };
            if sent.load(Ordering::SeqCst) {
                return Err(Error::Ambiguous(Facts::new(OPERATION, reason).into()));
            }
            Err(internal(OPERATION, reason))
        })
    }

    pub(crate) fn profile(&self) -> Option<&Profile> {
        self.0.held.as_ref().and_then(Held::profile)
    }

    pub(crate) fn parts(&self) -> (&SharedCalls, &TokenCache) {
        (&self.0.calls, &self.0.cache)
    }

    pub(crate) fn wall_clock(&self) -> SystemTime {
        self.0.calls.wire.clock.now().wall
    }

    /// Waits for the turn to rotate.
    pub(crate) async fn rotating(&self) -> MutexGuard<'_, ()> {
        self.0.rotating.lock().await
    }

    /// Deletes the account's API token (`DELETE /auth/api-token`).
    ///
    /// Its id and secret log in no more, and a client that logs in forgets its access token. One
    /// that was given an access token alone keeps it: the service goes on accepting it.
    ///
    /// A [store](ClientBuilder::store) keeps the dead credential until
    /// [`Profile::remove`](crate::Profile::remove): the id that was deleted need not be the stored one.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there was none, those of [`login`](Self::login), and those of a
    /// refusal. When an attempt was lost and the next one finds none, it is done.
    pub async fn delete_api_token(&self) -> Result<(), Error> {
        let deadline = self.0.calls.deadline();
        let may_be_done = AtomicBool::new(false);
        let may_be_done = &may_be_done;
        let calls = &self.0.calls;
        let delete = |bearer: AccessToken, timeout| async move {
            let failed = match calls.wire.delete_api_token(&bearer, timeout).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if let Class::Status(status @ 404) = failed.class
                && may_be_done.load(Ordering::Relaxed)
            {
                return Ok(Answer { value: (), status });
            }
            may_be_done.fetch_or(failed.may_have_happened(), Ordering::Relaxed);
            Err(failed)
        };
        let result = self
            .0
            .authorized(Operation::DeleteApiToken, deadline, delete)
            .await;
        // A replay that was not sent does not undo an attempt that may have been.
        let result = match result {
            Err(Error::NotSent(failure)) if may_be_done.load(Ordering::Relaxed) => {
                Err(Error::Unavailable(failure))
            }
            other => other,
        };
        // A given access token is all that such a client has; forgotten, it would seem expired.
        if self.0.held.is_some() && matches!(result, Ok(()) | Err(Error::NotFound(_))) {
            self.0.cache.clear();
        }
        result
    }
}

/// What the middleware needs: the same token and the same rule, for requests of somebody else.
#[cfg(any(feature = "reqwest-middleware", feature = "tower"))]
impl Client {
    pub(crate) async fn cached_token(
        &self,
    ) -> Result<Arc<crate::credential::access_token::CachedToken>, Error> {
        self.0.token(Duration::ZERO, self.0.calls.deadline()).await
    }

    /// Takes note of a 401, and tells whether a replay can have another access token.
    pub(crate) fn token_refused(&self, generation: u64) -> bool {
        self.0.refused(generation)
    }

    /// Takes note that a replay was not refused.
    pub(crate) fn replay_accepted(&self) {
        self.0.cache.accepted();
    }

    pub(crate) fn base_url(&self) -> &crate::foundation::base_url::BaseUrl {
        &self.0.calls.wire.base_url
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.0.calls.wire.base_url.prefix())
            .field("can_log_in", &self.0.held.is_some())
            .finish_non_exhaustive()
    }
}
