//! The one error type of the command. Its exit codes are in `codes`.
//!
//! No message holds a secret; the words of a server are shown escaped, and as a server's.

mod codes;

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pollination_auth::{
    BaseUrlError, BuildError, CredentialError, Error, RotateCause, RotateError, Ruling, StoreError,
};

use crate::advice;
use crate::messages::{Host, Rotation, Service, Unbuilt};
use crate::recovery::{Aside, Recovery, Redo, Remedies, before, ruled};
use crate::variables::{self, RESCUE};

/// Error of a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("{}", Host(*.0))]
    Host(#[from] BaseUrlError),
    #[error("{}", Unbuilt(.0))]
    Client(BuildError),
    #[error("{}; set both the id and the secret, or neither", .0)]
    HalfOfTheEnvironment(BuildError),
    #[error("{0}")]
    Input(&'static str),
    #[error("standard input {0}")]
    Stdin(&'static str),
    #[error("{variable} {problem}")]
    Variable {
        variable: &'static str,
        problem: &'static str,
    },
    #[error("{from}: {problem}")]
    Credential {
        from: &'static str,
        problem: CredentialError,
    },
    #[error("the platform's configuration directory is unknown; set {0} to a directory")]
    NoDirectory(&'static str),
    #[error(
        "the rescue directory {} is one that the store uses itself; set {RESCUE} to another private \
         directory, or unset it",
        .0.display()
    )]
    RescueInUse(PathBuf),
    #[error("{}{problem}", path_of(directory, problem))]
    Directory {
        directory: PathBuf,
        problem: StoreError,
    },
    #[error(
        "no credential is stored for {host} (profile {profile}); run `{login}`{}{}{}",
        of_environment(*.in_environment), for_others(others), of_later_key(*.has_later_key)
    )]
    NotLoggedIn {
        host: String,
        profile: String,
        login: String,
        in_environment: bool,
        /// The options that select what is stored for other hosts and profiles.
        others: Vec<String>,
        /// Whether there is a key of the vendor's later API.
        has_later_key: bool,
    },
    #[error(
        "{problem}\n  where the account has no API token, give an access token that was issued before it was \
         deleted: `{create}`"
    )]
    NothingToCreateWith {
        problem: Box<CliError>,
        create: String,
    },
    #[error(
        "the service refuses the stored secret of the API token {id}, and that of the environment \
         too: {}\n  run `{login}` with a new secret",
        Service(error)
    )]
    BothRefused {
        id: String,
        /// The error of the login with the secret of the environment.
        error: Error,
        login: String,
    },
    #[error("{0} was not confirmed, and nothing was done")]
    Declined(&'static str),
    #[error("{0} needs confirmation, and there is no terminal to ask on; pass --yes")]
    NobodyToAsk(&'static str),
    #[error(
        "the creation would replace the stored API token {id}, and there is no terminal to ask on; \
         pass `{replace}`, or keep both with another --profile"
    )]
    NobodyToAskAbout { id: String, replace: String },
    #[error("there is no terminal to ask on; use standard input or the environment")]
    NoPrompt,
    #[error(
        "standard input is a terminal, which would show the secret; pipe it in, or use the prompt \
         of `login`"
    )]
    SecretOnTerminal,
    #[error("a rotation is unfinished; run `{resume}`{}", before(*.recover_by))]
    RotationUnfinished {
        resume: String,
        recover_by: Option<SystemTime>,
    },
    #[error("{}", Service(.0))]
    Service(#[from] Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[cfg(not(feature = "keyring"))]
    #[error(
        "this build of pollination-auth can't use the system's keyring; install it with \
         `--features keyring`"
    )]
    NoKeyring,
    #[error("{place}: {problem}\n  {remedy}")]
    Damaged {
        /// The file, or the keyring.
        place: String,
        problem: StoreError,
        /// What to run, or to look at.
        remedy: String,
    },
    #[error("{0}\n  it is the cached access token; remove the file, and do not use that token")]
    KeptToken(StoreError),
    #[error("{}{}", Rotation(error), Recovery { error, remedies })]
    Rotate {
        error: RotateError,
        remedies: Remedies,
    },
    #[error(
        "{}\n  the journal is gone too; run `{login}` with the id and secret in {}",
        Rotation(error), .file.display()
    )]
    RotateRescued {
        error: RotateError,
        /// The file with the rescued pair.
        file: PathBuf,
        login: String,
    },
    #[error("{}{}", ruled(*ruling, *at), remedies.of(*ruling))]
    Ruled {
        ruling: Ruling,
        /// The time of the ruling.
        at: SystemTime,
        remedies: Remedies,
    },
    #[error(
        "the new API token {id} was not stored in the credential store ({problem})\n  it \
         was put into {}; {}",
        .aside.directory.display(), .aside.how_to_use()
    )]
    PutAside {
        id: String,
        problem: Box<CliError>,
        aside: Aside,
    },
    #[error(
        "the new secret could not be stored ({problem}) and is lost; the API token {id} exists{}",
        replace(redo.as_deref())
    )]
    NotKept {
        id: String,
        problem: Box<CliError>,
        /// None where the access token could not be kept either.
        redo: Option<Box<Redo>>,
    },
    #[error(
        "the new API token {id} does not log in, and the account has another one by now: {other}; \
         nothing that is stored was replaced"
    )]
    Replaced { id: String, other: String },
    #[error("the service does not accept it yet")]
    NotAcceptedYet,
    #[error(
        "the stored secret of the API token {id} logs in too, so it was not replaced\n  one of the \
         two expires soon; try again in a minute"
    )]
    StoredLogsIn { id: String },
    #[error(
        "outcome of the check of the stored secret unknown: {}\n  it was not replaced; try again \
         later, or run `{logout}` first to remove it",
        error.failure()
    )]
    StoredUnchecked { error: Error, logout: String },
    #[error(
        "{}{}\n  {redo}",
        Service(error), kept(.reply.as_deref())
    )]
    CreationUnknown {
        error: Error,
        /// The file with the service's reply, which may hold the secret.
        reply: Option<PathBuf>,
        redo: Box<Redo>,
    },
    #[error(
        "nothing was created: the stored API token {id} still logs in ({}){}",
        error.failure(), kept(.reply.as_deref())
    )]
    NothingCreated {
        error: Error,
        /// The file with the service's reply.
        reply: Option<PathBuf>,
        id: String,
    },
    #[error("the API token {id} was stored meanwhile, and nobody was asked to replace it")]
    StoredMeanwhile { id: String },
    #[error("no credential is stored; finish the interrupted creation first")]
    CreationFirst,
    #[error("a creation was interrupted; {redo}")]
    CreationUnfinished { redo: Box<Redo> },
    #[error(
        "a creation was interrupted, and the service refuses its access token, which expires later by \
         this machine's clock\n  it can be the only key to an API token, so try again later; if no API \
         token is missing, remove {}",
        .0.display()
    )]
    CreationRefused(PathBuf),
    #[error("{problem}\n  an earlier creation was interrupted; {redo}")]
    CreationBefore {
        /// Why no other one was made.
        problem: Box<CliError>,
        redo: Box<Redo>,
    },
    #[error(
        "{}{problem}\n  it is the access token of an interrupted creation, and can be the only key to \
         the account, so keep a copy; {}",
        path_of(file, problem),
        readable(problem)
    )]
    KeptCreation { file: PathBuf, problem: StoreError },
    #[error(
        "outcome of the deletion unknown: {}{}\n  the credential of the API token {id} stays stored; \
         run `{delete}` again, or `{logout}` if the API token is gone",
        answer(answered.as_deref()), still(login.as_deref())
    )]
    DeletionUnknown {
        id: String,
        /// The error of the deletion, if it was not answered as it should be.
        answered: Option<Box<Error>>,
        /// The error of the login that followed; none if it succeeded.
        login: Option<Box<Error>>,
        delete: String,
        logout: String,
    },
    #[error(
        "{}\n  if the API token {id} is deleted already, `{logout}` removes its credential",
        Service(error)
    )]
    RefusedAtDeletion {
        id: String,
        error: Error,
        logout: String,
    },
    #[error("the API token {id} was deleted, but its credential is still stored: {problem}")]
    DeletedAndKept { id: String, problem: Box<CliError> },
    #[error("{program} can't be run: {source}")]
    NotRun { program: String, source: io::Error },
    #[error("interrupted; the rotation may be unfinished: run `{resume}`")]
    RotationInterrupted { resume: String },
    #[error("interrupted; {redo}")]
    CreationInterrupted { redo: Box<Redo> },
    #[error("interrupted")]
    Interrupted,
    #[error("{doing}: {source}")]
    Io {
        doing: &'static str,
        source: io::Error,
    },
    #[error("the result can't be written as JSON")]
    Json,
}

