//! Carries out the effects of the protocol: on the store, over the network, in real time.
//!
//! It decides nothing.

use std::time::Duration;

use super::cause::RotateCause;
use super::options::OnWait;
use super::protocol::{
    Effect, Ending, Event, FreshToken, LoginReply, Machine, PutFailure, PutReply,
};
use crate::cache::TokenCache;
use crate::call::SharedCalls;
use crate::credential::access_token::AccessToken;
use crate::credential::api_token::ApiToken;
use crate::credential::grant::Grant;
use crate::error::classify::{Class, FailedAttempt};
use crate::error::failure::{Facts, Reason};
use crate::foundation::operation::Operation;
use crate::foundation::secret::Secret;
use crate::store::journal::Journal;
use crate::store::record::Record;
use crate::store::{Profile, StoreError, Writer};
use crate::wire::secrets::secrets_in;

/// The most effects of one run: 10 000, far above what its bounds allow.
///
/// A bug must not cause an endless run.
const MAX_EFFECTS: u32 = 10_000;

/// Returns `true` if the service itself has answered with this status: its errors are JSON. A login
/// page, or a proxy that knows nothing of the service, answers with other bodies, whatever has been done.
fn is_own(failed: &FailedAttempt, status: u16) -> bool {
    failed.class == Class::Status(status) && failed.facts.has_json_error
}

/// Carries out the effects of one run.
pub(super) struct Driver {
    pub(super) calls: SharedCalls,
    pub(super) cache: TokenCache,
    pub(super) profile: Profile,
    /// Present while the run holds the lock.
    writer: Option<Writer>,
    on_wait: Option<OnWait>,
    /// The newest login that was accepted, and with which secret.
    accepted: Option<(Secret, Grant)>,
}

impl Driver {
    pub(super) fn new(
        calls: SharedCalls,
        cache: TokenCache,
        profile: Profile,
        on_wait: Option<OnWait>,
    ) -> Self {
        Self {
            calls,
            cache,
            profile,
            writer: None,
            on_wait,
            accepted: None,
        }
    }

    /// Takes the lock, waiting for it at most this long.
    pub(super) async fn lock(&mut self, wait: Duration) -> Result<(), StoreError> {
        self.writer = Some(self.profile.lock(wait).await?);
        Ok(())
    }

