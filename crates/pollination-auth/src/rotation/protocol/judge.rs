//! The second half of the protocol: waiting until the service has settled, and judging then.

use std::time::Duration;

use super::effect::{Effect, FreshToken, LoginReply};
use super::ending::Verdict;
use super::machine::{Machine, Step};
use crate::credential::api_token::ApiToken;
use crate::credential::jwt::Times;
use crate::error::Error;
use crate::foundation::secret::Secret;
use crate::rotation::cause::RotateCause;
use crate::store::record::Record;
use crate::store::{Ruling, StoreError};

/// How often a new secret is tried while the service settles: 6 times.
const POLLS: u32 = 6;

/// How often all secrets are tried again when a login could not be made: 5 times.
const UNDECIDED_ROUNDS: u32 = 5;

/// How often to wait for a new secret while the old one still works: 2 times.
const UNVERIFIED_ROUNDS: u32 = 2;

/// The refusals in a row that are believed before the access token's expiry: 2.
const REFUSALS: u32 = 2;

/// The longest wait that the service can ask for: 5 minutes.
const LONGEST_WISH: Duration = Duration::from_secs(5 * 60);

impl Machine {
    /// Waits until no request of this client can change anything any more.
    ///
    /// It counts from now, and never from a time in the journal: a clock that was set, or a request
    /// that another process has sent, could make that too short.
    pub(super) fn settle(&mut self, wish: Option<Duration>) -> Effect {
        if self.conclusive().is_some() {
            return self.wait_for_poll(POLLS);
        }
        self.step = Step::Settle;
        let wish = wish.unwrap_or_default().min(LONGEST_WISH);
        Effect::Wait(self.rules.settle.max(wish))
    }

    pub(super) fn wait_for_poll(&mut self, left: u32) -> Effect {
        if left == 0 {
            return self.probe(0, false);
        }
        self.step = Step::Poll { left: left - 1 };
        // Rounded up, or the slices would not make up the whole.
        Effect::Wait(self.rules.settle / POLLS + Duration::from_nanos(1))
    }

    pub(super) fn poll(&mut self, left: u32) -> Effect {
        match self.conclusive().map(|newest| newest.token.clone()) {
            Some(token) => {
                self.step = Step::Poll { left };
                Effect::Login(token)
            }
            None => self.settle(None),
        }
    }

    /// Returns the n-th secret that may be the account's, the likeliest first.
    fn suspect(&self, index: usize) -> Option<ApiToken> {
        let candidates = self.journal.iter().flat_map(|journal| &journal.candidates);
        let newest_first = candidates.rev().map(|candidate| &candidate.token);
        newest_first
            .chain(std::iter::once(&self.record.token))
            .nth(index)
            .cloned()
    }

    pub(super) fn probe(&mut self, index: usize, undecided: bool) -> Effect {
        self.step = Step::Probe { index, undecided };
        match self.suspect(index) {
            Some(token) => Effect::Login(token),
            None if undecided => self.look_again(),
            None => self.mint_another(),
        }
    }

    pub(super) fn probed(&mut self, index: usize, undecided: bool, reply: LoginReply) -> Effect {
        let is_stored = self.suspect(index + 1).is_none();
        match reply {
            LoginReply::Accepted(access_token) if is_stored => self.nothing_happened(access_token),
            LoginReply::Accepted(_) => match self.suspect(index) {
                Some(token) => self.commit(token),
                None => self.finish(Verdict::Ambiguous),
            },
            LoginReply::Refused(_) => self.next_probe(index, undecided),
            LoginReply::Unknown(error) => {
                self.cause = Some(RotateCause::Service(error));
                self.next_probe(index, true)
            }
        }
    }

    fn next_probe(&mut self, index: usize, undecided: bool) -> Effect {
        let is_last = self.suspect(index + 1).is_none();
        if is_last && !undecided && self.gone {
            return self.conclude(Ruling::ApiTokenGone);
        }
        if is_last && !undecided && self.access_token_is_refused() {
            // No secret works, and neither does the access token that could create another one.
            return self.conclude(Ruling::CredentialLost);
        }
        self.probe(index + 1, undecided)
    }

