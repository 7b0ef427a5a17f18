//! Tells how two schemas without alternatives differ: in their type, their fields and their items.
//! `keywords` tells how their limits do.

use std::collections::BTreeSet;

use serde_json::Value;

use super::change::{Direction, Kind};
use super::changes::Sides;
use super::keywords;
use super::node::All;
use super::piece::{Piece, Sort};
use super::schemas::{Known, Schemas};
use super::shift::Shift;
use crate::document::pointer::at;

impl<'a> Schemas<'a, '_> {
    pub(super) fn pieces(&mut self, old: &Piece<'a>, new: &Piece<'a>, known: Known) {
        if !self.types(old, new, known) {
            return;
        }
        keywords::compare(self, old, new, known);
        self.items(old, new, known);
        self.fields(old, new, known);
        self.rest(old, new, known);
    }

    /// Compares the types, and returns `true` if the rest can be compared.
    fn types(&mut self, old: &Piece<'a>, new: &Piece<'a>, known: Known) -> bool {
        let (gone, come) = (old.typed - new.typed, new.typed - old.typed);
        let shift = Shift::between(!gone.is_empty(), !come.is_empty());
        if shift == Shift::None {
            return true;
        }
        let (before, after) = (type_of(old), type_of(new));
        let words = |kind: Option<&str>| kind.unwrap_or("anything").to_owned();
        let message = format!("{} is now {}", words(before), words(after));
        let sides = Sides::both(old.pointer(), new.pointer());
        let sides = sides.with(before.map(Value::from), after.map(Value::from));
        self.tell(known, Kind::TypeChanged, shift, sides, message);
        (gone | come) == Sort::Fraction
    }

    fn items(&mut self, old: &Piece<'a>, new: &Piece<'a>, known: Known) {
        let place = |piece: &Piece<'_>| at(piece.pointer(), "items");
        let shift = match (old.items.nodes.is_empty(), new.items.nodes.is_empty()) {
            (false, false) => return self.compare(&old.items, &new.items, false, known),
            (true, true) => return,
            (true, false) => Shift::Fewer,
            (false, true) => Shift::More,
        };
        let sides = Sides::both(&place(old), &place(new));
        self.tell(
            known,
            Kind::TypeChanged,
            shift,
            sides,
            "the items of a list are others",
        );
    }

    fn fields(&mut self, old: &Piece<'a>, new: &Piece<'a>, known: Known) {
        let request = self.direction() == Direction::Request;
        for (name, before) in &old.fields {
            let Some(after) = new.fields.get(name) else {
                // A client that reads an optional field loses it as well.
                let message = match (new.hidden.contains(name), request) {
                    (true, true) => format!("the field `{name}` is read-only now"),
                    (true, false) => format!("the field `{name}` is write-only now"),
                    (false, _) => format!("the field `{name}` is gone"),
                };
                let sides = Sides {
                    new: Sides::new(new.pointer()).new,
                    ..Sides::old(before.pointer())
                };
                self.tell(known, Kind::FieldRemoved, Shift::Others, sides, message);
                continue;
            };
            let sides = Sides::both(before.pointer(), after.pointer());
            self.required(name, old, new, sides, known);
            self.compare(before, after, !old.required.contains(name), known);
        }
        for (name, after) in &new.fields {
            if old.fields.contains_key(name) {
                continue;
            }
            let must = new.required.contains(name);
            let (shift, message) = match self.direction() {
                Direction::Request if must => (Shift::Fewer, "must be sent"),
                Direction::Request => (Shift::More, "can be sent"),
                // The generated type refuses what it doesn't know.
                Direction::Reply if old.is_closed() => (Shift::More, "is new, and was ruled out"),
                Direction::Reply => (Shift::Fewer, "is new"),
            };
            let sides = Sides {
                old: Sides::old(old.pointer()).old,
                ..Sides::new(after.pointer())
            };
            let message = format!("the field `{name}` {message}");
            self.tell_anyway(known, Kind::FieldAdded, shift, sides, message);
        }
        // A required name may have no property.
        let both: BTreeSet<_> = old.required.symmetric_difference(&new.required).collect();
        for name in both {
            if !old.fields.contains_key(name) && !new.fields.contains_key(name) {
                let sides = Sides::both(old.pointer(), new.pointer());
                self.required(name, old, new, sides, known);
            }
        }
    }

    fn required(
        &mut self,
        name: &str,
        old: &Piece<'a>,
        new: &Piece<'a>,
        sides: Sides,
        known: Known,
    ) {
        match (old.required.contains(name), new.required.contains(name)) {
            (false, true) => {
                let message = format!("the field `{name}` must be there");
                self.tell(known, Kind::FieldRequired, Shift::Fewer, sides, message);
            }
            (true, false) => {
                let message = format!("the field `{name}` may be left out");
                self.tell(known, Kind::FieldOptional, Shift::More, sides, message);
            }
            _ => {}
        }
    }

    /// Compares what objects hold beside the fields that are named.
    fn rest(&mut self, old: &Piece<'a>, new: &Piece<'a>, known: Known) {
        let place = |piece: &Piece<'_>| at(piece.pointer(), "additionalProperties");
        let sides = Sides::both(&place(old), &place(new));
        let kind = Kind::AdditionalPropertiesChanged;
        match (&old.rest, &new.rest) {
            (None, None) => {}
            (Some(before), Some(after)) if before.is_nothing() == after.is_nothing() => {
                if !before.is_nothing() {
                    self.compare(before, after, false, known);
                }
            }
            (Some(before), after) if before.is_nothing() || after.is_none() => {
                self.tell_anyway(known, kind, Shift::More, sides, "other fields may be there");
            }
            (_, after) => {
                let message = match after.as_ref().is_some_and(All::is_nothing) {
                    true => "no other field may be there",
                    false => "other fields are limited",
                };
                self.tell_anyway(known, kind, Shift::Fewer, sides, message);
            }
        }
    }
}

/// Returns the type that is written.
fn type_of<'a>(piece: &Piece<'a>) -> Option<&'a str> {
    let said = piece
        .said("type")
        .into_iter()
        .filter_map(|(_, named)| named.as_str());
    // Of two, a whole number is the narrower.
    said.min()
}
