//! Deletes the account's API token, and what is kept of it on this machine.

use std::fmt;

use serde::Serialize;

use crate::args::Confirmed;
use crate::context::Context;
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

pub(crate) async fn run(context: &Context, confirmed: &Confirmed) -> Result<(), CliError> {
    let client = context.client()?;
    let stored = context.stored(&client).await?;
    context.settled(Some(&stored))?;
    let id = stored.token.id().to_string();
    let question = format!(
        "Delete the API token {id} of {}? All that use it can log in no more.",
        context.profile.id().base_url()
    );
    prompt::confirm(confirmed.yes, "the deletion", &question)?;
    progress::watch("deleting the API token", client.delete_api_token()).await?;
    // Both are dead now, or will be.
    shared_token::forget(context).await?;
    let removed = context.profile.remove();
    removed.map_err(|error| context.store_error(error))?;
    output::answer(context.global.output, &Answer { deleted_id: id })
}
