//! Facts about the stage `lower`: 3.1 on the left, 3.0 on the right.

use super::*;

fn document(version: &str, schema: &Value) -> Value {
    json!({"openapi": version, "paths": {}, "components": {"schemas": {"S": schema}}})
}

fn lowered(schema: &Value) -> Value {
    lower(document("3.1.0", schema)).unwrap().document["components"]["schemas"]["S"].clone()
}

fn refused(schema: &Value) -> String {
    lower(document("3.1.0", schema)).unwrap_err().to_string()
}

fn notes(schema: &Value) -> Vec<String> {
    lower(document("3.1.0", schema)).unwrap().notes
}

#[test]
fn every_construct_has_its_equivalent() {
    for (newer, older) in [
        (
            json!({"type": ["string", "null"]}),
            json!({"type": "string", "nullable": true}),
        ),
        (json!({"type": ["string"]}), json!({"type": "string"})),
        (
            json!({"type": "null"}),
            json!({"enum": [null], "nullable": true}),
        ),
        (
            json!({"type": ["string", "integer"], "minLength": 1, "minimum": 2, "description": "d"}),
            json!({"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 2}],
                   "description": "d"}),
        ),
        (
            json!({"type": ["string", "integer", "null"], "enum": ["a", 1, null]}),
            json!({"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer", "enum": [1]}],
                   "nullable": true}),
        ),
        (
            json!({"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}], "title": "T"}),
            json!({"type": "string", "maxLength": 9, "nullable": true, "title": "T"}),
        ),
        (
            json!({"anyOf": [{"$ref": "#/components/schemas/S"}, {"type": "null"}]}),
            json!({"allOf": [{"$ref": "#/components/schemas/S"}], "nullable": true}),
        ),
        (
            json!({"oneOf": [{"type": "string"}, {"type": "integer"}, {"const": null}]}),
            json!({"oneOf": [{"type": "string"}, {"type": "integer"}], "nullable": true}),
        ),
        (
            json!({"const": "a"}),
            json!({"type": "string", "enum": ["a"]}),
        ),
        (
            json!({"const": 1, "type": "integer"}),
            json!({"type": "integer", "enum": [1]}),
        ),
        (
            json!({"const": null}),
            json!({"enum": [null], "nullable": true}),
        ),
        (json!({"examples": ["a"]}), json!({"example": "a"})),
        (
            json!({"exclusiveMinimum": 0, "exclusiveMaximum": 10, "maximum": 5}),
            json!({"minimum": 0, "exclusiveMinimum": true, "maximum": 5}),
        ),
        (
            json!({"exclusiveMinimum": 3, "minimum": 3}),
            json!({"minimum": 3, "exclusiveMinimum": true}),
        ),
        (
            json!({"$ref": "#/components/schemas/S", "description": "d"}),
            json!({"allOf": [{"$ref": "#/components/schemas/S"}], "description": "d"}),
        ),
        (
            json!({"properties": {"a": true, "b": false}}),
            json!({"properties": {"a": {}, "b": {"not": {}}}}),
        ),
        (
            json!({"type": "array"}),
            json!({"type": "array", "items": {}}),
        ),
        (
            json!({"$defs": {"A": {"prefixItems": []}}, "$comment": "c"}),
            json!({}),
        ),
        (
            json!({"type": "string", "contentMediaType": "application/octet-stream"}),
            json!({"type": "string", "format": "binary"}),
        ),
        (
            json!({"type": "string", "contentEncoding": "base64"}),
            json!({"type": "string", "format": "byte"}),
        ),
        (
            json!({"type": "object", "properties": {}, "unevaluatedProperties": false}),
            json!({"type": "object", "properties": {}, "additionalProperties": false}),
        ),
        (
            json!({"propertyNames": {"type": "string"}, "required": []}),
            json!({}),
        ),
        (
            json!({"$schema": "https://json-schema.org/draft/2020-12/schema"}),
            json!({}),
        ),
    ] {
        assert_eq!(lowered(&newer), older, "{newer}");
    }
}

