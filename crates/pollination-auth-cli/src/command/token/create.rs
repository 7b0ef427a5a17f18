//! Creates an API token, and stores it before anything is said about it.
//!
//! Its secret is seen once, in the service's reply. So nothing is created where nothing can be
//! stored, and the access token that could replace it is kept until it logs in. If it still
//! can't be stored, it is put into the second place.

use std::fmt;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::Duration;

use pollination_auth::{
    AccessToken, ApiToken, Client, Error, SecretBytes, StoreError, StoredToken,
};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::bearer;
use crate::access_token_file;
use crate::args::token::Create;
use crate::aside::{self, Left};
use crate::checked::{self, NotStored};
use crate::context::Context;
use crate::creation::{self, Creation};
use crate::error::CliError;
use crate::exit::Exit;
use crate::interrupt;
use crate::output;
use crate::progress;
use crate::prompt;
use crate::recovery::Aside;
use crate::refusal;
use crate::rescue::Rescue;
use crate::text::option;

/// The pause before the second login with a new API token; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest of these pauses: a person waits for it.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

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
    let stored = context.undisturbed().await?;
    if let Some(stored) = &stored {
        let question = format!(
            "Create an API token to replace {}? Its id and secret are removed from this machine.",
            stored.token.id()
        );
        let is_named = create.replace.as_deref() == Some(stored.token.id().as_str());
        let confirmed = create.confirmed.yes || is_named;
        let confirmed = prompt::confirm(confirmed, "the creation", &question).await;
        confirmed.map_err(|problem| match problem {
            CliError::NobodyToAsk(_) => CliError::NobodyToAskAbout {
                id: stored.token.id().to_string(),
                replace: option("--replace", stored.token.id().as_str()),
            },
            other => other,
        })?;
    }
    let before = creation::find(context).await?;
    let access_token = access_token(context, create).await;
    let access_token = access_token.map_err(|problem| match before {
        // There may be an API token whose only key it has.
        Some(before) if !before.under_way => CliError::CreationBefore {
            problem: Box::new(problem),
            redo: before.redo,
        },
        _ => problem,
    })?;
    // With this one and no later one, or the kept one would not be the one that counts.
    let client = context
        .builder()
        .access_token(access_token.clone())
        .build()?;
    // It writes to the same disk: what fails here fails before anything was created.
    context.check_writable().await?;
    Rescue::check(context.directory.as_deref())?;
    access_token_file::forget(context).await?;
    let settle = create.settle.settle;
    let id = stored.as_ref().map(|stored| stored.token.id());
    let is_own = !create.bearer.access_token_stdin;
    let creation = Creation::begin(context, &access_token, id, is_own, settle).await?;
    let redo = creation.shared_redo();
    let stored = stored.as_ref().map(|stored| &stored.token);
    let work = make(context, &client, &access_token, creation, stored, settle);
    let work = interrupt::outlast("the creation", work, || {
        let redo = redo.lock().unwrap_or_else(PoisonError::into_inner).clone();
        CliError::CreationInterrupted { redo }
    });
    let token = work.await?;
    let answer = Answer {
        id: token.id().as_str(),
        secret: create.show_secret.then(|| token.secret().expose_secret()),
    };
    output::report(context.global.output, &answer)
}

/// Returns the access token that the next request is made with.
async fn access_token(context: &Context, create: &Create) -> Result<AccessToken, CliError> {
    if create.bearer.access_token_stdin {
        return bearer::from_stdin().await;
    }
    if let Err(problem) = context.stored().await {
        return Err(match problem.exit() {
            Exit::NotLoggedIn => CliError::NothingToCreateWith {
                problem: Box::new(problem),
                create: context.global.line("token create --access-token-stdin"),
            },
            _ => problem,
        });
    }
    let client = context.client()?;
    Ok(progress::watch("logging in", client.access_token()).await?)
}

/// Creates an API token and stores it; the creation ends when that logs in.
async fn make(
    context: &Context,
    client: &Client,
    access_token: &AccessToken,
    mut creation: Creation,
    stored: Option<&ApiToken>,
    settle: Duration,
) -> Result<ApiToken, CliError> {
    let created = progress::watch("creating the API token", client.create_api_token()).await;
    let stored_works = match (&created, stored) {
        // Something in between may have sent the request twice, and passed on the second reply: the
        // first one can still end what is stored.
        (Err(error), Some(stored)) if refusal::of_creation(error) => {
            let refused = "the creation was refused";
            Some(checked::still_logs_in(context, stored, settle, refused).await)
        }
        _ => None,
    };
    let token = match created {
        Ok(token) => token,
        Err(error) if is_nothing_created(&error) && stored_works != Some(false) => {
            let works = stored_works == Some(true);
            return Err(match creation.refused(context, works).await? {
                Some(redo) => CliError::CreationBefore {
                    problem: Box::new(error.into()),
                    redo,
                },
                None => CliError::Service(error),
            });
        }
        Err(error) => {
            let reply = error.raw_reply().and_then(rescued);
            if stored.is_some()
                && !matches!(error, Error::UnusableReply(_))
                && let Some(id) = creation::came_to_nothing(context, access_token, settle).await
            {
                creation.end(context).await;
                let id = id.to_string();
                return Err(CliError::NothingCreated { error, reply, id });
            }
            let redo = creation.redo();
            return Err(CliError::CreationUnknown { error, reply, redo });
        }
    };
    creation.made(token.id()).await;
    let check = async |there: Option<&StoredToken>| match there.map(StoredToken::api_token) {
        // Nobody was asked to replace this one.
        Some(there)
            if ![stored.map(ApiToken::id), Some(token.id())].contains(&Some(there.id())) =>
        {
            Err(CliError::StoredMeanwhile {
                id: there.id().to_string(),
            })
        }
        Some(_) => check_for(context, client, &mut creation, &token, settle)
            .await
            .map(|()| None),
        // It takes nobody's place, so it is stored before anything else can happen to it.
        None => Ok(check(context, &token).await.err()),
    };
    match checked::store(context, &token, settle, check).await {
        Ok(None) => {
            if creation.follows_unclear()
                && !checked::still_logs_in(context, &token, settle, creation::INTERRUPTED).await
            {
                let redo = creation.look(context).await?;
                return Err(CliError::CreationUnfinished { redo });
            }
            if forget_aside(context, &creation, &token).await {
                creation.end(context).await;
            }
        }
        Ok(Some(error)) => {
            let why = match &error {
                CliError::Service(error) => error.failure().to_string(),
                other => other.to_string(),
            };
            output::warning(format_args!(
                "the new API token is stored, and does not log in yet ({why}); the access token \
                 that created it stays in {}",
                creation.file().display()
            ));
        }
        Err(problem) => {
            return Err(not_stored(context, &token, &mut creation, problem).await);
        }
    }
    Ok(token)
}

