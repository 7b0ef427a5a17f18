//! Keywords of 3.1 that apply schemas: alternatives with null among them, and those that 3.0 does
//! not have.

use serde_json::{Map, Value, json};

use super::nulls::allows_null;
use super::remarks::Remarks;
use crate::document::pointer::at;

/// Keywords that constrain and have no equivalent in 3.0.
pub(super) const REFUSED: [&str; 14] = [
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "minContains",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Keywords that combine schemas: with one of them, "what is left" is more than the properties.
pub(super) const COMBINING: [&str; 6] = ["$ref", "allOf", "anyOf", "if", "not", "oneOf"];

/// Keywords that say which values or types there are.
const LISTING: [&str; 3] = ["const", "enum", "type"];

pub(super) fn lower(schema: &mut Map<String, Value>, pointer: &str, remarks: &mut Remarks) {
    vacuous(schema);
    for name in REFUSED {
        if schema.contains_key(name) {
            let message = format!("`{name}` has no equivalent in 3.0");
            remarks.problems.add(at(pointer, name), message);
        }
    }
    match schema.get("items") {
        Some(Value::Array(_)) => {
            let message = "a list of schemas for `items` (a tuple) has no equivalent in 3.0";
            remarks.problems.add(at(pointer, "items"), message);
        }
        _ => {
            // It applies only to tuples.
            schema.remove("additionalItems");
        }
    }
    for name in ["anyOf", "oneOf"] {
        null_branches(schema, name);
    }
}

/// Removes keywords that allow everything, and writes the rest as 3.0 does.
fn vacuous(schema: &mut Map<String, Value>) {
    let nothing = json!({});
    for name in [
        "patternProperties",
        "dependentRequired",
        "dependentSchemas",
        "dependencies",
    ] {
        if schema.get(name) == Some(&nothing) {
            schema.remove(name);
        }
    }
    for name in ["propertyNames", "unevaluatedItems", "unevaluatedProperties"] {
        let every_name = json!({"type": "string"});
        let allows_all = |value: &Value| {
            *value == json!(true)
                || *value == nothing
                || name == "propertyNames" && *value == every_name
        };
        if schema.get(name).is_some_and(allows_all) {
            schema.remove(name);
        }
    }
    if !schema.contains_key("if") {
        schema.remove("then");
        schema.remove("else");
    }
    if !schema.contains_key("contains") {
        schema.remove("minContains");
        schema.remove("maxContains");
    }
    let combines = COMBINING.iter().any(|name| schema.contains_key(*name));
    if !combines
        && !schema.contains_key("patternProperties")
        && let Some(rest) = schema.remove("unevaluatedProperties")
    {
        // Properties that `additionalProperties` covers count as evaluated.
        schema.entry("additionalProperties").or_insert(rest);
    }
    if !combines && schema.contains_key("items") && !schema.contains_key("prefixItems") {
        schema.remove("unevaluatedItems");
    }
}

/// Replaces null among the alternatives with `nullable`.
fn null_branches(schema: &mut Map<String, Value>, name: &str) {
    // Where something else must hold too, null may not: the branch stays what it is.
    let others = COMBINING
        .iter()
        .chain(&LISTING)
        .filter(|other| **other != name);
    let mut combines = others.into_iter().any(|other| schema.contains_key(*other));
    let Some(Value::Array(branches)) = schema.get_mut(name) else {
        return;
    };
    // Of `oneOf`, null must not fit another branch as well.
    let others = branches.iter().filter(|branch| !is_null(branch));
    combines |= name == "oneOf" && !others.into_iter().all(excludes_null);
    if combines || !branches.iter().any(is_null) {
        return;
    }
    branches.retain(|branch| !is_null(branch));
    let left = match branches.as_slice() {
        [] => {
            schema.remove(name);
            schema.insert("type".to_owned(), json!("null"));
            return;
        }
        [_] => branches.pop(),
        _ => None,
    };
    if let Some(only) = left {
        schema.remove(name);
        merge(schema, only);
    }
    schema.insert("nullable".to_owned(), json!(true));
    // In 3.0, a list of values has to name null as well.
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
}

/// Returns `true` if what a branch says itself excludes null.
fn excludes_null(branch: &Value) -> bool {
    branch
        .as_object()
        .is_some_and(|fields| !allows_null(fields))
}

fn is_null(branch: &Value) -> bool {
    let Value::Object(branch) = branch else {
        return false;
    };
    let says = |key: &str, value: Value| branch.get(key) == Some(&value);
    let says_null =
        says("type", json!("null")) || says("type", json!(["null"])) || says("const", Value::Null);
    let describes = ["type", "const", "title", "description", "nullable"];
    says_null && branch.keys().all(|key| describes.contains(&key.as_str()))
}

/// Replaces the alternatives with the only one that is left.
fn merge(schema: &mut Map<String, Value>, only: Value) {
    match only {
        Value::Object(fields)
            if !fields.contains_key("$ref")
                && fields
                    .keys()
                    .all(|key| is_annotation(key) || !schema.contains_key(key)) =>
        {
            for (key, value) in fields {
                // Keywords of the outer schema take precedence.
                schema.entry(key).or_insert(value);
            }
        }
        other => all_of(schema, other),
    }
}

fn is_annotation(key: &str) -> bool {
    [
        "title",
        "description",
        "default",
        "example",
        "examples",
        "deprecated",
    ]
    .contains(&key)
}

/// Adds a schema that must hold too.
pub(super) fn all_of(schema: &mut Map<String, Value>, other: Value) {
    match schema.entry("allOf").or_insert_with(|| json!([])) {
        Value::Array(members) => members.insert(0, other),
        broken => *broken = json!([other]),
    }
}
