//! The exit code of each error: the only place that decides it.

use std::error::Error as _;
use std::io;

use pollination_auth::{BuildError, Error, RotateCause, RotateError, Ruling, StoreError};

use super::CliError;
use crate::exit::Exit;
use crate::recovery::ruling;

impl CliError {
    /// Returns the exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Host(_)
            | Self::HalfOfTheEnvironment(_)
            | Self::Input(_)
            | Self::Stdin(_)
            | Self::Variable { .. }
            | Self::Credential { .. }
            | Self::NoPrompt
            | Self::SecretOnTerminal => Exit::Usage,
            Self::Client(
                BuildError::Host(_) | BuildError::Credential(_) | BuildError::CredentialFile(_),
            ) => Exit::Usage,
            Self::Client(_) => Exit::Failed,
            Self::NoDirectory(_)
            | Self::Directory { .. }
            | Self::RescueInUse(_)
            | Self::Damaged { .. }
            | Self::KeptToken(_)
            | Self::KeptCreation { .. } => Exit::Store,
            Self::PutAside { problem, .. } => match problem.exit() {
                Exit::Store => Exit::Store,
                // It has not logged in, or others are at work: it is stored for later.
                _ => Exit::Unfinished,
            },
            #[cfg(not(feature = "keyring"))]
            Self::NoKeyring => Exit::Store,
            Self::DeletedAndKept { problem, .. } => problem.exit(),
            Self::NotLoggedIn { .. } | Self::NothingToCreateWith { .. } | Self::CreationFirst => {
                Exit::NotLoggedIn
            }
            Self::Declined(_) | Self::NobodyToAsk(_) | Self::NobodyToAskAbout { .. } => {
                Exit::Unconfirmed
            }
            Self::RotationUnfinished { .. }
            | Self::DeletionUnknown { .. }
            | Self::CreationUnknown { .. }
            | Self::CreationBefore { .. }
            | Self::CreationRefused(_)
            | Self::CreationUnfinished { .. } => Exit::Unfinished,
            Self::Service(error)
            | Self::BothRefused { error, .. }
            | Self::RefusedAtDeletion { error, .. } => of_service(error),
            // By now it is known that nothing came of it.
            Self::NothingCreated { error, .. } => of_nothing_done(error),
            // Whatever it was, it is not known to be the service's refusal of the stored secret.
            Self::StoredUnchecked { error, .. } => match of_service(error) {
                Exit::Rejected | Exit::NoApiToken | Exit::Refused => Exit::TryLater,
                other => other,
            },
            Self::Store(error) => of_store(error),
            Self::Rotate { error, .. } | Self::RotateRescued { error, .. } => of_rotation(error),
            Self::Ruled { ruling, .. } => of_ruling(*ruling),
            Self::NotKept { .. } => Exit::Lost,
            Self::Replaced { .. } => Exit::Refused,
            Self::StoredLogsIn { .. } | Self::StoredMeanwhile { .. } | Self::NotAcceptedYet => {
                Exit::TryLater
            }
            Self::RotationInterrupted { .. }
            | Self::CreationInterrupted { .. }
            | Self::Interrupted => Exit::Interrupted,
            Self::NotRun { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Exit::NotFound
            }
            Self::NotRun { .. } => Exit::NotRunnable,
            Self::Io { .. } | Self::Json => Exit::Failed,
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

/// Returns the exit code of a request that nothing came of: the stored API token still logs in.
fn of_nothing_done(error: &Error) -> Exit {
    match of_service(error) {
        Exit::Unfinished => Exit::TryLater,
        Exit::Rejected | Exit::NoApiToken => Exit::Refused,
        other => other,
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

fn of_rotation(rotation: &RotateError) -> Exit {
    match rotation {
        RotateError::NotStarted(failure) | RotateError::Rejected(failure) => {
            match failure.cause() {
                None => Exit::TryLater,
                Some(RotateCause::Service(error))
                    if matches!(rotation, RotateError::Rejected(_)) =>
                {
                    of_nothing_done(error)
                }
                Some(RotateCause::Service(error)) => of_service(error),
                Some(RotateCause::Store(error)) => of_store(error),
                Some(RotateCause::AccessTokenTooShort { .. }) => Exit::TooShort,
                Some(_) => Exit::Failed,
            }
        }
        other => ruling(other).map_or(Exit::Unfinished, of_ruling),
    }
}

fn of_ruling(ruling: Ruling) -> Exit {
    match ruling {
        Ruling::ApiTokenGone => Exit::NoApiToken,
        Ruling::OtherApiToken => Exit::Rejected,
        _ => Exit::Lost,
    }
}
