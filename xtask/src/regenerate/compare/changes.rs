//! The two documents that are compared, and the changes that were found between them.

use serde_json::Value;

use super::change::{Change, Class, Direction, Kind, Side};

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
    pub(super) direction: Option<Direction>,
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
        let side = Some(Side {
            pointer: pointer.to_owned(),
            value: None,
        });
        let (old, new) = if kind.is_about_what_is_gone() {
            (side, None)
        } else {
            (None, side)
        };
        let change = Change {
            operation: self.operation.clone(),
            direction: self.direction,
            kind,
            class,
            message: message.into(),
            old,
            new,
            notes: Vec::new(),
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
