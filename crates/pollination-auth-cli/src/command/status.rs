//! Shows what is stored and what the environment has, without asking the service.

use std::fmt;
use std::time::SystemTime;

use pollination_auth::{RotationStatus, Ruling};
use serde::Serialize;

use crate::access_token_file::SharedToken;
use crate::context::{Context, Stored};
use crate::creation;
use crate::credential::Found;
use crate::error::CliError;
use crate::output;
use crate::place::Place;
use crate::recovery::{self, Aside, OVERDUE, Redo};
use crate::time::{Stamp, rfc3339};

#[derive(Serialize)]
struct Answer<'a> {
    profile: &'a str,
    host: &'a str,
    directory: Option<String>,
    logged_in: bool,
    source: Option<Source>,
    id: Option<&'a str>,
    /// Another one than `id` if the environment takes precedence.
    stored_id: Option<&'a str>,
    /// None if nothing is stored.
    stored_in: Option<Place>,
    generation: Option<u64>,
    rotated_at: Option<Stamp>,
    access_token_expires_at: Option<Stamp>,
    unfinished_rotation: Option<Unfinished>,
    concluded_rotation: Option<Concluded>,
    unfinished_creation: Option<Creation>,
}

/// Where the id and secret are that the other commands use.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    Store,
    Environment,
}

#[derive(Serialize)]
struct Unfinished {
    started_at: Stamp,
    recover_by: Stamp,
    /// Whether the time to resume it has passed by this machine's clock.
    #[serde(skip)]
    is_overdue: bool,
    requests: u32,
    new_secrets: usize,
    /// Whether a process works on it, so that nothing is to be done.
    under_way: bool,
}

#[derive(Serialize)]
struct Concluded {
    started_at: Stamp,
    concluded_at: Stamp,
    ruling: Ruling,
}

#[derive(Serialize)]
struct Creation {
    /// The file with the access token that can replace what was created.
    access_token_file: String,
    /// Whether a process works on it, so that nothing is to be done.
    under_way: bool,
    /// Whether only a login with the new API token is missing.
    stored: bool,
    /// Where new API tokens are that have not logged in.
    put_aside: Vec<PutAside>,
    #[serde(skip)]
    redo: Box<Redo>,
}

/// A path is shown as it is elsewhere, also where it is not UTF-8.
#[derive(Serialize)]
struct PutAside {
    directory: String,
    profile: String,
    id: String,
    /// Whether it was seen there, and is known to be the new one.
    certain: bool,
}

impl From<Aside> for PutAside {
    fn from(aside: Aside) -> Self {
        Self {
            directory: aside.directory.display().to_string(),
            profile: aside.profile,
            id: aside.id,
            certain: aside.is_sure,
        }
    }
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "profile       {}\nhost          {}\ndirectory     {}\nAPI token     {}",
            self.profile,
            self.host,
            self.directory
                .as_deref()
                .unwrap_or("none, so nothing can be stored"),
            self.id.unwrap_or("none; not logged in")
        )?;
        if self.source == Some(Source::Environment) {
            f.write_str(", of the environment")?;
            if let Some(stored) = self.stored_id {
                write!(
                    f,
                    "\nstored        {stored}; the environment takes precedence"
                )?;
            }
        }
        if self.stored_in == Some(Place::Keyring) {
            write!(f, "\nstored in     {}", Place::KEYRING)?;
        }
        if let Some(generation) = self.generation {
            write!(
                f,
                "\ngeneration    {generation} (times it was stored again)"
            )?;
        }
        if let Some(Stamp(at)) = self.rotated_at {
            write!(f, "\nrotated       {}", rfc3339(at))?;
        }
        if let Some(Stamp(at)) = self.access_token_expires_at {
            write!(f, "\naccess token  cached until {}", rfc3339(at))?;
        }
        if let Some(unfinished) = &self.unfinished_rotation {
            let since = rfc3339(unfinished.started_at.0);
            if unfinished.under_way {
                write!(f, "\nrotation      under way since {since}")?;
            } else {
                let by = rfc3339(unfinished.recover_by.0);
                write!(f, "\nrotation      unfinished since {since}")?;
                if unfinished.is_overdue {
                    write!(f, "; {OVERDUE} {by}")?;
                } else {
                    write!(f, "; resume it before {by}")?;
                }
            }
        }
        if let Some(concluded) = &self.concluded_rotation {
            let ruled = recovery::ruled(concluded.ruling, concluded.concluded_at.0);
            write!(f, "\nrotation      {ruled}")?;
        }
        match &self.unfinished_creation {
            Some(creation) if creation.under_way => f.write_str("\ncreation      under way"),
            Some(creation) => write!(f, "\ncreation      interrupted; {}", creation.redo),
            None => Ok(()),
        }
    }
}

