//! The machine of a rotation: its states, and what follows what.
//!
//! What a request brought is in `request`; waiting and judging are in `judge`.

use std::time::{Duration, SystemTime};

use super::ending::{Ending, Verdict};
use crate::credential::api_token::ApiToken;
use crate::error::Error;
use crate::foundation::secret::Secret;
use crate::foundation::secret::SecretBytes;
use crate::rotation::cause::RotateCause;
use crate::store::document::{Candidate, Conclusion, Journal, Record};
use crate::store::{Ruling, StoreError};

/// How often a new secret is tried while the service settles: 6 times.
pub(super) const POLLS: u32 = 6;

/// How often all secrets are tried again when a login could not be made: 5 times.
pub(super) const UNDECIDED_ROUNDS: u32 = 5;

/// How often it is waited for a new secret whose old one still logs in: 2 times.
pub(super) const UNVERIFIED_ROUNDS: u32 = 2;

/// What bounds a rotation.
#[derive(Clone, Copy, Debug)]
pub(in crate::rotation) struct Rules {
    /// After this time without a request the service no longer changes its mind.
    pub(in crate::rotation) settle: Duration,
    /// The access token has to live this long at the start, for a recovery may need it.
    pub(in crate::rotation) horizon: Duration,
    /// The requests that one run may make.
    pub(in crate::rotation) requests: u32,
}

/// What is to be done next.
#[cfg_attr(test, derive(Clone))]
pub(in crate::rotation) enum Effect {
    /// Makes this journal last.
    SaveJournal(Journal),
    /// Makes this credential last.
    SaveRecord(Record),
    ClearJournal,
    Login(ApiToken),
    /// Asks the service for a new secret, once, with this access token.
    Put(Secret),
    Wait(Duration),
    Finish(Box<Ending>),
}

impl Effect {
    /// Names it, for logs and tests.
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

/// What came of the last effect.
pub(in crate::rotation) enum Reply {
    /// There was none yet.
    Begin,
    Stored(Result<(), StoreError>),
    Login(LoginReply),
    Put(PutReply),
    Waited,
}

pub(in crate::rotation) enum LoginReply {
    Accepted(Bearer),
    /// The service knows the secret is wrong (401).
    Refused(Error),
    /// Nothing is known.
    Unknown(Error),
}

/// An access token that a login gave.
#[derive(Clone)]
pub(in crate::rotation) struct Bearer {
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
    /// The lock has ended, or that is not known, so nothing was sent.
    NotHeld(StoreError),
    /// Anything else: it may have been done.
    Failed(PutFailure),
}

pub(in crate::rotation) struct PutFailure {
    pub(in crate::rotation) error: Error,
    /// Secrets that stand in a reply that can't be trusted.
    pub(in crate::rotation) doubtful: Vec<ApiToken>,
    /// How long the service asked to be left alone.
    pub(in crate::rotation) wait: Option<Duration>,
}

/// Where the machine is: which reply it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Start,
    Authorize,
    Announce,
    Request,
    /// Waits for the new secret to be in the journal.
    Keep {
        again: bool,
    },
    Verify,
    /// Waits, and tries the new secret now and then.
    Poll {
        left: u32,
    },
    Settle,
    /// Tries all secrets, the newest first, the stored one last.
    Probe {
        index: usize,
        undecided: bool,
    },
    Commit {
        again: bool,
    },
    Clear(Verdict),
    /// Waits for a ruling of the service to be in the journal.
    Conclude {
        ruling: Ruling,
        again: bool,
    },
    /// Asks whether the secret before the last rotation is dead, and then forgets it.
    Retire,
    Retired,
    Done,
}

/// One run: a rotation, or the recovery of one.
#[derive(Clone)]
pub(in crate::rotation) struct Machine {
    pub(super) rules: Rules,
    /// The credential as it is stored.
    pub(super) record: Record,
    /// The journal as it is to be stored; what is in there may have been sent.
    pub(super) journal: Option<Journal>,
    pub(super) step: Step,
    /// A new secret is wanted, and not only order.
    pub(super) renew: bool,
    pub(super) recovered: bool,
    pub(super) requests_left: u32,
    pub(super) undecided_rounds: u32,
    pub(super) unverified_rounds: u32,
    /// The bearer came from a login with the stored secret in this run.
    pub(super) authorized: bool,
    pub(super) reauthorized: bool,
    /// How often in a row the service has refused the bearer.
    pub(super) refusals: u32,
    /// The last request met no API token.
    pub(super) gone: bool,
    /// The time of the last reply, by this machine's clock.
    pub(super) now: SystemTime,
    /// The service said that the new secret is the old one.
    pub(super) unchanged: bool,
    pub(super) cause: Option<RotateCause>,
    pub(super) raw: Vec<SecretBytes>,
}

impl Machine {
    /// Rotates the secret of this credential; there is no journal.
    pub(in crate::rotation) fn rotate(rules: Rules, record: Record) -> Self {
        Self::new(rules, record, None, true)
    }

    /// Brings an interrupted rotation to its end.
    pub(in crate::rotation) fn recover(rules: Rules, record: Record, journal: Journal) -> Self {
        Self::new(rules, record, Some(journal), false)
    }

