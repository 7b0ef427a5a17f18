//! Stores a credential that logs in, and never an older one in place of a newer one.
//!
//! What is stored is read first, then the credentials are checked, and then the one is swapped for
//! the other. If another process has changed it meanwhile, or was at work on it, all of that begins
//! again: a rotation can end a secret without storing another one in its place.

use std::time::Duration;

use pollination_auth::{ApiToken, ApiTokenId, StoreError, StoredToken};
use tokio::time::sleep;

use crate::context::Context;
use crate::error::CliError;
use crate::lock_wait;
use crate::progress;
use crate::refusal;
use crate::time::rounded;

/// How often it begins again: 5 times.
///
/// Each stands for a change that another process has made. Someone who changes the credential all
/// the time must not keep it going.
pub(crate) const MOST_CHANGES: u32 = 5;

/// Why a credential was not stored.
pub(crate) enum NotStored {
    /// The check of it failed, or that of the stored one.
    Unchecked(CliError),
    /// The store failed, or others are at work on it.
    Unwritten(StoreError),
}

/// Checks a credential, and stores it in place of what is stored.
///
/// `check` is given what is stored, and succeeds if the credential may replace that. Another secret
/// of the same API token is not replaced unless it is dead: two of them are not valid for long, and a
/// rotation may just have stored it. That is checked twice, with the settle time in between.
pub(crate) async fn store<T>(
    context: &Context,
    token: &ApiToken,
    settle: Duration,
    mut check: impl AsyncFnMut(Option<&StoredToken>) -> Result<T, CliError>,
) -> Result<T, NotStored> {
    let mut problem = StoreError::Changed;
    for _ in 0..MOST_CHANGES {
        let free = lock_wait::outwait(async || context.is_free().await).await;
        free.map_err(NotStored::Unwritten)?;
        let seen = match context.profile.stored().await {
            // It is replaced: nobody can log in with it.
            Err(StoreError::Corrupt { .. }) => None,
            seen => seen.map_err(NotStored::Unwritten)?,
        };
        let checked = check(seen.as_ref()).await.map_err(NotStored::Unchecked)?;
        if let Some(seen) = &seen {
            let refused = check_replaceable(context, seen.api_token(), token, settle).await;
            refused.map_err(NotStored::Unchecked)?;
        }
        let put = match &seen {
            Some(seen) => context.profile.replace(seen, token).await,
            None => context.profile.save(token).await,
        };
        match put {
            Ok(()) => return Ok(checked),
            Err(error @ (StoreError::Changed | StoreError::Locked)) => problem = error,
            Err(error) => return Err(NotStored::Unwritten(error)),
        }
    }
    Err(NotStored::Unwritten(problem))
}

/// Checks that a stored credential is dead if it has another secret of the given API token.
async fn check_replaceable(
    context: &Context,
    stored: &ApiToken,
    given: &ApiToken,
    settle: Duration,
) -> Result<(), CliError> {
    let is_same = stored.secret().expose_secret() == given.secret().expose_secret();
    if stored.id() != given.id() || is_same {
        return Ok(());
    }
    check_dead(context, stored, settle).await
}

/// Checks that the service refuses a credential, and still refuses it after the settle time.
///
/// One refusal is no proof: a part of the service may not have learned of a new secret yet.
pub(crate) async fn check_dead(
    context: &Context,
    token: &ApiToken,
    settle: Duration,
) -> Result<(), CliError> {
    check_refused(context, token).await?;
    wait_to_settle(token, settle).await;
    check_refused(context, token).await
}

/// Waits before a stored secret that the service refused is checked again, and says so.
pub(crate) async fn wait_to_settle(token: &ApiToken, settle: Duration) {
    progress::note(format_args!(
        "the service refuses the stored secret of the API token {}; waiting {} before checking it \
         again (--settle) ...",
        token.id(),
        rounded(settle)
    ));
    settled(settle).await;
}

/// Returns the stored API token if it logs in after the settle time: then a creation without a clear
/// answer has replaced nothing.
///
/// What is stored is read when it is checked: another process may have rotated it meanwhile.
pub(crate) async fn outlives_creation(context: &Context, settle: Duration) -> Option<ApiTokenId> {
    progress::note(format_args!(
        "outcome unknown; waiting {} before checking whether the stored API token still logs in \
         (--settle) ...",
        rounded(settle)
    ));
    settled(settle).await;
    // Without an answer the outcome stays unknown, and that is what has to be said.
    let client = context.client().ok()?;
    let login = progress::watch("checking the stored secret", client.login()).await;
    login.ok()?;
    let stored = context.profile.load().await.ok()??;
    Some(stored.id().clone())
}

/// Waits for the settle time.
pub(crate) async fn settled(settle: Duration) {
    progress::watch("waiting for the service to settle", sleep(settle)).await;
}

/// Returns `true` if a credential logs in now.
pub(crate) async fn logs_in(context: &Context, token: &ApiToken) -> bool {
    match context.client_of(token.clone()) {
        Ok(client) => progress::watch("checking the stored secret", client.login())
            .await
            .is_ok(),
        Err(_) => false,
    }
}

/// Returns `true` if a credential still logs in after the settle time, when a request before it would
/// have ended it.
pub(crate) async fn still_logs_in(
    context: &Context,
    token: &ApiToken,
    settle: Duration,
    after: &str,
) -> bool {
    progress::note(format_args!(
        "{after}; waiting {} before checking that nothing more comes of it (--settle) ...",
        rounded(settle)
    ));
    settled(settle).await;
    logs_in(context, token).await
}

async fn check_refused(context: &Context, token: &ApiToken) -> Result<(), CliError> {
    let client = context.builder().api_token(token.clone()).build()?;
    let login = progress::watch("checking the stored secret", client.login()).await;
    match login {
        Err(error) if refusal::of_credential(&error) => Ok(()),
        Err(error) => Err(CliError::StoredUnchecked {
            error,
            logout: context.global.line("logout"),
        }),
        Ok(_access_token) => Err(CliError::StoredLogsIn {
            id: token.id().to_string(),
        }),
    }
}
