//! What the service says of a creation without a clear end.

use std::time::{Duration, SystemTime};

use pollination_auth::{AccessToken, ApiTokenId, Secret};

use crate::checked;
use crate::context::Context;
use crate::error::CliError;
use crate::progress;
use crate::refusal;
use crate::time::rounded;

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

/// What the service says of a kept access token.
pub(super) enum Kept {
    /// It may still be the key to an API token.
    Open,
    /// The service refuses it, although by this machine's clock it expires later.
    Refused,
    /// It has expired, or has no expiry, and the service refuses it, also after the settle time.
    Dead,
}

/// Asks about a kept access token.
///
/// One refusal alone is no proof: the clock of this machine may be wrong, and a part of the service may
/// not know the access token.
pub(super) async fn judge(context: &Context, kept: &Secret, settle: Duration) -> Kept {
    let Ok(kept) = AccessToken::new(kept.expose_secret()) else {
        return Kept::Open;
    };
    if !is_refused(context, &kept).await {
        return Kept::Open;
    }
    if kept
        .claimed_expiry()
        .is_some_and(|at| at >= SystemTime::now())
    {
        return Kept::Refused;
    }
    progress::note(format_args!(
        "the service refuses the access token of an interrupted creation; waiting {} before asking \
         again (--settle) ...",
        rounded(settle)
    ));
    checked::settled(settle).await;
    if is_refused(context, &kept).await {
        Kept::Dead
    } else {
        Kept::Open
    }
}

async fn is_refused(context: &Context, access_token: &AccessToken) -> bool {
    matches!(
        owner(context, access_token).await,
        Err(CliError::Service(error)) if refusal::of_credential(&error)
    )
}
