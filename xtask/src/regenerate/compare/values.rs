//! Constraints on single values: lists of them, formats, bounds, patterns, defaults. Each change
//! allows more values, or fewer, or others.

use serde_json::Value;

use super::change::{Class, Kind};
use super::flow::Flow;
use super::view::View;
use crate::document::pointer::at;

/// Formats that affect how a value is displayed or entered, not what it is.
const SHOWN: [&str; 1] = ["password"];

/// The widths of whole numbers, from narrow to wide; without one it is 64 bits in Rust.
const WIDTHS: [&str; 2] = ["int32", "int64"];

/// Limits that allow fewer values the greater they are.
const LOWER: [&str; 3] = ["minItems", "minLength", "minProperties"];

/// Limits that allow fewer values the smaller they are.
const UPPER: [&str; 3] = ["maxItems", "maxLength", "maxProperties"];

/// Limits that exist or not; two different ones can't be compared.
const LIMITS: [&str; 5] = [
    "discriminator",
    "multipleOf",
    "not",
    "pattern",
    "uniqueItems",
];

/// Keywords that are compared here or elsewhere.
const OTHERS: [&str; 11] = [
    "additionalProperties",
    "default",
    "deprecated",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maximum",
    "minimum",
    "type",
];

/// How the set of allowed values changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shift {
    None,
    Fewer,
    More,
    Others,
}

pub(super) fn compare(flow: &mut Flow<'_>, old: &View<'_>, new: &View<'_>) {
    enumeration(flow, old, new);
    format(flow, old, new);
    bounds(flow, old, new);
    for keyword in ["default", "deprecated"] {
        let (before, after) = (old.keywords.get(keyword), new.keywords.get(keyword));
        if before != after {
            let kind = if keyword == "default" {
                Kind::DefaultChanged
            } else {
                Kind::Deprecated
            };
            let message = format!("`{keyword}` {}", step(before, after));
            flow.compatible(kind, &at(&new.pointer, keyword), message);
        }
    }
    let mut rest: Vec<_> = old
        .keywords
        .keys()
        .chain(new.keywords.keys())
        .copied()
        .collect();
    rest.sort_unstable();
    rest.dedup();
    for keyword in rest {
        let compared = [&LOWER[..], &UPPER[..], &OTHERS[..]].concat();
        let (before, after) = (old.keywords.get(keyword), new.keywords.get(keyword));
        if compared.contains(&keyword) || before == after {
            continue;
        }
        let shift = match (before, after) {
            (None, Some(_)) if LIMITS.contains(&keyword) => Shift::Fewer,
            (Some(_), None) if LIMITS.contains(&keyword) => Shift::More,
            _ => Shift::Others,
        };
        tell(
            flow,
            shift,
            &at(&new.pointer, keyword),
            limit(keyword, before, after),
        );
    }
}

/// Describes how a value changed.
fn step(before: Option<&&Value>, after: Option<&&Value>) -> String {
    match (before, after) {
        (None, Some(after)) => format!("is now {after}"),
        (Some(before), None) => format!("is no longer {before}"),
        (Some(before), Some(after)) => format!("was {before} and is now {after}"),
        (None, None) => "is as it was".to_owned(),
    }
}

fn limit(keyword: &str, before: Option<&&Value>, after: Option<&&Value>) -> String {
    format!("`{keyword}` {}", step(before, after))
}

fn tell(flow: &mut Flow<'_>, shift: Shift, pointer: &str, message: String) {
    let kind = Kind::ConstraintChanged;
    match shift {
        Shift::None => {}
        Shift::Fewer => flow.narrower(kind, pointer, message),
        Shift::More => flow.wider(kind, pointer, message),
        Shift::Others => flow.breaking(kind, pointer, message),
    }
}

