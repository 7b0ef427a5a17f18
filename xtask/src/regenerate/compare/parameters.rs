//! Compares the parameters of a request.

use serde_json::Value;

use super::change::{Class, Direction, Kind};
use super::changes::Sides;
use super::comparer::Comparer;
use super::content::{schema_of, serialization};
use crate::document::parts::Operation;
use crate::document::pointer::at;
use crate::document::reference::follow;

/// Headers that OpenAPI says to ignore as parameters: media types and security say them.
const IGNORED: [&str; 3] = ["accept", "authorization", "content-type"];

/// A parameter with the key that makes it the same one in both documents.
struct Parameter<'a> {
    key: String,
    value: &'a Value,
    pointer: String,
}

impl Parameter<'_> {
    fn is_required(&self) -> bool {
        self.value.get("required") == Some(&Value::Bool(true))
    }
}

pub(super) fn compare<'a>(comparer: &mut Comparer<'a>, old: &Operation<'a>, new: &Operation<'a>) {
    let outer = comparer.changes.direction.replace(Direction::Request);
    let (before, after) = (list(comparer.pair.old, old), list(comparer.pair.new, new));
    for old in &before {
        match after.iter().find(|new| new.key == old.key) {
            Some(new) => one(comparer, old, new),
            None => {
                let message = format!("the {} is no longer taken", old.key);
                let sides = Sides::old(&old.pointer);
                comparer
                    .changes
                    .breaking(Kind::ParameterRemoved, sides, message);
            }
        }
    }
    for new in &after {
        if before.iter().any(|old| old.key == new.key) {
            continue;
        }
        let (class, must) = match new.is_required() {
            true => (Class::Breaking, "must be sent"),
            false => (Class::Compatible, "can be sent"),
        };
        let message = format!("the {} {must}", new.key);
        let sides = Sides::new(&new.pointer);
        comparer
            .changes
            .add(Kind::ParameterAdded, class, sides, message);
    }
    comparer.changes.direction = outer;
}

fn list<'a>(document: &'a Value, operation: &Operation<'a>) -> Vec<Parameter<'a>> {
    let parameters = operation.value.get("parameters").and_then(Value::as_array);
    let mut list = Vec::new();
    for (index, parameter) in parameters.into_iter().flatten().enumerate() {
        let place = at(&at(&operation.pointer, "parameters"), &index.to_string());
        let (value, pointer) = follow(document, parameter, place);
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        let (location, name) = (text("in"), text("name"));
        let lower = name.to_lowercase();
        let key = match location {
            // Its name is not on the wire; its place in the path is.
            "path" => format!("path parameter {}", position(operation.path, name)),
            "header" if IGNORED.contains(&lower.as_str()) => continue,
            "header" => format!("header {lower}"),
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

fn one<'a>(comparer: &mut Comparer<'a>, old: &Parameter<'a>, new: &Parameter<'a>) {
    let sides = Sides::both(&old.pointer, &new.pointer);
    let changes = &mut comparer.changes;
    match (old.is_required(), new.is_required()) {
        (false, true) => {
            let message = format!("the {} must now be sent", new.key);
            changes.breaking(Kind::ParameterChanged, sides.clone(), message);
        }
        (true, false) => {
            let message = format!("the {} can now be left out", new.key);
            changes.compatible(Kind::ParameterChanged, sides.clone(), message);
        }
        _ => {}
    }
    let (before, after) = (serialization(old.value), serialization(new.value));
    if before != after {
        let message = format!("the {} is written in another way", new.key);
        let sides = sides.clone().with(Some(before), Some(after));
        changes.breaking(Kind::ParameterChanged, sides, message);
    }
    if old.value.get("deprecated") != new.value.get("deprecated") {
        let message = format!("the {} is deprecated, or no longer", new.key);
        changes.compatible(Kind::Deprecated, sides, message);
    }
    let schema = |parameter: &Parameter<'a>| schema_of(parameter.value, &parameter.pointer);
    comparer.schemas(Direction::Request, schema(old), schema(new));
}
