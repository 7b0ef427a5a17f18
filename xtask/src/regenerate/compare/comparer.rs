//! What every part of a comparison works with: the two documents, a judge for each direction, and
//! the changes that were found.

use serde_json::Value;

use super::change::Direction;
use super::changes::{Changes, Pair};
use super::judge::Judge;
use super::node::{All, Node};
use super::schemas;

/// A comparison that is being made.
pub(super) struct Comparer<'a> {
    pub(super) pair: Pair<'a>,
    pub(super) changes: Changes,
    request: Judge<'a>,
    reply: Judge<'a>,
}

impl<'a> Comparer<'a> {
    pub(super) fn new(old: &'a Value, new: &'a Value) -> Self {
        Self {
            pair: Pair { old, new },
            changes: Changes::default(),
            request: Judge::new(Direction::Request),
            reply: Judge::new(Direction::Reply),
        }
    }

    /// Compares two schemas; without one, anything is allowed.
    pub(super) fn schemas(
        &mut self,
        direction: Direction,
        old: (Option<&'a Value>, String),
        new: (Option<&'a Value>, String),
    ) {
        let all = |document, (schema, pointer): (Option<&'a Value>, String)| match schema {
            Some(schema) => All::one(Node::new(document, schema, pointer)),
            None => All::anything(pointer),
        };
        let (old, new) = (all(self.pair.old, old), all(self.pair.new, new));
        let judge = match direction {
            Direction::Request => &mut self.request,
            Direction::Reply => &mut self.reply,
        };
        schemas::compare(judge, &mut self.changes, &old, &new);
    }
}
