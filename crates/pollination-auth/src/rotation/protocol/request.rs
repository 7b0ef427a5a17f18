//! A request: announced in the journal before it is sent, and its secret kept there before it is
//! used.
//!
//! Every other reply has to settle.

use super::effect::{Effect, FreshToken, LoginReply, PutReply};
use super::ending::Verdict;
use super::machine::{Machine, Step};
use crate::credential::api_token::ApiToken;
use crate::rotation::cause::RotateCause;
use crate::store::journal::{Candidate, Journal};
use crate::store::{Ruling, StoreError};

impl Machine {
    pub(super) fn authorize(&mut self) -> Effect {
        self.step = Step::Authorize;
        Effect::Login(self.record.token.clone())
    }

    pub(super) fn authorized(&mut self, reply: LoginReply) -> Effect {
        match (reply, &self.journal) {
            (LoginReply::Accepted(access_token), journal)
                if access_token.left < self.rules.horizon =>
            {
                let nothing_sent = journal.is_none();
                self.cause = Some(RotateCause::AccessTokenTooShort {
                    left: access_token.left,
                    needed: self.rules.horizon,
                });
                if nothing_sent {
                    self.finish(Verdict::NotStarted)
                } else {
                    self.settle(None)
                }
            }
            (LoginReply::Accepted(access_token), _) => self.announce_with(access_token),
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

    /// Announces a request with the access token of a login.
    pub(super) fn announce_with(&mut self, access_token: FreshToken) -> Effect {
        let journal = self.journal.get_or_insert_with(|| Journal {
            generation: self.record.generation,
            access_token: access_token.secret.clone(),
            access_token_expires: access_token.ends,
            started_at: self.now,
            requests: 0,
            candidates: Vec::new(),
            conclusion: None,
        });
        journal.access_token = access_token.secret;
        journal.access_token_expires = access_token.ends;
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
                Effect::Put(journal.access_token.clone())
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

    /// Keeps the secret that the service has created for another API token, under that one's id.
    ///
    /// Another request would revoke this secret and help nobody.
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

    /// Writes secrets to the journal before they are used.
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
            (Ok(()), _) => self.verify(),
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
