//! A valid access token for a command: the cached one, or that of a new login.

use std::fmt;
use std::time::{Duration, SystemTime};

use pollination_auth::{AccessToken, Client, KeptAccessToken, StoredToken};

use crate::access_token_file::SharedToken;
use crate::args::options::Wanted;
use crate::context::{Context, Stored};
use crate::creation;
use crate::credential::Credential;
use crate::error::CliError;
use crate::output;
use crate::progress;

/// The minimum remaining lifetime of a cached token: 1 minute.
///
/// Whoever asks for one is about to use it, and a request or two should not outlive it.
const LEAST_LEFT: Duration = Duration::from_secs(60);

/// What is said when it takes long.
const WAIT: &str = "waiting for an access token";

/// An access token, and its expiry: one that was read from a file does not know that by itself.
pub(crate) enum Current {
    Kept(KeptAccessToken),
    New(AccessToken),
}

impl Current {
    pub(crate) fn expose_secret(&self) -> &str {
        match self {
            Self::Kept(kept) => kept.access_token().expose_secret(),
            Self::New(token) => token.expose_secret(),
        }
    }

    pub(crate) fn expires_at(&self) -> Option<SystemTime> {
        match self {
            Self::Kept(kept) => Some(kept.expires_at()),
            Self::New(token) => token.expires_at(),
        }
    }
}

/// Returns an access token of the credential that is used.
///
/// One of the environment is not cached: who gives the secret that way wants nothing of it on a
/// disk.
pub(crate) async fn get(context: &Context, wanted: Wanted) -> Result<Current, CliError> {
    let of_environment = async |client: Client| {
        let token = progress::watch(WAIT, log_in(&client, wanted)).await?;
        Ok(Current::New(token))
    };
    match Credential::choose(context).await? {
        Credential::Environment(token) => of_environment(context.client_of(token)?).await,
        Credential::Stored(stored, other) => match of_stored(context, &stored, wanted).await {
            Err(error) => other.after(context, &stored, error, of_environment).await,
            current => current,
        },
    }
}

/// Returns an access token of the stored credential.
async fn of_stored(
    context: &Context,
    stored: &Stored,
    wanted: Wanted,
) -> Result<Current, CliError> {
    let shared = match stored.owner() {
        Some(owner) => match SharedToken::open(context) {
            Err(error) if error.is_no_store() => {
                warn(&error);
                None
            }
            shared => shared?.map(|shared| (shared, owner)),
        },
        None => None,
    };
    let token = progress::watch(WAIT, obtain(context, shared.as_ref(), wanted)).await?;
    if stored.owner().is_none()
        && !context.is_held().await
        && let Err(unfinished) = context.settled(context.look().await?.as_ref())
    {
        output::warning(unfinished);
    }
    Ok(token)
}

/// Returns the cached token at once; else the first process in the lock logs in for all.
async fn obtain(
    context: &Context,
    shared: Option<&(SharedToken, &StoredToken)>,
    wanted: Wanted,
) -> Result<Current, CliError> {
    let Some((shared, owner)) = shared else {
        return log_in(&context.client()?, wanted).await.map(Current::New);
    };
    let usable = async || {
        let least = LEAST_LEFT.max(wanted.valid_for.unwrap_or_default());
        let kept = shared.read(owner).await?.filter(|_| !wanted.fresh);
        Ok::<_, CliError>(kept.filter(|kept| kept.remaining(SystemTime::now()) >= least))
    };
    if let Some(kept) = usable().await? {
        return Ok(Current::Kept(kept));
    }
    let lock = shared.lock().await;
    if let Some(kept) = usable().await? {
        return Ok(Current::Kept(kept));
    }
    let before = SystemTime::now();
    let token = log_in(&context.client()?, wanted).await?;
    // Somebody may have stored another API token while this one logged in.
    let stored = context.look().await?;
    let is_same = stored.is_some_and(|stored| stored.is_of(owner));
    if let Some(kept) = KeptAccessToken::new(token.clone(), before).filter(|_| is_same) {
        let keep = async { shared.keep(&mut lock?, owner, &kept).await };
        if let Err(error) = keep.await {
            warn(&error);
        }
    }
    // `login` and `status` name a file that stays.
    let _stays = creation::complete(context, owner.api_token(), None).await;
    Ok(Current::New(token))
}

/// Warns that each call logs in anew, and why: the service may count logins.
fn warn(error: &impl fmt::Display) {
    output::warning(format_args!(
        "the access token can't be cached, so the next call logs in again: {error}"
    ));
}

async fn log_in(client: &Client, wanted: Wanted) -> Result<AccessToken, CliError> {
    let least = wanted.valid_for.unwrap_or_default();
    Ok(client.access_token_valid_for(least).await?)
}
