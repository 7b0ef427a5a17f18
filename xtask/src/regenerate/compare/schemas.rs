//! Compares two schemas: the judge decides what a change means, and this walks both to tell the
//! differences in the document's own words.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

use super::answer::Answer;
use super::change::{Class, Direction, Kind};
use super::changes::{Changes, Sides};
use super::judge::{DEPTH_LIMIT, Judge, Sight};
use super::node::{All, Key};
use super::normal::Normal;
use super::pairs::{Paired, pair_off};
use super::piece::Piece;
use super::shift::Shift;

/// What is known already where a difference is found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    /// The client works with all values here or further out, so no difference breaks it.
    pub(super) is_safe: bool,
    /// The values here or further out are the same, so that only words can differ.
    pub(super) is_same: bool,
}

/// A walk through two schemas.
pub(super) struct Schemas<'a, 'c> {
    pub(super) judge: &'c mut Judge<'a>,
    changes: &'c mut Changes,
    visited: BTreeSet<(Key, Key, bool)>,
    depth: usize,
    /// How many differences were found, and how many of them break the client.
    told: usize,
    broken: usize,
}

/// Compares two schemas in the direction of a judge, and adds what changed.
pub(super) fn compare<'a>(
    judge: &mut Judge<'a>,
    changes: &mut Changes,
    old: &All<'a>,
    new: &All<'a>,
) {
    let outer = changes.direction.replace(judge.direction);
    let mut walk = Schemas {
        judge,
        changes,
        visited: BTreeSet::new(),
        depth: 0,
        told: 0,
        broken: 0,
    };
    walk.whole(old, new);
    changes.direction = outer;
}

