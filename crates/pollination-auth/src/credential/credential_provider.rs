//! An API token that the program's own code provides at each login.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::Arc;

use crate::credential::api_token::ApiToken;

/// Why none was provided; shared by all callers who waited for the login.
type Cause = Arc<dyn StdError + Send + Sync>;

type Provided = Pin<Box<dyn Future<Output = Result<ApiToken, Cause>> + Send>>;

/// The function that provides it; clones share it.
#[derive(Clone)]
pub(crate) struct CredentialProvider(Arc<dyn Fn() -> Provided + Send + Sync>);

impl CredentialProvider {
    pub(crate) fn new<F, E>(provide: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<ApiToken, E>> + Send + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        Self(Arc::new(move || {
            let provided = provide();
            Box::pin(async move { provided.await.map_err(|error| error.into().into()) })
        }))
    }

    /// Asks for the API token.
    pub(crate) async fn get(&self) -> Result<ApiToken, Cause> {
        (self.0)().await
    }
}
