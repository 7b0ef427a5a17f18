//! Creates an API token, and stores it before anything is said about it.
//!
//! Its secret is seen once, in the service's reply. So nothing is created where nothing can be
//! stored, and what could not be stored all the same is deleted again.

use std::fmt;
use std::io::{self, Read as _};

use pollination_auth::{AccessToken, ApiToken, Client, Secret};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::args::Create;
use crate::context::Context;
use crate::error::CliError;
use crate::output;
use crate::progress;
use crate::prompt;
use crate::shared_token;

/// The longest standard input that is read: 32 KiB, twice the longest access token.
const STDIN_LIMIT: u64 = 32 * 1024;

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
    let stored_client = context.client()?;
    let stored = context.look(&stored_client).await?;
    context.settled(stored.as_ref())?;
    if let Some(stored) = &stored {
        let question = format!(
            "Create an API token in the place of {}? Its id and secret are forgotten here.",
            stored.token.id()
        );
        prompt::confirm(create.confirmed.yes, "the creation", &question)?;
    }
    let client = if create.access_token_stdin {
        context.builder().access_token(from_stdin()?).build()?
    } else {
        context.stored(&stored_client).await?;
        stored_client
    };
    // It writes to the same disk: what fails here fails before anything was created.
    context.check_writable()?;
    shared_token::forget(context).await?;
    let token = progress::watch("creating the API token", client.create_api_token()).await?;
    keep(context, &client, &token).await?;
    let answer = Answer {
        id: token.id().as_str(),
        secret: create.show_secret.then(|| token.secret().expose_secret()),
    };
    output::answer(context.global.output, &answer)
}

/// Stores the new API token, or takes its creation back: nobody would know its secret.
async fn keep(context: &Context, client: &Client, token: &ApiToken) -> Result<(), CliError> {
    let Err(problem) = context.profile.save(token) else {
        return Ok(());
    };
    let id = token.id().to_string();
    match client.delete_api_token().await {
        Ok(()) => Err(CliError::NotKept { id, problem }),
        Err(_left_behind) => Err(CliError::NotKeptAndNotDeleted { id, problem }),
    }
}

fn from_stdin() -> Result<AccessToken, CliError> {
    // Of the full size at once, or growing would leave copies behind.
    let capacity = usize::try_from(STDIN_LIMIT).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    let read = io::stdin().lock().take(STDIN_LIMIT).read_to_end(&mut bytes);
    read.map_err(|source| CliError::Io {
        doing: "the standard input can't be read",
        source,
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|_no_text| CliError::Stdin("is not UTF-8"))?;
    let text = Secret::from(text.to_owned());
    AccessToken::new(text.expose_secret()).map_err(|problem| CliError::Credential {
        from: "standard input",
        problem,
    })
}
