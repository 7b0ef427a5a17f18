//! A rotation on somebody's store, step by step, against a service that is made up and on time that
//! does not pass: what the test kit for stores runs.
//!
//! The protocol and the writer are those of a real rotation.

use std::time::{Duration, SystemTime};

use super::cause::RotateCause;
use super::options::RotateOptions;
use super::protocol::{Effect, Event, FreshToken, LoginReply, Machine, PutFailure, PutReply};
use crate::credential::api_token::ApiToken;
use crate::error::Error;
use crate::error::failure::{Facts, Reason};
use crate::foundation::operation::Operation;
use crate::foundation::secret::Secret;
use crate::store::record::Record;
use crate::store::{Profile, StoreError, Writer};

/// How long a made-up access token lasts: a day, longer than any schedule.
const BEARER_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// The id of the made-up API token.
const ID: &str = "conformance";

/// What becomes of a request for a new secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered,
    /// It is done, and the reply is lost.
    ReplyLost,
    /// It is done, and the reply can't be trusted.
    ReplyUnclear,
    /// It is not done, and there is no reply.
    NotDone,
}

/// A service with one account, whose secrets are numbers.
pub(crate) struct Service {
    active: u32,
    /// The fate of the first request; every other one is answered.
    fate: Option<Fate>,
    now: SystemTime,
}

impl Service {
    pub(crate) fn new(fate: Fate) -> Self {
        Self {
            active: 0,
            fate: Some(fate),
            now: SystemTime::UNIX_EPOCH + BEARER_LIFE,
        }
    }

    /// Returns the credential that is stored at the beginning.
    pub(crate) fn first() -> Result<Record, StoreError> {
        Ok(Record::new(token(0)?, 0))
    }

    /// Returns `true` if the service accepts an API token.
    pub(crate) fn accepts(&self, token: &ApiToken) -> bool {
        token.secret().expose_secret() == secret(self.active)
    }

    fn login(&self, token: &ApiToken) -> LoginReply {
        if !self.accepts(token) {
            return LoginReply::Refused(failed(Operation::Login, Reason::Status));
        }
        LoginReply::Accepted(FreshToken {
            secret: Secret::from("conformance.access.token"),
            ends: self.now.checked_add(BEARER_LIFE).unwrap_or(self.now),
            left: BEARER_LIFE,
        })
    }

    fn put(&mut self) -> Result<PutReply, StoreError> {
        let fate = self.fate.take().unwrap_or(Fate::Answered);
        if fate != Fate::NotDone {
            self.active = self.active.saturating_add(1);
        }
        let new = token(self.active)?;
        let doubtful = match fate {
            Fate::Answered => return Ok(PutReply::Minted(new)),
            Fate::ReplyUnclear => vec![new],
            Fate::ReplyLost | Fate::NotDone => Vec::new(),
        };
        Ok(PutReply::Failed(PutFailure {
            error: failed(Operation::RotateApiTokenSecret, Reason::ConnectionLost),
            doubtful,
            wait: None,
        }))
    }
}

fn failed(operation: Operation, reason: Reason) -> Error {
    Error::Ambiguous(Facts::new(operation, reason).into())
}

fn secret(number: u32) -> String {
    format!("conformance-secret-{number}")
}

fn token(number: u32) -> Result<ApiToken, StoreError> {
    let made = ApiToken::new(ID, Secret::from(secret(number)));
    made.map_err(|error| StoreError::failed("make up an API token", error))
}

/// A process that rotates the stored secret, or recovers what another one has left.
pub(crate) struct Process {
    writer: Writer,
    machine: Machine,
    stored: Record,
    effect: Effect,
}

impl Process {
    /// Begins to rotate, or to recover if there is a journal.
    pub(crate) async fn begin(
        profile: &Profile,
        service: &Service,
        patience: Duration,
    ) -> Result<Self, StoreError> {
        let mut writer = profile.lock(patience).await?;
        let stored = profile.required().await?;
        let rules = RotateOptions::default().rules();
        let mut machine = match writer.journal(&stored).await? {
            Some(journal) => Machine::recover(rules, stored.clone(), journal),
            None => Machine::rotate(rules, stored.clone()),
        };
        let effect = machine.next(Event::Begin, service.now);
        Ok(Self {
            writer,
            machine,
            stored,
            effect,
        })
    }

    /// Returns what the next step is, or `None` at the end.
    pub(crate) fn next_step(&self) -> Option<&'static str> {
        match &self.effect {
            Effect::Finish(_) => None,
            effect => Some(effect.name()),
        }
    }

    /// Takes the next step.
    pub(crate) async fn step(&mut self, service: &mut Service) -> Result<(), StoreError> {
        let event = match &self.effect {
            Effect::SaveJournal(journal) => {
                Event::Stored(self.writer.put_journal(&self.stored, journal).await)
            }
            Effect::SaveRecord(record) => {
                let saved = self.writer.put_record(Some(&self.stored), record).await;
                if saved.is_ok() {
                    self.stored = record.clone();
                }
                Event::Stored(saved)
            }
            Effect::ClearJournal => Event::Stored(self.writer.clear_journal(&self.stored).await),
            Effect::Login(token) => Event::Login(service.login(token)),
            Effect::Put(_) => match self.writer.check_held().await {
                Ok(()) => Event::Put(service.put()?),
                Err(error) => Event::NotHeld(error),
            },
            Effect::Wait(wait) => {
                service.now = service.now.checked_add(*wait).unwrap_or(service.now);
                Event::Waited
            }
            Effect::Finish(_) => return Ok(()),
        };
        self.effect = self.machine.next(event, service.now);
        Ok(())
    }

    /// Takes all steps and unlocks the profile.
    ///
    /// # Errors
    ///
    /// The error of the store that kept it from a result.
    pub(crate) async fn finish(mut self, service: &mut Service) -> Result<(), StoreError> {
        while self.next_step().is_some() {
            self.step(service).await?;
        }
        self.writer.release().await;
        match self.effect {
            Effect::Finish(ending) => match ending.cause {
                Some(RotateCause::Store(error)) => Err(error),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}
