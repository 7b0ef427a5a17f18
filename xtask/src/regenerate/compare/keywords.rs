//! Tells how the limits of two schemas differ, keyword by keyword: lists of values, formats,
//! bounds, patterns, defaults.

use std::collections::BTreeSet;

use serde_json::Value;

use super::answer::Reason;
use super::change::Kind;
use super::changes::Sides;
use super::discriminator;
use super::node::Node;
use super::piece::{Piece, Sort};
use super::schemas::{Known, Schemas};
use super::shift::Shift;
use super::values::Listed;
use crate::document::number::Exact;
use crate::document::pointer::at;

/// Keywords that are compared elsewhere, or that mean nothing to a client.
const ELSEWHERE: [&str; 21] = [
    "additionalProperties",
    "allOf",
    "anyOf",
    "description",
    "discriminator",
    "enum",
    "example",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "items",
    "nullable",
    "oneOf",
    "properties",
    "readOnly",
    "required",
    "title",
    "type",
    "writeOnly",
    "xml",
    "$ref",
];

/// Keywords that only tell people or generators something.
const REMARKS: [(&str, Kind); 2] = [
    ("default", Kind::DefaultChanged),
    ("deprecated", Kind::Deprecated),
];

pub(super) fn compare<'a>(
    walk: &mut Schemas<'a, '_>,
    old: &Piece<'a>,
    new: &Piece<'a>,
    known: Known,
) {
    enumeration(walk, old, new, known);
    let mut keywords: BTreeSet<&str> = BTreeSet::new();
    for part in old.parts.iter().chain(&new.parts) {
        let entries = part.value.as_object().into_iter().flatten();
        keywords.extend(entries.map(|(keyword, _)| keyword.as_str()));
    }
    for (exclusive, inclusive) in [
        ("exclusiveMaximum", "maximum"),
        ("exclusiveMinimum", "minimum"),
    ] {
        if keywords.contains(exclusive) {
            keywords.insert(inclusive);
        }
    }
    for keyword in keywords {
        if ELSEWHERE.contains(&keyword) || keyword.starts_with("x-") {
            continue;
        }
        let (before, after) = (said(old, keyword, new), said(new, keyword, old));
        let sides = sides(keyword, (old, before), (new, after));
        let (before, after) = (
            before.map(|(_, value)| value),
            after.map(|(_, value)| value),
        );
        let message = format!("`{keyword}` {}", step(before, after));
        if let Some((_, kind)) = REMARKS.iter().find(|(remark, _)| *remark == keyword) {
            if before != after {
                walk.remark(*kind, sides, message);
            }
            continue;
        }
        if keyword == "format" {
            format(walk, old, new, sides, known);
            continue;
        }
        let (shift, reason) = shift(keyword, old, new, (before, after));
        let message = match keyword {
            "maximum" | "minimum" if before == after => {
                format!("whether `{keyword}` itself is allowed has changed")
            }
            _ => message,
        };
        let kind = Kind::ConstraintChanged;
        walk.tell_with(
            known,
            kind,
            shift,
            sides,
            message,
            reason.map(Reason::words),
        );
    }
    discriminator::compare(walk, old, new);
}

/// Returns what a schema says under a keyword; of several values, one that the other doesn't say.
fn said<'p, 'a>(
    piece: &'p Piece<'a>,
    keyword: &str,
    other: &Piece<'a>,
) -> Option<(&'p Node<'a>, &'a Value)> {
    let said = piece.said(keyword);
    let others = other.said(keyword);
    let own = said
        .iter()
        .find(|(_, value)| !others.iter().any(|(_, other)| other == value));
    own.or(said.first()).copied()
}