impl From<BuildError> for CliError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::BaseUrl(error) => Self::Host(error),
            other => Self::Client(other),
        }
    }
}

/// Returns why an API token of the environment is not enough.
fn of_environment(is_set: bool) -> &'static str {
    if is_set {
        ", which stores the API token of the environment: this command could not change it there"
    } else {
        ""
    }
}

/// Returns what is stored for other hosts and profiles, as options.
fn for_others(options: &[String]) -> String {
    if options.is_empty() {
        return String::new();
    }
    format!("\n  to use what is stored:\n    {}", options.join("\n    "))
}

/// Returns the hint for those who have a key of the vendor's later API.
fn of_later_key(is_set: bool) -> String {
    if is_set {
        format!(
            "\n  {} is set, but it is a key of the vendor's later API, not an API token",
            variables::LATER_KEY
        )
    } else {
        String::new()
    }
}

/// Returns what to do about the access token of a creation that can't be read.
fn readable(problem: &StoreError) -> &'static str {
    match problem {
        StoreError::Unsafe { .. } => "if it is yours, let nobody else read it (chmod 600)",
        _ => "move it away",
    }
}

/// Returns the path that the problem does not name by itself.
fn path_of(directory: &Path, problem: &StoreError) -> String {
    match problem {
        StoreError::Unsafe { .. } => String::new(),
        _ => format!("{}: ", directory.display()),
    }
}

