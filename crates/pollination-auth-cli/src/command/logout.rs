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

/// Said where a rotation has made the stored secret the only good one.
const OTHER_SECRET: &str = " The environment has another secret of this API token, which a rotation \
                            may have ended.";

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
    let token = stored.as_ref().map(|stored| &stored.token);
    let other_secret = token.is_some_and(environment::has_other_secret);
    let forgotten_id = token.map(|token| token.id().to_string());
    if let Some(token) = &forgotten_id {
        let warning = if other_secret { OTHER_SECRET } else { "" };
        let question = format!(
            "Forget the id and secret of the API token {token}? Nobody can read the secret \
             again.{warning}"
        );
        prompt::confirm(confirmed.yes, "the logout", &question)?;
    }
    // The access token goes first: a crash between the two must not leave it without its owner.
    shared_token::forget(context).await?;
    if let Some(stored) = &stored {
        context
            .change(|| context.profile.remove(&stored.seen))
            .await?;
    }
    if environment::is_set() {
        output::note(format_args!(
            "{} and {} are set, and used from now on.{}",
            environment::ID,
            environment::SECRET,
            if other_secret { OTHER_SECRET } else { "" }
        ));
    }
    let answer = Answer {
        profile: id.name(),
        host: id.base_url(),
        forgotten_id,
    };
    output::answer(context.global.output, &answer)
}
