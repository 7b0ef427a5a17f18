//! What changed between two documents, seen by a client of the five operations that was made for
//! the old one and meets a service of the new one. Both documents have been through the other
//! stages; what no client sees (order, titles, descriptions, examples) is no change.
//!
//! The crate `drift` compares OpenAPI documents too. It panics when a media type is added or
//! removed, and has no verdict on formats, bounds and lists of values, so this comparison is our
//! own. The tests compare it with drift where drift has an answer.

use std::panic::resume_unwind;
use std::thread;

use serde_json::Value;

use crate::document::parts::{OPERATIONS, Operation, operations_of};

mod answer;
mod bodies;
mod change;
mod changes;
mod comparer;
mod content;
mod discriminator;
mod headers;
mod judge;
mod judge_objects;
mod judge_values;
mod keywords;
mod limits;
mod node;
mod normal;
mod pairs;
mod parameters;
mod piece;
mod pieces;
mod schemas;
mod security;
mod servers;
mod shift;
mod statuses;
mod values;

use changes::{Changes, Sides};
use comparer::Comparer;

pub use change::{Change, Class, Comparison, Direction, Kind, Side, Verdict};

/// The stack of a comparison.
///
/// It follows schemas by recursion, within a limit that needs a quarter of this in a debug build;
/// only what is used is taken from the system.
const STACK: usize = 256 * 1024 * 1024;

/// Compares two selected, lowered, corrected and valid documents.
#[must_use]
pub fn compare(old: &Value, new: &Value) -> Comparison {
    thread::scope(|scope| {
        let work = thread::Builder::new().stack_size(STACK);
        match work.spawn_scoped(scope, || compared(old, new)) {
            Ok(work) => work.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => compared(old, new),
        }
    })
}

fn compared(old: &Value, new: &Value) -> Comparison {
    let mut comparer = Comparer::new(old, new);
    servers::documents(old, new, &mut comparer.changes);
    let before = operations_of(old);
    let after = operations_of(new);
    for id in OPERATIONS {
        comparer.changes.operation = Some(id.to_owned());
        match (found(id, &before, &after), found(id, &after, &before)) {
            (Some(before), Some(after)) => operation(&mut comparer, before, after),
            (Some(before), None) => {
                let message = format!("{} {} is gone", before.method.to_uppercase(), before.path);
                let sides = Sides::old(&before.pointer);
                comparer
                    .changes
                    .breaking(Kind::OperationRemoved, sides, message);
            }
            (None, Some(after)) => {
                let message = format!("{} {} is new", after.method.to_uppercase(), after.path);
                let sides = Sides::new(&after.pointer);
                comparer
                    .changes
                    .compatible(Kind::OperationAdded, sides, message);
            }
            (None, None) => {}
        }
    }
    Comparison::new(comparer.changes.found)
}

/// Finds an operation by its operationId; a renamed one by the place that it has on the other side.
fn found<'s, 'a>(
    id: &str,
    side: &'s [Operation<'a>],
    other: &[Operation<'_>],
) -> Option<&'s Operation<'a>> {
    side.iter()
        .find(|operation| operation.id == id)
        .or_else(|| {
            let place = other.iter().find(|operation| operation.id == id)?;
            let is_here = |operation: &&Operation<'_>| {
                operation.path == place.path && operation.method == place.method
            };
            side.iter().find(is_here)
        })
}

fn operation<'a>(comparer: &mut Comparer<'a>, old: &Operation<'a>, new: &Operation<'a>) {
    itself(old, new, &mut comparer.changes);
    servers::operations(&comparer.pair, old, new, &mut comparer.changes);
    security::compare(&comparer.pair, old, new, &mut comparer.changes);
    parameters::compare(comparer, old, new);
    bodies::request(comparer, old, new);
    statuses::compare(comparer, old, new);
}

/// Compares what an operation is called and where it is.
fn itself(old: &Operation<'_>, new: &Operation<'_>, changes: &mut Changes) {
    let sides = |before: &str, after: &str| {
        let sides = Sides::both(&old.pointer, &new.pointer);
        sides.with(Some(before.into()), Some(after.into()))
    };
    if old.id != new.id {
        let message = format!("the operationId is now `{}`", new.id);
        changes.breaking(Kind::OperationIdChanged, sides(old.id, new.id), message);
    }
    if unnamed(old.path) != unnamed(new.path) {
        let message = format!("the path {} is now {}", old.path, new.path);
        changes.breaking(Kind::PathChanged, sides(old.path, new.path), message);
    }
    if old.method != new.method {
        let (before, after) = (old.method.to_uppercase(), new.method.to_uppercase());
        let message = format!("the method {before} is now {after}");
        changes.breaking(Kind::MethodChanged, sides(&before, &after), message);
    }
    let deprecated = |operation: &Operation<'_>| operation.value.get("deprecated").cloned();
    if deprecated(old) != deprecated(new) {
        let message = match deprecated(new) {
            Some(_) => "the operation is deprecated",
            None => "the operation is no longer deprecated",
        };
        let sides = Sides::both(&old.pointer, &new.pointer).with(deprecated(old), deprecated(new));
        changes.compatible(Kind::Deprecated, sides, message);
    }
}

/// Returns a path without the names of its parameters, which are not on the wire.
fn unnamed(path: &str) -> String {
    let mut parts = path.split('{');
    let mut unnamed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        unnamed.push_str("{}");
        unnamed.push_str(part.split_once('}').map_or("", |(_, rest)| rest));
    }
    unnamed
}
