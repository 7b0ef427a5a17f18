//! Compares the servers. A client uses the first one, with the defaults of its variables.

use serde_json::Value;

use super::change::{Class, Kind};
use super::changes::{Changes, Pair, Sides};
use crate::document::parts::{Operation, entries};
use crate::document::pointer::at;

const POINTER: &str = "/servers";

/// Compares the servers of the documents.
pub(super) fn documents(old: &Value, new: &Value, changes: &mut Changes) {
    let (before, after) = (addresses(old), addresses(new));
    let (class, message) = match (before.first(), after.first()) {
        _ if before == after => {
            if variables(old) != variables(new) {
                let sides = Sides::both(POINTER, POINTER);
                let message = "the variables of the servers are others";
                changes.compatible(Kind::ServerChanged, sides, message);
            }
            return;
        }
        (Some(first), Some(_)) if !after.contains(first) => {
            let message = format!("the server {first} is now {}", after.join(", "));
            (Class::Breaking, message)
        }
        (Some(_), None) => {
            let message = "the document names no server any more".to_owned();
            (Class::Compatible, message)
        }
        _ => {
            let message = format!("the servers are now {}", after.join(", "));
            (Class::Compatible, message)
        }
    };
    let list = |addresses: Vec<String>| addresses.into_iter().map(Value::from).collect();
    let sides = Sides::both(POINTER, POINTER).with(Some(list(before)), Some(list(after)));
    changes.add(Kind::ServerChanged, class, sides, message);
}

/// Compares the servers of an operation, if it has its own in a document; otherwise they are that
/// document's.
pub(super) fn operations(
    pair: &Pair<'_>,
    old: &Operation<'_>,
    new: &Operation<'_>,
    changes: &mut Changes,
) {
    let has_own = |operation: &Operation<'_>| operation.value.get("servers").is_some();
    if !has_own(old) && !has_own(new) {
        return;
    }
    let servers = |document: &Value, operation: &Operation<'_>| match has_own(operation) {
        true => (
            addresses(operation.value),
            at(&operation.pointer, "servers"),
        ),
        false => (addresses(document), POINTER.to_owned()),
    };
    let (before, old_place) = servers(pair.old, old);
    let (after, new_place) = servers(pair.new, new);
    let sides = Sides::both(&old_place, &new_place);
    if before == after {
        return;
    }
    if before.first().is_some_and(|first| after.contains(first)) {
        let message = format!("the servers of the operation are now {}", after.join(", "));
        changes.compatible(Kind::ServerChanged, sides, message);
    } else {
        let message = "the operation is served from somewhere else";
        changes.breaking(Kind::ServerChanged, sides, message);
    }
}

/// Returns the addresses of the servers, with the defaults of their variables filled in.
fn addresses(value: &Value) -> Vec<String> {
    let address = |server: &Value| {
        let mut url = server.get("url")?.as_str()?.to_owned();
        for (name, variable) in entries(server.get("variables")) {
            let default = variable.get("default").and_then(Value::as_str);
            url = url.replace(&format!("{{{name}}}"), default.unwrap_or_default());
        }
        Some(url.trim_end_matches('/').to_owned())
    };
    servers(value).filter_map(address).collect()
}

/// Returns which values the variables of the servers can have.
fn variables(value: &Value) -> Vec<Value> {
    let listed = servers(value).flat_map(|server| entries(server.get("variables")));
    listed
        .map(|(name, variable)| {
            serde_json::json!([name, variable.get("default"), variable.get("enum")])
        })
        .collect()
}

fn servers(value: &Value) -> impl Iterator<Item = &Value> {
    let servers = value.get("servers").and_then(Value::as_array);
    servers.into_iter().flatten()
}
