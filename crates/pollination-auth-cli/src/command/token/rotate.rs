//! Rotates the secret, or brings an interrupted rotation to its end.
//!
//! How that is done without losing a secret is the library's knowledge. Here a person is asked
//! first, told of the end, and heard when they interrupt.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use pollination_auth::{
    ApiToken, Document, FileStore, Profile, ProfileId, Recovered, RotateError, RotateOptions,
    Rotated, Rotation,
};
use serde::Serialize;

use crate::access_token_file;
use crate::args::token::Rotate;
use crate::checked;
use crate::context::Context;
use crate::error::CliError;
use crate::interrupt;
use crate::output;
use crate::paths;
use crate::progress;
use crate::prompt;
use crate::rescue::Rescue;
use crate::text::quoted;
use crate::time::{Stamp, rounded};
use crate::variables;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// The secret is a new one.
    Rotated,
    /// Another process has rotated it meanwhile; this one did nothing.
    RotatedByAnother,
    /// The interrupted rotation never happened.
    NothingHappened,
    /// No rotation was unfinished.
    NothingToResume,
}

#[derive(Serialize)]
struct Answer {
    outcome: Outcome,
    id: String,
    generation: Option<u64>,
    verified_at: Option<Stamp>,
    /// Whether an earlier, interrupted rotation was brought to its end.
    recovered: bool,
    /// Whether the service gave the secret that there was.
    unchanged: bool,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = &self.id;
        match self.outcome {
            Outcome::Rotated => write!(f, "Rotated the secret of the API token {id}"),
            Outcome::RotatedByAnother => {
                write!(
                    f,
                    "Another process has rotated the secret of the API token {id}"
                )
            }
            Outcome::NothingHappened => {
                write!(
                    f,
                    "The interrupted rotation never happened; the API token {id} is unchanged"
                )
            }
            Outcome::NothingToResume => {
                write!(f, "No rotation of the API token {id} is unfinished")
            }
        }
    }
}

impl Answer {
    fn rotated(rotated: &Rotated) -> Self {
        Self {
            outcome: if rotated.by_another() {
                Outcome::RotatedByAnother
            } else {
                Outcome::Rotated
            },
            id: rotated.api_token().id().to_string(),
            generation: Some(rotated.generation()),
            verified_at: Some(Stamp(rotated.verified_at())),
            recovered: rotated.was_recovered(),
            unchanged: rotated.is_unchanged(),
        }
    }

    fn unchanged(outcome: Outcome, id: String) -> Self {
        Self {
            outcome,
            id,
            generation: None,
            verified_at: None,
            recovered: false,
            unchanged: true,
        }
    }
}

pub(crate) async fn run(context: &Context, rotate: &Rotate) -> Result<(), CliError> {
    let stored = context.stored().await?;
    let client = context.client()?;
    let id = stored.token.id().to_string();
    if !rotate.resume {
        Rescue::check(context.directory.as_deref())?;
        let question = format!(
            "Rotate the secret of the API token {id} of {}? Everything else that uses it needs the new secret.",
            context.profile.id().base_url()
        );
        prompt::confirm(rotate.confirmed.yes, "the rotation", &question).await?;
    }
    let rotation = client.rotation(options(context, rotate));
    let what = if rotate.resume {
        "resuming the rotation"
    } else {
        "rotating the secret"
    };
    let work = async {
        let ended = if rotate.resume {
            resumed(&rotation, id).await
        } else {
            let rotated = rotation.rotate().await;
            rotated.map(|rotated| Answer::rotated(&rotated))
        };
        let answer = ended.map_err(|error| failed(context, error))?;
        if answer.outcome == Outcome::Rotated {
            // It would not be used any more. One that can't be removed is no reason to call this
            // failed.
            if let Err(error) = access_token_file::forget(context).await {
                tracing::debug!(%error, "the access token of the old secret is left behind");
            }
        }
        Ok(answer)
    };
    let cut_off = || CliError::RotationInterrupted {
        resume: context.resume(),
    };
    let work = interrupt::outlast("the rotation", work, cut_off);
    let answer = progress::watch(what, work).await?;
    // An interrupt from here on comes after the end: nothing is awaited before it is told.
    if answer.outcome == Outcome::Rotated && answer.unchanged {
        output::warning("the service returned the old secret, which still works");
    }
    output::report(context.global.output, &answer)?;
    if matches!(answer.outcome, Outcome::Rotated | Outcome::NothingHappened) {
        interrupt::skippable(forget_rescued(context, &stored.token, rotate.settle)).await?;
    }
    Ok(())
}

