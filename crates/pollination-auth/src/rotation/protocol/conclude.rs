//! The end of a run: a ruling is written to the journal first, and nothing that is known gets lost.

use super::effect::Effect;
use super::ending::{Ending, Verdict};
use super::machine::{Machine, Step};
use crate::rotation::cause::RotateCause;
use crate::store::journal::Conclusion;
use crate::store::{Ruling, StoreError};

impl Machine {
    /// Finishes a run that has lost its lock: another process may be at work by now.
    pub(super) fn lock_lost(&mut self, error: StoreError) -> Effect {
        self.cause = Some(RotateCause::Store(error));
        self.finish(match self.step {
            Step::Announce | Step::Request if self.is_first_request() => Verdict::NotStarted,
            Step::Keep { .. } => Verdict::PersistFailed,
            // Only the journal is left.
            Step::Clear(verdict @ (Verdict::Rotated | Verdict::NotStarted)) => verdict,
            Step::Conclude {
                ruling: ruling @ Ruling::OtherApiToken,
                ..
            } => Verdict::Ruled(ruling),
            _ => Verdict::Ambiguous,
        })
    }

    /// Writes a ruling to the journal before it is reported.
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
            recover_by: journal.map(|journal| journal.access_token_expires),
            candidates: candidates.map(|one| one.token.clone()).collect(),
            raw: std::mem::take(&mut self.raw),
            cause: self.cause.take(),
        }))
    }
}
