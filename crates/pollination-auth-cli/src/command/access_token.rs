//! Prints an access token that is good now: the kept one, or that of a new login.

use std::fmt;
use std::time::{Duration, SystemTime};

use pollination_auth::{AccessToken, Client};
use serde::Serialize;

use crate::access_token_file::{Kept, Owner, SharedToken};
use crate::args;
use crate::context::{Context, Credential, Stored};
use crate::creation;
use crate::error::CliError;
use crate::output;
use crate::progress;
use crate::time::Stamp;

/// The least time that a kept token must have left: 1 minute.
///
/// Whoever prints one is about to use it, and a request or two should not outlive it.
const LEAST_LEFT: Duration = Duration::from_secs(60);

/// What is said when it takes long.
const WAIT: &str = "waiting for an access token";

/// The answer; it is the secret.
#[derive(Serialize)]
struct Answer<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_at: Option<Stamp>,
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.access_token)
    }
}

pub(crate) async fn run(context: &Context, wanted: &args::AccessToken) -> Result<(), CliError> {
    let token = match context.credential().await? {
        Credential::Stored(stored) => of_stored(context, &stored, wanted).await?,
        // It is kept nowhere: who gives the secret that way wants nothing of it on a disk.
        environment @ Credential::Environment(_) => {
            let client = context.client_of(&environment)?;
            let token = progress::watch(WAIT, log_in(&client, wanted)).await?;
            Found::New(token)
        }
    };
    let answer = Answer {
        access_token: token.expose_secret(),
        token_type: "Bearer",
        expires_at: token.expires_at().map(Stamp),
    };
    output::answer(context.global.output, &answer)
}

/// Returns a token of the stored credential.
async fn of_stored(
    context: &Context,
    stored: &Stored,
    wanted: &args::AccessToken,
) -> Result<Found, CliError> {
    let client = context.client()?;
    let shared = match Owner::of(stored) {
        Some(owner) => match SharedToken::open(context) {
            Err(error) if error.is_no_store() => {
                warn(&error);
                None
            }
            shared => shared?.map(|shared| (shared, owner)),
        },
        None => None,
    };
    let token = progress::watch(WAIT, get(context, &client, shared.as_ref(), wanted)).await;
    let token = token.map_err(|error| context.refused(stored, error))?;
    if stored.generation().is_none()
        && !context.is_held().await
        && let Err(unfinished) = context.settled(context.look(&client).await?.as_ref())
    {
        output::warning(unfinished);
    }
    Ok(token)
}

/// Returns a token: a kept one at once, else the first process in the lock logs in for all.
async fn get(
    context: &Context,
    client: &Client,
    shared: Option<&(SharedToken, Owner)>,
    wanted: &args::AccessToken,
) -> Result<Found, CliError> {
    let Some((shared, owner)) = shared else {
        return log_in(client, wanted).await.map(Found::New);
    };
    let usable = async || {
        let least = LEAST_LEFT.max(wanted.valid_for.unwrap_or_default());
        let kept = shared.read(owner).await?.filter(|_| !wanted.fresh);
        Ok::<_, CliError>(kept.filter(|kept| kept.left(SystemTime::now()) >= least))
    };
    if let Some(kept) = usable().await? {
        return Ok(Found::Kept(kept));
    }
    let lock = shared.lock().await;
    if let Some(kept) = usable().await? {
        return Ok(Found::Kept(kept));
    }
    let before = SystemTime::now();
    let token = log_in(client, wanted).await?;
    if let Some(kept) = Kept::of(&token, before) {
        let keep = async { shared.keep(&mut lock?, owner, &kept).await };
        if let Err(error) = keep.await {
            warn(&error);
        }
    }
    // `login` and `status` name a file that stays.
    let _stays = creation::complete(context).await;
    Ok(Found::New(token))
}

/// Warns that each call logs in anew, and why: the service may count logins.
fn warn(error: &impl fmt::Display) {
    output::warning(format_args!(
        "the access token can't be kept for the next call, which logs in again: {error}"
    ));
}

async fn log_in(client: &Client, wanted: &args::AccessToken) -> Result<AccessToken, CliError> {
    let least = wanted.valid_for.unwrap_or_default();
    Ok(client.access_token_valid_for(least).await?)
}

/// A token, and with it its end: one that was read from a file does not know it by itself.
enum Found {
    Kept(Kept),
    New(AccessToken),
}

impl Found {
    fn expose_secret(&self) -> &str {
        match self {
            Self::Kept(kept) => kept.token.expose_secret(),
            Self::New(token) => token.expose_secret(),
        }
    }

    fn expires_at(&self) -> Option<SystemTime> {
        match self {
            Self::Kept(kept) => Some(kept.expires_at),
            Self::New(token) => token.expires_at(),
        }
    }
}
