//! Deletes the account's API token, and what is kept of it on this machine.

use std::fmt;

use serde::Serialize;

use super::bearer;
use crate::args::Delete;
use crate::context::{Context, Stored};
use crate::error::CliError;
use crate::output;
use crate::progress;
use crate::prompt;
use crate::shared_token;

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
    let stored = context.look(&context.client()?).await?;
    let stored = context.undisturbed(stored).await?;
    let client = bearer::client(context, &delete.bearer)?;
    let id = if delete.bearer.access_token_stdin {
        progress::watch("asking for the API token", client.get_api_token()).await?
    } else {
        context.stored(&client).await?.token.id().clone()
    };
    let question = format!(
        "Delete the API token {id} of {}? All that use it can log in no more. To create another \
             one afterwards takes an access token from before; see `token create --help`.",
        context.profile.id().base_url()
    );
    prompt::confirm(delete.confirmed.yes, "the deletion", &question)?;
    progress::watch("deleting the API token", client.delete_api_token()).await?;
    if let Some(stored) = stored.filter(|stored| stored.token.id() == &id) {
        forget(context, &stored)
            .await
            .map_err(|problem| CliError::DeletedAndKept {
                id: id.to_string(),
                problem: Box::new(problem),
            })?;
    }
    let deleted_id = id.to_string();
    output::answer(context.global.output, &Answer { deleted_id })
}

/// Removes what is kept of the API token: both are dead now, or will be.
async fn forget(context: &Context, stored: &Stored) -> Result<(), CliError> {
    shared_token::forget(context).await?;
    context
        .change(|| context.profile.remove(&stored.seen))
        .await
}