    /// Releases the lock, if it is held.
    pub(super) async fn unlock(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.release().await;
        }
    }

    /// Returns what holds the lock.
    pub(super) fn writer(&mut self) -> Result<&mut Writer, StoreError> {
        self.writer.as_mut().ok_or(StoreError::LockLost)
    }

    pub(super) async fn save_journal(
        &mut self,
        stored: &Record,
        journal: &Journal,
    ) -> Result<(), StoreError> {
        self.writer()?.put_journal(stored, journal).await
    }

    async fn save_record(&mut self, stored: &Record, record: &Record) -> Result<(), StoreError> {
        self.writer()?.put_record(Some(stored), record).await
    }

    async fn clear_journal(&mut self, stored: &Record) -> Result<(), StoreError> {
        let cleared = self.writer()?.clear_journal(stored).await;
        if let Err(cause) = &cleared {
            tracing::warn!(%cause, "the journal of a rotation was not removed");
        }
        cleared
    }

    pub(super) async fn check_held(&mut self) -> Result<(), StoreError> {
        self.writer()?.check_held().await
    }

    /// Runs the protocol to its end, under the lock.
    pub(super) async fn run(
        &mut self,
        mut stored: Record,
        mut machine: Machine,
    ) -> Result<Ending, RotateCause> {
        let mut reply = Event::Begin;
        for _ in 0..MAX_EFFECTS {
            let now = self.calls.wire.clock.now().wall;
            let effect = machine.next(reply, now);
            tracing::debug!(effect = effect.name(), "rotation");
            reply = match effect {
                Effect::SaveJournal(journal) => {
                    Event::Stored(self.save_journal(&stored, &journal).await)
                }
                Effect::SaveRecord(record) => {
                    let saved = self.save_record(&stored, &record).await;
                    if saved.is_ok() {
                        stored = record;
                    }
                    Event::Stored(saved)
                }
                Effect::ClearJournal => Event::Stored(self.clear_journal(&stored).await),
                Effect::Login(token) => Event::Login(self.login(token).await),
                Effect::Put(access_token) => match self.check_held().await {
                    Ok(()) => Event::Put(self.put(access_token, &stored.token).await),
                    Err(error) => Event::NotHeld(error),
                },
                Effect::Wait(wait) => {
                    tracing::debug!(seconds = wait.as_secs_f64(), "waiting for the service");
                    if let Some(tell) = &self.on_wait {
                        tell(wait);
                    }
                    tokio::time::sleep(wait).await;
                    Event::Waited
                }
                Effect::Finish(ending) => return Ok(*ending),
            };
        }
        Err(RotateCause::Panicked)
    }

    async fn login(&mut self, token: ApiToken) -> LoginReply {
        let deadline = self.calls.deadline();
        let calls = self.calls.clone();
        let attempt = |number, timeout| {
            let login = calls.wire.login(&token, timeout);
            calls.observe(Operation::Login, number, login)
        };
        match self.calls.call(Operation::Login, deadline, attempt).await {
            Ok(grant) => {
                let now = self.calls.wire.clock.now();
                let left = grant.validity.remaining(&now);
                let access_token = FreshToken {
                    secret: Secret::from(grant.access_token.expose_secret().to_owned()),
                    ends: now.wall.checked_add(left).unwrap_or(now.wall),
                    left,
                };
                self.accepted = Some((token.secret().clone(), grant));
                LoginReply::Accepted(access_token)
            }
            Err(failed) if is_own(&failed, 401) => LoginReply::Refused(failed.into_error()),
            Err(failed) => LoginReply::Unknown(failed.into_error()),
        }
    }

    async fn put(&mut self, access_token: Secret, held: &ApiToken) -> PutReply {
        let deadline = self.calls.deadline();
        let calls = &self.calls;
        let operation = Operation::RotateApiTokenSecret;
        // It comes from the journal, which can contain anything.
        let access_token = match AccessToken::new(access_token.expose_secret()) {
            Ok(access_token) => access_token,
            Err(error) => {
                let facts = Facts::new(operation, Reason::UnusableCredential(error));
                return PutReply::NotSent(FailedAttempt::new(Class::NeverSent, facts).into_error());
            }
        };
        let attempt = |number, timeout| {
            let rotate = calls
                .wire
                // A reply for another API token is no failure here: the protocol judges it.
                .rotate_api_token_secret(&access_token, None, timeout);
            calls.observe(operation, number, rotate)
        };
        let rotated = calls.call(operation, deadline, attempt).await;
        match rotated {
            Ok(token) => PutReply::Minted(token),
            Err(failed) => self.failed(failed, held),
        }
    }

    fn failed(&self, failed: FailedAttempt, held: &ApiToken) -> PutReply {
        match failed.class {
            Class::NotSent | Class::NeverSent => return PutReply::NotSent(failed.into_error()),
            _ if is_own(&failed, 401) => return PutReply::Unauthorized(failed.into_error()),
            _ if is_own(&failed, 404) => return PutReply::Gone(failed.into_error()),
            _ => {}
        }
        let now = self.calls.wire.clock.now().wall;
        let wait = failed.facts.retry_at;
        let doubtful = failed.facts.raw.as_ref().map(secrets_in);
        let tokens = doubtful
            .unwrap_or_default()
            .into_iter()
            .filter_map(|secret| {
                // Under the id that was rotated, never as another API token.
                ApiToken::new(held.id().as_str(), secret).ok()
            });
        PutReply::Failed(PutFailure {
            doubtful: tokens.collect(),
            wait: wait.map(|at| at.duration_since(now).unwrap_or_default()),
            error: failed.into_error(),
        })
    }

    /// Passes the client's cache the access token of the new secret.
    pub(super) fn adopt(&mut self, token: &ApiToken) {
        let of_the_new = |secret: &Secret| secret.expose_secret() == token.secret().expose_secret();
        match self.accepted.take() {
            Some((secret, grant)) if of_the_new(&secret) => self.cache.put(grant),
            _ => self.cache.forget_failure(),
        }
    }
}
