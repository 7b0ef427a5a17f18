//! A direction of values, and what it means there that fewer or more values are allowed.

use super::change::{Class, Direction, Kind};
use super::changes::Changes;

impl Direction {
    /// Returns the class of a change that allows fewer values.
    pub(super) fn narrower(self) -> Class {
        match self {
            Self::Request => Class::Breaking,
            Self::Reply => Class::Compatible,
        }
    }

    /// Returns the class of a change that allows more values.
    pub(super) fn wider(self) -> Class {
        match self {
            Self::Request => Class::Compatible,
            Self::Reply => Class::Breaking,
        }
    }
}

/// A direction, and the changes that were found in it.
pub(super) struct Flow<'c> {
    pub(super) direction: Direction,
    pub(super) changes: &'c mut Changes,
}

impl Flow<'_> {
    pub(super) fn add(&mut self, kind: Kind, class: Class, at: &str, message: impl Into<String>) {
        self.changes.direction = Some(self.direction);
        self.changes.add(kind, class, at, message);
        self.changes.direction = None;
    }

    pub(super) fn compatible(&mut self, kind: Kind, at: &str, message: impl Into<String>) {
        self.add(kind, Class::Compatible, at, message);
    }

    pub(super) fn breaking(&mut self, kind: Kind, at: &str, message: impl Into<String>) {
        self.add(kind, Class::Breaking, at, message);
    }

    pub(super) fn narrower(&mut self, kind: Kind, at: &str, message: impl Into<String>) {
        self.add(kind, self.direction.narrower(), at, message);
    }

    pub(super) fn wider(&mut self, kind: Kind, at: &str, message: impl Into<String>) {
        self.add(kind, self.direction.wider(), at, message);
    }
}
