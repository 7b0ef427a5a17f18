//! Forgets the credential on this machine; the service is not told.

use std::fmt;

use serde::Serialize;

use crate::args::Confirmed;
use crate::context::Context;
use crate::environment;
use crate::error::CliError;
use crate::output;
use crate::prompt;
use crate::shared_token;

#[derive(Serialize)]
struct Answer<'a> {
    profile: &'a str,
    host: &'a str,
    /// None when there was nothing to forget.
    forgotten_id: Option<String>,
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.forgotten_id {
            Some(id) => write!(f, "Forgot the API token {id} of {}", self.host),
            None => write!(f, "There was no API token of {} to forget", self.host),
        }
    }
}

pub(crate) async fn run(context: &Context, confirmed: &Confirmed) -> Result<(), CliError> {
    let client = context.client()?;
    let stored = context.look(&client).await?;
    let stored = context.undisturbed(stored).await?;
    let id = context.profile.id();
    let forgotten_id = stored.map(|stored| stored.token.id().to_string());
    if let Some(token) = &forgotten_id {
        let question = format!(
            "Forget the id and secret of the API token {token}? Nobody can read the secret again."
        );
        prompt::confirm(confirmed.yes, "the logout", &question)?;
    }
    // The access token goes first: a crash between the two must not leave it without its owner.
    shared_token::forget(context).await?;
    if forgotten_id.is_some() {
        context.change(|| context.profile.remove()).await?;
    }
    if environment::is_set() {
        output::note(format_args!(
            "{} and {} are set, and used from now on",
            environment::ID,
            environment::SECRET
        ));
    }
    let answer = Answer {
        profile: id.name(),
        host: id.base_url(),
        forgotten_id,
    };
    output::answer(context.global.output, &answer)
}