type Said<'p, 'a> = (&'p Piece<'a>, Option<(&'p Node<'a>, &'a Value)>);

/// Returns the places of a keyword, or those of the schemas that don't say it.
fn sides(keyword: &str, old: Said<'_, '_>, new: Said<'_, '_>) -> Sides {
    let place = |(piece, said): Said<'_, '_>| match said {
        Some((node, _)) => at(&node.pointer, keyword),
        None => piece.pointer().to_owned(),
    };
    let value = |(_, said): Said<'_, '_>| said.map(|(_, value)| value.clone());
    Sides::both(&place(old), &place(new)).with(value(old), value(new))
}

/// Describes how a value changed.
fn step(before: Option<&Value>, after: Option<&Value>) -> String {
    match (before, after) {
        (None, Some(after)) => format!("is now {after}"),
        (Some(before), None) => format!("is no longer {before}"),
        (Some(before), Some(after)) => format!("was {before} and is now {after}"),
        (None, None) => "is as it was".to_owned(),
    }
}

/// Returns how a keyword shifts the allowed values, and why if that could not be decided.
fn shift(
    keyword: &str,
    old: &Piece<'_>,
    new: &Piece<'_>,
    (before, after): (Option<&Value>, Option<&Value>),
) -> (Shift, Option<Reason>) {
    let by_limits = |old: u64, new: u64| Shift::between(new < old, new > old);
    let shift = match keyword {
        "maxLength" => by_limits(old.length.high, new.length.high),
        "minLength" => by_limits(new.length.low, old.length.low),
        "maxItems" => by_limits(old.count.high, new.count.high),
        "minItems" => by_limits(new.count.low, old.count.low),
        "maxProperties" => by_limits(old.size.high, new.size.high),
        "minProperties" => by_limits(new.size.low, old.size.low),
        "maximum" | "minimum" => {
            let (old, new) = match keyword {
                "maximum" => (old.numbers.only_high(), new.numbers.only_high()),
                _ => (old.numbers.only_low(), new.numbers.only_low()),
            };
            Shift::between(!old.bounds_within(&new), !new.bounds_within(&old))
        }
        "multipleOf" => {
            let within = |own: &Piece<'_>, other: &Piece<'_>| {
                let known = |unit: &&Exact| {
                    own.numbers
                        .multiples
                        .iter()
                        .any(|own| own.is_multiple_of(**unit) == Some(true))
                };
                other.numbers.multiples.iter().all(|unit| known(&unit))
            };
            let shift = Shift::between(!within(old, new), !within(new, old));
            return (shift, (shift == Shift::Others).then_some(Reason::Multiples));
        }
        "pattern" => {
            let (before, after) = (&old.forms.patterns, &new.forms.patterns);
            let shift = Shift::between(!after.is_subset(before), !before.is_subset(after));
            return (shift, (shift == Shift::Others).then_some(Reason::Patterns));
        }
        "uniqueItems" => Shift::between(new.unique && !old.unique, old.unique && !new.unique),
        _ => {
            let shift = match (before, after) {
                _ if before == after => Shift::None,
                (None, Some(_)) => Shift::Fewer,
                (Some(_), None) => Shift::More,
                _ => Shift::Others,
            };
            return (shift, (shift == Shift::Others).then_some(Reason::Not));
        }
    };
    (shift, None)
}

fn enumeration<'a>(walk: &mut Schemas<'a, '_>, old: &Piece<'a>, new: &Piece<'a>, known: Known) {
    let sides = |before: Option<Value>, after: Option<Value>| {
        let lists = (said(old, "enum", new), said(new, "enum", old));
        sides("enum", (old, lists.0), (new, lists.1)).with(before, after)
    };
    let listed = |values: &Listed<'_>| Some(values.iter().cloned().collect());
    match (&old.values, &new.values) {
        (None, None) => {}
        (None, Some(after)) => {
            let message = format!("the value is now one of {}", list(after.iter()));
            let sides = sides(None, listed(after));
            walk.tell(known, Kind::EnumNarrowed, Shift::Fewer, sides, message);
        }
        (Some(before), None) => {
            let message = format!("the value may be another than {}", list(before.iter()));
            let sides = sides(listed(before), None);
            walk.tell(known, Kind::EnumWidened, Shift::More, sides, message);
        }
        (Some(before), Some(after)) => {
            let (gone, come) = (before.without(after), after.without(before));
            let sides = sides(listed(before), listed(after));
            if !gone.is_empty() {
                let message = format!("{} is no longer a value", list(gone));
                walk.tell(
                    known,
                    Kind::EnumNarrowed,
                    Shift::Fewer,
                    sides.clone(),
                    message,
                );
            }
            if !come.is_empty() {
                let message = format!("{} is a value now", list(come));
                walk.tell(known, Kind::EnumWidened, Shift::More, sides, message);
            }
        }
    }
}

fn list<'v>(values: impl IntoIterator<Item = &'v Value>) -> String {
    let values: Vec<_> = values.into_iter().map(ToString::to_string).collect();
    values.join(", ")
}

fn format<'a>(
    walk: &mut Schemas<'a, '_>,
    old: &Piece<'a>,
    new: &Piece<'a>,
    sides: Sides,
    known: Known,
) {
    let written = |piece: &Piece<'_>| {
        let said: BTreeSet<_> = piece
            .said("format")
            .into_iter()
            .filter_map(|(_, it)| it.as_str())
            .collect();
        match said.is_empty() {
            true => "none".to_owned(),
            false => said
                .iter()
                .map(|format| format!("`{format}`"))
                .collect::<Vec<_>>()
                .join(" and "),
        }
    };
    let (before, after) = (written(old), written(new));
    if before == after {
        return;
    }
    let message = format!("the format was {before} and is now {after}");
    let within = |own: &Piece<'_>, other: &Piece<'_>| {
        let ((first, last), (least, most)) = (own.numbers.width(), other.numbers.width());
        let texts = own.sorts.contains(Sort::Text) && !own.forms.texts_within(&other.forms);
        !texts && own.forms.numbers_within(&other.forms) && least <= first && last <= most
    };
    match Shift::between(!within(old, new), !within(new, old)) {
        // Only what is shown or generated differs.
        Shift::None => walk.remark(Kind::FormatChanged, sides, message),
        // The bounds may be tighter than either format.
        shift => walk.tell_anyway(known, Kind::FormatChanged, shift, sides, message),
    }
}
