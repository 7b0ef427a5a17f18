//! A creation that another process has left, and its end.

use std::path::PathBuf;
use std::time::Duration;

use pollination_auth::{AccessToken, ApiToken, Secret};

use super::kept::{self, Place};
use super::outcome::owner;
use super::seen::{look_at, name};
use crate::aside::{self, Left};
use crate::checked;
use crate::context::Context;
use crate::error::CliError;
use crate::kept_files::KeptLock;
use crate::recovery::{Aside, Redo};

/// Why an API token that logs in is waited for.
pub(crate) const INTERRUPTED: &str = "a creation was interrupted";

/// A creation that this process found.
pub(crate) struct Found {
    pub(crate) file: PathBuf,
    /// Whether a process works on it.
    pub(crate) under_way: bool,
    /// Whether what it made is stored, so that only a login is missing.
    pub(crate) is_stored: bool,
    /// Whether what is stored is another API token than before, and may be what it made.
    may_be_stored: bool,
    pub(crate) redo: Box<Redo>,
    /// The new API tokens that have not logged in, and where they are.
    pub(crate) asides: Vec<Aside>,
    /// Whether a request before it may still be acted on.
    follows_unclear: bool,
    number: Option<u64>,
    access_token: Secret,
}

/// Returns the creation of this profile that has not come to its end.
pub(crate) async fn find(context: &Context) -> Result<Option<Found>, CliError> {
    let Some(place) = Place::look(context)? else {
        return Ok(None);
    };
    match place.read().await? {
        Some(access_token) => found(context, place, access_token).await.map(Some),
        None => Ok(None),
    }
}

async fn found(context: &Context, place: Place, access_token: Secret) -> Result<Found, CliError> {
    let facts = place.facts().await?;
    let seen = look_at(context, &place, facts.as_ref()).await?;
    let stored = seen.stored.as_deref();
    let known = facts.as_ref();
    Ok(Found {
        under_way: place.files.is_locked().await,
        is_stored: stored.is_some_and(|stored| known.is_some_and(|facts| facts.has_made(stored))),
        may_be_stored: stored.is_some()
            && known.is_some_and(|facts| facts.before.as_deref() != stored),
        redo: seen.redo,
        asides: seen.asides,
        follows_unclear: known.is_none_or(|facts| facts.follows_unclear),
        number: known.map(|facts| facts.number),
        file: place.file,
        access_token,
    })
}

/// As [`find`], once no process works on one.
///
/// The access token of a creation that this has waited for is nobody's to remove: it may be the only
/// key to what was created.
pub(crate) async fn find_undisturbed(context: &Context) -> Result<Option<Found>, CliError> {
    let found = find(context).await?;
    if !found.as_ref().is_some_and(|found| found.under_way) {
        return Ok(found);
    }
    drop(lock(context).await?);
    match find(context).await? {
        Some(left) if !left.is_stored => Err(CliError::CreationUnfinished { redo: left.redo }),
        found => Ok(found),
    }
}

/// Removes the access token of a creation after a login with an API token, if that is what was created,
/// or has replaced it. Returns the file of one that stays.
///
/// It is what was created where the reply has named it. Where there was no reply, it was stored after the
/// creation began, and the access token is of the account that has it: also after the settle time, since
/// the request may still be on its way. Without a `settle` time that is left to the next login.
///
/// A file that can't be removed is no reason to call the login failed.
pub(crate) async fn complete(
    context: &Context,
    logged_in: &ApiToken,
    settle: Option<Duration>,
) -> Option<PathBuf> {
    let completed = async {
        let Some(found) = find(context).await?.filter(|found| !found.under_way) else {
            return Ok(None);
        };
        let stays = Ok(Some(found.file.clone()));
        let is_over = (found.is_stored && !found.follows_unclear)
            || is_over(context, &found, logged_in, settle).await;
        if !is_over || !is_stored(context, logged_in).await? {
            return stays;
        }
        let (own, others): (Vec<_>, Vec<_>) = found
            .asides
            .iter()
            .partition(|aside| aside.id == logged_in.id().as_str());
        for aside in own {
            if aside::forget(context, aside, logged_in).await == Left::MayBeNewer {
                return stays;
            }
        }
        let lock = match Place::look(context)? {
            Some(place) => place.files.try_lock().await?,
            None => None,
        };
        // Whoever has the lock creates again.
        let Some(lock) = lock else {
            return Ok(None);
        };
        if !forget_under(lock, context, &found).await? {
            return stays;
        }
        for aside in others {
            name(aside);
        }
        Ok(None)
    };
    completed.await.unwrap_or_else(|error: CliError| {
        tracing::debug!(%error, "the access token of a creation is left behind");
        None
    })
}

async fn is_stored(context: &Context, token: &ApiToken) -> Result<bool, CliError> {
    let stored = context.profile.load().await?;
    Ok(stored.is_some_and(|stored| stored.id() == token.id()))
}

/// Returns `true` if the access token of a creation is of the account that has an API token, which was
/// stored after the creation began, and still logs in after the settle time.
async fn is_over(
    context: &Context,
    found: &Found,
    token: &ApiToken,
    settle: Option<Duration>,
) -> bool {
    let (Ok(kept), Some(settle)) = (AccessToken::new(found.access_token.expose_secret()), settle)
    else {
        return false;
    };
    let is_own = async || {
        owner(context, &kept)
            .await
            .is_ok_and(|own| own == *token.id())
    };
    if !(found.may_be_stored || found.is_stored) || !is_own().await {
        return false;
    }
    checked::still_logs_in(context, token, settle, INTERRUPTED).await && is_own().await
}

/// Removes the access token of the creation that was found, and of no later one. Returns `false` if
/// there is a later one.
pub(crate) async fn forget_found(context: &Context, found: &Found) -> Result<bool, CliError> {
    match lock(context).await? {
        Some(lock) => forget_under(lock, context, found).await,
        None => Ok(true),
    }
}

async fn forget_under(
    mut lock: KeptLock,
    context: &Context,
    found: &Found,
) -> Result<bool, CliError> {
    let Some(now) = find(context).await? else {
        return Ok(true);
    };
    let is_same = now.number == found.number
        && now.access_token.expose_secret() == found.access_token.expose_secret();
    if is_same {
        kept::remove(&mut lock).await?;
    }
    Ok(is_same)
}

/// Returns the lock of the files, if there are any.
async fn lock(context: &Context) -> Result<Option<KeptLock>, CliError> {
    match Place::look(context)? {
        Some(place) => Ok(Some(place.lock().await?)),
        None => Ok(None),
    }
}
