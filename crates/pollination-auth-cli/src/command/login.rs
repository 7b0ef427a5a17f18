//! Takes an id and a secret, checks them by logging in, and stores them.

use std::fmt;
use std::io::{self, IsTerminal as _};
use std::time::{Duration, SystemTime};

use pollination_auth::{
    AccessToken, ApiToken, CredentialError, Document, KeptAccessToken, Secret, StoreError,
    StoredToken,
};
use serde::Serialize;

use crate::access_token_file::{self, SharedToken};
use crate::args::options::{Login, Source};
use crate::checked::{self, MOST_CHANGES, NotStored};
use crate::context::{Context, Stored};
use crate::creation;
use crate::environment;
use crate::error::CliError;
use crate::interrupt;
use crate::lock_wait;
use crate::output;
use crate::place::Place;
use crate::progress;
use crate::prompt;
use crate::stdin;
use crate::terminal::{Answer, Hidden};
use crate::time::{Stamp, rfc3339, rounded};

/// A valid secret, to check an id without one.
const ANY_SECRET: &str = "-";

/// The longest standard input that is read: 16 KiB, more than the longest id and secret together.
const STDIN_LIMIT: u32 = 16 * 1024;

#[derive(Serialize)]
struct LoggedIn<'a> {
    profile: &'a str,
    host: &'a str,
    id: &'a str,
    stored_in: Place,
    access_token_expires_at: Option<Stamp>,
}

impl fmt::Display for LoggedIn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Logged in to {} with the API token {}",
            self.host, self.id
        )?;
        if self.stored_in == Place::Keyring {
            write!(f, ", stored in {}", Place::KEYRING)?;
        }
        match self.access_token_expires_at {
            Some(Stamp(at)) => write!(f, "; its access token expires at {}", rfc3339(at)),
            None => Ok(()),
        }
    }
}

pub(crate) async fn run(context: &Context, login: &Login) -> Result<(), CliError> {
    // Before anybody types a secret: whether there can be a client, and what can't be replaced later.
    drop(context.client()?);
    match context.undisturbed().await {
        Err(CliError::Store(error)) if is_replaceable(&error, login.discard_rotation) => {}
        Err(CliError::RotationUnfinished { .. }) if login.discard_rotation => {}
        looked => drop(looked?),
    }
    context.check_writable().await?;
    let source = choose(context, login.from);
    let token = match source {
        Source::Environment => environment::api_token()?,
        Source::Stdin => from_stdin().await?,
        Source::Prompt => ask(context).await?,
    };
    let work = async {
        let mut give_up_rotation = login.discard_rotation;
        let check = async |stored: Option<&StoredToken>| {
            confirm(context, login, stored, &token).await?;
            let before = SystemTime::now();
            let access_token = if give_up_rotation {
                give_up(context, &token, login.settle.settle).await?
            } else {
                progress::watch("logging in", check(context, &token)).await?
            };
            // What another process begins after that is not what was confirmed.
            give_up_rotation = false;
            // Before the credential changes, so that no access token is left that is not its own.
            access_token_file::forget(context).await?;
            Ok((access_token, before))
        };
        let checked = checked::store(context, &token, login.settle.settle, check).await;
        let checked = checked.map_err(|problem| match problem {
            NotStored::Unchecked(error) => error,
            NotStored::Unwritten(error) => context.store_error(error),
        })?;
        // The credential is stored; the next login completes what this one is kept from.
        let completed = creation::complete(context, &token, Some(login.settle.settle));
        if let Some(file) = interrupt::skippable(completed).await?.flatten() {
            output::note(format_args!(
                "the access token of an interrupted creation stays in {}: it may be the only \
                 key to an API token; `{}` removes it and the stored credential",
                file.display(),
                context.global.line("logout")
            ));
        }
        Ok::<_, CliError>(checked)
    };
    let (access_token, before) = work.await?;
    // It is stored; without its access token the next command makes a login of its own.
    interrupt::skippable(share(context, &access_token, before))
        .await?
        .transpose()?;
    let id = context.profile.id();
    let answer = LoggedIn {
        profile: id.name(),
        host: id.base_url(),
        id: token.id().as_str(),
        stored_in: context.place(),
        access_token_expires_at: access_token.expires_at().map(Stamp),
    };
    output::report(context.global.output, &answer)
}

/// The store replaces what is no credential at all; the rest has to be looked at by somebody.
fn is_replaceable(error: &StoreError, discard_rotation: bool) -> bool {
    match error {
        StoreError::Corrupt { document, .. }
        | StoreError::Foreign { document, .. }
        | StoreError::Newer { document, .. }
            if *document == Document::Journal =>
        {
            discard_rotation
        }
        StoreError::Corrupt { .. } => true,
        _ => false,
    }
}

/// Logs in and gives up the rotation that has left a journal, once no request of it can be on its way.
///
/// That one of its requests ends the given secret is seen after the settle time. If another process has
/// changed the journal meanwhile, it has made another request, and the wait begins anew.
async fn give_up(
    context: &Context,
    token: &ApiToken,
    settle: Duration,
) -> Result<AccessToken, CliError> {
    let mut waited_for = None;
    for _ in 0..MOST_CHANGES {
        let access_token = progress::watch("logging in", check(context, token)).await?;
        lock_wait::outwait(async || context.is_free().await).await?;
        let Some(journal) = context.profile.journal_version().await? else {
            return Ok(access_token);
        };
        if waited_for.as_ref() == Some(&journal) {
            match context.profile.discard_journal(&journal).await {
                Err(StoreError::Changed | StoreError::Locked) => continue,
                discarded => {
                    discarded.map_err(|error| context.store_error(error))?;
                    return Ok(access_token);
                }
            }
        }
        progress::note(format_args!(
            "waiting {} before giving up the rotation: a request of it may still be on its way \
             (--settle) ...",
            rounded(settle)
        ));
        checked::settled(settle).await;
        waited_for = Some(journal);
    }
    Err(StoreError::Changed.into())
}