    /// Returns `true` if the access token in the journal can create no other secret.
    ///
    /// The service has to say so: this machine's clock may be wrong, or have been wrong when the
    /// rotation began. One refusal before the token's expiry is not enough: a gateway that has no
    /// keys for a moment refuses, too, and a wrong verdict would give up an account that can be
    /// saved. After its expiry one is.
    fn access_token_is_refused(&self) -> bool {
        let ends = self
            .journal
            .as_ref()
            .map(|journal| journal.access_token_expires);
        let has_expired = ends.is_none_or(|ends| ends <= self.now);
        let least = if has_expired { 1 } else { REFUSALS };
        self.refusals >= least && (has_expired || self.requests_left == 0)
    }

    /// Tries again after a round in which a login failed and none was accepted.
    fn look_again(&mut self) -> Effect {
        if self.undecided_rounds >= UNDECIDED_ROUNDS {
            return self.finish(Verdict::Ambiguous);
        }
        self.undecided_rounds += 1;
        self.step = Step::Settle;
        Effect::Wait(self.rules.settle / POLLS)
    }

    /// No known secret works: the account's is one that nobody knows.
    fn mint_another(&mut self) -> Effect {
        if self.requests_left == 0 {
            return self.finish(Verdict::Ambiguous);
        }
        self.authorized = false;
        self.announce()
    }

    /// The stored secret is still the account's, and the service has settled.
    fn nothing_happened(&mut self, access_token: FreshToken) -> Effect {
        let promised = self
            .journal
            .iter()
            .flat_map(|journal| &journal.candidates)
            .any(|candidate| !candidate.doubtful);
        if self.unchanged {
            return self.clear(Verdict::Rotated);
        }
        let key_has_expired = self
            .journal
            .as_ref()
            .is_none_or(|journal| ended_before(&journal.access_token, &access_token.secret));
        if promised && !key_has_expired {
            // The service returned a new secret and accepts the old one: neither may be dropped.
            // That holds until the access token has expired by the service's own times; what is not
            // known by then never will be.
            self.unverified_rounds += 1;
            if self.unverified_rounds < UNVERIFIED_ROUNDS {
                return self.settle(None);
            }
            return self.finish(Verdict::Unverified);
        }
        let worth_it = self.renew
            && self.requests_left > 0
            && access_token.left >= self.rules.horizon
            && matches!(&self.cause, Some(RotateCause::Service(error)) if may_pass(error));
        if worth_it {
            self.announce_with(access_token)
        } else {
            self.clear(Verdict::NothingHappened)
        }
    }

    pub(super) fn commit_newest(&mut self) -> Effect {
        match self.conclusive().map(|newest| newest.token.clone()) {
            Some(token) => self.commit(token),
            None => self.settle(None),
        }
    }

    /// Stores a secret that has logged in.
    fn commit(&mut self, token: ApiToken) -> Effect {
        self.record = Record {
            generation: self.record.generation.saturating_add(1),
            rotated_at: Some(self.now),
            token,
        };
        self.step = Step::Commit { again: false };
        Effect::SaveRecord(self.record.clone())
    }

    pub(super) fn committed(&mut self, again: bool, result: Result<(), StoreError>) -> Effect {
        match result {
            Ok(()) => self.clear(Verdict::Rotated),
            Err(_) if !again => {
                self.step = Step::Commit { again: true };
                Effect::SaveRecord(self.record.clone())
            }
            Err(error) => {
                self.cause = Some(RotateCause::Store(error));
                self.finish(Verdict::PersistFailed)
            }
        }
    }

    pub(super) fn clear(&mut self, verdict: Verdict) -> Effect {
        self.step = Step::Clear(verdict);
        Effect::ClearJournal
    }

    pub(super) fn note(&mut self, reply: LoginReply) {
        if let LoginReply::Refused(error) | LoginReply::Unknown(error) = reply {
            self.cause = Some(RotateCause::Service(error));
        }
    }
}

/// Returns `true` if one access token had expired when the service issued the other.
///
/// Both times are the service's. Where they can't be read, nothing is known.
fn ended_before(old: &Secret, fresh: &Secret) -> bool {
    let times = |token: &Secret| Times::read(token.expose_secret());
    let issued = times(fresh).and_then(|fresh| fresh.iat);
    times(old)
        .zip(issued)
        .is_some_and(|(old, issued)| old.exp <= issued)
}

/// Returns `true` if the same request may succeed later.
fn may_pass(error: &Error) -> bool {
    matches!(
        error,
        Error::RateLimited(_)
            | Error::Unavailable(_)
            | Error::Ambiguous(_)
            | Error::UnusableReply(_)
            | Error::NotSent(_)
    )
}
