//! What changed between two documents, seen by a client of the five operations that was made for
//! the old one and meets a service of the new one. Both documents have been through the other
//! stages; what no client sees (order, titles, descriptions, examples) is no change.
//!
//! The crate `drift` compares OpenAPI documents too. It panics when a media type is added or
//! removed, and has no verdict on formats, bounds and lists of values, so this comparison is our
//! own. The tests compare it with drift where drift has an answer.

use serde_json::Value;

use crate::document::parts::{OPERATIONS, Operation, operations_of};

mod bodies;
mod change;
mod changes;
mod flow;
mod parameters;
mod schemas;
mod security;
mod unions;
mod values;
mod view;

use changes::{Changes, Pair};

pub use change::{Change, Class, Comparison, Direction, Kind, Semver, Side, Step, Verdict};

/// Compares two selected, lowered, corrected and valid documents.
#[must_use]
pub fn compare(old: &Value, new: &Value) -> Comparison {
    let mut changes = Changes::default();
    servers(old, new, &mut changes);
    let before = operations_of(old);
    let after = operations_of(new);
    for id in OPERATIONS {
        changes.operation = Some(id.to_owned());
        // A renamed operation is found by its place on the other side.
        let by_id = |side: &'_ [Operation<'_>]| side.iter().position(|other| other.id == id);
        let by_place = |side: &'_ [Operation<'_>], place: &Operation<'_>| {
            side.iter()
                .position(|other| other.path == place.path && other.method == place.method)
        };
        let (mut in_old, mut in_new) = (by_id(&before), by_id(&after));
        if in_old.is_none() {
            let place = in_new.and_then(|index| after.get(index));
            in_old = place.and_then(|place| by_place(&before, place));
        } else if in_new.is_none() {
            let place = in_old.and_then(|index| before.get(index));
            in_new = place.and_then(|place| by_place(&after, place));
        }
        let found_old = in_old.and_then(|index| before.get(index));
        let found_new = in_new.and_then(|index| after.get(index));
        match (found_old, found_new) {
            (Some(before), Some(after)) => {
                operation(&Pair { old, new }, before, after, &mut changes);
            }
            (Some(before), None) => {
                let message = format!("{} {} is gone", before.method.to_uppercase(), before.path);
                changes.breaking(Kind::OperationRemoved, &before.pointer, message);
            }
            (None, Some(after)) => {
                let message = format!("{} {} is new", after.method.to_uppercase(), after.path);
                changes.compatible(Kind::OperationAdded, &after.pointer, message);
            }
            (None, None) => {}
        }
    }
    Comparison::new(changes.found)
}

fn operation(pair: &Pair<'_>, old: &Operation<'_>, new: &Operation<'_>, changes: &mut Changes) {
    if old.id != new.id {
        let message = format!("the operationId is now `{}`", new.id);
        changes.breaking(Kind::OperationIdChanged, &new.pointer, message);
    }
    if unnamed(old.path) != unnamed(new.path) {
        let message = format!("the path {} is now {}", old.path, new.path);
        changes.breaking(Kind::PathChanged, &new.pointer, message);
    }
    if old.method != new.method {
        let (before, after) = (old.method.to_uppercase(), new.method.to_uppercase());
        let message = format!("the method {before} is now {after}");
        changes.breaking(Kind::MethodChanged, &new.pointer, message);
    }
    if old.value.get("deprecated") != new.value.get("deprecated") {
        let message = match new.value.get("deprecated") {
            Some(_) => "the operation is deprecated".to_owned(),
            None => "the operation is no longer deprecated".to_owned(),
        };
        changes.compatible(Kind::Deprecated, &new.pointer, message);
    }
    let own_servers = |operation: &Operation<'_>| operation.value.get("servers").cloned();
    if own_servers(old) != own_servers(new) {
        let message = "the operation is served from somewhere else".to_owned();
        changes.breaking(Kind::ServerChanged, &new.pointer, message);
    }
    security::compare(pair, old, new, changes);
    parameters::compare(pair, old, new, changes);
    bodies::request(pair, old, new, changes);
    bodies::responses(pair, old, new, changes);
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

/// Compares the servers of the documents; a client uses the first one.
fn servers(old: &Value, new: &Value, changes: &mut Changes) {
    let urls = |document: &Value| -> Vec<String> {
        let servers = document.get("servers").and_then(Value::as_array);
        let urls = servers
            .into_iter()
            .flatten()
            .filter_map(|server| server.get("url"));
        urls.filter_map(Value::as_str)
            .map(|url| url.trim_end_matches('/').to_owned())
            .collect()
    };
    let (before, after) = (urls(old), urls(new));
    match (before.first(), after.first()) {
        _ if before == after => {}
        (Some(first), Some(_)) if !after.contains(first) => {
            let message = format!("the server {first} is now {}", after.join(", "));
            changes.breaking(Kind::ServerChanged, "/servers", message);
        }
        (Some(_), None) => {
            let message = "the document names no server any more".to_owned();
            changes.compatible(Kind::ServerChanged, "/servers", message);
        }
        _ => {
            let message = format!("the servers are now {}", after.join(", "));
            changes.compatible(Kind::ServerChanged, "/servers", message);
        }
    }
}
