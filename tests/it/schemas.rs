//! The JSON Schema of every generated model is the contract's, in meaning.

use pollination_auth_api::types::{
    Auth0TokenResponse, HttpValidationError, NewToken, Token, ValidationError,
};
use schemars::{Schema, schema_for};
use serde_json::{Map, Value, json};

const CONTRACT: &str = include_str!("../../openapi.json");

/// Words of a schema that allow and forbid nothing.
const ANNOTATIONS: [&str; 5] = ["$schema", "$defs", "default", "description", "title"];

fn models() -> [(&'static str, Schema); 5] {
    [
        ("Auth0TokenResponse", schema_for!(Auth0TokenResponse)),
        ("HTTPValidationError", schema_for!(HttpValidationError)),
        ("NewToken", schema_for!(NewToken)),
        ("Token", schema_for!(Token)),
        ("ValidationError", schema_for!(ValidationError)),
    ]
}

/// Formats of texts that are plain texts in the models: see `build/codegen.rs`.
const TEXTS: [&str; 3] = ["date", "date-time", "uuid"];

/// Returns `true` for what the contract says and the models don't: whether a text fits is up to the
/// service.
fn is_form_of_a_text(key: &str, value: &Value) -> bool {
    let is_text = |format: &str| TEXTS.contains(&format);
    let text = value.as_str();
    key == "pattern" && text.is_some() || key == "format" && text.is_some_and(is_text)
}

/// Writes out every reference, drops annotations and puts lists whose order means nothing in order.
fn meaning(schema: &Value, root: &Value) -> Value {
    match schema {
        Value::Object(object) => {
            if let Some(target) = object.get("$ref") {
                let pointer = target.as_str().unwrap().trim_start_matches('#');
                return meaning(root.pointer(pointer).unwrap(), root);
            }
            let mut plain = Map::new();
            for (key, value) in object {
                // The width of the Rust integer: the contract states `integer` without a width.
                let width = key == "format" && value == "int64";
                let dropped = width || is_form_of_a_text(key, value);
                if !ANNOTATIONS.contains(&key.as_str()) && !dropped {
                    plain.insert(key.clone(), meaning(value, root));
                }
            }
            for key in ["anyOf", "required"] {
                if let Some(Value::Array(members)) = plain.get_mut(key) {
                    members.sort_by_key(Value::to_string);
                }
            }
            Value::Object(plain)
        }
        Value::Array(items) => items.iter().map(|item| meaning(item, root)).collect(),
        other => other.clone(),
    }
}

#[test]
fn every_model_says_what_the_contract_says() {
    let contract: Value = serde_json::from_str(CONTRACT).unwrap();
    let documented = &contract["components"]["schemas"];
    for (name, generated) in models() {
        let generated = generated.to_value();
        assert_eq!(
            meaning(&generated, &generated),
            meaning(&documented[name], &contract),
            "the schema of {name}"
        );
    }
}

#[test]
fn every_schema_of_the_contract_is_a_model() {
    let contract: Value = serde_json::from_str(CONTRACT).unwrap();
    let documented: Vec<_> = contract["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(
        documented,
        models().map(|(name, _)| name).iter().collect::<Vec<_>>()
    );
}

#[test]
fn a_difference_in_meaning_is_seen() {
    let root = json!({});
    let strict = json!({"type": "string"});
    assert_ne!(
        meaning(&strict, &root),
        meaning(&json!({"type": ["string", "null"]}), &root)
    );
    assert_eq!(
        meaning(&strict, &root),
        meaning(&json!({"type": "string", "title": "T"}), &root)
    );
}
