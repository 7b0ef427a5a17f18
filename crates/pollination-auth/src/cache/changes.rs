//! The notification of new access tokens. It sends copies, so that no receiver can block the cache.

use std::fmt;

use tokio::sync::watch;

use crate::credential::access_token::AccessToken;

/// Sends each new access token to its watchers.
pub(super) struct Changes(watch::Sender<Told>);

/// The last change that was sent.
struct Told {
    number: u64,
    token: Option<AccessToken>,
}

impl Changes {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Told {
            number: 0,
            token: None,
        }))
    }

    /// Sends a change, unless a later one was sent already.
    pub(super) fn tell(&self, number: u64, token: Option<AccessToken>) {
        self.0.send_if_modified(|told| {
            let is_newer = told.number < number;
            if is_newer {
                *told = Told { number, token };
            }
            is_newer
        });
    }

    pub(super) fn subscribe(&self) -> AccessTokenChanges {
        AccessTokenChanges(self.0.subscribe())
    }
}

/// Receives every new access token of a client, for code that keeps it elsewhere.
///
/// [`Client::access_token_changes`](crate::Client::access_token_changes) creates one. It returns
/// copies: keeping one blocks nobody. There is no access token before the first login, after a
/// delete, and after the service refused the one that there was.
///
/// ```
/// # use pollination_auth::{ApiToken, Client, Secret};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let service = pollination_auth_fake::FakeService::builder().id("an-id").secret("a-secret").start();
/// # let api_token = ApiToken::new("an-id", Secret::from("a-secret"))?;
/// let client = Client::builder().api_token(api_token).base_url(service.base_url()).build()?;
/// let mut changes = client.access_token_changes();
/// assert!(changes.latest().is_none());
/// client.login().await?;
/// if let Some(token) = changes.changed().await? {
///     hand_over(token.expose_secret());
/// }
/// # fn hand_over(_: &str) {}
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AccessTokenChanges(watch::Receiver<Told>);

impl AccessTokenChanges {
    /// Returns the current access token, if there is one. Never waits.
    #[must_use]
    pub fn latest(&self) -> Option<AccessToken> {
        self.0.borrow().token.clone()
    }

    /// Waits for a change since the last call, and returns the access token that is current then.
    ///
    /// Of several changes in between only the last one is seen. The first call waits for a change
    /// since this was created.
    ///
    /// # Errors
    ///
    /// [`ClientGone`] when the client and all its clones were dropped.
    pub async fn changed(&mut self) -> Result<Option<AccessToken>, ClientGone> {
        self.0.changed().await.map_err(|_closed| ClientGone)?;
        Ok(self.0.borrow_and_update().token.clone())
    }
}

impl fmt::Debug for AccessTokenChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokenChanges")
            .field("latest", &self.latest())
            .finish()
    }
}

/// Error of waiting for the access tokens of a client that was dropped, with all its clones.
///
/// ```
/// use pollination_auth::{AccessTokenChanges, ClientGone};
///
/// /// Hands every new access token over, for as long as there is a client.
/// async fn follow(mut changes: AccessTokenChanges, hand_over: impl Fn(&str)) {
///     loop {
///         match changes.changed().await {
///             Ok(Some(token)) => hand_over(token.expose_secret()),
///             Ok(None) => hand_over(""),
///             Err(ClientGone) => break,
///         }
///     }
/// }
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # let token = pollination_auth::AccessToken::new("eyJhbGciOiJIUzI1NiJ9.e30.c2ln")?;
/// # let client = pollination_auth::Client::builder().access_token(token).build()?;
/// # let changes = client.access_token_changes();
/// # drop(client);
/// # runtime.block_on(follow(changes, |_| {}));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client was dropped; no more access tokens will come")]
pub struct ClientGone;
