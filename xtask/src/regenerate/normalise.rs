//! Converts what releases of FastAPI write differently for the same service to one form. It removes
//! nothing that affects the wire.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::read::DEPTH_LIMIT;
use crate::document::keywords::{Form, of_form};
use crate::document::parts::{each_part, each_part_mut};
use crate::document::positions::{Kind, each_child, each_child_mut};
use crate::document::reference::follow;

pub(super) mod content;

/// The release of OpenAPI that the contract is written in: that of the first upstream documents.
/// The patch releases of 3.0 all mean the same.
pub const VERSION: &str = "3.0.2";

/// The description that pydantic 1 gives every enumeration without one, and pydantic 2 does not.
const MADE_UP_DESCRIPTION: &str = "An enumeration.";

/// Keywords of parameters that mean nothing when they are false; schemas have more of them.
const FALSE_BY_DEFAULT: [&str; 2] = ["allowEmptyValue", "allowReserved"];

/// Converts a selected 3.0 document to the one form.
#[must_use]
pub fn normalise(mut document: Value) -> Value {
    each_part_mut(&mut document, &mut no_titles);
    let elsewhere = required_elsewhere(&document);
    // A change inside can enable one outside, at most once per level.
    for _ in 0..DEPTH_LIMIT {
        let before = document.clone();
        each_part_mut(&mut document, &mut |value, kind, pointer| {
            settle(value, kind, pointer, &elsewhere);
        });
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

/// Removes the slash at the end of a server, which means nothing and which pydantic 2.0 adds.
fn servers(document: &mut Value) {
    let servers = document.get_mut("servers").and_then(Value::as_array_mut);
    for server in servers.into_iter().flatten() {
        if let Some(Value::String(url)) = server.get_mut("url") {
            let length = url.trim_end_matches('/').len();
            // The root's URL is only a slash.
            url.truncate(length.max(usize::from(url.len() == 1)));
        }
    }
}

/// Removes titles: FastAPI derives them from names, and typify would name types after them.
fn no_titles(value: &mut Value, kind: Kind, pointer: &str) {
    if let (Kind::Schema, Value::Object(fields)) = (kind, &mut *value) {
        fields.remove("title");
    }
    each_child_mut(value, kind, pointer, &mut no_titles);
}

/// Returns the names of the fields that a schema requires of those that it combines: there they
/// look as if they could be left out.
fn required_elsewhere(document: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    each_part(document, &mut |value, kind, pointer| {
        combined(document, value, kind, pointer, &mut names);
    });
    names
}

fn combined(
    document: &Value,
    value: &Value,
    kind: Kind,
    pointer: &str,
    names: &mut BTreeSet<String>,
) {
    let members = |keyword: &str| value.get(keyword).and_then(Value::as_array);
    if kind == Kind::Schema {
        let several = members("allOf").is_some_and(|members| members.len() > 1);
        if ["allOf", "anyOf", "oneOf"]
            .iter()
            .any(|keyword| members(keyword).is_some())
        {
            required_of(document, value, names, 0);
        }
        for member in members("allOf").into_iter().flatten().filter(|_| several) {
            required_of(document, member, names, 0);
        }
    }
    each_child(value, kind, pointer, &mut |child, kind, pointer| {
        combined(document, child, kind, pointer, names);
    });
}

/// Collects what a schema and the members of its `allOf` require.
fn required_of(document: &Value, schema: &Value, names: &mut BTreeSet<String>, depth: usize) {
    let (schema, _) = follow(document, schema, String::new());
    let list = |keyword: &str| {
        schema
            .get(keyword)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    names.extend(
        list("required")
            .filter_map(Value::as_str)
            .map(str::to_owned),
    );
    if depth < DEPTH_LIMIT {
        list("allOf").for_each(|member| required_of(document, member, names, depth + 1));
    }
}

fn settle(value: &mut Value, kind: Kind, pointer: &str, elsewhere: &BTreeSet<String>) {
    if let Value::Object(fields) = &mut *value {
        only_reference(fields, kind);
        for keyword in of_form(&[Form::Boolean]).chain(FALSE_BY_DEFAULT) {
            if fields.get(keyword) == Some(&Value::Bool(false)) {
                fields.remove(keyword);
            }
        }
        match kind {
            Kind::Schema => schema(fields, elsewhere),
            Kind::Parameter | Kind::Header => may_be_left_out(fields),
            Kind::RequestBody => {
                content::normalise(fields, kind);
                may_be_left_out(fields);
            }
            Kind::Operation => {
                content::without_ignored_headers(fields);
                content::errors_without_words(fields);
                empty_lists(fields);
            }
            Kind::Response => {
                content::normalise(fields, kind);
                empty_lists(fields);
            }
            _ => {}
        }
    }
    each_child_mut(value, kind, pointer, &mut |child, kind, pointer| {
        settle(child, kind, pointer, elsewhere);
    });
}

/// Removes keywords beside a reference, which 3.0 ignores.
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

fn schema(fields: &mut Map<String, Value>, elsewhere: &BTreeSet<String>) {
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
    // This is the default.
    if fields
        .get("additionalProperties")
        .is_some_and(|rest| *rest == json!(true) || *rest == json!({}))
    {
        fields.remove("additionalProperties");
    }
    optional_null(fields, elsewhere);
}

/// Writes whole numbers as such: pydantic 1 writes some bounds as 1.0 for 1.
fn whole_numbers(fields: &mut Map<String, Value>) {
    for keyword in of_form(&[Form::Count, Form::Number]) {
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

/// Adds the type of enumerations whose values imply it, which pydantic 1 leaves out.
fn type_of_values(fields: &mut Map<String, Value>) {
    let combined = ["allOf", "anyOf", "oneOf", "type"];
    if combined.iter().any(|keyword| fields.contains_key(*keyword)) {
        return;
    }
    let values = fields.get("enum").and_then(Value::as_array);
    let has_null = values.is_some_and(|values| values.contains(&Value::Null));
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
        if has_null {
            fields.insert("nullable".to_owned(), json!(true));
        }
    }
}

/// Removes `nullable` from optional properties: newer releases write it and older ones don't, and
/// for the client both are an `Option`.
fn optional_null(fields: &mut Map<String, Value>, elsewhere: &BTreeSet<String>) {
    // Null counts as a field.
    if fields.contains_key("minProperties") {
        return;
    }
    let required = fields.get("required").cloned().unwrap_or_default();
    let required = required.as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(Value::Object(properties)) = fields.get_mut("properties") else {
        return;
    };
    for (name, property) in properties {
        if !required.iter().any(|required| required == name) && !elsewhere.contains(name) {
            not_nullable(property);
        }
    }
}

/// As `optional_null`, for parameters and request bodies.
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

/// Removes null; a schema that allows nothing else is left unchanged.
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

/// Pairs of keywords that mean something else beside each other than apart.
///
/// `additionalProperties` is about what the `properties` beside it don't name, an exclusive bound
/// needs its bound, and `nullable` allows null in spite of what stands beside it.
const READ_TOGETHER: [(&str, &str); 8] = [
    ("additionalProperties", "properties"),
    ("exclusiveMaximum", "maximum"),
    ("exclusiveMinimum", "minimum"),
    ("nullable", "anyOf"),
    ("nullable", "enum"),
    ("nullable", "not"),
    ("nullable", "oneOf"),
    ("nullable", "type"),
];

/// Replaces a schema that only wraps another one with that one.
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
    let is_read_otherwise = READ_TOGETHER.iter().any(|(one, other)| {
        only.contains_key(*one) && fields.contains_key(*other)
            || fields.contains_key(*one) && only.contains_key(*other)
    });
    if fields.is_empty() || !(overlaps || is_read_otherwise || only.contains_key("$ref")) {
        fields.extend(only);
    } else {
        fields.insert("allOf".to_owned(), json!([only]));
    }
}

#[cfg(test)]
#[path = "normalise_tests.rs"]
mod tests;
