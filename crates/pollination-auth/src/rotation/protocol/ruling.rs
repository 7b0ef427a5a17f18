//! Ends that are not of this run's making: what the service has ruled, and a lock that has ended.

use super::{Effect, Machine, Step, Verdict};
use crate::rotation::outcome::RotateCause;
use crate::store::document::{Conclusion, Journal};
use crate::store::{Ruling, StoreError};

impl Machine {
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
}

/// Returns `true` if the service has created a secret for another API token than the stored one.
pub(super) fn is_of_another_token(journal: &Journal) -> bool {
    journal
        .conclusion
        .is_some_and(|conclusion| conclusion.ruling == Ruling::OtherApiToken)
}