/// Checks that the new API token logs in.
async fn check(context: &Context, token: &ApiToken) -> Result<(), CliError> {
    let client = context.client_of(token.clone())?;
    progress::watch("checking the new API token", client.login()).await?;
    Ok(())
}

/// Checks that the new API token logs in before the settle time is over: what is stored is not
/// replaced by what has never logged in.
async fn check_for(
    context: &Context,
    client: &Client,
    creation: &mut Creation,
    token: &ApiToken,
    settle: Duration,
) -> Result<(), CliError> {
    let deadline = Instant::now() + settle;
    let mut pause = FIRST_PAUSE;
    while let Err(error) = check(context, token).await {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(not_accepted(client, token, error).await);
        }
        // Whoever ends this process now finds it there.
        if let Err(error) = put_aside(context, creation, token).await {
            tracing::debug!(%error, "there is no second place for the new secret");
        }
        let wait = sleep(pause.min(left));
        progress::watch("waiting until the new API token logs in", wait).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
    Ok(())
}

/// Returns why the new API token is not stored: somebody may have created another one since.
async fn not_accepted(client: &Client, token: &ApiToken, error: CliError) -> CliError {
    match &error {
        CliError::Service(refusal) if refusal::of_credential(refusal) => {}
        _ => return error,
    }
    match client.get_api_token().await {
        Ok(other) if &other != token.id() => CliError::Replaced {
            id: token.id().to_string(),
            other: other.to_string(),
        },
        _ => CliError::NotAcceptedYet,
    }
}

/// Returns the error of a new API token that was not stored, without losing it.
///
/// It is not deleted: what is stored may have ended with its creation, and then nothing would be left.
async fn not_stored(
    context: &Context,
    token: &ApiToken,
    creation: &mut Creation,
    problem: NotStored,
) -> CliError {
    let id = token.id().to_string();
    let problem = Box::new(match problem {
        NotStored::Unwritten(problem) => CliError::Store(problem),
        NotStored::Unchecked(problem) => problem,
    });
    match put_aside(context, creation, token).await {
        Ok(aside) => CliError::PutAside { id, problem, aside },
        Err(error) => {
            tracing::debug!(%error, "there is no second place for the new secret");
            CliError::NotKept {
                id,
                problem,
                redo: creation.redo_if_kept().await,
            }
        }
    }
}

/// Stores the new API token in the second place, unless it is there.
///
/// What is there may be the only copy of another API token's secret, so the two are kept side by side.
async fn put_aside(
    context: &Context,
    creation: &mut Creation,
    token: &ApiToken,
) -> Result<Aside, CliError> {
    if let Some(aside) = creation.aside() {
        return Ok(aside.clone());
    }
    let mut problem = StoreError::Changed.into();
    for aside in aside::places(context, token) {
        match put(context, creation, token, &aside).await {
            Ok(true) => {
                creation.is_aside(aside.clone());
                return Ok(aside);
            }
            // Another one is there, and stays.
            Ok(false) => {}
            // Whatever is wrong with this place, the next one may take it.
            Err(error) => problem = error,
        }
    }
    Err(problem)
}

/// Stores the new API token in a place unless another one is there; returns whether it is there.
async fn put(
    context: &Context,
    creation: &mut Creation,
    token: &ApiToken,
    aside: &Aside,
) -> Result<bool, CliError> {
    let profile = aside::open(context, aside)?;
    let there = profile.stored().await?;
    if let Some(there) = &there
        && !aside::is_copy(there.api_token(), token)
    {
        return Ok(false);
    }
    creation.put_aside(aside.clone()).await;
    if there.is_none() {
        profile.save(token).await?;
    }
    Ok(true)
}

/// Removes what is stored in the first place from the second one, and returns `true` if nothing else
/// of the new API token is there.
async fn forget_aside(context: &Context, creation: &Creation, token: &ApiToken) -> bool {
    let Some(aside) = creation.aside() else {
        return true;
    };
    let left = aside::forget(context, aside, token).await;
    if left == Left::MayBeNewer {
        output::warning(format_args!(
            "a newer secret of the API token {} may be in {}; {}",
            token.id(),
            aside.directory.display(),
            aside.how_to_use()
        ));
    }
    left == Left::Nothing
}

/// Returns `true` if the service refused the creation, or the request was never sent.
fn is_nothing_created(error: &Error) -> bool {
    refusal::of_creation(error) || matches!(error, Error::NotSent(_))
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
