//! What a request brought: a secret goes into the journal first, everything else has to settle.

use std::time::SystemTime;

use super::ending::Verdict;
use super::machine::{Effect, Machine, PutReply, Rules, Step};
use crate::credential::api_token::ApiToken;
use crate::foundation::secret::Secret;
use crate::rotation::cause::RotateCause;
use crate::store::document::{Candidate, Journal, Record};
use crate::store::{Ruling, StoreError};

/// The length of an access token that is reckoned with before there is one: 1 KiB.
const USUAL_BEARER: usize = 1024;

/// The candidates that are reckoned with: 8, which is more than ever were.
const MOST_CANDIDATES: u32 = 8;

impl Machine {
    pub(super) fn requested(&mut self, reply: PutReply) -> Effect {
        let refusals = std::mem::take(&mut self.refusals);
        match reply {
            PutReply::Minted(token) if token.id() != self.record.token.id() => {
                self.minted_for_another(token)
            }
            PutReply::Minted(token) if token.is_same_as(&self.record.token) => {
                self.unchanged = true;
                self.settle(None)
            }
            PutReply::Minted(token) => self.keep(vec![token], false),
            PutReply::NotSent(error) => {
                self.cause = Some(RotateCause::Service(error));
                if self.is_first_request() {
                    self.clear(Verdict::NotStarted)
                } else {
                    self.settle(None)
                }
            }
            PutReply::Unauthorized(error) => {
                self.cause = Some(RotateCause::Service(error));
                if self.authorized && !self.reauthorized && self.requests_left > 0 {
                    self.reauthorized = true;
                    return self.authorize();
                }
                self.refusals = refusals.saturating_add(1);
                self.settle(None)
            }
            PutReply::Gone(error) => {
                self.cause = Some(RotateCause::Service(error));
                self.gone = true;
                self.settle(None)
            }
            // The run has ended before this is asked.
            PutReply::NotHeld(error) => {
                self.cause = Some(RotateCause::Store(error));
                self.finish(Verdict::Ambiguous)
            }
            PutReply::Failed(failure) => {
                self.raw.extend(failure.error.raw_reply().cloned());
                self.cause = Some(RotateCause::Service(failure.error));
                if failure.doubtful.is_empty() {
                    self.settle(failure.wait)
                } else {
                    self.keep(failure.doubtful, true)
                }
            }
        }
    }

    /// Keeps what the service has created for another API token, under that one's id.
    ///
    /// Another request would end this secret and help nobody.
    fn minted_for_another(&mut self, token: ApiToken) -> Effect {
        if let Some(journal) = &mut self.journal {
            let request = journal.requests;
            journal.candidates.push(Candidate {
                token,
                request,
                doubtful: false,
            });
        }
        self.conclude(Ruling::OtherApiToken)
    }

    /// Puts secrets into the journal before anything is done with them.
    fn keep(&mut self, tokens: Vec<ApiToken>, doubtful: bool) -> Effect {
        let Some(journal) = &mut self.journal else {
            return self.finish(Verdict::Ambiguous);
        };
        let request = journal.requests;
        journal
            .candidates
            .extend(tokens.into_iter().map(|token| Candidate {
                token,
                request,
                doubtful,
            }));
        self.step = Step::Keep { again: false };
        Effect::SaveJournal(journal.clone())
    }

    pub(super) fn kept(&mut self, again: bool, result: Result<(), StoreError>) -> Effect {
        match (result, &self.journal) {
            (Ok(()), _) if self.conclusive().is_some() => self.verify(),
            (Ok(()), _) => self.settle(None),
            (Err(_), Some(journal)) if !again => {
                self.step = Step::Keep { again: true };
                Effect::SaveJournal(journal.clone())
            }
            (Err(error), _) => {
                self.cause = Some(RotateCause::Store(error));
                self.finish(Verdict::PersistFailed)
            }
        }
    }
}

/// Gives a journal that is as long as any of this rotation can be expected to be.
pub(in crate::rotation) fn longest_journal(rules: Rules, record: &Record) -> Journal {
    let candidate = Candidate {
        token: record.token.clone(),
        request: u32::MAX,
        doubtful: false,
    };
    Journal {
        generation: record.generation,
        bearer: Secret::from("a".repeat(USUAL_BEARER)),
        bearer_ends: SystemTime::UNIX_EPOCH,
        started_at: SystemTime::UNIX_EPOCH,
        requests: u32::MAX,
        candidates: vec![
            candidate;
            usize::try_from(rules.requests.min(MOST_CANDIDATES)).unwrap_or(1)
        ],
        conclusion: None,
    }
}
