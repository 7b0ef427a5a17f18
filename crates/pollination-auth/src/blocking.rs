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
use crate::foundation::operation::Operation;

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
/// use pollination_auth::{ApiToken, Client};
///
/// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
/// let client = Client::builder()
///     .api_token(ApiToken::new("an-id", "a-secret")?)
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
    /// The client logs in with the new secret from then on. The old one is revoked at once, so
    /// store the new one before anything else.
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
        let of_the_async_client = methods(include_str!("client.rs"), "pub async fn ");
        assert!(of_the_async_client.contains(&"login"));
        for name in of_the_async_client {
            assert!(blocking.contains(&name), "{name}");
        }
    }
}
