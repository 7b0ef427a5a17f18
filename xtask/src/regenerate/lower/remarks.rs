//! Problems and notes that lowering collects.

use super::super::refusal::Problems;

/// Problems and notes.
#[derive(Default)]
pub(super) struct Remarks {
    pub(super) problems: Problems,
    pub(super) notes: Vec<String>,
}

impl Remarks {
    pub(super) fn note(&mut self, pointer: &str, what: &str) {
        let note = format!("{pointer}: {what}");
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}
