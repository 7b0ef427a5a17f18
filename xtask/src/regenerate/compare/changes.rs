//! The two documents that are compared, and the changes that were found between them.

use serde_json::Value;

use super::change::{Change, Class, Kind};

/// The two documents, for references.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) old: &'a Value,
    pub(super) new: &'a Value,
}

/// Collects changes, each once per operation.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) operation: Option<String>,
    pub(super) found: Vec<Change>,
}

impl Changes {
    pub(super) fn add(
        &mut self,
        kind: Kind,
        class: Class,
        pointer: &str,
        message: impl Into<String>,
    ) {
        let change = Change {
            operation: self.operation.clone(),
            pointer: pointer.to_owned(),
            kind,
            class,
            message: message.into(),
        };
        if !self.found.contains(&change) {
            self.found.push(change);
        }
    }

    pub(super) fn breaking(&mut self, kind: Kind, pointer: &str, message: impl Into<String>) {
        self.add(kind, Class::Breaking, pointer, message);
    }

    pub(super) fn compatible(&mut self, kind: Kind, pointer: &str, message: impl Into<String>) {
        self.add(kind, Class::Compatible, pointer, message);
    }
}
