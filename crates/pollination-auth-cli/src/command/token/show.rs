//! Asks the service for the id of the account's API token.

use std::fmt;

use serde::Serialize;

use super::bearer;
use crate::args::Bearer;
use crate::context::Context;
use crate::error::CliError;
use crate::output;
use crate::progress;

#[derive(Serialize)]
struct Answer {
    id: String,
    /// Whether it is the one that is stored here.
    stored: bool,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

pub(crate) async fn run(context: &Context, bearer: &Bearer) -> Result<(), CliError> {
    let stored = if bearer.access_token_stdin {
        context.look(&context.client()?).await?
    } else {
        Some(context.stored(&context.client()?).await?)
    };
    let client = bearer::client(context, bearer)?;
    let id = progress::watch("asking for the API token", client.get_api_token()).await?;
    let answer = Answer {
        id: id.to_string(),
        stored: stored.is_some_and(|stored| &id == stored.token.id()),
    };
    output::answer(context.global.output, &answer)
}
