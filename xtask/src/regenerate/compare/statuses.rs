//! Compares the responses by their status codes. A range such as `2XX` stands for each of its
//! codes that has no response of its own, and `default` for each error without one.

use serde_json::Value;

use super::bodies;
use super::change::{Direction, Kind};
use super::changes::Sides;
use super::comparer::Comparer;
use crate::document::parts::{Operation, entries};
use crate::document::pointer::at;

/// The code of the response for everything that has none.
const DEFAULT: &str = "default";

/// A response and the status code that it is for.
struct Status<'a> {
    code: &'a str,
    value: &'a Value,
    pointer: String,
}

impl Status<'_> {
    fn is_success(&self) -> bool {
        self.code.starts_with('2')
    }

    /// Returns `true` if it stands for several codes, and a code or a range is among them.
    fn covers(&self, code: &str) -> bool {
        match self.code.strip_suffix("XX") {
            Some(hundreds) => code.starts_with(hundreds) && code != self.code,
            // The generated client takes it for the errors alone.
            None => self.code == DEFAULT && code.starts_with(['4', '5']),
        }
    }
}

/// Returns the response that a code has: its own, or that of what covers it.
fn response_of<'s, 'a>(statuses: &'s [Status<'a>], code: &str) -> Option<&'s Status<'a>> {
    let own = statuses.iter().find(|status| status.code == code);
    // A range comes before the default in the order of the list, and is the closer one.
    own.or_else(|| statuses.iter().find(|status| status.covers(code)))
}

pub(super) fn compare<'a>(comparer: &mut Comparer<'a>, old: &Operation<'a>, new: &Operation<'a>) {
    let outer = comparer.changes.direction.replace(Direction::Reply);
    let (before, after) = (list(old), list(new));
    for old in &before {
        if let Some(new) = response_of(&after, old.code) {
            bodies::response(
                comparer,
                old.code,
                (old.value, &old.pointer),
                (new.value, &new.pointer),
            );
            continue;
        }
        // What it covered and now has a response of its own is told below.
        let is_told = |new: &Status<'_>| {
            old.covers(new.code) && !before.iter().any(|other| other.code == new.code)
        };
        if !after.iter().any(is_told) {
            removed(comparer, old, &before, &after);
        }
    }
    for new in &after {
        if before.iter().any(|old| old.code == new.code) {
            continue;
        }
        if let Some(range) = response_of(&before, new.code) {
            let message = format!("the status {} is now {}", range.code, new.code);
            let sides = Sides::both(&range.pointer, &new.pointer);
            comparer
                .changes
                .compatible(Kind::StatusChanged, sides, message);
            bodies::response(
                comparer,
                new.code,
                (range.value, &range.pointer),
                (new.value, &new.pointer),
            );
        } else {
            added(comparer, new, &before);
        }
    }
    comparer.changes.direction = outer;
}

fn removed(
    comparer: &mut Comparer<'_>,
    old: &Status<'_>,
    before: &[Status<'_>],
    after: &[Status<'_>],
) {
    let sides = Sides::old(&old.pointer);
    let kind = Kind::StatusRemoved;
    let code = old.code;
    // If the client knows the success that is left, the service only says less.
    let mut successes = after.iter().filter(|new| new.is_success()).peekable();
    let is_known =
        successes.peek().is_some() && successes.all(|new| response_of(before, new.code).is_some());
    if !old.is_success() || is_known {
        let message = format!("the status {code} is no longer documented");
        return comparer.changes.compatible(kind, sides, message);
    }
    let successes = after.iter().filter(|new| new.is_success());
    let successes: Vec<_> = successes.map(|new| new.code).collect();
    let message = match successes.as_slice() {
        [] => format!("the success {code} is gone"),
        _ => format!("the success {code} is now {}", successes.join(" or ")),
    };
    comparer.changes.breaking(kind, sides, message);
}

fn added(comparer: &mut Comparer<'_>, new: &Status<'_>, before: &[Status<'_>]) {
    let code = new.code;
    let covered = before.iter().find(|old| new.covers(old.code));
    let sides = match covered {
        Some(old) => Sides::both(&old.pointer, &new.pointer),
        None => Sides::new(&new.pointer),
    };
    if new.is_success() {
        // The client was made for the other one, and this is an unknown reply to it.
        let message = format!("the success {code} is new");
        comparer.changes.breaking(Kind::StatusAdded, sides, message);
    } else {
        let message = format!("the status {code} is documented");
        comparer
            .changes
            .compatible(Kind::StatusAdded, sides, message);
    }
}

/// Returns the responses in the order of their status codes.
fn list<'a>(operation: &Operation<'a>) -> Vec<Status<'a>> {
    let pointer = at(&operation.pointer, "responses");
    let responses = entries(operation.value.get("responses"));
    let mut statuses: Vec<_> = responses
        .map(|(code, value)| Status {
            code,
            value,
            pointer: at(&pointer, code),
        })
        .collect();
    statuses.sort_unstable_by_key(|status| status.code);
    statuses
}
