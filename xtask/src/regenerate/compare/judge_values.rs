//! Whether a single value is one of a schema, and whether two schemas have no value in common.

use std::rc::Rc;

use serde_json::Value;

use super::judge::{Judge, Sight};
use super::node::{All, Node};
use super::normal::Normal;
use super::piece::{Piece, Sort};
use super::values::same;
use crate::document::number::Exact;

impl<'a> Judge<'a> {
    /// Returns whether a schema has a value, which is known to have the formats of a piece.
    pub(super) fn normal_has(
        &mut self,
        normal: &Rc<Normal<'a>>,
        value: &Value,
        known: &Piece<'a>,
    ) -> Option<bool> {
        if value.is_null() {
            let null = normal.null;
            return (null.strict == null.loose).then_some(null.strict);
        }
        let mut has = Some(false);
        for piece in &normal.pieces {
            match self.piece_has(piece, value, known) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => has = None,
            }
        }
        if normal.is_cut { None } else { has }
    }

    fn all_has(&mut self, all: &All<'a>, value: &Value) -> Option<bool> {
        let normal = self.reader.read(all);
        // Nothing is known of what is inside of a value.
        self.normal_has(&normal, value, &Piece::default())
    }

    /// Returns whether a piece has a value.
    pub(super) fn piece_has(
        &mut self,
        piece: &Piece<'a>,
        value: &Value,
        known: &Piece<'a>,
    ) -> Option<bool> {
        let sort = Sort::of(value)?;
        if !piece.sorts.contains(sort) || piece.values.as_ref().is_some_and(|it| !it.has(value)) {
            return Some(false);
        }
        let mut facts = vec![Some(true)];
        match value {
            Value::Number(_) => {
                facts.push(Exact::of(value).and_then(|number| piece.numbers.allows(number)));
                let formats = known.forms.numbers_within(&piece.forms);
                facts.push(formats.then_some(true));
            }
            Value::String(text) => {
                facts.push(Some(piece.length.has(text.chars().count())));
                let formats = known.forms.texts_within(&piece.forms);
                let patterns = piece.forms.patterns.is_subset(&known.forms.patterns);
                facts.push((formats && patterns).then_some(true));
            }
            Value::Array(items) => {
                facts.push(Some(piece.count.has(items.len())));
                if piece.unique {
                    let twice = |(index, item): (usize, &Value)| {
                        items.iter().skip(index + 1).any(|other| same(item, other))
                    };
                    facts.push(Some(!items.iter().enumerate().any(twice)));
                }
                for item in items {
                    facts.push(self.all_has(&piece.items, item));
                }
            }
            Value::Object(entries) => {
                facts.push(Some(piece.size.has(entries.len())));
                facts.push(Some(
                    piece
                        .required
                        .iter()
                        .all(|name| entries.contains_key(*name)),
                ));
                for (name, entry) in entries {
                    if let Some(field) = piece.field(name).cloned() {
                        facts.push(self.all_has(&field, entry));
                    }
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
        for node in &piece.excluded {
            facts.push(self.all_has(&All::one(node.clone()), value).map(|has| !has));
        }
        if facts.contains(&Some(false)) {
            return Some(false);
        }
        facts.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
    }

    /// Returns `true` if it is certain that a schema has no value of a piece.
    pub(super) fn is_beside(&mut self, piece: &Piece<'a>, sort: Sort, node: &Node<'a>) -> bool {
        let all = All::one(node.clone());
        let normal = self.reader.read(&all);
        let mut others = normal
            .pieces
            .iter()
            .filter(|other| other.sorts.contains(sort));
        if !normal.is_cut && others.all(|other| self.are_apart(piece, sort, other)) {
            return true;
        }
        // It was ruled out there as well.
        piece.excluded.iter().any(|excluded| {
            excluded.id() == node.id()
                || self
                    .within(&all, &All::one(excluded.clone()), Sight::Plain, true)
                    .is_yes()
        })
    }

    /// Returns `true` if it is certain that two pieces have no value of a kind in common.
    fn are_apart(&mut self, left: &Piece<'a>, sort: Sort, right: &Piece<'a>) -> bool {
        for (listed, other) in [(left, right), (right, left)] {
            if let Some(values) = &listed.values {
                let mut values = values.iter().filter(|value| Sort::of(value) == Some(sort));
                if values.all(|value| self.piece_has(other, value, listed) == Some(false)) {
                    return true;
                }
            }
        }
        match sort {
            Sort::Boolean => false,
            Sort::Whole | Sort::Fraction => left.numbers.apart(&right.numbers),
            Sort::Text => left.length.apart(right.length),
            Sort::List => left.count.apart(right.count),
            Sort::Object => {
                let required = left.required.union(&right.required);
                let mut both =
                    required.filter_map(|name| Some((left.field(name)?, right.field(name)?)));
                left.size.apart(right.size)
                    || both.any(|(left, right)| self.alls_apart(left, right))
            }
        }
    }

    /// Returns `true` if it is certain that two schemas have no value in common.
    fn alls_apart(&mut self, left: &All<'a>, right: &All<'a>) -> bool {
        let key = (left.key(), right.key());
        if let Some(known) = self.apart.get(&key) {
            return *known;
        }
        // Nothing is certain of what leads back here.
        self.apart.insert(key.clone(), false);
        let (left, right) = (self.reader.read(left), self.reader.read(right));
        let null = left.null.loose && right.null.loose || left.null.strict && right.null.strict;
        let apart = !null
            && !left.is_cut
            && !right.is_cut
            && left.pieces.iter().all(|left| {
                right.pieces.iter().all(|right| {
                    let mut sorts = (left.sorts & right.sorts).iter();
                    sorts.all(|sort| self.are_apart(left, sort, right))
                })
            });
        self.apart.insert(key, apart);
        apart
    }
}
