//! The parts of a selected document: its operations and its components.

use serde_json::Value;

use super::pointer::{at, to_component};
use super::positions::Kind;

/// What the handwritten crate needs of one operation.
pub struct Need {
    /// The operationId.
    pub id: &'static str,
    /// The client sends a body.
    pub request: bool,
    /// The client reads JSON from a successful response.
    pub reply: bool,
    /// The client sends a bearer token.
    pub bearer: bool,
}

/// The operations of the contract. This is the one place that lists them.
pub const NEEDS: &[Need] = &[
    need("login", true, true, false),
    need("get_api_token", false, true, true),
    need("create_api_token", false, true, true),
    need("rotate_api_token_secret", false, true, true),
    need("delete_api_token", false, false, true),
];

const fn need(id: &'static str, request: bool, reply: bool, bearer: bool) -> Need {
    Need {
        id,
        request,
        reply,
        bearer,
    }
}

/// The operations of the contract, by operationId.
#[expect(
    clippy::indexing_slicing,
    reason = "the compiler evaluates it, and refuses an index beyond the end"
)]
pub const OPERATIONS: [&str; NEEDS.len()] = {
    let mut ids = [""; NEEDS.len()];
    let mut index = 0;
    while index < ids.len() {
        ids[index] = NEEDS[index].id;
        index += 1;
    }
    ids
};

/// An operation of a selected document.
pub struct Operation<'a> {
    /// The path.
    pub path: &'a str,
    /// The method, in lower case.
    pub method: &'a str,
    /// The operationId; empty if there is none.
    pub id: &'a str,
    /// The operation itself.
    pub value: &'a Value,
    /// Its JSON pointer.
    pub pointer: String,
}

/// Lists the operations of a selected document.
#[must_use]
pub fn operations_of(document: &Value) -> Vec<Operation<'_>> {
    let mut operations = Vec::new();
    for (path, item) in entries(document.get("paths")) {
        for (method, value) in entries(Some(item)) {
            operations.push(Operation {
                path,
                method,
                id: value
                    .get("operationId")
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
                value,
                pointer: at(&at("/paths", path), method),
            });
        }
    }
    operations.sort_by(|left, right| left.pointer.cmp(&right.pointer));
    operations
}

/// Returns the entries of a value that should be an object; anything else has none.
pub fn entries(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// Lists the pointers of the operations and components of a selected document.
fn parts(document: &Value) -> Vec<(String, Kind)> {
    let operations = operations_of(document).into_iter();
    let mut parts: Vec<_> = operations
        .map(|found| (found.pointer, Kind::Operation))
        .collect();
    for (section, components) in entries(document.get("components")) {
        if let Some(kind) = Kind::of_section(section) {
            let names = entries(Some(components)).map(|(name, _)| name);
            parts.extend(names.map(|name| (to_component(section, name), kind)));
        }
    }
    parts
}

/// Calls back with every operation and every component of a selected document.
pub fn each_part(document: &Value, visit: &mut impl FnMut(&Value, Kind, &str)) {
    for (pointer, kind) in parts(document) {
        if let Some(part) = document.pointer(&pointer) {
            visit(part, kind, &pointer);
        }
    }
}

/// As [`each_part`], with mutable parts.
pub fn each_part_mut(document: &mut Value, visit: &mut impl FnMut(&mut Value, Kind, &str)) {
    for (pointer, kind) in parts(document) {
        if let Some(part) = document.pointer_mut(&pointer) {
            visit(part, kind, &pointer);
        }
    }
}
