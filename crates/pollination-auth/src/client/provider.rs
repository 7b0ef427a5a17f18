//! The trait of what provides access tokens, so that code can be written and tested without a client.

use std::pin::Pin;

use crate::client::Client;
use crate::credential::access_token::AccessToken;
use crate::error::Error;

/// A provider of access tokens: a [`Client`], or a stub in a test.
///
/// Write code against `Arc<dyn AccessTokenProvider>`, and test it with a fixed [`AccessToken`],
/// which provides itself:
///
/// ```
/// use std::sync::Arc;
///
/// use pollination_auth::{AccessToken, AccessTokenProvider, Error};
///
/// struct Jobs {
///     tokens: Arc<dyn AccessTokenProvider>,
/// }
///
/// impl Jobs {
///     async fn header(&self) -> Result<String, Error> {
///         let token = self.tokens.access_token().await?;
///         Ok(format!("Bearer {}", token.expose_secret()))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let jobs = Jobs { tokens: Arc::new(AccessToken::new("a.fixed.token")?) };
/// assert_eq!(jobs.header().await?, "Bearer a.fixed.token");
/// # Ok(())
/// # }
/// ```
///
/// A stub that fails creates its error from a [`Failure`](crate::Failure):
///
/// ```
/// use pollination_auth::{
///     AccessToken, AccessTokenFuture, AccessTokenProvider, Error, Failure, Operation, Reason,
/// };
///
/// struct Down;
///
/// impl AccessTokenProvider for Down {
///     fn access_token(&self) -> AccessTokenFuture<'_> {
///         let failure = Failure::new(Operation::Login, Reason::TimedOut);
///         Box::pin(async { Err(Error::Unavailable(failure)) })
///     }
/// }
/// ```
pub trait AccessTokenProvider: Send + Sync {
    /// Returns a valid access token.
    ///
    /// # Errors
    ///
    /// Those of [`Client::access_token`].
    fn access_token(&self) -> AccessTokenFuture<'_>;

    /// Drops an access token that the service refused (401); see
    /// [`Client::invalidate_access_token`].
    ///
    /// Returns `true` if another token can be provided. By default there is none.
    fn invalidate_access_token(&self, _token: &AccessToken) -> bool {
        false
    }
}

/// What [`AccessTokenProvider::access_token`] returns.
pub type AccessTokenFuture<'a> =
    Pin<Box<dyn Future<Output = Result<AccessToken, Error>> + Send + 'a>>;

impl AccessTokenProvider for Client {
    fn access_token(&self) -> AccessTokenFuture<'_> {
        Box::pin(self.access_token())
    }

    fn invalidate_access_token(&self, token: &AccessToken) -> bool {
        self.invalidate_access_token(token)
    }
}

/// Provides itself, however long it is valid.
impl AccessTokenProvider for AccessToken {
    fn access_token(&self) -> AccessTokenFuture<'_> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }
}
