//! The effects that the machine asks for, and the events that are their results.

use std::time::{Duration, SystemTime};

use super::ending::Ending;
use crate::credential::api_token::ApiToken;
use crate::error::Error;
use crate::foundation::secret::Secret;
use crate::store::StoreError;
use crate::store::journal::Journal;
use crate::store::record::Record;

/// What the driver has to do next.
#[cfg_attr(test, derive(Clone))]
pub(in crate::rotation) enum Effect {
    /// Stores this journal.
    SaveJournal(Journal),
    /// Stores this credential.
    SaveRecord(Record),
    ClearJournal,
    Login(ApiToken),
    /// Asks the service for a new secret, once, with this access token.
    Put(Secret),
    Wait(Duration),
    Finish(Box<Ending>),
}

impl Effect {
    /// Returns its name, for logs and tests.
    pub(in crate::rotation) fn name(&self) -> &'static str {
        match self {
            Self::SaveJournal(_) => "save the journal",
            Self::SaveRecord(_) => "save the credential",
            Self::ClearJournal => "remove the journal",
            Self::Login(_) => "log in",
            Self::Put(_) => "request a secret",
            Self::Wait(_) => "wait",
            Self::Finish(_) => "finish",
        }
    }
}

/// The result of the last effect.
pub(in crate::rotation) enum Event {
    /// The run begins.
    Begin,
    Stored(Result<(), StoreError>),
    Login(LoginReply),
    Put(PutReply),
    /// The lock is no longer held, or that is not known, so nothing was sent.
    NotHeld(StoreError),
    Waited,
}

pub(in crate::rotation) enum LoginReply {
    Accepted(FreshToken),
    /// The service knows the secret is wrong (401).
    Refused(Error),
    /// It is not known whether the secret is valid.
    Unknown(Error),
}

/// An access token from a login, with its lifetime.
#[derive(Clone)]
pub(in crate::rotation) struct FreshToken {
    pub(in crate::rotation) secret: Secret,
    pub(in crate::rotation) ends: SystemTime,
    pub(in crate::rotation) left: Duration,
}

pub(in crate::rotation) enum PutReply {
    Minted(ApiToken),
    NotSent(Error),
    /// The access token was refused (401), so nothing was done.
    Unauthorized(Error),
    /// The account has no API token (404), so nothing was done.
    Gone(Error),
    /// Anything else: it may have been done.
    Failed(PutFailure),
}

pub(in crate::rotation) struct PutFailure {
    pub(in crate::rotation) error: Error,
    /// Secrets found in a reply that can't be trusted.
    pub(in crate::rotation) doubtful: Vec<ApiToken>,
    /// How long the service asked to wait.
    pub(in crate::rotation) wait: Option<Duration>,
}