#[test]
fn what_has_no_equivalent_is_refused_with_its_place() {
    let at = "lower at /components/schemas/S/properties/p";
    for (schema, expected) in [
        (
            json!({"prefixItems": [{}]}),
            "/prefixItems: `prefixItems` has no equivalent in 3.0",
        ),
        (
            json!({"items": [{}]}),
            "/items: a list of schemas for `items` (a tuple) has no equivalent in 3.0",
        ),
        (
            json!({"if": {}, "then": {"type": "string"}}),
            "/if: `if` has no equivalent in 3.0",
        ),
        (
            json!({"patternProperties": {"^a": {}}}),
            "/patternProperties: `patternProperties` has no equivalent in 3.0",
        ),
        (
            json!({"propertyNames": {"pattern": "a"}}),
            "/propertyNames: `propertyNames` has no equivalent in 3.0",
        ),
        (
            json!({"allOf": [{}], "unevaluatedProperties": false}),
            "/unevaluatedProperties: `unevaluatedProperties` has no equivalent in 3.0",
        ),
        (
            json!({"contains": {}}),
            "/contains: `contains` has no equivalent in 3.0",
        ),
        (
            json!({"$dynamicRef": "#a"}),
            "/$dynamicRef: `$dynamicRef` has no equivalent in 3.0",
        ),
        (
            json!({"$id": "https://a.example"}),
            "/$id: `$id` has no equivalent in 3.0",
        ),
        (
            json!({"contentMediaType": "application/json"}),
            "/contentMediaType: the content \"application/json\" has no equivalent in 3.0",
        ),
        (
            json!({"const": 1, "enum": [2]}),
            "/const: `const` is none of the values of `enum`: nothing fits",
        ),
    ] {
        let refusal = refused(&json!({"properties": {"p": schema}}));
        assert_eq!(refusal.lines().next().unwrap(), format!("{at}{expected}"));
    }
}

#[test]
fn other_dialects_and_mutual_tls_are_refused() {
    let mut other = document("3.1.0", &json!({"$schema": "https://a.example"}));
    other["jsonSchemaDialect"] = json!("https://a.example");
    other["components"]["securitySchemes"] = json!({"M": {"type": "mutualTLS"}});
    let message = lower(other).unwrap_err().to_string();
    let mut lines: Vec<_> = message.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "lower at /components/schemas/S/$schema: the dialect \"https://a.example\" is not known",
            "lower at /components/securitySchemes/M/type: mutualTLS has no equivalent in 3.0",
            "lower at /jsonSchemaDialect: the dialect \"https://a.example\" is not known",
        ]
    );
}

#[test]
fn what_is_left_out_is_told() {
    assert_eq!(
        notes(&json!({"examples": [1, 2]})),
        ["/components/schemas/S: 3.0 has room for one example; the others are left out"]
    );
    assert_eq!(
        notes(&json!({"env": "A", "x-own": 1})),
        ["/components/schemas/S: `env` is no keyword of OpenAPI and is left out"]
    );
}

#[test]
fn a_document_of_3_0_passes_as_it_is() {
    let schema = json!({
        "type": "object",
        "required": ["a"],
        "properties": {
            "a": {"type": "string", "nullable": true, "enum": ["b", null], "example": "b"},
            "c": {"$ref": "#/components/schemas/S", "description": "ignored"},
            "d": {"type": "integer", "minimum": 0, "exclusiveMinimum": true},
            "const": {"type": "array", "items": {"oneOf": [{"type": "string"}]}}
        },
        "additionalProperties": false,
        "default": {"const": 1, "type": ["null"]}
    });
    let document = document("3.0.3", &schema);
    let lowered = lower(document.clone()).unwrap();
    assert_eq!((lowered.document, lowered.notes), (document, vec![]));
}

#[test]
fn what_old_fastapi_writes_into_3_0_is_lowered_too() {
    let schema = json!({"type": "integer", "exclusiveMinimum": 0, "const": 4});
    let lowered = lower(document("3.0.2", &schema)).unwrap().document;
    assert_eq!(
        lowered["components"]["schemas"]["S"],
        json!({"type": "integer", "minimum": 0, "exclusiveMinimum": true, "enum": [4]})
    );
}
