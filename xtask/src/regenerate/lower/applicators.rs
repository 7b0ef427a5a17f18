//! Keywords of 3.1 that apply schemas: alternatives with null among them, and those that 3.0 has
//! not got.

use serde_json::{Map, Value, json};

use super::super::refusal::at;
use super::Remarks;

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
const COMBINING: [&str; 6] = ["$ref", "allOf", "anyOf", "if", "not", "oneOf"];

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
            // Without a tuple there is nothing for it to apply to.
            schema.remove("additionalItems");
        }
    }
    for name in ["anyOf", "oneOf"] {
        null_branches(schema, name);
    }
}

/// Takes away what allows everything, and says the rest in the words of 3.0.
fn vacuous(schema: &mut Map<String, Value>) {
    if schema
        .get("patternProperties")
        .is_some_and(|patterns| *patterns == json!({}))
    {
        schema.remove("patternProperties");
    }
    for name in ["dependentRequired", "dependentSchemas", "dependencies"] {
        if schema
            .get(name)
            .is_some_and(|dependents| *dependents == json!({}))
        {
            schema.remove(name);
        }
    }
    for name in ["propertyNames", "unevaluatedItems", "unevaluatedProperties"] {
        let everything = [json!(true), json!({})];
        let every_name = name == "propertyNames"
            && schema
                .get(name)
                .is_some_and(|names| *names == json!({"type": "string"}));
        if every_name
            || schema
                .get(name)
                .is_some_and(|value| everything.contains(value))
        {
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
        // What `additionalProperties` speaks of is evaluated by it.
        schema.entry("additionalProperties").or_insert(rest);
    }
    if !combines && schema.contains_key("items") && !schema.contains_key("prefixItems") {
        schema.remove("unevaluatedItems");
    }
}

/// Alternatives with null among them become a nullable schema of the others.
fn null_branches(schema: &mut Map<String, Value>, name: &str) {
    let Some(Value::Array(branches)) = schema.get_mut(name) else {
        return;
    };
    let before = branches.len();
    branches.retain(|branch| !is_null(branch));
    if branches.len() == before {
        return;
    }
    let left = match branches.as_slice() {
        [] => {
            schema.remove(name);
            schema.insert("type".to_owned(), json!("null"));
            return;
        }
        [_] => branches.pop(),
        _ => None,
    };
    schema.insert("nullable".to_owned(), json!(true));
    if let Some(only) = left {
        schema.remove(name);
        merge(schema, only);
    }
}

fn is_null(branch: &Value) -> bool {
    let Value::Object(branch) = branch else {
        return false;
    };
    let says_null = branch
        .get("type")
        .is_some_and(|kind| *kind == json!("null"))
        || branch.get("const").is_some_and(Value::is_null)
        || branch
            .get("type")
            .is_some_and(|kind| *kind == json!(["null"]));
    let describes = ["type", "const", "title", "description", "nullable"];
    says_null && branch.keys().all(|key| describes.contains(&key.as_str()))
}

/// Puts the only alternative in the place of the alternatives.
fn merge(schema: &mut Map<String, Value>, only: Value) {
    match only {
        Value::Object(fields)
            if !fields.contains_key("$ref")
                && fields
                    .keys()
                    .all(|key| is_annotation(key) || !schema.contains_key(key)) =>
        {
            for (key, value) in fields {
                // What the outer schema says of itself goes before what the inner one says.
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

/// Adds a schema that must hold as well.
pub(super) fn all_of(schema: &mut Map<String, Value>, other: Value) {
    match schema.entry("allOf").or_insert_with(|| json!([])) {
        Value::Array(members) => members.insert(0, other),
        broken => *broken = json!([other]),
    }
}
