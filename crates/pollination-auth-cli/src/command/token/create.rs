//! Creates an API token, and stores it before anything is said about it.
//!
//! Its secret is seen once, in the service's reply. So nothing is created where nothing can be
//! stored, and the access token that could replace it is kept until it logs in. If it still
//! can't be stored, it is deleted again, or else put into the second place.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use pollination_auth::{
    AccessToken, ApiToken, Client, Error, Profile, SecretBytes, StoreError, StoredToken,
};
use serde::Serialize;

use super::bearer;
use crate::access_token_file;
use crate::args::token::Create;
use crate::checked::{self, NotStored};
use crate::context::Context;
use crate::creation::Creation;
use crate::error::CliError;
use crate::interrupt;
use crate::output;
use crate::progress;
use crate::prompt;
use crate::refusal;
use crate::rescue::Rescue;

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)?;
        match self.secret {
            Some(secret) => write!(f, "\n{secret}"),
            None => Ok(()),
        }
    }
}

pub(crate) async fn run(context: &Context, create: &Create) -> Result<(), CliError> {
    let stored = context.undisturbed().await?;
    if let Some(stored) = &stored {
        let question = format!(
            "Create an API token to replace {}? Its id and secret are removed from this machine.",
            stored.token.id()
        );
        prompt::confirm(create.confirmed.yes, "the creation", &question).await?;
    }
    let access_token = access_token(context, create).await?;
    // With this one and no later one, or the kept one would not be the one that counts.
    let client = context
        .builder()
        .access_token(access_token.clone())
        .build()?;
    // It writes to the same disk: what fails here fails before anything was created.
    context.check_writable().await?;
    access_token_file::forget(context).await?;
    let id = stored.as_ref().map(|stored| stored.token.id());
    let creation = Creation::begin(context, &access_token, id).await?;
    let redo = creation.redo();
    let stored = stored.as_ref().map(|stored| &stored.token);
    let work = make(context, &client, creation, stored, create.settle.settle);
    let work = interrupt::outlast("the creation", work, || CliError::CreationInterrupted {
        redo,
    });
    let token = work.await?;
    let answer = Answer {
        id: token.id().as_str(),
        secret: create.show_secret.then(|| token.secret().expose_secret()),
    };
    output::report(context.global.output, &answer)
}

/// Returns the access token that the next request is made with.
async fn access_token(context: &Context, create: &Create) -> Result<AccessToken, CliError> {
    if create.bearer.access_token_stdin {
        return bearer::from_stdin().await;
    }
    context.stored().await?;
    let client = context.client()?;
    Ok(progress::watch("logging in", client.access_token()).await?)
}

/// Creates an API token and stores it; the creation ends when that logs in.
async fn make(
    context: &Context,
    client: &Client,
    creation: Creation,
    stored: Option<&ApiToken>,
    settle: Duration,
) -> Result<ApiToken, CliError> {
    let created = progress::watch("creating the API token", client.create_api_token()).await;
    let token = match created {
        Ok(token) => token,
        Err(error) if is_nothing_created(&error) => {
            creation.give_up().await;
            return Err(CliError::Service(error));
        }
        Err(error) => {
            let reply = error.raw_reply().and_then(rescued);
            if let Some(stored) = stored.filter(|_| is_refused(&error))
                && checked::outlives_creation(context, stored, settle).await
            {
                let id = stored.id().to_string();
                creation.give_up().await;
                return Err(CliError::NothingCreated { error, reply, id });
            }
            let redo = creation.redo();
            return Err(CliError::CreationUnknown { error, reply, redo });
        }
    };
    let check = async |stored: Option<&StoredToken>| {
        let checked = check(context, client, &token);
        match progress::watch("checking the new API token", checked).await? {
            // A stored one is not replaced by what has never logged in.
            Check::NotYet if stored.is_some() => Err(CliError::NotAcceptedYet),
            checked => Ok(checked),
        }
    };
    match checked::store(context, &token, settle, check).await {
        Ok(Check::LogsIn) => creation.end().await,
        Ok(Check::NotYet) => output::warning(format_args!(
            "the new API token is stored, and does not log in yet; the access token that created it \
             stays in {}",
            creation.file().display()
        )),
        Err(NotStored::Unchecked(error @ CliError::Replaced { .. })) => {
            creation.give_up().await;
            return Err(error);
        }
        Err(problem) => {
            return Err(not_stored(context, client, &token, &creation, settle, problem).await);
        }
    }
    Ok(token)
}

