//! Collects changes, each once per operation.

use serde_json::Value;

use super::change::{Change, Class, Direction, Kind, Side};

/// The two documents, for references.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) old: &'a Value,
    pub(super) new: &'a Value,
}

/// What a change is about, in both documents.
#[derive(Clone, Debug, Default)]
pub(super) struct Sides {
    pub(super) old: Option<Side>,
    pub(super) new: Option<Side>,
}

impl Sides {
    /// Something that both documents have.
    pub(super) fn both(old: &str, new: &str) -> Self {
        Self {
            old: Some(place(old)),
            new: Some(place(new)),
        }
    }

    /// Something that is gone.
    pub(super) fn old(pointer: &str) -> Self {
        Self {
            old: Some(place(pointer)),
            new: None,
        }
    }

    /// Something that is new.
    pub(super) fn new(pointer: &str) -> Self {
        Self {
            old: None,
            new: Some(place(pointer)),
        }
    }

    /// Adds what stands there.
    pub(super) fn with(mut self, old: Option<Value>, new: Option<Value>) -> Self {
        for (side, value) in [(&mut self.old, old), (&mut self.new, new)] {
            if let Some(side) = side {
                side.value = value;
            }
        }
        self
    }
}

fn place(pointer: &str) -> Side {
    Side {
        pointer: pointer.to_owned(),
        value: None,
    }
}

/// The changes that were found.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) operation: Option<String>,
    pub(super) direction: Option<Direction>,
    /// The client does not use what is compared, so that no change of it breaks the client.
    pub(super) is_unused: bool,
    pub(super) found: Vec<Change>,
}

impl Changes {
    pub(super) fn add(
        &mut self,
        kind: Kind,
        class: Class,
        sides: Sides,
        message: impl Into<String>,
    ) {
        self.add_with_notes(kind, class, sides, message, Vec::new());
    }

    pub(super) fn add_with_notes(
        &mut self,
        kind: Kind,
        class: Class,
        sides: Sides,
        message: impl Into<String>,
        notes: Vec<String>,
    ) {
        let change = Change {
            operation: self.operation.clone(),
            direction: self.direction,
            kind,
            class: match self.is_unused {
                true => Class::Compatible,
                false => class,
            },
            message: message.into(),
            old: sides.old,
            new: sides.new,
            notes,
        };
        if !self.found.contains(&change) {
            self.found.push(change);
        }
    }

    pub(super) fn breaking(&mut self, kind: Kind, sides: Sides, message: impl Into<String>) {
        self.add(kind, Class::Breaking, sides, message);
    }

    pub(super) fn compatible(&mut self, kind: Kind, sides: Sides, message: impl Into<String>) {
        self.add(kind, Class::Compatible, sides, message);
    }
}
