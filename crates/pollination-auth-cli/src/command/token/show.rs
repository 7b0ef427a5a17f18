//! Asks the service for the id of the account's API token.

use std::fmt;

use pollination_auth::{ApiTokenId, Client};
use serde::Serialize;

use super::bearer;
use crate::args::token::Bearer;
use crate::context::{Context, Stored};
use crate::credential::Credential;
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
    let (id, stored) = if bearer.access_token_stdin {
        let client = bearer::client(context, bearer).await?;
        (ask(&client).await?, context.look().await?)
    } else {
        of_credential(context).await?
    };
    let answer = Answer {
        id: id.to_string(),
        stored: stored.is_some_and(|stored| &id == stored.token.id()),
    };
    output::report(context.global.output, &answer)
}

/// Asks with what is stored, or with the environment.
async fn of_credential(context: &Context) -> Result<(ApiTokenId, Option<Stored>), CliError> {
    let (stored, other) = match Credential::choose(context).await? {
        Credential::Stored(stored, other) => (stored, other),
        Credential::Environment(token) => {
            return Ok((ask(&context.client_of(token)?).await?, None));
        }
    };
    let id = match ask(&context.client()?).await {
        Ok(id) => id,
        Err(error) => {
            let again = async |client: Client| ask(&client).await;
            other.after(context, &stored, error, again).await?
        }
    };
    Ok((id, Some(stored)))
}

async fn ask(client: &Client) -> Result<ApiTokenId, CliError> {
    Ok(progress::watch("asking for the API token", client.get_api_token()).await?)
}