impl<'a> Schemas<'a, '_> {
    pub(super) fn direction(&self) -> Direction {
        self.judge.direction
    }

    /// Adds a difference of values.
    pub(super) fn tell(
        &mut self,
        known: Known,
        kind: Kind,
        shift: Shift,
        sides: Sides,
        message: impl Into<String>,
    ) {
        self.tell_with(known, kind, shift, sides, message, None);
    }

    /// As `tell`, with the reason why it could not be decided.
    pub(super) fn tell_with(
        &mut self,
        known: Known,
        kind: Kind,
        shift: Shift,
        sides: Sides,
        message: impl Into<String>,
        reason: Option<&str>,
    ) {
        if shift == Shift::None || known.is_same {
            return;
        }
        let class = match known.is_safe {
            true => Class::Compatible,
            false => shift.class(self.direction()),
        };
        self.told += 1;
        self.broken += usize::from(class == Class::Breaking);
        let notes = reason.filter(|_| class == Class::Breaking).map(undecided);
        let notes = notes.into_iter().collect();
        self.changes
            .add_with_notes(kind, class, sides, message, notes);
    }

    /// As `tell`, even if the values are the same: the generated types are others.
    pub(super) fn tell_anyway(
        &mut self,
        known: Known,
        kind: Kind,
        shift: Shift,
        sides: Sides,
        message: impl Into<String>,
    ) {
        if known.is_same {
            self.remark(kind, sides, message);
        } else {
            self.tell(known, kind, shift, sides, message);
        }
    }

    /// Adds a difference that breaks the client though the values are the same.
    pub(super) fn insist(&mut self, kind: Kind, sides: Sides, message: String) {
        self.tell(Known::default(), kind, Shift::Others, sides, message);
    }

    /// Adds a difference that no value shows.
    pub(super) fn remark(&mut self, kind: Kind, sides: Sides, message: impl Into<String>) {
        self.changes.compatible(kind, sides, message);
    }

    /// Compares two whole schemas. Whatever the walk finds, the judge's answer is kept.
    fn whole(&mut self, old: &All<'a>, new: &All<'a>) {
        self.compare(old, new, false, Known::default());
        let forward = self.forward(old, new, false);
        let sides = Sides::both(old.pointer(), new.pointer());
        match forward {
            Answer::Yes if self.told == 0 && !self.backward(old, new, false).is_yes() => {
                let message = match self.direction() {
                    Direction::Request => "more values are taken",
                    Direction::Reply => "fewer values are sent",
                };
                self.remark(Kind::SchemaChanged, sides, message);
            }
            Answer::No if self.broken == 0 => {
                let message = match self.direction() {
                    Direction::Request => "some values are no longer taken",
                    Direction::Reply => "other values may be sent",
                };
                self.tell(
                    Known::default(),
                    Kind::SchemaChanged,
                    Shift::Others,
                    sides,
                    message,
                );
            }
            Answer::Unknown(reason) if self.broken == 0 => {
                let message = format!("the change could not be decided: {}", reason.words());
                let (known, kind) = (Known::default(), Kind::SchemaChanged);
                self.tell_with(
                    known,
                    kind,
                    Shift::Others,
                    sides,
                    message,
                    Some(reason.words()),
                );
            }
            _ => {}
        }
    }

    pub(super) fn forward(&mut self, old: &All<'a>, new: &All<'a>, without_null: bool) -> Answer {
        match self.direction() {
            Direction::Request => self.judge.within(old, new, Sight::Forward, without_null),
            Direction::Reply => self.judge.within(new, old, Sight::Forward, without_null),
        }
    }

    fn backward(&mut self, old: &All<'a>, new: &All<'a>, without_null: bool) -> Answer {
        match self.direction() {
            Direction::Request => self.judge.within(new, old, Sight::Backward, without_null),
            Direction::Reply => self.judge.within(old, new, Sight::Backward, without_null),
        }
    }

    /// Compares two schemas of a value that, in the old document, may be missing.
    pub(super) fn compare(
        &mut self,
        old: &All<'a>,
        new: &All<'a>,
        may_be_missing: bool,
        known: Known,
    ) {
        if !self.visited.insert((old.key(), new.key(), may_be_missing)) {
            return;
        }
        if self.depth > DEPTH_LIMIT {
            // The judge does not look so deep either, and says so.
            return;
        }
        self.depth += 1;
        let forward = self.forward(old, new, may_be_missing).is_yes();
        let backward = forward && self.backward(old, new, may_be_missing).is_yes();
        let known = Known {
            is_safe: known.is_safe || forward,
            is_same: known.is_same || backward,
        };
        let (before, after) = (self.judge.reader.read(old), self.judge.reader.read(new));
        if has_a_type_of_its_own(&before) || has_a_type_of_its_own(&after) {
            self.name(old, new);
        }
        self.null((old, &before), (new, &after), may_be_missing, known);
        if before.has_alternatives || after.has_alternatives {
            self.alternatives((old, &before), (new, &after), known);
        } else {
            self.pieces(&before.base, &after.base, known);
        }
        self.depth -= 1;
    }

    /// A schema's name is not on the wire, but it names a type in Rust.
    fn name(&mut self, old: &All<'a>, new: &All<'a>) {
        let name = |all: &All<'a>| match all.nodes.as_slice() {
            [only] => only.wrapped_name(),
            _ => None,
        };
        let (before, after) = (name(old), name(new));
        let message = match (&before, &after) {
            _ if before == after => return,
            (Some(before), Some(after)) => format!("the schema {before} is now {after}"),
            (Some(before), None) => format!("the schema {before} is written out in this place"),
            (None, Some(after)) => format!("the schema is now called {after}"),
            (None, None) => return,
        };
        let value = |name: Option<Rc<str>>| name.map(|name| Value::from(&*name));
        let sides = Sides::both(old.pointer(), new.pointer()).with(value(before), value(after));
        self.remark(Kind::SchemaRenamed, sides, message);
    }

    fn null(
        &mut self,
        (old, before): (&All<'a>, &Normal<'a>),
        (new, after): (&All<'a>, &Normal<'a>),
        may_be_missing: bool,
        known: Known,
    ) {
        let (before, after) = (before.null, after.null);
        let shift = Shift::between(!before.within(after), !after.within(before));
        let sides = Sides::both(old.pointer(), new.pointer());
        match shift {
            Shift::None => {}
            // The client reads null as missing.
            Shift::More if may_be_missing => {
                let message = "the value may be null instead of missing";
                self.remark(Kind::NullAdded, sides, message);
            }
            Shift::More | Shift::Others => {
                self.tell(
                    known,
                    Kind::NullAdded,
                    shift,
                    sides,
                    "the value may be null",
                );
            }
            Shift::Fewer => {
                self.tell(
                    known,
                    Kind::NullRemoved,
                    shift,
                    sides,
                    "the value is no longer null",
                );
            }
        }
    }

    /// Compares two schemas, at least one of which has alternatives. A schema without any is its
    /// own only alternative.
    fn alternatives(
        &mut self,
        (old, before): (&All<'a>, &Rc<Normal<'a>>),
        (new, after): (&All<'a>, &Rc<Normal<'a>>),
        known: Known,
    ) {
        let Paired { pairs, gone, come } =
            pair_off(&before.pieces, &after.pieces, &mut |old, new| {
                self.are_alike(old, new)
            });
        for (old, new) in pairs {
            self.pieces(old, new, known);
        }
        let is_request = self.direction() == Direction::Request;
        let gone = gone.into_iter().map(|piece| (piece, Shift::Fewer));
        let come = come.into_iter().map(|piece| (piece, Shift::More));
        for (piece, shift) in gone.chain(come) {
            let is_gone = shift == Shift::Fewer;
            let others = if is_gone { after } else { before };
            // A request may lose an alternative, and a reply gain one, whose values another one allows.
            let is_covered = is_request == is_gone
                && self
                    .judge
                    .piece_within(piece, others, Sight::Forward)
                    .is_yes();
            let known = Known {
                is_safe: known.is_safe || is_covered,
                ..known
            };
            let own = own_pointer(piece);
            let (kind, sides, message) = if is_gone {
                let sides = Sides::both(own, new.pointer());
                (Kind::VariantRemoved, sides, "an alternative is gone")
            } else {
                let sides = Sides::both(old.pointer(), own);
                (Kind::VariantAdded, sides, "an alternative is new")
            };
            self.tell_anyway(known, kind, shift, sides, message);
        }
    }

    /// Returns `true` if two alternatives allow the same values.
    fn are_alike(&mut self, old: &Piece<'a>, new: &Piece<'a>) -> bool {
        let (sub, sup) = match self.direction() {
            Direction::Request => (old, new),
            Direction::Reply => (new, old),
        };
        let (whole_sub, whole_sup) = (whole(sub), whole(sup));
        sub.sorts == sup.sorts
            && self
                .judge
                .piece_within(sub, &whole_sup, Sight::Forward)
                .is_yes()
            && self
                .judge
                .piece_within(sup, &whole_sub, Sight::Backward)
                .is_yes()
    }
}

/// Returns an alternative as a schema of its own.
fn whole<'a>(piece: &Piece<'a>) -> Rc<Normal<'a>> {
    Rc::new(Normal {
        pieces: vec![piece.clone()],
        ..Normal::default()
    })
}

/// Returns the pointer of what an alternative says itself.
fn own_pointer<'p>(piece: &'p Piece<'_>) -> &'p str {
    piece.own.as_deref().unwrap_or_else(|| piece.pointer())
}

/// Returns `true` if the generator makes a named type of it.
fn has_a_type_of_its_own(normal: &Normal<'_>) -> bool {
    let base = &normal.base;
    normal.has_alternatives || !base.fields.is_empty() || base.values.is_some()
}

fn undecided(reason: &str) -> String {
    format!("could not be decided: {reason}")
}
