//! A hash of all that decides what a machine does next, for tests that visit every state once.
//!
//! Two states that differ in nothing but the texts of their secrets are one: a secret is hashed as
//! the number under which it was seen first.

use std::hash::{Hash, Hasher};

use super::machine::Machine;
use crate::credential::api_token::ApiToken;
use crate::rotation::cause::RotateCause;
use crate::store::journal::Journal;
use crate::store::record::Record;

/// The secrets that were seen, in order.
#[derive(Default)]
pub(in crate::rotation) struct Names(Vec<ApiToken>);

impl Names {
    /// Returns the number of a secret.
    pub(in crate::rotation) fn of(&mut self, token: &ApiToken) -> usize {
        let known = self.0.iter().position(|seen| seen.is_same_as(token));
        known.unwrap_or_else(|| {
            self.0.push(token.clone());
            self.0.len() - 1
        })
    }

    pub(in crate::rotation) fn seen(&self) -> &[ApiToken] {
        &self.0
    }
}

impl Machine {
    pub(in crate::rotation) fn stored(&self) -> &Record {
        &self.record
    }

    pub(in crate::rotation) fn fingerprint(&self, names: &mut Names, state: &mut impl Hasher) {
        record(&self.record, names, state);
        journal(self.journal.as_ref(), names, state);
        self.step.hash(state);
        (self.renew, self.recovered, self.requests_left).hash(state);
        (self.undecided_rounds, self.unverified_rounds).hash(state);
        (self.authorized, self.reauthorized, self.gone).hash(state);
        self.refusals.min(2).hash(state);
        (self.unchanged, self.raw.is_empty()).hash(state);
        // The kind of the error alone decides what is repeated.
        let kind = match &self.cause {
            Some(RotateCause::Service(error)) => Some(std::mem::discriminant(error)),
            _ => None,
        };
        (self.cause.is_some(), kind).hash(state);
    }
}

/// Hashes a credential; the time in it decides nothing here.
pub(in crate::rotation) fn record(record: &Record, names: &mut Names, state: &mut impl Hasher) {
    (names.of(&record.token), record.generation).hash(state);
}

pub(in crate::rotation) fn journal(
    journal: Option<&Journal>,
    names: &mut Names,
    state: &mut impl Hasher,
) {
    journal.is_some().hash(state);
    let Some(journal) = journal else {
        return;
    };
    (journal.generation, journal.candidates.len()).hash(state);
    for candidate in &journal.candidates {
        let is_newest = candidate.request == journal.requests;
        (names.of(&candidate.token), is_newest, candidate.doubtful).hash(state);
    }
    let ruling = journal.conclusion.map(|conclusion| conclusion.ruling);
    ruling.hash(state);
    // The first request is told from the others, and no other from the next.
    journal.requests.min(2).hash(state);
}
