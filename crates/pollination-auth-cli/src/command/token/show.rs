//! Asks the service for the id of the account's API token.

use std::fmt;

use serde::Serialize;

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

pub(crate) async fn run(context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let stored = context.stored(&client).await?;
    let id = progress::watch("asking for the API token", client.get_api_token()).await?;
    let answer = Answer {
        id: id.to_string(),
        stored: &id == stored.token.id(),
    };
    output::answer(context.global.output, &answer)
}
