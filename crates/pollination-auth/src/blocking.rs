//! The client for code without async (feature `blocking`).
//!
//! Each method is one of the async client, waited for; how it runs is the worker's business.

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

/// Talks to the service with one credential, and blocks; clones share it.
///
/// It is the [async client](crate::Client) on a thread of its own, which ends with the last clone;
/// [`ClientBuilder::build_blocking`] makes one. Needs the feature `blocking`.
///
/// Call it from as many threads as you like: their calls run at the same time and share one access
/// token.
///
/// It works inside of a Tokio runtime too, and may be dropped there; but a call blocks the thread
/// that it is made on, and with it all tasks of a current-thread runtime. Async code is better off
/// with the async client.
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
/// Each method fails as the async one does, and with [`Error::Internal`] when a setting of the
/// caller's panicked on the client's thread, such as its clock, or called the client from there, and
/// when the process is a fork of the one that built the client: a fork has no such thread.
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
    /// [`BuildError::Thread`] when its thread can't be started, and those of
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

    /// Gives an access token that is good now, logging in only if there is none.
    ///
    /// # Errors
    ///
    /// Those of [`login`](Self::login).
    pub fn access_token(&self) -> Result<AccessToken, Error> {
        self.wait(Operation::Login, |client| async move {
            client.access_token().await
        })
    }

    /// Gives an access token that stays good for at least this long.
    ///
    /// # Errors
    ///
    /// [`Error::LifetimeTooShort`] when the service's access tokens don't live that long, and those
    /// of [`login`](Self::login).
    pub fn access_token_valid_for(&self, least: Duration) -> Result<AccessToken, Error> {
        self.wait(Operation::Login, move |client| async move {
            client.access_token_valid_for(least).await
        })
    }

    /// Returns a receiver of every new access token; [`AccessTokenChanges::latest`] reads it without async.
    #[must_use]
    pub fn access_token_changes(&self) -> AccessTokenChanges {
        self.0.client.access_token_changes()
    }

    /// Logs in now, and uses the new access token from here on (`POST /auth/login`).
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

    /// Asks for the id of the account's API token (`GET /auth/api-token`).
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
    /// It does not change what this client holds. The reply is the only place where its secret is ever seen. The request is never made twice
    /// once it may have been sent.
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
    /// The client logs in with the new secret from then on. The old one is dead at once, so store
    /// the new one before anything else.
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
    /// Its id and secret log in no more, and the client forgets its access token. A store keeps the
    /// dead credential until [`Profile::remove`](crate::Profile::remove).
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
    /// Gives the names of the methods that a source declares behind these words.
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
