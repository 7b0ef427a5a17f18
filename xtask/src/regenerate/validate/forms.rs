//! The form of a 3.0 schema, keyword by keyword. openapiv3 would take most broken schemas for
//! ones that allow everything.

use serde_json::Value;

use super::super::refusal::{Problems, at};

/// What the value of a keyword must be.
#[derive(Clone, Copy)]
enum Form {
    Boolean,
    Count,
    Number,
    Object,
    /// A list with something in it.
    Schemas,
    Text,
    /// A list of different texts.
    Texts,
    Type,
    /// A list with something in it.
    Values,
}

const FORMS: [(&str, Form); 31] = [
    ("allOf", Form::Schemas),
    ("anyOf", Form::Schemas),
    ("deprecated", Form::Boolean),
    ("description", Form::Text),
    ("discriminator", Form::Object),
    ("enum", Form::Values),
    ("exclusiveMaximum", Form::Boolean),
    ("exclusiveMinimum", Form::Boolean),
    ("externalDocs", Form::Object),
    ("format", Form::Text),
    ("items", Form::Object),
    ("maxItems", Form::Count),
    ("maxLength", Form::Count),
    ("maxProperties", Form::Count),
    ("maximum", Form::Number),
    ("minItems", Form::Count),
    ("minLength", Form::Count),
    ("minProperties", Form::Count),
    ("minimum", Form::Number),
    ("multipleOf", Form::Number),
    ("not", Form::Object),
    ("nullable", Form::Boolean),
    ("oneOf", Form::Schemas),
    ("pattern", Form::Text),
    ("properties", Form::Object),
    ("readOnly", Form::Boolean),
    ("required", Form::Texts),
    ("title", Form::Text),
    ("type", Form::Type),
    ("uniqueItems", Form::Boolean),
    ("writeOnly", Form::Boolean),
];

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

pub(super) fn schema(schema: &Value, pointer: &str, problems: &mut Problems) {
    if !schema.is_object() {
        problems.add(pointer, "a schema must be an object");
        return;
    }
    for (keyword, form) in FORMS {
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

/// Says what was expected, if the value is not that.
fn expected(form: Form, value: &Value) -> Option<&'static str> {
    let list = value.as_array();
    let (fits, expected) = match form {
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

/// A lower bound over its upper one lets nothing through: a mistake.
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
