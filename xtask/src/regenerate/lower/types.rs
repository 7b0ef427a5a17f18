//! Keywords of 3.1 about the type and the values of one schema: lists of types, null, constants
//! and bounds.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::applicators::{COMBINING, all_of};
use super::nulls::allows_null;
use super::remarks::Remarks;
use crate::document::keywords::KEYWORDS;
use crate::document::number::Exact;
use crate::document::pointer::at;

pub(super) fn lower(schema: &mut Map<String, Value>, pointer: &str, remarks: &mut Remarks) {
    constant(schema, pointer, remarks);
    bound(schema, "minimum", "exclusiveMinimum", Ordering::Greater);
    bound(schema, "maximum", "exclusiveMaximum", Ordering::Less);
    null(schema);
    several(schema);
    if schema
        .get("required")
        .is_some_and(|names| *names == json!([]))
    {
        schema.remove("required");
    }
    if schema.get("type").is_some_and(|kind| kind == "array") {
        schema.entry("items").or_insert_with(|| json!({}));
    }
}

/// Replaces a constant with an enumeration of one value.
fn constant(schema: &mut Map<String, Value>, pointer: &str, remarks: &mut Remarks) {
    let Some(value) = schema.remove("const") else {
        return;
    };
    if let Some(Value::Array(values)) = schema.get("enum")
        && !values.contains(&value)
    {
        let message = "`const` is none of the values of `enum`: nothing fits";
        remarks.problems.add(at(pointer, "const"), message);
    }
    let kind = kind_of(&value);
    if kind == "null" && !allows_null(schema) {
        let message = "`const` is null, and `type` does not allow it: nothing fits";
        remarks.problems.add(at(pointer, "const"), message);
    }
    if kind == "null" || !schema.contains_key("type") {
        schema.insert("type".to_owned(), json!(kind));
    }
    if kind != "null" {
        // A branch that was null is part of it by now.
        let null = schema.get("nullable") == Some(&json!(true));
        let values = if null {
            json!([value, Value::Null])
        } else {
            json!([value])
        };
        schema.insert("enum".to_owned(), values);
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        // As JSON Schema has it, 1.0 is a whole number.
        Value::Number(_) if Exact::of(value).is_some_and(Exact::is_whole) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Replaces a numeric exclusive bound with the bound and a flag.
fn bound(schema: &mut Map<String, Value>, inclusive: &str, exclusive: &str, stronger: Ordering) {
    let Some(limit) = schema
        .get(exclusive)
        .filter(|limit| limit.is_number())
        .cloned()
    else {
        return;
    };
    let other = schema.get(inclusive).and_then(Exact::of);
    let wins = match (Exact::of(&limit), other) {
        (Some(limit), Some(other)) => other.order(limit) != stronger,
        _ => true,
    };
    if wins {
        schema.insert(inclusive.to_owned(), limit);
        schema.insert(exclusive.to_owned(), json!(true));
    } else {
        schema.remove(exclusive);
    }
}

/// Replaces null among the types with `nullable`. Where something else must hold too, it stands
/// apart: `nullable` would allow null whatever the rest says.
fn null(schema: &mut Map<String, Value>) {
    let kinds = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.clone(),
        Some(kind) if kind == "null" => vec![kind.clone()],
        _ => return,
    };
    let (null, others): (Vec<_>, Vec<_>) = kinds.into_iter().partition(|kind| kind == "null");
    let allowed = !null.is_empty() && allows_null(schema);
    let named = match others.as_slice() {
        [] if allowed => json!({"enum": [null], "nullable": true}),
        [] => json!({"not": {}}),
        [only] => json!({"type": only}),
        _ => json!({"type": others}),
    };
    schema.remove("type");
    let combines = COMBINING
        .iter()
        .any(|keyword| schema.contains_key(*keyword));
    let Value::Object(mut named) = named else {
        return;
    };
    if allowed {
        named.insert("nullable".to_owned(), json!(true));
    }
    if allowed && combines {
        several(&mut named);
        all_of(schema, Value::Object(named));
    } else {
        schema.extend(named);
    }
}

/// Replaces several types with alternatives, each with the keywords that apply to it.
fn several(schema: &mut Map<String, Value>) {
    let Some(Value::Array(kinds)) = schema.get("type").cloned() else {
        return;
    };
    schema.remove("type");
    let mut branches = Vec::new();
    for kind in &kinds {
        let name = kind.as_str().unwrap_or_default();
        let mut branch = Map::from_iter([("type".to_owned(), kind.clone())]);
        for (keyword, _, speaks_of) in KEYWORDS {
            let value = schema.get(keyword).filter(|_| speaks_of.contains(&name));
            if let Some(value) = value {
                branch.insert(keyword.to_owned(), value.clone());
            }
        }
        if let Some(Value::Array(values)) = branch.get_mut("enum") {
            values.retain(|value| {
                kind_of(value) == name || (name == "number" && kind_of(value) == "integer")
            });
            if values.is_empty() {
                // No value of this type is allowed.
                continue;
            }
        }
        branches.push(Value::Object(branch));
    }
    schema.retain(|key, _| {
        KEYWORDS
            .iter()
            .all(|(keyword, _, speaks_of)| key != keyword || speaks_of.is_empty())
    });
    let alternatives = Value::Array(branches);
    if schema.contains_key("anyOf") {
        all_of(schema, json!({"anyOf": alternatives}));
    } else {
        schema.insert("anyOf".to_owned(), alternatives);
    }
}
