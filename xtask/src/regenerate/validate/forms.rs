//! Checks the form of a 3.0 schema, keyword by keyword. openapiv3 reads most broken schemas as ones
//! that allow everything.

use serde_json::Value;

use super::super::refusal::Problems;
use crate::document::keywords::{Form, KEYWORDS, TYPES};
use crate::document::pointer::at;

pub(super) fn schema(schema: &Value, pointer: &str, problems: &mut Problems) {
    if !schema.is_object() {
        problems.add(pointer, "a schema must be an object");
        return;
    }
    for (keyword, form, _) in KEYWORDS {
        if let Some(value) = schema.get(keyword)
            && let Some(expected) = expected(form, value)
        {
            problems.add(
                at(pointer, keyword),
                format!("`{keyword}` must be {expected}"),
            );
        }
    }
    if schema.get("type").is_some_and(|kind| kind == "array") && schema.get("items").is_none() {
        problems.add(pointer, "a list must say of what: `items` is missing");
    }
    bounds(schema, pointer, problems);
}

/// Returns what was expected, if the value is something else.
fn expected(form: Form, value: &Value) -> Option<&'static str> {
    let list = value.as_array();
    let (fits, expected) = match form {
        Form::Any => return None,
        Form::Boolean => (value.is_boolean(), "true or false"),
        Form::Count => (value.is_u64(), "a whole number, not below zero"),
        Form::Number => (value.is_number(), "a number"),
        Form::Object => (value.is_object(), "an object"),
        Form::Schemas => (
            list.is_some_and(|list| !list.is_empty()),
            "a list of schemas with something in it",
        ),
        Form::Text => (value.is_string(), "a text"),
        Form::Texts => (
            list.is_some_and(|list| are_different_texts(list)),
            "a list of different texts",
        ),
        Form::Type => (
            value.as_str().is_some_and(|name| TYPES.contains(&name)),
            "array, boolean, integer, number, object or string",
        ),
        Form::Values => (
            list.is_some_and(|list| !list.is_empty()),
            "a list of values with something in it",
        ),
    };
    (!fits).then_some(expected)
}

fn are_different_texts(list: &[Value]) -> bool {
    let mut texts: Vec<_> = list.iter().filter_map(Value::as_str).collect();
    texts.sort_unstable();
    texts.dedup();
    texts.len() == list.len()
}

/// Checks that no lower bound is above its upper bound.
fn bounds(schema: &Value, pointer: &str, problems: &mut Problems) {
    for (low, high) in [
        ("minimum", "maximum"),
        ("minLength", "maxLength"),
        ("minItems", "maxItems"),
        ("minProperties", "maxProperties"),
    ] {
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        if let (Some(lower), Some(upper)) = (bound(low), bound(high))
            && lower > upper
        {
            let message = format!("`{low}` is over `{high}`: nothing fits");
            problems.add(at(pointer, low), message);
        }
    }
}
