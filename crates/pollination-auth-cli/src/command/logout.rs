//! Removes the credential from this machine; the service is not told.

use std::fmt;

use pollination_auth::StoreError;
use serde::Serialize;

use crate::access_token_file;
use crate::args::options::Confirmed;
use crate::checked::MOST_CHANGES;
use crate::context::{Context, Stored};
use crate::creation;
use crate::environment;
use crate::error::CliError;
use crate::lock_wait;
use crate::output;
use crate::place::Place;
use crate::prompt;

/// Said if a rotation may have made the stored secret the only valid one.
const OTHER_SECRET: &str = " The environment has another secret of this API token, which a rotation \
                            may have replaced.";

#[derive(Serialize)]
struct Answer<'a> {
    profile: &'a str,
    host: &'a str,
    /// None if nothing was stored.
    forgotten_id: Option<String>,
    /// None if nothing was stored.
    removed_from: Option<Place>,
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.forgotten_id {
            Some(id) if self.removed_from == Some(Place::Keyring) => write!(
                f,
                "Logged out of {} (API token {id}, removed from {})",
                self.host,
                Place::KEYRING
            ),
            Some(id) => write!(f, "Logged out of {} (API token {id})", self.host),
            None => write!(f, "Not logged in to {}", self.host),
        }
    }
}

pub(crate) async fn run(context: &Context, confirmed: &Confirmed) -> Result<(), CliError> {
    let creation = creation::find_undisturbed(context).await?;
    let stored = context.undisturbed().await?;
    let id = context.profile.id();
    let token = stored.as_ref().map(|stored| &stored.token);
    let other_secret = token.is_some_and(environment::has_other_secret);
    let forgotten_id = token.map(|token| token.id().to_string());
    let removed_from = token.map(|_stored| context.place());
    if let Some(creation) = &creation {
        let question = format!(
            "Remove the access token in {} too? It may be the only key to an API token whose \
             creation was interrupted.",
            creation.file.display()
        );
        prompt::confirm(confirmed.yes, "the logout", &question).await?;
    }
    if let Some(token) = &forgotten_id {
        let warning = if other_secret { OTHER_SECRET } else { "" };
        let journal = match stored.as_ref().and_then(|stored| context.ruled(stored)) {
            Some(_) => " The journal of its last rotation is removed too.",
            None => "",
        };
        let place = match removed_from {
            Some(Place::Keyring) => format!(" from {}", Place::KEYRING),
            _ => String::new(),
        };
        let question = format!(
            "Remove the stored id and secret of the API token {token}{place}? The service does not \
             show a secret again.{warning}{journal}"
        );
        prompt::confirm(confirmed.yes, "the logout", &question).await?;
    }
    // The access token goes first: a crash between the two must not leave it without its owner.
    access_token_file::forget(context).await?;
    if let Some(stored) = stored {
        remove(context, stored).await?;
    }
    if let Some(creation) = creation {
        if !creation::forget_found(context, &creation).await? {
            // Nobody was asked about this one.
            let later = creation::find(context).await?;
            return later.map_or(Ok(()), |later| {
                Err(CliError::CreationUnfinished { redo: later.redo })
            });
        }
        output::note(format_args!(
            "removed the access token of an interrupted creation, {}",
            creation.file.display()
        ));
        for aside in &creation.asides {
            output::note(format_args!(
                "an API token that was created: {}; {}",
                aside.is_where(),
                aside.how_to_use()
            ));
        }
    }
    if environment::is_set() {
        output::note(format_args!(
            "the environment has an API token, which is used from now on.{}",
            if other_secret { OTHER_SECRET } else { "" }
        ));
    }
    let answer = Answer {
        profile: id.name(),
        host: id.base_url(),
        forgotten_id,
        removed_from,
    };
    output::report(context.global.output, &answer)
}

/// Removes the stored credential, also if another process has rotated its secret meanwhile.
async fn remove(context: &Context, mut stored: Stored) -> Result<(), CliError> {
    for _ in 0..MOST_CHANGES {
        match lock_wait::outwait(async || context.profile.remove(&stored.seen).await).await {
            Err(StoreError::Changed) => {}
            removed => return removed.map_err(|error| context.store_error(error)),
        }
        match context.undisturbed().await? {
            Some(now) if now.token.id() == stored.token.id() => stored = now,
            // Nobody was asked about another API token.
            Some(_) => break,
            None => return Ok(()),
        }
    }
    Err(CliError::Store(StoreError::Changed))
}