    /// Forgets the secret before the last rotation, if it is dead.
    pub(in crate::rotation) fn retire(rules: Rules, record: Record) -> Self {
        Self::new(rules, record, None, false)
    }

    fn new(rules: Rules, record: Record, journal: Option<Journal>, renew: bool) -> Self {
        Self {
            rules,
            record,
            recovered: journal.is_some(),
            journal,
            step: Step::Start,
            renew,
            requests_left: rules.requests,
            undecided_rounds: 0,
            unverified_rounds: 0,
            authorized: false,
            reauthorized: false,
            refusals: 0,
            gone: false,
            now: SystemTime::UNIX_EPOCH,
            unchanged: false,
            cause: None,
            raw: Vec::new(),
        }
    }

    /// Takes what came of the last effect, and gives the next one.
    pub(in crate::rotation) fn next(&mut self, reply: Reply, now: SystemTime) -> Effect {
        self.now = now;
        if let Reply::Stored(Err(error @ (StoreError::LockLost | StoreError::Changed)))
        | Reply::Put(PutReply::NotHeld(error)) = reply
        {
            return self.lock_lost(error);
        }
        match (self.step, reply) {
            (Step::Start, Reply::Begin) => self.begin(),
            (Step::Authorize, Reply::Login(reply)) => self.authorized(reply, now),
            (Step::Announce, Reply::Stored(result)) => self.announced(result),
            (Step::Request, Reply::Put(reply)) => self.requested(reply),
            (Step::Keep { again }, Reply::Stored(result)) => self.kept(again, result),
            (Step::Verify, Reply::Login(LoginReply::Accepted(_))) => self.commit_newest(now),
            (Step::Verify, Reply::Login(reply)) => {
                self.note(reply);
                self.settle(None)
            }
            (Step::Poll { left }, Reply::Waited) => self.poll(left),
            (Step::Poll { .. }, Reply::Login(LoginReply::Accepted(_))) => self.commit_newest(now),
            (Step::Poll { left }, Reply::Login(reply)) => {
                self.note(reply);
                self.wait_for_poll(left)
            }
            (Step::Settle, Reply::Waited) => self.probe(0, false),
            (Step::Probe { index, undecided }, Reply::Login(reply)) => {
                self.probed(index, undecided, reply, now)
            }
            (Step::Commit { again }, Reply::Stored(result)) => self.committed(again, result),
            (Step::Clear(verdict), Reply::Stored(_)) => self.finish(verdict),
            (Step::Conclude { ruling, again }, Reply::Stored(result)) => {
                self.concluded(ruling, again, result)
            }
            (Step::Retire, Reply::Login(reply)) => self.retired(reply),
            (Step::Retired, Reply::Stored(result)) => {
                if let Err(error) = result {
                    self.cause = Some(RotateCause::Store(error));
                }
                self.finish(Verdict::Settled)
            }
            // Whoever carries the effects out answered something else: a bug, and nothing is done.
            (_, _) => self.finish(Verdict::Ambiguous),
        }
    }

    pub(super) fn begin(&mut self) -> Effect {
        match (&self.journal, &self.record.previous) {
            (Some(journal), _) if journal.is_done(&self.record) => self.clear(Verdict::Rotated),
            (Some(journal), _) if is_of_another_token(journal) => {
                self.finish(Verdict::Ruled(Ruling::OtherApiToken))
            }
            (Some(_), _) if self.conclusive().is_some() => self.verify(),
            (Some(_), _) => self.settle(None),
            (None, Some(previous)) if !self.renew => {
                let id = self.record.token.id().clone();
                let previous = ApiToken::of(id, previous.clone());
                self.step = Step::Retire;
                Effect::Login(previous)
            }
            (None, None) if !self.renew => self.finish(Verdict::Settled),
            (None, _) => self.authorize(),
        }
    }

    pub(super) fn authorize(&mut self) -> Effect {
        self.step = Step::Authorize;
        Effect::Login(self.record.token.clone())
    }

    pub(super) fn authorized(&mut self, reply: LoginReply, now: SystemTime) -> Effect {
        match (reply, &self.journal) {
            (LoginReply::Accepted(bearer), journal) if bearer.left < self.rules.horizon => {
                let nothing_sent = journal.is_none();
                self.cause = Some(RotateCause::AccessTokenTooShort {
                    left: bearer.left,
                    needed: self.rules.horizon,
                });
                if nothing_sent {
                    self.finish(Verdict::NotStarted)
                } else {
                    self.settle(None)
                }
            }
            (LoginReply::Accepted(bearer), _) => self.announce_with(bearer, now),
            (reply, None) => {
                self.note(reply);
                self.finish(Verdict::NotStarted)
            }
            (reply, Some(_)) => {
                self.note(reply);
                self.settle(None)
            }
        }
    }

