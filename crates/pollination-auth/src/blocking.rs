//! The client for code without async (feature `blocking`).
//!
//! Each method waits for one of the async client, which runs on the worker's thread.

mod worker;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::worker::Worker;
use crate::cache::AccessTokenChanges;
use crate::client;
use crate::client::build_error::BuildError;
use crate::client::builder::ClientBuilder;
use crate::credential::access_token::AccessToken;
use crate::credential::api_token::{ApiToken, ApiTokenId};
use crate::error::Error;
use crate::error::failure::Reason;
use crate::foundation::operation::Operation;
use crate::rotation::{
    self, Recovered, RotateCause, RotateError, RotateOptions, Rotated, RotationStatus,
};
use crate::store::Profile;

/// A blocking client for the service, with one credential. Clones share everything.
///
/// It is the [async client](crate::Client) on a thread of its own, which ends with the last clone;
/// [`ClientBuilder::build_blocking`] creates one. Needs the feature `blocking`.
///
/// Call it from as many threads as you like: their calls run at the same time and share one access
/// token.
///
/// It also works inside a Tokio runtime, and may be dropped there. But a call blocks its thread,
/// and with it all tasks of a current-thread runtime: prefer the async client in async code.
///
/// ```
/// use pollination_auth::{ApiToken, Client, Secret};
///
/// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
/// let client = Client::builder()
///     .api_token(ApiToken::new("an-id", Secret::from("a-secret"))?)
/// #   .base_url(service.base_url())
///     .build_blocking()?;
/// let token = client.access_token()?;
/// let header = format!("Bearer {}", token.expose_secret());
/// # assert!(header.len() > 20);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Each method fails as the async one does. It also fails with [`Error::Internal`] if one of your
/// settings, such as a clock, panics on the client's thread or calls the client from there, and in
/// a fork of the process that built the client: a fork does not have that thread.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    client: client::Client,
    worker: Worker,
}

impl ClientBuilder {
    /// Builds a client for code without async. Nothing is sent yet.
    ///
    /// Needs the feature `blocking`.
    ///
    /// ```
    /// use pollination_auth::{AccessToken, Client};
    ///
    /// let token = AccessToken::new("eyJhbGciOiJIUzI1NiJ9.e30.c2ln")?;
    /// let client = Client::builder().access_token(token).build_blocking()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BuildError::Thread`] if its thread can't be started, and those of
    /// [`build`](Self::build).
    pub fn build_blocking(self) -> Result<Client, BuildError> {
        let client = self.build()?;
        let worker = Worker::start().map_err(BuildError::Thread)?;
        Ok(Client(Arc::new(Inner { client, worker })))
    }
}

impl Client {
    /// Builds a client from the environment; see [`ClientBuilder::from_env`].
    ///
    /// # Errors
    ///
    /// [`BuildError`] naming the variable that is missing or can't be used, or
    /// [`BuildError::Thread`].
    pub fn from_env() -> Result<Self, BuildError> {
        ClientBuilder::from_env()?.build_blocking()
    }

    /// Returns a valid access token, logging in first if none is cached.
    ///
    /// # Errors
    ///
    /// Those of [`login`](Self::login).
    pub fn access_token(&self) -> Result<AccessToken, Error> {
        self.wait(Operation::Login, |client| async move {
            client.access_token().await
        })
    }

    /// Returns an access token that stays valid for at least this long.
    ///
    /// # Errors
    ///
    /// [`Error::LifetimeTooShort`] if the service's access tokens expire sooner, and those of
    /// [`login`](Self::login).
    pub fn access_token_valid_for(&self, least: Duration) -> Result<AccessToken, Error> {
        self.wait(Operation::Login, move |client| async move {
            client.access_token_valid_for(least).await
        })
    }

    /// Returns the profile whose API token the client logs in with, if it has a store.
    #[must_use]
    pub fn profile(&self) -> Option<&Profile> {
        self.0.client.profile()
    }

    /// Returns a channel that receives every new access token; [`AccessTokenChanges::latest`] reads
    /// it without async.
    #[must_use]
    pub fn access_token_changes(&self) -> AccessTokenChanges {
        self.0.client.access_token_changes()
    }

    /// Drops an access token that the service refused (401), unless another one has replaced it; see
    /// the async [`invalidate_access_token`](crate::Client::invalidate_access_token).
    pub fn invalidate_access_token(&self, token: &AccessToken) -> bool {
        self.0.client.invalidate_access_token(token)
    }

