//! What the service says of a creation without a clear end.

use std::time::{Duration, SystemTime};

use pollination_auth::{AccessToken, ApiTokenId, Secret};

use crate::checked;
use crate::context::Context;
use crate::error::CliError;
use crate::progress;
use crate::refusal;

/// Asks the service for the API token of an access token's account.
pub(super) async fn owner(
    context: &Context,
    access_token: &AccessToken,
) -> Result<ApiTokenId, CliError> {
    let builder = context.builder().access_token(access_token.clone());
    let client = builder.build()?;
    let asked = client.get_api_token();
    Ok(progress::watch("asking for the API token", asked).await?)
}

/// Checks that the service does not refuse an access token, before it replaces a kept one.
pub(super) async fn check_accepted(
    context: &Context,
    access_token: &AccessToken,
) -> Result<(), CliError> {
    match owner(context, access_token).await {
        Err(CliError::Service(error)) if refusal::of_credential(&error) => {
            Err(CliError::Service(error))
        }
        _ => Ok(()),
    }
}

/// Returns the stored API token if the creation with an access token has certainly replaced nothing:
/// after the settle time it logs in, and is still the account's.
pub(crate) async fn came_to_nothing(
    context: &Context,
    access_token: &AccessToken,
    settle: Duration,
) -> Option<ApiTokenId> {
    let stored = checked::outlives_creation(context, settle).await?;
    // The access token may be of another account than the stored API token.
    let own = owner(context, access_token).await.ok()?;
    (own == stored).then_some(stored)
}

pub(super) async fn kept_came_to_nothing(
    context: &Context,
    kept: &Secret,
    settle: Duration,
) -> bool {
    match AccessToken::new(kept.expose_secret()) {
        Ok(kept) => came_to_nothing(context, &kept, settle).await.is_some(),
        Err(_) => false,
    }
}

/// Returns `true` if a kept access token has expired and the service refuses it.
///
/// One alone is no proof: the clock of this machine may be wrong, and a refusal may come from a
/// part of the service that does not know the access token.
pub(super) async fn is_dead(context: &Context, kept: &Secret) -> bool {
    let Ok(kept) = AccessToken::new(kept.expose_secret()) else {
        return false;
    };
    kept.claimed_expiry()
        .is_some_and(|at| at < SystemTime::now())
        && matches!(
            owner(context, &kept).await,
            Err(CliError::Service(error)) if refusal::of_credential(&error)
        )
}
