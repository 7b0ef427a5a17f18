//! The client: the five operations and the access token.
//!
//! Each method is one call; `replay_after_401` joins cache and calls.

mod build;
pub(crate) mod build_error;
pub(crate) mod builder;
mod chain;
mod discovery;
pub(crate) mod env;
pub(crate) mod held;
mod inner;
mod login;
pub(crate) mod passed_over;
pub(crate) mod provider;
mod replay_after_401;
mod sharing;
mod variables;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::MutexGuard;

use self::held::Held;
use self::inner::Inner;
use crate::cache::{AccessTokenChanges, FreshAccessToken, TokenCache};
use crate::call::SharedCalls;
use crate::credential::access_token::AccessToken;
use crate::credential::api_token::{ApiToken, ApiTokenId};
use crate::error::Error;
use crate::error::classify::{Class, FailedAttempt};
use crate::error::failure::{Facts, Reason};
use crate::foundation::base_url::BaseUrl;
use crate::foundation::operation::Operation;
use crate::store::Profile;
use crate::wire::answer::Answer;

/// A client for the service, with one credential. Clones are cheap and share everything.
///
/// ```
/// use pollination_auth::{ApiToken, Client, Secret};
/// use pollination_auth_fake::FakeService;
///
/// #[tokio::main]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     // The service in memory; leave out `base_url` to call the real one.
///     let service = FakeService::builder().id("an-id").secret("a-secret").start();
///     let client = Client::builder()
///         .api_token(ApiToken::new("an-id", Secret::from("a-secret"))?)
///         .base_url(service.base_url())
///         .build()?;
///
///     let token = client.access_token().await?;
///     println!("valid until {:?}", token.expires_at());
///     println!("the API token has the id {}", client.get_api_token().await?);
///     Ok(())
/// }
/// ```
///
/// Call it from as many tasks as you like: they share one access token, which is replaced before it
/// expires.
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

    /// Returns a valid access token, logging in first if none is cached.
    ///
    /// With a fresh token in the cache this neither waits nor allocates. Shortly before the token
    /// expires one task fetches the next one, while callers keep getting the old one.
    ///
    /// ```
    /// # use pollination_auth::{ApiToken, Client, Secret};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
    /// # let api_token = ApiToken::new("an-id", Secret::from("a-secret"))?;
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
    /// Those of [`login`](Self::login). All callers that waited for a login share its failure.
    pub async fn access_token(&self) -> Result<AccessToken, Error> {
        self.access_token_valid_for(Duration::ZERO).await
    }

    /// Returns an access token that stays valid for at least this long.
    ///
    /// # Errors
    ///
    /// [`Error::LifetimeTooShort`] if the service's access tokens expire sooner, and those of
    /// [`login`](Self::login).
    pub async fn access_token_valid_for(&self, least: Duration) -> Result<AccessToken, Error> {
        if let Some(fresh) = self.0.cache.fresh(least) {
            return Ok(fresh);
        }
        let cached = self.0.token(least, self.0.calls.deadline()).await?;
        Ok(cached.token.clone())
    }

    /// Returns a channel that receives every new access token, for code that keeps it elsewhere.
    #[must_use]
    pub fn access_token_changes(&self) -> AccessTokenChanges {
        self.0.cache.changes()
    }

    /// Keeps an access token fresh in the background, for code that can't wait for one.
    ///
    /// Such code are the interceptors of tonic and callbacks of C libraries. A task on the current
    /// runtime logs in now, and again before each token expires.
    /// [`FreshAccessToken::get`] returns the token without waiting. To have one from the start, call
    /// [`access_token`](Self::access_token) first.
    ///
    /// ```
    /// # use pollination_auth::{ApiToken, Client, Secret};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
    /// # let api_token = ApiToken::new("an-id", Secret::from("a-secret"))?;
    /// let client = Client::builder().api_token(api_token).base_url(service.base_url()).build()?;
    /// client.access_token().await?;
    /// let token = client.keep_fresh()?;
    /// let header = move || token.get().map(|token| format!("Bearer {}", token.expose_secret()));
    /// assert!(header()?.len() > 20);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] outside of a Tokio runtime.
    pub fn keep_fresh(&self) -> Result<FreshAccessToken, Error> {
        self.0.cache.keep_fresh(self.0.calls.total_timeout)
    }

    /// Drops an access token that the service refused (401), unless another one has replaced it.
    ///
    /// For code that sends requests with an HTTP client of its own. Returns `true` if
    /// [`access_token`](Self::access_token) can return another token to repeat the request with.
    ///
    /// Of many callers with the same token only the first one drops it. A token is dropped at most
    /// once in 30 s, because a service that always answers 401 would cause a login for each
    /// request. A client that can't log in keeps its token.
    ///
    /// ```
    /// # use pollination_auth::{ApiToken, Client, Secret, reqwest};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
    /// # let api_token = ApiToken::new("an-id", Secret::from("a-secret"))?;
    /// # let client = Client::builder().api_token(api_token).base_url(service.base_url()).build()?;
    /// let url = format!("{}/auth/api-token", client.base_url());
    /// let http = reqwest::Client::new();
    ///
    /// let token = client.access_token().await?;
    /// # service.expire_all_tokens();
    /// let mut reply = http.get(&url).bearer_auth(token.expose_secret()).send().await?;
    /// if reply.status() == 401 && client.invalidate_access_token(&token) {
    ///     let token = client.access_token().await?;
    ///     reply = http.get(&url).bearer_auth(token.expose_secret()).send().await?;
    /// }
    /// assert_eq!(reply.status(), 200);
    /// # assert_eq!(service.logins(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn invalidate_access_token(&self, token: &AccessToken) -> bool {
        self.0.held.is_some() && self.0.cache.refuse_token(token)
    }

    /// Returns the base URL of the service, without a slash at the end.
    ///
    /// The path of a request is appended to it:
    ///
    /// ```
    /// use pollination_auth::{AccessToken, Client};
    ///
    /// let token = AccessToken::new("eyJhbGciOiJIUzI1NiJ9.e30.c2ln")?;
    /// let client = Client::builder().access_token(token).base_url("https://h.example/v1/").build()?;
    /// assert_eq!(format!("{}/jobs", client.base_url()), "https://h.example/v1/jobs");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.service().prefix()
    }

    /// Logs in now, even if a valid access token is cached, and caches the new one (`POST
    /// /auth/login`).
    ///
    /// You need not call it first: every operation logs in by itself. Concurrent calls share one
    /// login.
    ///
    /// # Errors
    ///
    /// [`Error::CredentialsRejected`] if the service refuses id and secret,
    /// [`Error::AccessTokenExpired`] if the client has nothing to log in with,
    /// [`Error::NotSent`] or [`Error::Unavailable`] if the service can't be reached or can't
    /// answer, [`Error::UnusableReply`] if its access token can't be used.
    pub async fn login(&self) -> Result<AccessToken, Error> {
        let cached = self.0.cache.refresh(self.0.calls.deadline()).await?;
        Ok(cached.token.clone())
    }

    /// Returns the id of the account's API token (`GET /auth/api-token`).
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the account has none, those of [`login`](Self::login), and those
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

    /// Creates an API token (`POST /auth/api-token`). This client keeps its own credential.
    ///
    /// Only the reply contains the secret. The request is never repeated once it may have been
    /// sent.
    ///
    /// # Errors
    ///
    /// [`Error::Ambiguous`] if it may have happened; [`Error::UnusableReply`] if it happened
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

    /// Sends one request for a new secret, which is then only in its reply and in this client.
    pub(crate) async fn rotate_without_store(&self) -> Result<ApiToken, Error> {
        const OPERATION: Operation = Operation::RotateApiTokenSecret;
        let runtime =
            Handle::try_current().map_err(|_none| Error::internal(OPERATION, Reason::NoRuntime))?;
        let deadline = self.0.calls.deadline();
        // A caller that gives up while another one rotates has sent nothing.
        let turn = tokio::time::timeout_at(deadline, self.0.rotating.clone().lock_owned())
            .await
            .map_err(|_late| FailedAttempt::too_late(OPERATION).into_error())?;
        let inner = self.0.clone();
        let sent = Arc::new(AtomicBool::new(false));
        let may_be_sent = sent.clone();
        // On its own task: once the request is sent, only the reply has the secret.
        let task = runtime.spawn(async move {
            let _turn = turn;
            inner.rotate(deadline, &may_be_sent).await
        });
        task.await.unwrap_or_else(|error| {
            let reason = Reason::of_task(&error);
            if sent.load(Ordering::SeqCst) {
                return Err(Error::Ambiguous(Facts::new(OPERATION, reason).into()));
            }
            Err(Error::internal(OPERATION, reason))
        })
    }

    /// Returns the profile whose API token the client logs in with, if it has a store.
    #[must_use]
    pub fn profile(&self) -> Option<&Profile> {
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
    /// Its id and secret no longer work, and a client that logs in drops its access token. A client
    /// that was given only an access token keeps it: the service still accepts it.
    ///
    /// A [store](crate::ClientBuilder::store) keeps the revoked credential until
    /// [`Profile::remove`](crate::Profile::remove): the deleted id may not be the stored one.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there was none, those of [`login`](Self::login), and those of a
    /// refusal. If a reply was lost and the retry gets a 404, that counts as success.
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
        // A client that was given only an access token has nothing else; without it, it would seem
        // expired.
        if self.0.held.is_some() && matches!(result, Ok(()) | Err(Error::NotFound(_))) {
            self.0.cache.clear();
        }
        result
    }
}

/// What the middleware needs: which requests go to the service, and the rule for a 401.
impl Client {
    /// Returns the cached access token if it has not expired. Never waits.
    pub(crate) fn cached_access_token(&self) -> Option<AccessToken> {
        let cache = &self.0.cache;
        let unexpired = || Some(cache.unexpired(Duration::ZERO)?.token.clone());
        cache.fresh(Duration::ZERO).or_else(unexpired)
    }

    /// Takes note that a replay was not refused.
    pub(crate) fn replay_accepted(&self) {
        self.0.cache.accepted();
    }

    pub(crate) fn service(&self) -> &BaseUrl {
        &self.0.calls.wire.base_url
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.base_url())
            .field("can_log_in", &self.0.held.is_some())
            .finish_non_exhaustive()
    }
}
