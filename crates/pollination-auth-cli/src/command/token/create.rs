//! Creates an API token, and stores it before anything is said about it.
//!
//! Its secret is seen once, in the service's reply. So nothing is created where nothing can be
//! stored. What could not be stored all the same is deleted again, or else put into the second place.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use pollination_auth::{ApiToken, Client, Error, Operation, Profile, SecretBytes};
use serde::Serialize;

use super::bearer;
use crate::args::Create;
use crate::context::{Context, Stored};
use crate::error::CliError;
use crate::interrupt;
use crate::output;
use crate::patience;
use crate::progress;
use crate::prompt;
use crate::rescue::Rescue;
use crate::shared_token;

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
    let stored = context.look(&context.client()?).await?;
    let stored = context.undisturbed(stored).await?;
    if let Some(stored) = &stored {
        let question = format!(
            "Create an API token in the place of {}? Its id and secret are forgotten here.",
            stored.token.id()
        );
        prompt::confirm(create.confirmed.yes, "the creation", &question)?;
    }
    let client = bearer::client(context, &create.bearer)?;
    if !create.bearer.access_token_stdin {
        context.stored(&client).await?;
    }
    // It writes to the same disk: what fails here fails before anything was created.
    context.check_writable().await?;
    shared_token::forget(context).await?;
    let work = async {
        let created = client.create_api_token().await;
        let token = created.map_err(|error| unknown(context, error))?;
        keep(context, &client, stored.as_ref(), &token).await?;
        Ok(token)
    };
    let cut_off = || CliError::CreationInterrupted {
        delete: delete(context),
    };
    let work = interrupt::outlast("the creation", work, cut_off);
    let token = progress::watch("creating the API token", work).await?;
    let answer = Answer {
        id: token.id().as_str(),
        secret: create.show_secret.then(|| token.secret().expose_secret()),
    };
    output::answer(context.global.output, &answer)
}

/// Stores the new API token, or takes its creation back: nobody would know its secret.
async fn keep(
    context: &Context,
    client: &Client,
    stored: Option<&Stored>,
    token: &ApiToken,
) -> Result<(), CliError> {
    let seen = stored.map(|stored| &stored.seen);
    let Err(problem) = patience::outwait_unseen(|| context.put(seen, token)).await else {
        return Ok(());
    };
    let id = token.id().to_string();
    match client.delete_api_token().await {
        Ok(()) => Err(CliError::NotKept { id, problem }),
        Err(_left_behind) => match put_aside(context, token) {
            Ok(directory) => Err(CliError::PutAside {
                id,
                problem,
                directory,
            }),
            Err(error) => {
                tracing::debug!(%error, "there is no second place for the new secret");
                Err(CliError::NotKeptAndNotDeleted {
                    id,
                    problem,
                    delete: delete(context),
                })
            }
        },
    }
}

/// Stores the new API token in the second place, and says where that is.
fn put_aside(context: &Context, token: &ApiToken) -> Result<PathBuf, CliError> {
    let rescue = Rescue::find()?;
    let directory = rescue.directory().to_owned();
    let global = &context.global;
    let aside = Profile::new(Arc::new(rescue), &global.host, &global.profile)?;
    match aside.stored()? {
        Some(seen) => aside.replace(&seen, token)?,
        None => aside.save(token)?,
    }
    Ok(directory)
}

/// An API token may exist now whose secret nobody knows; says how to be rid of it.
fn unknown(context: &Context, error: Error) -> CliError {
    let may_be_done = error.operation() == Operation::CreateApiToken
        && matches!(error, Error::Ambiguous(_) | Error::UnusableReply(_));
    if may_be_done {
        let reply = error.raw_reply().and_then(rescued);
        CliError::CreationUnknown {
            error,
            reply,
            delete: delete(context),
        }
    } else {
        CliError::Service(error)
    }
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

fn delete(context: &Context) -> String {
    context.global.line("token delete --access-token-stdin")
}