/// Returns the advice for an API token whose secret nobody knows.
fn replace(redo: Option<&Redo>) -> String {
    match redo {
        Some(redo) => format!("\n  replace it:{}", redo.lines()),
        None => "\n  delete it in the web interface".to_owned(),
    }
}

/// Returns how a deletion was answered.
fn answer(error: Option<&Error>) -> String {
    error.map_or_else(
        || "the service reported success".to_owned(),
        |error| error.failure().to_string(),
    )
}

/// Returns the result of a login that should have been refused.
fn still(login: Option<&Error>) -> String {
    login.map_or_else(
        || "; the API token still logs in".to_owned(),
        |error| format!("; the login that checks it failed: {}", error.failure()),
    )
}

/// Returns the advice for a reply that may contain a secret.
fn kept(reply: Option<&Path>) -> String {
    reply.map_or_else(String::new, |reply| {
        format!(
            "\n  the reply is in {}: a new secret may stand in it, so keep it as one, or remove it",
            reply.display()
        )
    })
}

impl CliError {
    /// Returns `true` if there is no place for a store, and none that others could have put there.
    pub(crate) fn is_no_store(&self) -> bool {
        match self {
            Self::NoDirectory(_) => true,
            Self::Directory { problem, .. } => !matches!(problem, StoreError::Unsafe { .. }),
            _ => false,
        }
    }

    /// Returns what more there is to say, one line for each; the host is that of the command line.
    ///
    /// The last one has the server's own words, fit for a terminal.
    pub(crate) fn notes(&self, host: &str) -> Vec<String> {
        let Some(error) = self.service() else {
            return Vec::new();
        };
        let mut notes = advice::notes(error, host);
        // A server's text could move the cursor or recolour what stands above.
        let detail = error.detail().map(str::escape_debug);
        notes.extend(detail.map(|detail| format!("the service says: {detail}")));
        notes
    }

    /// Returns the failed call that it is about.
    fn service(&self) -> Option<&Error> {
        match self {
            Self::Service(error)
            | Self::CreationUnknown { error, .. }
            | Self::NothingCreated { error, .. }
            | Self::BothRefused { error, .. }
            | Self::RefusedAtDeletion { error, .. }
            | Self::StoredUnchecked { error, .. } => Some(error),
            Self::CreationBefore { problem, .. } => problem.service(),
            Self::DeletionUnknown {
                answered, login, ..
            } => login.as_deref().or(answered.as_deref()),
            Self::Rotate { error, .. } | Self::RotateRescued { error, .. } => {
                match error.failure().cause()? {
                    RotateCause::Service(error) => Some(error),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
