//! Which API token a command uses: the stored one, or that of the environment.

use pollination_auth::{ApiToken, Client};

use crate::context::{Context, Stored};
use crate::environment;
use crate::error::CliError;
use crate::output;
use crate::refusal;

/// What there is to use.
pub(crate) struct Found {
    pub(crate) stored: Option<Stored>,
    pub(crate) environment: Option<ApiToken>,
}

/// What is used.
pub(crate) enum Credential {
    Stored(Stored, OtherSecret),
    /// Nothing of it is stored.
    Environment(ApiToken),
}

/// Another secret of the stored API token, which the environment has.
///
/// The stored one is tried first: a rotation changes it, and can't change the environment.
pub(crate) struct OtherSecret(Option<ApiToken>);

impl Found {
    pub(crate) async fn look(context: &Context) -> Result<Self, CliError> {
        Ok(Self {
            stored: context.look().await?,
            environment: environment::find()?,
        })
    }

    /// Returns the API token of the environment if it takes precedence: it has another id than the
    /// stored one, so somebody means it.
    pub(crate) fn preferred_environment(&self) -> Option<&ApiToken> {
        let stored = self.stored.as_ref().map(|stored| stored.token.id());
        let environment = self.environment.as_ref()?;
        (stored != Some(environment.id())).then_some(environment)
    }
}

impl Credential {
    /// Returns the credential to use, and says so if it is not the stored one.
    pub(crate) async fn choose(context: &Context) -> Result<Self, CliError> {
        let found = Found::look(context).await?;
        if let Some(environment) = found.preferred_environment() {
            if let Some(stored) = &found.stored {
                output::warning(format_args!(
                    "using the API token {} of the environment, not the stored one, {} (profile {})",
                    environment.id(),
                    stored.token.id(),
                    context.profile.id().name()
                ));
            }
            return Ok(Self::Environment(environment.clone()));
        }
        let stored = found.stored.ok_or_else(|| context.not_logged_in())?;
        let other = found.environment;
        let other = other.filter(|other| !environment::has_same_secret(other, &stored.token));
        Ok(Self::Stored(stored, OtherSecret(other)))
    }
}

impl OtherSecret {
    /// Tries again with the environment's secret if the service has refused the stored one.
    ///
    /// Warns which of the two works, if any.
    pub(crate) async fn after<T>(
        self,
        context: &Context,
        stored: &Stored,
        error: CliError,
        attempt: impl AsyncFnOnce(Client) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        // A page of something in between is no refusal: it condemns no secret.
        let is_refused = |error: &CliError| matches!(error, CliError::Service(error) if refusal::of_credential(error));
        let Some(token) = self.0.filter(|_| is_refused(&error)) else {
            return Err(context.refused(stored, error));
        };
        let id = token.id().clone();
        let client = context.client_of(token)?;
        match attempt(client).await {
            Ok(done) => {
                output::warning(format_args!(
                    "the service refuses the stored secret of the API token {id}, and accepts that of \
                     the environment; `{}` stores it",
                    context.login()
                ));
                Ok(done)
            }
            Err(CliError::Service(error)) if refusal::of_credential(&error) => {
                Err(CliError::BothRefused {
                    id: id.to_string(),
                    error,
                    login: context.login(),
                })
            }
            Err(error) => Err(error),
        }
    }
}
