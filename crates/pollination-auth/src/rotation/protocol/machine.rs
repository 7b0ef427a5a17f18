//! The machine of a rotation: its states, and the transitions between them.
//!
//! Requests are in `request`, waiting and judging in `judge`, and the end of a run in `conclude`.

use std::time::{Duration, SystemTime};

use super::effect::{Effect, Event, LoginReply};
use super::ending::Verdict;
use crate::foundation::secret::SecretBytes;
use crate::rotation::cause::RotateCause;
use crate::store::journal::{Candidate, Journal};
use crate::store::record::Record;
use crate::store::{Ruling, StoreError};

/// The bounds of a rotation.
#[derive(Clone, Copy, Debug)]
pub(in crate::rotation) struct Rules {
    /// After this time without a request the service no longer changes its mind.
    pub(in crate::rotation) settle: Duration,
    /// The access token has to live this long at the start, for a recovery may need it.
    pub(in crate::rotation) horizon: Duration,
    /// The requests that one run may make.
    pub(in crate::rotation) requests: u32,
}

/// The state of the machine: the event that it waits for.
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
    /// Waits, and tries the new secret from time to time.
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
    /// A new secret is wanted, not only a recovery.
    pub(super) renew: bool,
    pub(super) recovered: bool,
    pub(super) requests_left: u32,
    pub(super) undecided_rounds: u32,
    pub(super) unverified_rounds: u32,
    /// The access token came from a login with the stored secret in this run.
    pub(super) authorized: bool,
    pub(super) reauthorized: bool,
    /// How often in a row the service has refused the access token.
    pub(super) refusals: u32,
    /// The last request was answered that there is no API token.
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

    /// Recovers an interrupted rotation.
    pub(in crate::rotation) fn recover(rules: Rules, record: Record, journal: Journal) -> Self {
        Self::new(rules, record, Some(journal), false)
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

    /// Takes the result of the last effect and returns the next one.
    pub(in crate::rotation) fn next(&mut self, event: Event, now: SystemTime) -> Effect {
        self.now = now;
        if let Event::Stored(Err(error @ (StoreError::LockLost | StoreError::Changed)))
        | Event::NotHeld(error) = event
        {
            return self.lock_lost(error);
        }
        match (self.step, event) {
            (Step::Start, Event::Begin) => self.begin(),
            (Step::Authorize, Event::Login(reply)) => self.authorized(reply),
            (Step::Announce, Event::Stored(result)) => self.announced(result),
            (Step::Request, Event::Put(reply)) => self.requested(reply),
            (Step::Keep { again }, Event::Stored(result)) => self.kept(again, result),
            (Step::Verify, Event::Login(LoginReply::Accepted(_))) => self.commit_newest(),
            (Step::Verify, Event::Login(reply)) => {
                self.note(reply);
                self.settle(None)
            }
            (Step::Poll { left }, Event::Waited) => self.poll(left),
            (Step::Poll { .. }, Event::Login(LoginReply::Accepted(_))) => self.commit_newest(),
            (Step::Poll { left }, Event::Login(reply)) => {
                self.note(reply);
                self.wait_for_poll(left)
            }
            (Step::Settle, Event::Waited) => self.probe(0, false),
            (Step::Probe { index, undecided }, Event::Login(reply)) => {
                self.probed(index, undecided, reply)
            }
            (Step::Commit { again }, Event::Stored(result)) => self.committed(again, result),
            (Step::Clear(verdict), Event::Stored(_)) => self.finish(verdict),
            (Step::Conclude { ruling, again }, Event::Stored(result)) => {
                self.concluded(ruling, again, result)
            }
            // The event does not fit the effect: a bug of the driver, and nothing is done.
            (_, _) => self.finish(Verdict::Ambiguous),
        }
    }

    pub(super) fn begin(&mut self) -> Effect {
        match &self.journal {
            Some(journal) if journal.is_done(&self.record) => self.clear(Verdict::Rotated),
            Some(journal) if is_of_another_token(journal) => {
                self.finish(Verdict::Ruled(Ruling::OtherApiToken))
            }
            Some(_) => self.verify(),
            None => self.authorize(),
        }
    }

    /// Returns `true` if nothing was sent for this journal before the current request.
    pub(super) fn is_first_request(&self) -> bool {
        !self.recovered
            && self
                .journal
                .as_ref()
                .is_some_and(|journal| journal.requests == 1)
    }

    /// Returns the secret that decides everything if a login accepts it.
    ///
    /// It is the result of the newest request, and all earlier ones had settled before that was
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
}

/// Returns `true` if the service has created a secret for another API token than the stored one.
fn is_of_another_token(journal: &Journal) -> bool {
    journal
        .conclusion
        .is_some_and(|conclusion| conclusion.ruling == Ruling::OtherApiToken)
}