/// Removes a rescued pair if it is needless by now, and says where any other one is.
async fn forget_rescued(context: &Context, replaced: &ApiToken, settle: Duration) {
    let Ok(rescue) = Rescue::find() else {
        return;
    };
    let Some(directory) = &context.directory else {
        return;
    };
    if !rescue.is_made() || paths::may_be_same(directory, rescue.directory()) {
        return;
    }
    let file = rescued_file(context.profile.id(), rescue.directory());
    let directory = quoted(&rescue.directory().to_string_lossy());
    match remove_needless(context, rescue, replaced, settle).await {
        Ok(None) => {}
        Ok(Some(id)) => output::note(format_args!(
            "a rescued pair of the API token {id} stays in {}; `{}` with its id and secret stores \
             it, and {}={directory} makes every command use it there",
            file.display(),
            context.login(),
            variables::DIRECTORY
        )),
        Err(error) => output::warning(format_args!(
            "a rescued pair may be in {}, which can't be used: {error}",
            file.display()
        )),
    }
}

/// Removes a rescued pair that is stored elsewhere, or dead; returns the id of one that stays.
///
/// `replaced` has the secret that the rotation replaced.
async fn remove_needless(
    context: &Context,
    rescue: Rescue,
    replaced: &ApiToken,
    settle: Duration,
) -> Result<Option<String>, CliError> {
    let global = &context.global;
    let rescued = Profile::new(rescue, &global.host, &global.profile)?;
    let Some(seen) = rescued.stored().await? else {
        return Ok(None);
    };
    let pair = seen.api_token();
    let stored = context.profile.load().await?;
    let stays = Ok(Some(pair.id().to_string()));
    if stored
        .as_ref()
        .is_none_or(|stored| stored.id() != pair.id())
    {
        return stays;
    }
    let is_pair = |other: &ApiToken| {
        other.id() == pair.id() && other.secret().expose_secret() == pair.secret().expose_secret()
    };
    let is_known = is_pair(replaced) || stored.as_ref().is_some_and(is_pair);
    if !is_known && checked::check_dead(context, pair, settle).await.is_err() {
        return stays;
    }
    rescued.remove(&seen).await?;
    Ok(None)
}

/// Returns the file of a rescued pair.
fn rescued_file(profile: &ProfileId, rescue: &Path) -> PathBuf {
    rescue.join(FileStore::file_name(profile, Document::Credential))
}

fn options(context: &Context, rotate: &Rotate) -> RotateOptions {
    let mut options = RotateOptions::default()
        .settle(rotate.settle)
        .on_wait(announce(rotate.settle));
    if let Some(horizon) = rotate.recovery_horizon {
        options = options.recovery_horizon(horizon);
    }
    match Rescue::find() {
        // Resumed all the same: nothing else may be left to do.
        Ok(rescue) if rescue.is_among_own_files(context.directory.as_deref()) => options,
        Ok(rescue) => options.emergency_store(rescue),
        Err(error) => {
            tracing::debug!(%error, "there is no second place for a new secret");
            options
        }
    }
}

/// Announces a wait and its length: a silent minute looks like a program that hangs.
fn announce(settle: Duration) -> impl Fn(Duration) + Send + Sync {
    let last = Mutex::new(None);
    move |wait| {
        let is_known = last
            .lock()
            .is_ok_and(|mut last| last.replace(wait) == Some(wait));
        if wait >= settle {
            open(format_args!("waiting {}", rounded(wait)));
        } else if !is_known {
            let (settle, wait) = (rounded(settle), rounded(wait));
            open(format_args!(
                "waiting up to {settle}, checking every {wait}"
            ));
        }
    }
}

fn open(waiting: fmt::Arguments<'_>) {
    progress::note(format_args!(
        "outcome unknown; {waiting} for the service to settle (--settle) ..."
    ));
}

async fn resumed(rotation: &Rotation, id: String) -> Result<Answer, RotateError> {
    Ok(match rotation.recover().await? {
        Recovered::Rotated(rotated) => Answer::rotated(&rotated),
        Recovered::NothingHappened => Answer::unchanged(Outcome::NothingHappened, id),
        _ => Answer::unchanged(Outcome::NothingToResume, id),
    })
}

fn failed(context: &Context, error: RotateError) -> CliError {
    let other = matches!(error, RotateError::OtherApiToken(_));
    if !other && !matches!(error, RotateError::PersistFailed(_)) {
        return context.rotate_error(error);
    }
    if let Some(profile) = error.failure().emergency_profile().cloned()
        && let Ok(rescue) = Rescue::find()
    {
        let rescue = rescue.directory();
        let beside = if profile == *context.profile.id() {
            String::new()
        } else {
            // The pair of another API token is there, which is not replaced.
            format!(" with --profile {}", quoted(profile.name()))
        };
        output::warning(format_args!(
            "the new secret was put into {}; {}={} makes every command use it{beside}",
            rescue.display(),
            variables::DIRECTORY,
            quoted(&rescue.to_string_lossy())
        ));
        let journal = context.file(Document::Journal);
        if journal.is_some_and(|journal| paths::is_gone(&journal)) {
            return CliError::RotateRescued {
                error,
                file: rescued_file(&profile, rescue),
                login: context.login(),
            };
        }
    }
    if other && let Some(journal) = context.file(Document::Journal) {
        output::warning(format_args!(
            "its id and secret are in {}, which the next login removes",
            journal.display()
        ));
    }
    context.rotate_error(error)
}