    /// Returns the base URL of the service, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.0.client.base_url()
    }

    /// Logs in now, even if a valid access token is cached, and caches the new one (`POST
    /// /auth/login`).
    ///
    /// # Errors
    ///
    /// Those of the async [`login`](crate::Client::login).
    pub fn login(&self) -> Result<AccessToken, Error> {
        self.wait(
            Operation::Login,
            |client| async move { client.login().await },
        )
    }

    /// Returns the id of the account's API token (`GET /auth/api-token`).
    ///
    /// # Errors
    ///
    /// Those of the async [`get_api_token`](crate::Client::get_api_token).
    pub fn get_api_token(&self) -> Result<ApiTokenId, Error> {
        self.wait(Operation::GetApiToken, |client| async move {
            client.get_api_token().await
        })
    }

    /// Creates an API token (`POST /auth/api-token`).
    ///
    /// This client keeps its own credential. Only the reply contains the secret. The request is
    /// never repeated once it may have been sent.
    ///
    /// # Errors
    ///
    /// Those of the async [`create_api_token`](crate::Client::create_api_token).
    pub fn create_api_token(&self) -> Result<ApiToken, Error> {
        self.wait(Operation::CreateApiToken, |client| async move {
            client.create_api_token().await
        })
    }

    /// Replaces the secret of the account's API token (`PUT /auth/api-token`).
    ///
    /// A client with a store rotates the stored secret, and no crash loses it. Without a store, store
    /// the new secret before anything else: the old one is revoked at once.
    ///
    /// # Errors
    ///
    /// Those of the async [`rotate_api_token_secret`](crate::Client::rotate_api_token_secret).
    pub fn rotate_api_token_secret(&self) -> Result<ApiToken, Error> {
        self.wait(Operation::RotateApiTokenSecret, |client| async move {
            client.rotate_api_token_secret().await
        })
    }

    /// Deletes the account's API token (`DELETE /auth/api-token`).
    ///
    /// Its id and secret no longer work, and the client drops its access token. A store keeps the
    /// revoked credential until [`Profile::remove`](crate::Profile::remove).
    ///
    /// # Errors
    ///
    /// Those of the async [`delete_api_token`](crate::Client::delete_api_token).
    pub fn delete_api_token(&self) -> Result<(), Error> {
        self.wait(Operation::DeleteApiToken, |client| async move {
            client.delete_api_token().await
        })
    }

    fn wait<T, F>(
        &self,
        operation: Operation,
        call: impl FnOnce(client::Client) -> F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        self.0.worker.run(operation, call(self.0.client.clone()))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.client.fmt(f)
    }
}

/// A crash-safe rotation of the stored secret, for code without async.
///
/// It is the [async one](crate::Rotation) on the thread of its client. Needs the feature `blocking`.
///
/// ```
/// use pollination_auth::{ApiToken, Client, MemoryStore, RotateOptions, RotationStatus, Secret};
///
/// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// let client = Client::builder()
///     .store(MemoryStore::new())
/// #   .base_url(service.base_url())
///     .build_blocking()?;
/// # let profile = client.profile().ok_or("the client has a store")?;
/// # runtime.block_on(profile.save(&ApiToken::new("an-id", Secret::from("a-secret"))?))?;
/// let rotation = client.rotation(RotateOptions::default().accept_volatile());
/// let rotated = rotation.rotate()?;
/// assert_eq!(rotated.generation(), 1);
/// assert!(matches!(rotation.status()?, RotationStatus::Settled { generation: 1, .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rotation {
    client: Client,
    rotation: rotation::Rotation,
}

impl Client {
    /// Prepares a crash-safe rotation of the stored secret, with options and detailed errors.
    ///
    /// Requires a client with a store or a profile.
    #[must_use]
    pub fn rotation(&self, options: RotateOptions) -> Rotation {
        Rotation {
            client: self.clone(),
            rotation: self.0.client.rotation(options),
        }
    }
}

impl Rotation {
    /// Rotates the secret, after recovering an interrupted rotation.
    ///
    /// # Errors
    ///
    /// Those of the async [`rotate`](crate::Rotation::rotate).
    pub fn rotate(&self) -> Result<Rotated, RotateError> {
        self.wait(|rotation| async move { rotation.rotate().await })
    }

    /// Recovers an interrupted rotation; does nothing if there is none.
    ///
    /// # Errors
    ///
    /// Those of the async [`recover`](crate::Rotation::recover).
    pub fn recover(&self) -> Result<Recovered, RotateError> {
        self.wait(|rotation| async move { rotation.recover().await })
    }

    /// Reads the state from the store, without the lock or the network.
    ///
    /// # Errors
    ///
    /// Those of the async [`status`](crate::Rotation::status).
    pub fn status(&self) -> Result<RotationStatus, RotateError> {
        self.wait(|rotation| async move { rotation.status().await })
    }

    fn wait<T, F>(&self, call: impl FnOnce(rotation::Rotation) -> F) -> Result<T, RotateError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, RotateError>> + Send + 'static,
    {
        let call = call(self.rotation.clone());
        let wait = |_| async move { Ok(call.await) };
        let done = self.client.wait(Operation::RotateApiTokenSecret, wait);
        done.unwrap_or_else(|error| Err(not_done(error)))
    }
}

/// Returns the error of a rotation that the client's thread did not run to its end.
fn not_done(error: Error) -> RotateError {
    if error.failure().reason() == &Reason::Panicked {
        return RotateError::interrupted(RotateCause::Panicked);
    }
    RotateError::not_started(RotateCause::Service(error))
}

#[cfg(test)]
mod tests {
    /// Returns the names of the methods that a source declares after these words.
    fn methods<'a>(source: &'a str, words: &'a str) -> Vec<&'a str> {
        source
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix(words)?.split('(').next())
            .collect()
    }

    #[test]
    fn every_async_method_has_a_blocking_one() {
        let blocking = methods(include_str!("blocking.rs"), "pub fn ");
        let mut of_the_async_client = methods(include_str!("client.rs"), "pub async fn ");
        of_the_async_client.extend(methods(include_str!("rotation/short.rs"), "pub async fn "));
        assert!(of_the_async_client.contains(&"login"));
        for name in of_the_async_client {
            assert!(blocking.contains(&name), "{name}");
        }
    }
}
