//! One form for what two releases of FastAPI write differently for the same service. It takes
//! away nothing that is seen on the wire; what it does is in the list of its functions.

use serde_json::{Map, Value, json};

use super::positions::{Kind, each_child_mut};
use super::read::DEPTH_LIMIT;
use super::reference::to_component;
use super::refusal::at;

/// The release of OpenAPI that the contract is written in: that of the first upstream documents.
/// The patch releases of 3.0 all mean the same.
pub const VERSION: &str = "3.0.2";

/// What pydantic 1 says of every enumeration that nobody described, and pydantic 2 doesn't.
const MADE_UP_DESCRIPTION: &str = "An enumeration.";

/// Keywords that say nothing when they are false.
const FALSE_BY_DEFAULT: [&str; 9] = [
    "allowEmptyValue",
    "allowReserved",
    "deprecated",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "nullable",
    "readOnly",
    "uniqueItems",
    "writeOnly",
];

/// Keywords whose value is a number.
const BOUNDS: [&str; 9] = [
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
];

/// Brings a selected 3.0 document into the one form.
#[must_use]
pub fn normalise(mut document: Value) -> Value {
    each_part_mut(&mut document, &mut no_titles);
    // What is settled inside can settle something outside, at most as often as there are levels.
    for _ in 0..DEPTH_LIMIT {
        let before = document.clone();
        each_part_mut(&mut document, &mut settle);
        if document == before {
            break;
        }
    }
    servers(&mut document);
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

/// A slash at the end of a server tells nothing; pydantic 2.0 put one there.
fn servers(document: &mut Value) {
    let servers = document.get_mut("servers").and_then(Value::as_array_mut);
    for server in servers.into_iter().flatten() {
        if let Some(Value::String(url)) = server.get_mut("url") {
            let length = url.trim_end_matches('/').len();
            // That of the root is all there is of it.
            url.truncate(length.max(usize::from(url.len() == 1)));
        }
    }
}

/// FastAPI makes titles up from names, and typify would call types after them.
fn no_titles(value: &mut Value, kind: Kind, pointer: &str) {
    if let (Kind::Schema, Value::Object(fields)) = (kind, &mut *value) {
        fields.remove("title");
    }
    each_child_mut(value, kind, pointer, &mut no_titles);
}

fn settle(value: &mut Value, kind: Kind, pointer: &str) {
    if let Value::Object(fields) = &mut *value {
        only_reference(fields, kind);
        for keyword in FALSE_BY_DEFAULT {
            if fields.get(keyword) == Some(&Value::Bool(false)) {
                fields.remove(keyword);
            }
        }
        match kind {
            Kind::Schema => schema(fields, pointer),
            Kind::Parameter | Kind::Header | Kind::RequestBody => may_be_left_out(fields),
            Kind::Operation | Kind::Response => empty_lists(fields),
            _ => {}
        }
    }
    each_child_mut(value, kind, pointer, &mut settle);
}

/// What stands beside a reference is ignored in 3.0.
fn only_reference(fields: &mut Map<String, Value>, kind: Kind) {
    if kind.section().is_some() && fields.contains_key("$ref") {
        fields.retain(|key, _| key == "$ref");
    }
}

fn empty_lists(fields: &mut Map<String, Value>) {
    for (keyword, nothing) in [
        ("parameters", json!([])),
        ("content", json!({})),
        ("headers", json!({})),
    ] {
        if fields.get(keyword) == Some(&nothing) {
            fields.remove(keyword);
        }
    }
}

fn schema(fields: &mut Map<String, Value>, pointer: &str) {
    unwrapped(fields);
    whole_numbers(fields);
    type_of_values(fields);
    if fields.contains_key("enum") && fields.get("description") == Some(&json!(MADE_UP_DESCRIPTION))
    {
        fields.remove("description");
    }
    if fields.get("default").is_some_and(Value::is_null) {
        fields.remove("default");
    }
    // It is what an object allows that says nothing about it.
    if fields
        .get("additionalProperties")
        .is_some_and(|rest| *rest == json!(true) || *rest == json!({}))
    {
        fields.remove("additionalProperties");
    }
    // Of a member of `allOf` another one may say that its fields must be there.
    let holder = pointer.rsplit_once('/').map(|(holder, _)| holder);
    if !holder.is_some_and(|holder| holder.ends_with("/allOf")) {
        optional_null(fields);
    }
}

/// pydantic 1 writes some bounds as fractions that are none: 1.0 for 1.
fn whole_numbers(fields: &mut Map<String, Value>) {
    for keyword in BOUNDS {
        let Some(value) = fields.get_mut(keyword) else {
            continue;
        };
        if let Some(number) = value.as_f64().filter(|_| value.is_f64()) {
            let digits = format!("{number:.0}");
            if let Some(whole) = digits.parse::<i64>().ok().filter(|_| number.fract() == 0.0) {
                *value = json!(whole);
            }
        }
    }
}

/// pydantic 1 leaves the type of some enumerations to their values.
fn type_of_values(fields: &mut Map<String, Value>) {
    let combined = ["allOf", "anyOf", "oneOf", "type"];
    if combined.iter().any(|keyword| fields.contains_key(*keyword)) {
        return;
    }
    let values = fields.get("enum").and_then(Value::as_array);
    let kinds = values
        .into_iter()
        .flatten()
        .filter_map(|value| match value {
            Value::Bool(_) => Some("boolean"),
            Value::Number(number) if !number.is_f64() => Some("integer"),
            Value::Number(_) => Some("number"),
            Value::String(_) => Some("string"),
            Value::Null => None,
            Value::Array(_) | Value::Object(_) => Some("other"),
        });
    let mut kinds: Vec<_> = kinds.collect();
    kinds.sort_unstable();
    kinds.dedup();
    if let [kind @ ("boolean" | "integer" | "number" | "string")] = kinds.as_slice() {
        fields.insert("type".to_owned(), json!(kind));
    }
}

/// `nullable` goes from a property that may be left out: newer releases write an optional field
/// so, older ones don't, and to the client both are an `Option`.
fn optional_null(fields: &mut Map<String, Value>) {
    let required = fields.get("required").cloned().unwrap_or_default();
    let required = required.as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(Value::Object(properties)) = fields.get_mut("properties") else {
        return;
    };
    for (name, property) in properties {
        if !required.iter().any(|required| required == name) {
            not_nullable(property);
        }
    }
}

/// The same for a parameter and a request body, whose absence is their null.
fn may_be_left_out(fields: &mut Map<String, Value>) {
    if fields.get("required") == Some(&Value::Bool(false)) {
        fields.remove("required");
    }
    if fields.contains_key("required") {
        return;
    }
    if let Some(schema) = fields.get_mut("schema") {
        not_nullable(schema);
    }
    if let Some(Value::Object(content)) = fields.get_mut("content") {
        for (_, media_type) in content {
            if let Some(schema) = media_type.get_mut("schema") {
                not_nullable(schema);
            }
        }
    }
}

/// Takes null away; a schema that has nothing else stays as it is.
fn not_nullable(schema: &mut Value) {
    let Value::Object(fields) = schema else {
        return;
    };
    if fields
        .get("enum")
        .is_some_and(|values| *values == json!([null]))
    {
        return;
    }
    fields.remove("nullable");
    if let Some(Value::Array(values)) = fields.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
}

/// A schema that only wraps another one is that one.
fn unwrapped(fields: &mut Map<String, Value>) {
    let Some(Value::Array(members)) = fields.get_mut("allOf") else {
        return;
    };
    if members.len() != 1 || !members.iter().all(Value::is_object) {
        return;
    }
    let Some(Value::Object(only)) = members.pop() else {
        return;
    };
    fields.remove("allOf");
    let overlaps = only.keys().any(|key| fields.contains_key(key));
    if fields.is_empty() || !(overlaps || only.contains_key("$ref")) {
        fields.extend(only);
    } else {
        fields.insert("allOf".to_owned(), json!([only]));
    }
}

#[cfg(test)]
#[path = "normalise_tests.rs"]
mod tests;
