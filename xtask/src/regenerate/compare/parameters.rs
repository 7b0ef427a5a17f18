//! Compares the parameters of a request and the headers of a response.

use serde_json::{Value, json};

use super::change::{Class, Direction, Kind};
use super::changes::{Changes, Pair};
use super::schemas::Schemas;
use super::view::Node;
use crate::document::parts::{Operation, entries};
use crate::document::pointer::at;
use crate::document::reference::follow;

/// A parameter with the key that makes it the same one in both documents.
struct Parameter<'a> {
    key: String,
    value: &'a Value,
    pointer: String,
}

pub(super) fn compare(
    pair: &Pair<'_>,
    old: &Operation<'_>,
    new: &Operation<'_>,
    changes: &mut Changes,
) {
    let (before, after) = (list(pair.old, old), list(pair.new, new));
    for old in &before {
        match after.iter().find(|new| new.key == old.key) {
            Some(new) => one(pair, old, new, changes),
            None => {
                let message = format!("the {} is no longer taken", old.key);
                changes.breaking(Kind::ParameterRemoved, &old.pointer, message);
            }
        }
    }
    for new in after
        .iter()
        .filter(|new| !before.iter().any(|old| old.key == new.key))
    {
        let (class, must) = if is_required(new.value) {
            (Class::Breaking, "must be sent")
        } else {
            (Class::Compatible, "can be sent")
        };
        let message = format!("the {} {must}", new.key);
        changes.add(Kind::ParameterAdded, class, &new.pointer, message);
    }
}

fn list<'a>(document: &'a Value, operation: &Operation<'a>) -> Vec<Parameter<'a>> {
    let parameters = operation.value.get("parameters").and_then(Value::as_array);
    let mut list = Vec::new();
    for (index, parameter) in parameters.into_iter().flatten().enumerate() {
        let place = at(&at(&operation.pointer, "parameters"), &index.to_string());
        let (value, pointer) = follow(document, parameter, place);
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        let (location, name) = (text("in"), text("name"));
        let key = match location {
            // Its name is not on the wire; its place in the path is.
            "path" => format!("path parameter {}", position(operation.path, name)),
            "header" => format!("header {}", name.to_lowercase()),
            _ => format!("{location} parameter {name}"),
        };
        list.push(Parameter {
            key,
            value,
            pointer,
        });
    }
    list
}

fn position(path: &str, name: &str) -> usize {
    let before = path
        .split(&format!("{{{name}}}"))
        .next()
        .unwrap_or_default();
    before.matches('{').count() + 1
}

fn is_required(value: &Value) -> bool {
    value.get("required") == Some(&Value::Bool(true))
}

fn one(pair: &Pair<'_>, old: &Parameter<'_>, new: &Parameter<'_>, changes: &mut Changes) {
    match (is_required(old.value), is_required(new.value)) {
        (false, true) => {
            let message = format!("the {} must now be sent", new.key);
            changes.breaking(Kind::ParameterChanged, &new.pointer, message);
        }
        (true, false) => {
            let message = format!("the {} can now be left out", new.key);
            changes.compatible(Kind::ParameterChanged, &new.pointer, message);
        }
        _ => {}
    }
    if serialization(old.value) != serialization(new.value) {
        let message = format!("the {} is written in another way", new.key);
        changes.breaking(Kind::ParameterChanged, &new.pointer, message);
    }
    if old.value.get("deprecated") != new.value.get("deprecated") {
        let message = format!("the {} is deprecated, or no longer", new.key);
        changes.compatible(Kind::Deprecated, &new.pointer, message);
    }
    let place = |parameter: &Parameter<'_>| at(&parameter.pointer, "schema");
    if let (Some(before), Some(after)) = (old.value.get("schema"), new.value.get("schema")) {
        let before = Node::new(before, place(old));
        Schemas::new(pair, Direction::Request, changes)
            .compare(&before, &Node::new(after, place(new)));
    } else if old.value.get("content") != new.value.get("content")
        || old.value.get("schema") != new.value.get("schema")
    {
        let message = format!("the {} is another one", new.key);
        changes.breaking(Kind::ParameterChanged, &new.pointer, message);
    }
}

/// Returns how a parameter is serialized, with the defaults filled in.
fn serialization(value: &Value) -> Value {
    let location = value.get("in").and_then(Value::as_str).unwrap_or_default();
    let form = ["query", "cookie"].contains(&location);
    let style = value.get("style").and_then(Value::as_str);
    let style = style.unwrap_or(if form { "form" } else { "simple" });
    let explode = value
        .get("explode")
        .and_then(Value::as_bool)
        .unwrap_or(style == "form");
    json!([style, explode, value.get("allowReserved")])
}

/// Compares the headers of a response. Removing a header breaks a client only if the header was
/// required.
pub(super) fn headers(
    pair: &Pair<'_>,
    (old, old_pointer): (&Value, &str),
    (new, new_pointer): (&Value, &str),
    changes: &mut Changes,
) {
    let list = |response: &Value| -> Vec<(String, String)> {
        let names = entries(response.get("headers")).map(|(name, _)| name);
        names
            .map(|name| (name.to_lowercase(), name.clone()))
            .collect()
    };
    let header = |document, response: &Value, pointer: &str, name: &str| {
        let place = at(&at(pointer, "headers"), name);
        let found = response
            .get("headers")
            .and_then(|headers| headers.get(name));
        let (value, place) = follow(document, found.unwrap_or(&Value::Null), place);
        (value.clone(), place)
    };
    let (before, after) = (list(old), list(new));
    for (key, name) in &before {
        let (old, old_place) = header(pair.old, old, old_pointer, name);
        let Some((_, name)) = after.iter().find(|(other, _)| other == key) else {
            let class = if is_required(&old) {
                Class::Breaking
            } else {
                Class::Compatible
            };
            let message = format!("the header {name} is no longer documented");
            changes.add(Kind::HeaderChanged, class, &old_place, message);
            continue;
        };
        let (new, new_place) = header(pair.new, new, new_pointer, name);
        if is_required(&old) && !is_required(&new) {
            let message = format!("the header {name} may now be left out");
            changes.breaking(Kind::HeaderChanged, &new_place, message);
        }
        if let (Some(before), Some(after)) = (old.get("schema"), new.get("schema")) {
            let before = Node::new(before, at(&old_place, "schema"));
            let after = Node::new(after, at(&new_place, "schema"));
            Schemas::new(pair, Direction::Reply, changes).compare(&before, &after);
        }
    }
    for (_, name) in after
        .iter()
        .filter(|(key, _)| !before.iter().any(|(other, _)| other == key))
    {
        let (_, place) = header(pair.new, new, new_pointer, name);
        let message = format!("the header {name} is documented");
        changes.compatible(Kind::HeaderChanged, &place, message);
    }
}
