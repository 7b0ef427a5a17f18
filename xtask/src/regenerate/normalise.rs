//! One form for what two releases of FastAPI write differently for the same service. It takes
//! away nothing that is seen on the wire.
//!
//! - Titles of schemas and parameters go: FastAPI makes them up from names, and typify would
//!   call types after them.
//! - `nullable` goes from a property that may be left out: newer releases write an optional
//!   field so, older ones don't, and to the client both are an `Option`.
//! - The patch release of OpenAPI 3.0 is [`VERSION`]; they all mean the same.

use serde_json::{Map, Value, json};

use super::positions::{Kind, each_child_mut};
use super::reference::to_component;
use super::refusal::at;

/// The release of OpenAPI that the contract is written in: that of the first upstream documents.
pub const VERSION: &str = "3.0.2";

/// Brings a selected 3.0 document into the one form.
#[must_use]
pub fn normalise(mut document: Value) -> Value {
    each_part_mut(&mut document, &mut |value, kind, pointer| {
        settle(value, kind, pointer)
    });
    if let Value::Object(fields) = &mut document {
        fields.insert("openapi".to_owned(), json!(VERSION));
    }
    document
}

/// Calls back with every operation and every component of a selected document.
pub fn each_part_mut(document: &mut Value, visit: &mut impl FnMut(&mut Value, Kind, &str)) {
    if let Some(Value::Object(paths)) = document.get_mut("paths") {
        for (path, item) in paths {
            let pointer = at("/paths", path);
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                visit(operation, Kind::Operation, &at(&pointer, method));
            }
        }
    }
    if let Some(Value::Object(components)) = document.get_mut("components") {
        for (section, entries) in components {
            let Some(kind) = Kind::of_section(section) else {
                continue;
            };
            for (name, component) in entries.as_object_mut().into_iter().flatten() {
                visit(component, kind, &to_component(section, name));
            }
        }
    }
}

fn settle(value: &mut Value, kind: Kind, pointer: &str) {
    if let (Kind::Schema, Value::Object(schema)) = (kind, &mut *value) {
        schema.remove("title");
        optional_null(schema);
    }
    each_child_mut(value, kind, pointer, &mut |child, kind, pointer| {
        settle(child, kind, pointer)
    });
}

fn optional_null(schema: &mut Map<String, Value>) {
    let required = schema.get("required").cloned().unwrap_or_default();
    let required = required.as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for (name, property) in properties {
        let Value::Object(fields) = &mut *property else {
            continue;
        };
        if required.iter().any(|required| required == name) || !fields.contains_key("nullable") {
            continue;
        }
        fields.remove("nullable");
    }
}
