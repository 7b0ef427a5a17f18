//! How the values that are allowed shifted, and what that means in a direction.

use super::change::{Class, Direction};

/// How the set of allowed values shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shift {
    /// The values are the same.
    None,
    /// Fewer are allowed.
    Fewer,
    /// More are allowed.
    More,
    /// Some are no longer allowed, and others are.
    Others,
}

impl Shift {
    pub(super) fn between(fewer: bool, more: bool) -> Self {
        match (fewer, more) {
            (false, false) => Self::None,
            (true, false) => Self::Fewer,
            (false, true) => Self::More,
            (true, true) => Self::Others,
        }
    }

    /// Returns the class: a request may be asked for less, and a reply may say less.
    pub(super) fn class(self, direction: Direction) -> Class {
        match (self, direction) {
            (Self::None, _)
            | (Self::Fewer, Direction::Reply)
            | (Self::More, Direction::Request) => Class::Compatible,
            _ => Class::Breaking,
        }
    }
}