pub(crate) async fn run(context: &Context) -> Result<(), CliError> {
    let Found {
        mut stored,
        environment,
    } = Found::look(context).await?;
    let is_unknown = |stored: &Stored| stored.owner().is_none();
    if stored.as_ref().is_some_and(is_unknown) && !context.is_held().await {
        // Whoever held the lock may have ended the rotation since it was read.
        stored = context.look().await?;
    }
    let found = Found {
        stored,
        environment,
    };
    let environment = found.preferred_environment();
    let stored = found.stored.as_ref();
    let missing = (stored.is_none() && environment.is_none()).then(|| context.not_logged_in());
    let token = stored.map(|stored| &stored.token);
    let id = context.profile.id();
    let mut answer = Answer {
        profile: id.name(),
        host: id.base_url(),
        directory: context
            .directory
            .as_ref()
            .map(|directory| directory.display().to_string()),
        logged_in: missing.is_none(),
        source: match (environment, stored) {
            (Some(_), _) => Some(Source::Environment),
            (None, Some(_)) => Some(Source::Store),
            (None, None) => None,
        },
        id: environment.or(token).map(|token| token.id().as_str()),
        stored_id: token.map(|token| token.id().as_str()),
        stored_in: token.map(|_stored| context.place()),
        generation: None,
        rotated_at: None,
        access_token_expires_at: None,
        unfinished_rotation: None,
        concluded_rotation: None,
        unfinished_creation: creation::find(context).await?.map(|found| Creation {
            access_token_file: found.file.display().to_string(),
            under_way: found.under_way,
            stored: found.is_stored,
            put_aside: found.asides.into_iter().map(PutAside::from).collect(),
            redo: found.redo,
        }),
    };
    match stored.map(|stored| &stored.rotation) {
        Some(RotationStatus::Settled {
            generation,
            rotated_at,
        }) => {
            answer.generation = Some(*generation);
            answer.rotated_at = rotated_at.map(Stamp);
        }
        Some(RotationStatus::Concluded {
            started_at,
            concluded_at,
            ruling,
        }) => {
            answer.concluded_rotation = Some(Concluded {
                started_at: Stamp(*started_at),
                concluded_at: Stamp(*concluded_at),
                ruling: *ruling,
            });
        }
        Some(RotationStatus::Unfinished {
            started_at,
            requests,
            candidates,
            recover_by,
        }) => {
            answer.unfinished_rotation = Some(Unfinished {
                started_at: Stamp(*started_at),
                recover_by: Stamp(*recover_by),
                is_overdue: *recover_by <= SystemTime::now(),
                requests: *requests,
                new_secrets: *candidates,
                under_way: context.is_held().await,
            });
        }
        _ => {}
    }
    if let (Some(owner), Some(shared)) =
        (stored.and_then(Stored::owner), SharedToken::look(context)?)
    {
        let kept = shared.read(owner).await?;
        let now = SystemTime::now();
        let kept = kept.filter(|kept| !kept.remaining(now).is_zero());
        answer.access_token_expires_at = kept.map(|kept| Stamp(kept.expires_at()));
    }
    output::report(context.global.output, &answer)?;
    let under_way = answer
        .unfinished_rotation
        .is_some_and(|rotation| rotation.under_way);
    if !under_way {
        context.settled(stored)?;
    }
    let ruled = stored.and_then(|stored| context.ruled(stored));
    let is_interrupted = |creation: &Creation| !creation.under_way;
    let missing = missing.map(|missing| match &answer.unfinished_creation {
        // A login could not help: nobody knows the secret.
        Some(creation) if is_interrupted(creation) => CliError::CreationFirst,
        _ => missing,
    });
    missing.or(ruled).map_or(Ok(()), Err)
}
