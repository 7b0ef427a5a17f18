//! A hash of all that decides what a machine does next, for tests that visit every state once.

use std::hash::{Hash, Hasher};

use super::Machine;
use crate::rotation::outcome::RotateCause;
use crate::store::document::{Journal, Record};

impl Machine {
    pub(in crate::rotation) fn fingerprint(&self, state: &mut impl Hasher) {
        record(&self.record, state);
        self.journal.is_some().hash(state);
        if let Some(one) = &self.journal {
            journal(one, state);
        }
        self.step.hash(state);
        (self.renew, self.recovered, self.requests_left).hash(state);
        (self.undecided_rounds, self.unverified_rounds).hash(state);
        (self.authorized, self.reauthorized, self.bearer_refused).hash(state);
        (self.unchanged, self.raw.len()).hash(state);
        let cause = match &self.cause {
            None => String::new(),
            Some(RotateCause::Service(error)) => format!("{:?}", std::mem::discriminant(error)),
            Some(_) => "other".to_owned(),
        };
        cause.hash(state);
    }
}

pub(in crate::rotation) fn record(record: &Record, state: &mut impl Hasher) {
    record.token.id().hash(state);
    record.token.secret().expose_secret().hash(state);
    let previous = record.previous.as_ref();
    previous.map(|secret| secret.expose_secret()).hash(state);
    (record.generation, record.rotated_at).hash(state);
}

pub(in crate::rotation) fn journal(journal: &Journal, state: &mut impl Hasher) {
    journal.bearer.expose_secret().hash(state);
    (journal.generation, journal.bearer_ends, journal.started_at).hash(state);
    journal.requests.hash(state);
    for candidate in &journal.candidates {
        candidate.token.id().hash(state);
        candidate.token.secret().expose_secret().hash(state);
        (candidate.request, candidate.doubtful).hash(state);
    }
}