fn enumeration(flow: &mut Flow<'_>, old: &View<'_>, new: &View<'_>) {
    let values = |view: &View<'_>| -> Option<Vec<Value>> {
        let values = view.keywords.get("enum")?.as_array()?;
        // Null is reported on its own.
        Some(
            values
                .iter()
                .filter(|value| !value.is_null())
                .cloned()
                .collect(),
        )
    };
    let pointer = at(&new.pointer, "enum");
    match (values(old), values(new)) {
        (None, None) => {}
        (None, Some(after)) => {
            let message = format!("the value is now one of {}", list(&after));
            flow.narrower(Kind::EnumNarrowed, &pointer, message);
        }
        (Some(before), None) => {
            let message = format!("the value may be another than {}", list(&before));
            flow.wider(Kind::EnumWidened, &pointer, message);
        }
        (Some(before), Some(after)) => {
            let only = |these: &[Value], those: &[Value]| -> Vec<Value> {
                these
                    .iter()
                    .filter(|value| !those.contains(value))
                    .cloned()
                    .collect()
            };
            let (gone, come) = (only(&before, &after), only(&after, &before));
            if !gone.is_empty() {
                let message = format!("{} is no longer a value", list(&gone));
                flow.narrower(Kind::EnumNarrowed, &pointer, message);
            }
            if !come.is_empty() {
                let message = format!("{} is a value now", list(&come));
                flow.wider(Kind::EnumWidened, &pointer, message);
            }
        }
    }
}

fn list(values: &[Value]) -> String {
    values
        .iter()
        .map(Value::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn format(flow: &mut Flow<'_>, old: &View<'_>, new: &View<'_>) {
    let (before, after) = (said_format(old), said_format(new));
    if before == after {
        return;
    }
    let words =
        |format: Option<&str>| format.map_or("none".to_owned(), |format| format!("`{format}`"));
    let message = format!(
        "the format was {} and is now {}",
        words(before),
        words(after)
    );
    let pointer = at(&new.pointer, "format");
    let shown = |format: Option<&str>| format.is_none_or(|format| SHOWN.contains(&format));
    let whole = new.kind() == Some("integer");
    let width = |format: Option<&str>| match format {
        None if whole => WIDTHS.len().checked_sub(1),
        None => None,
        Some(format) => WIDTHS.iter().position(|width| *width == format),
    };
    let class = match (width(before), width(after)) {
        (Some(before), Some(after)) if before < after => flow.direction.wider(),
        (Some(before), Some(after)) if before > after => flow.direction.narrower(),
        (Some(_), Some(_)) => Class::Compatible,
        _ => match (shown(before), shown(after)) {
            (true, true) => Class::Compatible,
            (true, false) => flow.direction.narrower(),
            (false, true) => flow.direction.wider(),
            (false, false) => Class::Breaking,
        },
    };
    flow.add(Kind::FormatChanged, class, &pointer, message);
}

fn said_format<'a>(view: &View<'a>) -> Option<&'a str> {
    view.keywords.get("format").copied()?.as_str()
}

fn bounds(flow: &mut Flow<'_>, old: &View<'_>, new: &View<'_>) {
    for (keyword, exclusive, sign) in [
        ("minimum", "exclusiveMinimum", 1.0),
        ("maximum", "exclusiveMaximum", -1.0),
    ] {
        let bound = |view: &View<'_>| {
            let limit = view
                .keywords
                .get(keyword)
                .and_then(|limit| limit.as_f64())?;
            let strict = view
                .keywords
                .get(exclusive)
                .is_some_and(|strict| **strict == Value::Bool(true));
            // The greater, the fewer values.
            Some((limit * sign, strict))
        };
        let shift = compared(bound(old), bound(new));
        let (before, after) = (old.keywords.get(keyword), new.keywords.get(keyword));
        let message = if before == after {
            format!("whether `{keyword}` itself is allowed has changed")
        } else {
            limit(keyword, before, after)
        };
        tell(flow, shift, &at(&new.pointer, keyword), message);
    }
    for (keywords, sign) in [(LOWER, 1.0), (UPPER, -1.0)] {
        for keyword in keywords {
            let (before, after) = (old.keywords.get(keyword), new.keywords.get(keyword));
            let bound = |limit: Option<&&Value>| Some((limit?.as_f64()? * sign, false));
            let none = |bound: Option<(f64, bool)>| bound.filter(|(limit, _)| *limit != 0.0);
            let shift = compared(none(bound(before)), none(bound(after)));
            tell(
                flow,
                shift,
                &at(&new.pointer, keyword),
                limit(keyword, before, after),
            );
        }
    }
}

/// Compares two lower bounds.
fn compared(old: Option<(f64, bool)>, new: Option<(f64, bool)>) -> Shift {
    match (old, new) {
        (None, None) => Shift::None,
        (None, Some(_)) => Shift::Fewer,
        (Some(_), None) => Shift::More,
        (Some(old), Some(new)) if old == new => Shift::None,
        (Some(old), Some(new)) if new > old => Shift::Fewer,
        (Some(_), Some(_)) => Shift::More,
    }
}
