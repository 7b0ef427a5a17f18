//! Deletes the account's API token, and what is kept of it on this machine.
//!
//! A stored credential is forgotten only when the service refuses it: a reply to the deletion alone
//! can come from something in between, and the service never shows the secret again. If that reply
//! was not clear, one refusal is not enough either: it may come from a part of the service that does
//! not know a new secret yet.

use std::fmt;
use std::time::Duration;

use pollination_auth::{ApiToken, Error, StoreError};
use serde::Serialize;

use super::bearer;
use crate::access_token_file;
use crate::args::token::Delete;
use crate::checked::{self, MOST_CHANGES};
use crate::context::{Context, Stored};
use crate::error::CliError;
use crate::output;
use crate::progress;
use crate::prompt;
use crate::refusal;

#[derive(Serialize)]
struct Answer {
    deleted_id: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deleted the API token {}", self.deleted_id)
    }
}

pub(crate) async fn run(context: &Context, delete: &Delete) -> Result<(), CliError> {
    let stored = context.undisturbed().await?;
    let client = bearer::client(context, &delete.bearer).await?;
    let id = if delete.bearer.access_token_stdin {
        progress::watch("asking for the API token", client.get_api_token()).await?
    } else {
        context.stored().await?.token.id().clone()
    };
    let question = format!(
        "Delete the API token {id} of {}? Nothing that uses it can log in any longer. To create \
             another one you need an access token from before; see `token create --help`.",
        context.profile.id().base_url()
    );
    prompt::confirm(delete.confirmed.yes, "the deletion", &question).await?;
    let deleted = progress::watch("deleting the API token", client.delete_api_token()).await;
    match stored.filter(|stored| stored.token.id() == &id) {
        Some(stored) => {
            let answered = unless_refused(deleted).map_err(|error| {
                // An earlier deletion may have ended the secret, and been answered by something
                // else.
                if refusal::of_credential(&error) {
                    CliError::RefusedAtDeletion {
                        id: id.to_string(),
                        error,
                        logout: context.global.line("logout"),
                    }
                } else {
                    CliError::Service(error)
                }
            })?;
            conclude(context, stored, answered.as_ref(), delete.settle.settle).await?;
        }
        None => deleted?,
    }
    let deleted_id = id.to_string();
    output::report(context.global.output, &Answer { deleted_id })
}

/// Returns the error of a deletion that may have happened, and fails for one that has not.
fn unless_refused(deleted: Result<(), Error>) -> Result<Option<Error>, Error> {
    match deleted {
        Ok(()) => Ok(None),
        // Nothing is left to delete, or so it says.
        Err(error @ (Error::NotFound(_) | Error::Ambiguous(_) | Error::UnusableReply(_))) => {
            Ok(Some(error))
        }
        // Something in between answered: an earlier attempt may have been acted on.
        Err(error) if error.failure().is_not_the_api() => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

/// Removes the credential once it is refused; what another process has stored meanwhile is checked
/// in its turn.
async fn conclude(
    context: &Context,
    mut stored: Stored,
    answered: Option<&Error>,
    settle: Duration,
) -> Result<(), CliError> {
    for _ in 0..MOST_CHANGES {
        check_refused(context, &stored.token, answered, settle).await?;
        let id = stored.token.id();
        match forget(context, &stored).await {
            Err(CliError::Store(StoreError::Changed)) => {}
            forgotten => {
                return forgotten.map_err(|problem| CliError::DeletedAndKept {
                    id: id.to_string(),
                    problem: Box::new(problem),
                });
            }
        }
        let newer = context.undisturbed().await?;
        match newer.filter(|newer| newer.token.id() == id) {
            Some(newer) => stored = newer,
            None => return Ok(()),
        }
    }
    Err(StoreError::Changed.into())
}

/// Checks that the service no longer accepts the credential.
async fn check_refused(
    context: &Context,
    token: &ApiToken,
    answered: Option<&Error>,
    settle: Duration,
) -> Result<(), CliError> {
    let client = context.builder().api_token(token.clone()).build()?;
    let check = || progress::watch("checking the deletion", client.login());
    let is_refused = |login: &Result<_, Error>| login.as_ref().is_err_and(refusal::of_credential);
    let mut login = check().await;
    if is_refused(&login) && answered.is_some() {
        checked::wait_to_settle(token, settle).await;
        login = check().await;
    }
    if is_refused(&login) {
        return Ok(());
    }
    Err(CliError::DeletionUnknown {
        id: token.id().to_string(),
        answered: answered.cloned().map(Box::new),
        login: login.err().map(Box::new),
        delete: context.global.line("token delete"),
        logout: context.global.line("logout"),
    })
}

/// Removes what is kept of the API token.
async fn forget(context: &Context, stored: &Stored) -> Result<(), CliError> {
    access_token_file::forget(context).await?;
    context
        .change(async || context.profile.remove(&stored.seen).await)
        .await
}
