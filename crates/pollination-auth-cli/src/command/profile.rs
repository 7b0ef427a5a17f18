//! Lists the stored profiles, and what is unfinished in them.

use std::fmt;

use pollination_auth::RotationStatus;
use serde::Serialize;

use crate::args::global::Global;
use crate::context::Context;
use crate::creation;
use crate::error::CliError;
use crate::output;
use crate::place::Place;
use crate::profiles::{self, Found};

#[derive(Serialize)]
struct Answer {
    profiles: Vec<Entry>,
}

/// A profile that something is stored for.
#[derive(Serialize)]
pub(super) struct Entry {
    profile: String,
    host: String,
    /// Whether commands use it now.
    used: bool,
    id: Option<String>,
    /// Whether the credential could be read, or is missing.
    #[serde(skip)]
    is_known: bool,
    /// None if no API token is stored.
    stored_in: Option<Place>,
    pub(super) unfinished: Option<Unfinished>,
    /// Why nothing is known of it.
    pub(super) problem: Option<String>,
    /// The command that completes it.
    pub(super) run: Option<String>,
}

/// What was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Unfinished {
    Rotation,
    Creation,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.profiles.is_empty() {
            return f.write_str("No profile is stored");
        }
        let width = |text: fn(&Entry) -> &str| {
            let lengths = self
                .profiles
                .iter()
                .map(|entry| text(entry).chars().count());
            lengths.max().unwrap_or_default()
        };
        let (names, hosts) = (width(|entry| &entry.profile), width(|entry| &entry.host));
        for (number, entry) in self.profiles.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            let mark = if entry.used { '*' } else { ' ' };
            let what = match &entry.id {
                Some(id) if entry.stored_in == Some(Place::Keyring) => {
                    format!("API token {id}, in {}", Place::KEYRING)
                }
                Some(id) => format!("API token {id}"),
                None if entry.is_known => "no API token".to_owned(),
                None => "API token unknown".to_owned(),
            };
            let (profile, host) = (&entry.profile, &entry.host);
            write!(f, "{mark} {profile:names$}  {host:hosts$}  {what}")?;
            write!(f, "{entry}")?;
        }
        Ok(())
    }
}

impl Entry {
    /// Returns which profile it is and what is wrong with it; below it what to do, if that is known.
    pub(super) fn summary(&self) -> String {
        let what = match (self.unfinished, &self.problem) {
            (Some(Unfinished::Rotation), _) => "a rotation is unfinished",
            (Some(Unfinished::Creation), _) => "a creation is unfinished",
            (None, Some(problem)) => problem,
            (None, None) => "nothing is unfinished",
        };
        format!("{} (profile {}): {what}", self.host, self.profile)
    }
}

/// What has to be done about it.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unfinished {
            Some(Unfinished::Rotation) => f.write_str("; rotation unfinished")?,
            Some(Unfinished::Creation) => f.write_str("; creation unfinished")?,
            None => {}
        }
        if let Some(problem) = &self.problem {
            write!(f, "; {problem}")?;
        }
        match &self.run {
            Some(run) => write!(f, "\n    {run}"),
            None => Ok(()),
        }
    }
}

pub(crate) async fn list(global: &Global) -> Result<(), CliError> {
    let answer = Answer {
        profiles: entries(global).await?,
    };
    for error in unusable(global)? {
        output::warning(error);
    }
    output::report(global.output, &answer)
}

/// Returns the errors of the documents that belong to no profile of the list.
pub(super) fn unusable(global: &Global) -> Result<Vec<CliError>, CliError> {
    let used = Context::open_or_without_store(global)?;
    Ok(profiles::unusable(&used.profile.id().key()))
}

/// Returns the stored profiles, and the one in use if something is unfinished in it.
pub(super) async fn entries(global: &Global) -> Result<Vec<Entry>, CliError> {
    let used = Context::open_or_without_store(global)?;
    let used = Found {
        host: used.profile.id().base_url().to_owned(),
        name: used.profile.id().name().to_owned(),
    };
    let mut found = profiles::stored();
    if !found.contains(&used) {
        found.push(used.clone());
    }
    let mut entries = Vec::new();
    for found in found {
        let is_used = found == used;
        let is_empty = |entry: &Entry| entry.id.is_none() && entry.problem.is_none();
        let entry = entry(global, found, is_used).await;
        if !(is_empty(&entry) && entry.unfinished.is_none()) {
            entries.push(entry);
        }
    }
    Ok(entries)
}

async fn entry(global: &Global, found: Found, used: bool) -> Entry {
    let Found { host, name } = found;
    let global = Global {
        profile: name.clone(),
        host: host.clone(),
        dangerously_allow_plain_http: host.starts_with("http://")
            && (global.dangerously_allow_plain_http || !used),
        ..global.clone()
    };
    let mut entry = Entry {
        profile: name,
        host,
        used,
        id: None,
        is_known: false,
        stored_in: None,
        unfinished: None,
        problem: None,
        run: None,
    };
    if let Err(error) = look(&global, &mut entry).await {
        entry.problem = Some(error.to_string());
    }
    entry
}

async fn look(global: &Global, entry: &mut Entry) -> Result<(), CliError> {
    let context = Context::open_or_without_store(global)?;
    // A journal that can't be used hides no credential.
    if let Ok(seen) = context.profile.stored().await {
        entry.is_known = true;
        entry.id = seen.as_ref().map(|seen| seen.api_token().id().to_string());
        entry.stored_in = seen.as_ref().map(|_stored| context.place());
    }
    let stored = context.look().await;
    let stored = stored.map_err(|error| context.explain(error))?;
    let rotation = stored.as_ref().map(|stored| &stored.rotation);
    if matches!(rotation, Some(RotationStatus::Unfinished { .. })) && !context.is_held().await {
        entry.unfinished = Some(Unfinished::Rotation);
        entry.run = Some(context.resume());
    } else if let Some(creation) = creation::find(&context).await?
        && !creation.under_way
    {
        entry.unfinished = Some(Unfinished::Creation);
        entry.run = Some(context.global.line("status"));
    } else if let Some(ruled) = stored.as_ref().and_then(|stored| context.ruled(stored)) {
        entry.problem = Some(ruled.to_string());
    }
    Ok(())
}
