//! Shows what is stored or in the environment, and asks nobody.

use std::fmt;
use std::time::SystemTime;

use pollination_auth::RotationStatus;
use serde::Serialize;

use crate::context::{Context, Credential};
use crate::error::CliError;
use crate::output;
use crate::shared_token::{Owner, SharedToken};
use crate::time::{Stamp, rfc3339};

#[derive(Serialize)]
struct Answer<'a> {
    profile: &'a str,
    host: &'a str,
    directory: Option<String>,
    logged_in: bool,
    source: Option<Source>,
    id: Option<&'a str>,
    generation: Option<u64>,
    rotated_at: Option<Stamp>,
    access_token_expires_at: Option<Stamp>,
    unfinished_rotation: Option<Unfinished>,
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
    requests: u32,
    new_secrets: usize,
    /// Whether a process works on it, so that nothing is to be done.
    under_way: bool,
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
                .unwrap_or("none; nothing can be stored"),
            self.id.unwrap_or("none; not logged in")
        )?;
        if self.source == Some(Source::Environment) {
            f.write_str(", of the environment")?;
        }
        if let Some(generation) = self.generation {
            write!(
                f,
                "\ngeneration    {generation}; it counts the changes of the secret here"
            )?;
        }
        if let Some(Stamp(at)) = self.rotated_at {
            write!(f, "\nrotated       {}", rfc3339(at))?;
        }
        if let Some(Stamp(at)) = self.access_token_expires_at {
            write!(f, "\naccess token  kept until {}", rfc3339(at))?;
        }
        if let Some(unfinished) = &self.unfinished_rotation {
            let since = rfc3339(unfinished.started_at.0);
            if unfinished.under_way {
                write!(f, "\nrotation      under way since {since}")?;
            } else {
                let by = rfc3339(unfinished.recover_by.0);
                write!(
                    f,
                    "\nrotation      unfinished since {since}, to be resumed before {by}"
                )?;
            }
        }
        Ok(())
    }
}

pub(crate) async fn run(context: &Context) -> Result<(), CliError> {
    let (stored, environment, missing) = match context.credential().await {
        Ok(Credential::Stored(stored)) if stored.generation().is_none() && context.is_held() => {
            (Some(stored), None, None)
        }
        // The lock may have been let go since it was read.
        Ok(Credential::Stored(stored)) => (Some(context.after_others(stored).await?), None, None),
        Ok(Credential::Environment(token)) => (None, Some(token), None),
        Err(error @ CliError::NotLoggedIn { .. }) => (None, None, Some(error)),
        Err(error) => return Err(error),
    };
    let token = stored.as_ref().map(|stored| &stored.token);
    let id = context.profile.id();
    let mut answer = Answer {
        profile: id.name(),
        host: id.base_url(),
        directory: context
            .directory
            .as_ref()
            .map(|directory| directory.display().to_string()),
        logged_in: missing.is_none(),
        source: match (&stored, &environment) {
            (Some(_), _) => Some(Source::Store),
            (None, Some(_)) => Some(Source::Environment),
            (None, None) => None,
        },
        id: token
            .or(environment.as_ref())
            .map(|token| token.id().as_str()),
        generation: None,
        rotated_at: None,
        access_token_expires_at: None,
        unfinished_rotation: None,
    };
    match stored.as_ref().map(|stored| &stored.rotation) {
        Some(RotationStatus::Settled {
            generation,
            rotated_at,
            ..
        }) => {
            answer.generation = Some(*generation);
            answer.rotated_at = rotated_at.map(Stamp);
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
                requests: *requests,
                new_secrets: *candidates,
                under_way: context.is_held(),
            });
        }
        _ => {}
    }
    if let (Some(owner), Some(shared)) = (
        stored.as_ref().and_then(Owner::of),
        SharedToken::look(context)?,
    ) {
        let kept = shared.read(&owner)?;
        let now = SystemTime::now();
        let kept = kept.filter(|kept| !kept.left(now).is_zero());
        answer.access_token_expires_at = kept.map(|kept| Stamp(kept.expires_at));
    }
    output::answer(context.global.output, &answer)?;
    let under_way = answer
        .unfinished_rotation
        .is_some_and(|rotation| rotation.under_way);
    if !under_way {
        context.settled(stored.as_ref())?;
    }
    missing.map_or(Ok(()), Err)
}
