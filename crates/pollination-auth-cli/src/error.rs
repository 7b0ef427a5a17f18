//! The one error type of the command, and the only place that gives an error its exit code.
//!
//! No message holds a secret; the words of a server are shown escaped, and as a server's.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use pollination_auth::{
    BaseUrlError, BuildError, CredentialError, Error, RotateCause, RotateError, StoreError,
};

use crate::directory;
use crate::exit::Exit;
use crate::time;
use crate::words::{self, Host, Rotation, Service};

/// Says why the command can't give its answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("{}", Host(*.0))]
    Host(#[from] BaseUrlError),
    #[error(transparent)]
    Client(BuildError),
    #[error("{0}")]
    Input(&'static str),
    #[error("the standard input {0}")]
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
    #[error("no directory for settings is known here; set {0} to one")]
    NoDirectory(&'static str),
    #[error("{}{problem}", path_of(directory, problem))]
    Directory {
        directory: PathBuf,
        problem: StoreError,
    },
    #[error("not logged in; run `{login}`{}", of_environment(*.in_environment))]
    NotLoggedIn { login: String, in_environment: bool },
    #[error("{0} was not confirmed, and nothing was done")]
    Declined(&'static str),
    #[error("{0} wants a confirmation, and there is no terminal to ask on; give --yes")]
    NobodyToAsk(&'static str),
    #[error("there is no terminal to ask on; use standard input or the environment")]
    NoPrompt,
    #[error("a rotation is unfinished; run `{resume}`{}", before(*.recover_by))]
    RotationUnfinished {
        resume: String,
        recover_by: Option<std::time::SystemTime>,
    },
    #[error("{}", Service(.0))]
    Service(#[from] Error),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{}: {problem}\n  {remedy}", .file.display())]
    Damaged {
        file: PathBuf,
        problem: StoreError,
        /// What to run, or to look at.
        remedy: String,
    },
    #[error("{0}\n  that is the kept access token; remove the file, and do not use that token")]
    KeptToken(StoreError),
    #[error("{}{}", Rotation(error), Recovery { error, resume, start_anew })]
    Rotate {
        error: RotateError,
        resume: String,
        start_anew: String,
    },
    #[error(
        "the new secret could not be stored ({problem}), so the new API token {id} was deleted again"
    )]
    NotKept { id: String, problem: StoreError },
    #[error(
        "the new API token {id} could not be stored in its place ({problem}), nor deleted again\n  it \
         was put into {dir}; {variable}={dir} makes every command use it",
        dir = .directory.display(), variable = directory::CREDENTIALS
    )]
    PutAside {
        id: String,
        problem: StoreError,
        directory: PathBuf,
    },
    #[error(
        "the new secret could not be stored ({problem}) and is lost; the API token {id} exists\n  \
         delete it with an access token: run `{delete}`"
    )]
    NotKeptAndNotDeleted {
        id: String,
        problem: StoreError,
        delete: String,
    },
    #[error(
        "{}{}\n  nobody knows the secret of an API token that was made: run `{delete}`, and \
         create another", Service(error), kept(.reply.as_deref())
    )]
    CreationUnknown {
        error: Error,
        /// The file with the service's reply, which may hold the secret.
        reply: Option<PathBuf>,
        delete: String,
    },
    #[error("the API token {id} was deleted, and what is kept of it here was not: {problem}")]
    DeletedAndKept { id: String, problem: Box<CliError> },
    #[error("interrupted; the rotation may be unfinished: run `{resume}`")]
    RotationInterrupted { resume: String },
    #[error(
        "interrupted; nobody knows the secret of an API token that was made: run `{delete}`, and \
         create another"
    )]
    CreationInterrupted { delete: String },
    #[error("interrupted")]
    Interrupted,
    #[error("{doing}: {source}")]
    Io {
        doing: &'static str,
        source: io::Error,
    },
    #[error("the answer can't be written as JSON")]
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

/// Says why an id and a secret of the environment were not enough.
fn of_environment(is_set: bool) -> &'static str {
    if is_set {
        "; it stores the id and secret of the environment, which this command could not change there"
    } else {
        ""
    }
}

/// Gives the path that the problem does not name by itself.
fn path_of(directory: &Path, problem: &StoreError) -> String {
    match problem {
        StoreError::Unsafe { .. } => String::new(),
        _ => format!("{}: ", directory.display()),
    }
}

/// Says where a reply is that may hold a secret.
fn kept(reply: Option<&Path>) -> String {
    reply.map_or_else(String::new, |reply| {
        format!(
            "\n  the reply is in {}: a new secret may stand in it, so keep it as one, or remove it",
            reply.display()
        )
    })
}

impl CliError {
    /// Tells whether there is no place for a store, and none that others could have put there.
    pub(crate) fn is_no_store(&self) -> bool {
        match self {
            Self::NoDirectory(_) => true,
            Self::Directory { problem, .. } => !matches!(problem, StoreError::Unsafe { .. }),
            _ => false,
        }
    }