/// Asks before a secret is overwritten that can be stored nowhere else.
async fn confirm(
    context: &Context,
    login: &Login,
    stored: Option<&StoredToken>,
    token: &ApiToken,
) -> Result<(), CliError> {
    let other = stored.map(|stored| stored.api_token().id());
    let (what, question) = if login.discard_rotation {
        let replaced = other.filter(|other| *other != token.id());
        let replaced = replaced.map_or_else(String::new, |other| {
            format!(" The id and secret of the API token {other} are replaced.")
        });
        let question = format!(
            "Give up the unfinished rotation? Its journal may hold the only working key.{replaced}"
        );
        ("giving up a rotation", question)
    } else if let Some(other) = other.filter(|other| *other != token.id()) {
        let question = format!(
            "Replace the id and secret of the API token {other} in the profile {}? To keep both, \
             use another --profile.",
            context.profile.id().name()
        );
        ("the login with another API token", question)
    } else {
        return Ok(());
    };
    prompt::confirm(login.confirmed.yes, what, &question).await
}

async fn check(context: &Context, token: &ApiToken) -> Result<AccessToken, CliError> {
    let client = context.builder().api_token(token.clone()).build()?;
    Ok(client.login().await?)
}

/// Keeps the access token of the check, so that the first `access-token` needs no login.
async fn share(
    context: &Context,
    access_token: &AccessToken,
    before: SystemTime,
) -> Result<(), CliError> {
    let stored = context.look().await?;
    let owner = stored.as_ref().and_then(Stored::owner);
    if let (Some(owner), Some(kept), Some(shared)) = (
        owner,
        KeptAccessToken::new(access_token.clone(), before),
        SharedToken::find(context)?,
    ) && let Ok(mut lock) = shared.lock().await
        && let Err(error) = shared.keep(&mut lock, owner, &kept).await
    {
        tracing::debug!(%error, "the access token can't be kept");
    }
    Ok(())
}

fn choose(context: &Context, from: Option<Source>) -> Source {
    match from {
        Some(source) => source,
        None if environment::is_set() => {
            output::note(format_args!(
                "logging in to {} with the API token of the environment",
                context.profile.id().base_url()
            ));
            Source::Environment
        }
        None if !io::stdin().is_terminal() => Source::Stdin,
        None => Source::Prompt,
    }
}

/// Asks for the id and the secret, and names the host that they will be sent to.
async fn ask(context: &Context) -> Result<ApiToken, CliError> {
    const FROM: &str = "the prompt";
    let profile = context.profile.id();
    let mut terminal = Hidden::begin()?;
    output::note(format_args!(
        "Log in to {} (profile {})",
        profile.base_url(),
        profile.name()
    ));
    let id = terminal.ask("API token id", Answer::Shown).await?;
    // An invalid id is found out before anybody types a secret.
    api_token(FROM, id.expose_secret(), Secret::from(ANY_SECRET))?;
    let secret = terminal.ask("API token secret (not shown)", Answer::Hidden);
    api_token(FROM, id.expose_secret(), secret.await?)
}

async fn from_stdin() -> Result<ApiToken, CliError> {
    two_lines(&stdin::read(STDIN_LIMIT).await?)
}

/// Reads the id from the first line, and the secret from the second.
fn two_lines(bytes: &[u8]) -> Result<ApiToken, CliError> {
    let text = std::str::from_utf8(bytes).map_err(|_no_text| CliError::Stdin("is not UTF-8"))?;
    if text.is_empty() {
        return Err(CliError::Stdin(
            "is empty; give the id on the first line and the secret on the second",
        ));
    }
    let (id, secret) = text.split_once('\n').ok_or(CliError::Stdin(
        "has one line; give the id on the first and the secret on the second",
    ))?;
    api_token("standard input", id, Secret::from(secret))
}

fn api_token(from: &'static str, id: &str, secret: Secret) -> Result<ApiToken, CliError> {
    ApiToken::new(id, secret)
        .map_err(|problem: CredentialError| CliError::Credential { from, problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(stdin: &[u8]) -> String {
        two_lines(stdin).unwrap_err().to_string()
    }

    #[test]
    fn row_51_standard_input_has_an_id_and_a_secret() {
        for stdin in [
            "an-id\na-secret\n",
            "an-id\r\na-secret\r\n",
            "an-id\na-secret",
        ] {
            let token = two_lines(stdin.as_bytes()).unwrap();
            assert_eq!(token.id().as_str(), "an-id");
            assert_eq!(token.secret().expose_secret(), "a-secret");
        }
    }

    #[test]
    fn row_51_what_is_no_id_and_secret_is_refused_without_a_word_of_it() {
        for stdin in [
            &b""[..],
            b"planted",
            b"planted\n",
            b"\nplanted\n",
            b"planted\nplanted\nplanted\n",
            b"planted\nplanted\0",
            b"\xef\xbb\xbfplanted\nplanted",
            b"planted\nplanted\xff",
        ] {
            let message = refused(stdin);
            assert!(message.contains("standard input"), "{message}");
            assert!(!message.contains("planted"), "{message}");
        }
    }
}