    /// Announces a request with an access token that was just given.
    pub(super) fn announce_with(&mut self, bearer: Bearer, now: SystemTime) -> Effect {
        let journal = self.journal.get_or_insert_with(|| Journal {
            generation: self.record.generation,
            bearer: bearer.secret.clone(),
            bearer_ends: bearer.ends,
            started_at: now,
            requests: 0,
            candidates: Vec::new(),
            conclusion: None,
        });
        journal.bearer = bearer.secret;
        journal.bearer_ends = bearer.ends;
        self.authorized = true;
        self.refusals = 0;
        self.announce()
    }

    pub(super) fn announce(&mut self) -> Effect {
        let Some(journal) = &mut self.journal else {
            return self.finish(Verdict::Ambiguous);
        };
        journal.requests = journal.requests.saturating_add(1);
        self.requests_left = self.requests_left.saturating_sub(1);
        // The service is asked again, so what it ruled before no longer holds.
        journal.conclusion = None;
        self.gone = false;
        self.unchanged = false;
        self.step = Step::Announce;
        Effect::SaveJournal(journal.clone())
    }

    pub(super) fn announced(&mut self, result: Result<(), StoreError>) -> Effect {
        match (result, &self.journal) {
            (Ok(()), Some(journal)) => {
                self.step = Step::Request;
                Effect::Put(journal.bearer.clone())
            }
            (Err(error), _) => {
                self.cause = Some(RotateCause::Store(error));
                if self.is_first_request() {
                    self.clear(Verdict::NotStarted)
                } else {
                    self.finish(Verdict::Ambiguous)
                }
            }
            (Ok(()), None) => self.finish(Verdict::Ambiguous),
        }
    }

    /// Ends a run whose lock has ended: somebody else may be at work by now.
    pub(super) fn lock_lost(&mut self, error: StoreError) -> Effect {
        self.cause = Some(RotateCause::Store(error));
        self.finish(match self.step {
            Step::Announce | Step::Request if self.is_first_request() => Verdict::NotStarted,
            Step::Keep { .. } => Verdict::PersistFailed,
            // The journal alone is left behind.
            Step::Clear(verdict @ (Verdict::Rotated | Verdict::NotStarted)) => verdict,
            Step::Conclude {
                ruling: ruling @ Ruling::OtherApiToken,
                ..
            } => Verdict::Ruled(ruling),
            Step::Retired => Verdict::Settled,
            _ => Verdict::Ambiguous,
        })
    }

    /// Writes a ruling of the service down before it is reported.
    pub(super) fn conclude(&mut self, ruling: Ruling) -> Effect {
        let at = self.now;
        let Some(journal) = &mut self.journal else {
            return self.finish(Verdict::Ruled(ruling));
        };
        journal.conclusion = Some(Conclusion { ruling, at });
        self.step = Step::Conclude {
            ruling,
            again: false,
        };
        Effect::SaveJournal(journal.clone())
    }

    pub(super) fn concluded(
        &mut self,
        ruling: Ruling,
        again: bool,
        result: Result<(), StoreError>,
    ) -> Effect {
        match (result, &self.journal) {
            (Err(_), Some(journal)) if !again => {
                self.step = Step::Conclude {
                    ruling,
                    again: true,
                };
                return Effect::SaveJournal(journal.clone());
            }
            (Err(error), _) => self.cause = Some(RotateCause::Store(error)),
            (Ok(()), _) => {}
        }
        self.finish(Verdict::Ruled(ruling))
    }

    /// Tells whether nothing was sent for this journal before the current request.
    pub(super) fn is_first_request(&self) -> bool {
        !self.recovered
            && self
                .journal
                .as_ref()
                .is_some_and(|journal| journal.requests == 1)
    }

    /// Gives the secret whose acceptance settles everything.
    ///
    /// The service gave it for the newest request, and the ones before that had settled when it was
    /// sent.
    pub(super) fn conclusive(&self) -> Option<&Candidate> {
        let journal = self.journal.as_ref()?;
        let newest = journal.candidates.last()?;
        (newest.request == journal.requests && !newest.doubtful).then_some(newest)
    }

    pub(super) fn verify(&mut self) -> Effect {
        match self.conclusive().map(|newest| newest.token.clone()) {
            Some(token) => {
                self.step = Step::Verify;
                Effect::Login(token)
            }
            None => self.settle(None),
        }
    }

    pub(in crate::rotation) fn finish(&mut self, verdict: Verdict) -> Effect {
        self.step = Step::Done;
        let journal = self.journal.as_ref();
        let candidates = journal.iter().flat_map(|journal| &journal.candidates);
        Effect::Finish(Box::new(Ending {
            verdict,
            record: self.record.clone(),
            recovered: self.recovered,
            unchanged: self.unchanged,
            requests: journal.map_or(0, |journal| journal.requests),
            at: self.now,
            started_at: journal.map(|journal| journal.started_at),
            recover_by: journal.map(|journal| journal.bearer_ends),
            candidates: candidates.map(|one| one.token.clone()).collect(),
            raw: std::mem::take(&mut self.raw),
            cause: self.cause.take(),
        }))
    }
}

/// Returns `true` if the service has created a secret for another API token than the stored one.
fn is_of_another_token(journal: &Journal) -> bool {
    journal
        .conclusion
        .is_some_and(|conclusion| conclusion.ruling == Ruling::OtherApiToken)
}