    /// Gives the exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Host(_)
            | Self::Input(_)
            | Self::Stdin(_)
            | Self::Variable { .. }
            | Self::Credential { .. }
            | Self::NoPrompt => Exit::Usage,
            Self::Client(BuildError::Host(_) | BuildError::Credential(_)) => Exit::Usage,
            Self::Client(_) => Exit::Failed,
            Self::NoDirectory(_)
            | Self::Directory { .. }
            | Self::Damaged { .. }
            | Self::KeptToken(_)
            | Self::NotKept { .. }
            | Self::PutAside { .. } => Exit::Store,
            Self::DeletedAndKept { problem, .. } => problem.exit(),
            Self::NotLoggedIn { .. } => Exit::NotLoggedIn,
            Self::Declined(_) | Self::NobodyToAsk(_) => Exit::Unconfirmed,
            Self::RotationUnfinished { .. } => Exit::Unfinished,
            Self::Service(error) | Self::CreationUnknown { error, .. } => of_service(error),
            Self::Store(error) => of_store(error),
            Self::Rotate { error, .. } => of_rotation(error),
            Self::NotKeptAndNotDeleted { .. } => Exit::Lost,
            Self::RotationInterrupted { .. }
            | Self::CreationInterrupted { .. }
            | Self::Interrupted => Exit::Interrupted,
            Self::Io { .. } | Self::Json => Exit::Failed,
        }
    }

    /// Gives what more there is to say, one line for each; the host is that of the command line.
    ///
    /// The last one has the server's own words, fit for a terminal.
    pub(crate) fn notes(&self, host: &str) -> Vec<String> {
        let Some(error) = self.service() else {
            return Vec::new();
        };
        let mut notes = words::notes(error, host);
        // A server's text could move the cursor or recolour what stands above.
        let detail = error.detail().map(str::escape_debug);
        notes.extend(detail.map(|detail| format!("the service says: {detail}")));
        notes
    }

    /// Gives the failed call that it is about.
    fn service(&self) -> Option<&Error> {
        match self {
            Self::Service(error) | Self::CreationUnknown { error, .. } => Some(error),
            Self::Rotate { error, .. } => match error.failure().cause()? {
                RotateCause::Service(error) => Some(error),
                _ => None,
            },
            _ => None,
        }
    }
}

fn of_service(error: &Error) -> Exit {
    match error {
        Error::CredentialsRejected(_) | Error::AccessTokenExpired(_) | Error::Unauthorized(_) => {
            Exit::Rejected
        }
        Error::StoreFailed(_) => match error.source().and_then(|source| source.downcast_ref()) {
            Some(store) => of_store(store),
            None => Exit::Store,
        },
        Error::LifetimeTooShort(_) => Exit::TooShort,
        Error::NotFound(_) => Exit::NoApiToken,
        Error::Ambiguous(_) => Exit::Unfinished,
        Error::UnusableReply(failure) if failure.raw_reply().is_some() => Exit::Unfinished,
        Error::Internal(_) => Exit::Failed,
        other if other.is_retryable() => Exit::TryLater,
        _ => Exit::Refused,
    }
}

fn of_store(error: &StoreError) -> Exit {
    match error {
        StoreError::Locked | StoreError::Changed | StoreError::LockLost => Exit::TryLater,
        StoreError::RotationUnfinished => Exit::Unfinished,
        StoreError::Empty { .. } => Exit::NotLoggedIn,
        _ => Exit::Store,
    }
}

fn of_rotation(error: &RotateError) -> Exit {
    match error {
        RotateError::NotStarted(failure) | RotateError::Rejected(failure) => {
            match failure.cause() {
                // By now it is known that nothing came of it.
                Some(RotateCause::Service(Error::Ambiguous(_) | Error::UnusableReply(_)))
                | None => Exit::TryLater,
                Some(RotateCause::Service(error)) => of_service(error),
                Some(RotateCause::Store(error)) => of_store(error),
                Some(RotateCause::AccessTokenTooShort { .. }) => Exit::TooShort,
                Some(_) => Exit::Failed,
            }
        }
        RotateError::CredentialLost(_) => Exit::Lost,
        _ => Exit::Unfinished,
    }
}

/// Says how to go on with a rotation, and until when.
struct Recovery<'a> {
    error: &'a RotateError,
    resume: &'a str,
    start_anew: &'a str,
}

impl fmt::Display for Recovery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            error,
            resume,
            start_anew,
        } = self;
        if error.is_safe_to_retry() {
            return Ok(());
        }
        if let RotateError::CredentialLost(failure) = error {
            if let Some(since) = failure.started_at() {
                write!(f, "\n  the rotation began at {}", time::rfc3339(since))?;
                write!(
                    f,
                    ", and {} requests may have been acted on",
                    failure.requests()
                )?;
            }
            return write!(f, "\n  with that run `{start_anew}`");
        }
        write!(f, "\n  run `{resume}`{}", before(error.recovery_deadline()))
    }
}

fn before(deadline: Option<std::time::SystemTime>) -> String {
    deadline.map_or_else(String::new, |deadline| {
        format!(" before {}", time::rfc3339(deadline))
    })
}