/// What a login with a new API token came to.
enum Check {
    LogsIn,
    /// It is refused, although it is the account's API token.
    NotYet,
}

/// Checks that the new API token is the account's: somebody may have created another one since.
async fn check(context: &Context, client: &Client, token: &ApiToken) -> Result<Check, CliError> {
    let itself = context.builder().api_token(token.clone()).build()?;
    match itself.login().await {
        Ok(_access_token) => return Ok(Check::LogsIn),
        Err(Error::CredentialsRejected(_)) => {}
        Err(error) => return Err(error.into()),
    }
    match client.get_api_token().await {
        Ok(id) if &id == token.id() => Ok(Check::NotYet),
        Ok(other) => Err(CliError::Replaced {
            id: token.id().to_string(),
            other: other.to_string(),
        }),
        Err(error) => Err(error.into()),
    }
}

/// Returns the error of a new API token that was not stored, without losing it.
async fn not_stored(
    context: &Context,
    client: &Client,
    token: &ApiToken,
    creation: &Creation,
    settle: Duration,
    problem: NotStored,
) -> CliError {
    let id = token.id().to_string();
    let (problem, may_delete) = match problem {
        // Nobody would know its secret. Where others are at work, it could be theirs by now.
        NotStored::Unwritten(problem) => {
            let others = matches!(
                problem,
                StoreError::Changed | StoreError::Locked | StoreError::RotationUnfinished
            );
            (CliError::Store(problem), !others)
        }
        NotStored::Unchecked(problem) => (problem, false),
    };
    if may_delete && client.delete_api_token().await.is_ok() {
        return CliError::NotKept {
            id,
            problem: Box::new(problem),
            redo: creation.redo_if_kept().await,
        };
    }
    match put_aside(context, token, settle).await {
        Ok(directory) => CliError::PutAside {
            id,
            problem: Box::new(problem),
            directory,
        },
        Err(error) => {
            tracing::debug!(%error, "there is no second place for the new secret");
            CliError::NotKeptAndNotDeleted {
                id,
                problem: Box::new(problem),
                redo: creation.redo_if_kept().await,
            }
        }
    }
}

/// Stores the new API token in the second place, and says where that is.
async fn put_aside(
    context: &Context,
    token: &ApiToken,
    settle: Duration,
) -> Result<PathBuf, CliError> {
    let rescue = Rescue::find()?;
    let directory = rescue.directory().to_owned();
    let global = &context.global;
    let aside = Profile::new(rescue, &global.host, &global.profile)?;
    let Some(seen) = aside.stored().await? else {
        aside.save(token).await?;
        return Ok(directory);
    };
    // Whoever's pair is there, it may be the only copy.
    match checked::check_dead(context, seen.api_token(), settle).await {
        Ok(()) => aside.replace(&seen, token).await?,
        // A newer secret of it is there: that of a rotation which met the new API token.
        Err(CliError::StoredLogsIn { id }) if id == token.id().as_str() => {}
        Err(error) => return Err(error),
    }
    Ok(directory)
}

/// Returns `true` if the service refused the creation, or the request was never sent.
fn is_nothing_created(error: &Error) -> bool {
    refusal::of_creation(error) || matches!(error, Error::NotSent(_))
}

/// Returns `true` if somebody refused the creation, who may not be the service.
fn is_refused(error: &Error) -> bool {
    !matches!(error, Error::Ambiguous(_) | Error::UnusableReply(_))
}

/// Puts a reply that may hold the new secret where its owner can look at it.
fn rescued(reply: &SecretBytes) -> Option<PathBuf> {
    if reply.expose_secret().is_empty() {
        return None;
    }
    let kept = Rescue::find().and_then(|rescue| Ok(rescue.keep(reply)?));
    kept.inspect_err(|error| {
        output::warning(format_args!(
            "the reply, which may hold a new secret, can't be kept: {error}"
        ));
    })
    .ok()
}
