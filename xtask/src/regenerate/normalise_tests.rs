//! Facts about the stage `normalise`: what is written on the left, its one form on the right.

use super::*;

fn document(schema: &Value) -> Value {
    json!({"openapi": "3.0.3", "paths": {}, "components": {"schemas": {"S": schema}}})
}

fn normal(schema: &Value) -> Value {
    normalise(document(schema))["components"]["schemas"]["S"].clone()
}

#[test]
fn what_two_releases_write_differently_comes_out_the_same() {
    let reference = json!({"$ref": "#/components/schemas/T"});
    for (written, form) in [
        (
            json!({"title": "S", "type": "string"}),
            json!({"type": "string"}),
        ),
        (
            json!({"allOf": [reference], "title": "S"}),
            reference.clone(),
        ),
        (
            json!({"$ref": "#/components/schemas/T", "description": "d"}),
            reference.clone(),
        ),
        (
            json!({"allOf": [reference], "nullable": true}),
            json!({"allOf": [reference], "nullable": true}),
        ),
        (
            json!({"allOf": [{"type": "string"}], "description": "d"}),
            json!({"type": "string", "description": "d"}),
        ),
        (
            json!({"enum": ["a"], "description": "An enumeration."}),
            json!({"type": "string", "enum": ["a"]}),
        ),
        (json!({"enum": ["a", 1]}), json!({"enum": ["a", 1]})),
        (json!({"enum": [null]}), json!({"enum": [null]})),
        (
            json!({"type": "integer", "minimum": 1.0, "multipleOf": 0.5}),
            json!({"type": "integer", "minimum": 1, "multipleOf": 0.5}),
        ),
        (
            json!({"type": "object", "additionalProperties": true}),
            json!({"type": "object"}),
        ),
        (
            json!({"nullable": false, "default": null, "deprecated": false}),
            json!({}),
        ),
        (
            json!({"required": ["a"], "properties": {
                "a": {"type": "string", "nullable": true},
                "b": {"type": "string", "nullable": true},
                "c": {"allOf": [reference], "nullable": true},
                "title": {"title": "Title"}
            }}),
            json!({"required": ["a"], "properties": {
                "a": {"type": "string", "nullable": true},
                "b": {"type": "string"},
                "c": reference,
                "title": {}
            }}),
        ),
    ] {
        assert_eq!(normal(&written), form, "{written}");
        assert_eq!(normal(&form), form, "{form}");
    }
}

#[test]
fn a_slash_at_the_end_of_a_server_goes() {
    let urls = ["https://a.example/", "https://b.example/v1", "/"].map(|url| json!({"url": url}));
    let document = normalise(json!({"servers": urls}));
    let found: Vec<_> = document["servers"].as_array().unwrap().iter().collect();
    assert_eq!(
        found,
        [
            &json!({"url": "https://a.example"}),
            &json!({"url": "https://b.example/v1"}),
            &json!({"url": "/"})
        ]
    );
}

#[test]
fn data_is_left_alone() {
    let schema = json!({"example": {"title": "t", "nullable": false}, "enum": [{"title": "t"}]});
    assert_eq!(normal(&schema), schema);
}

#[test]
fn an_optional_parameter_and_body_are_not_null() {
    let schema = json!({"type": "string", "nullable": true});
    let operation = json!({
        "parameters": [
            {"name": "a", "in": "query", "required": false, "schema": schema},
            {"name": "b", "in": "query", "required": true, "schema": schema}
        ],
        "requestBody": {"content": {"a/b": {"schema": schema}}},
        "responses": {"204": {"description": "", "content": {}}}
    });
    let document = json!({"paths": {"/": {"get": operation}}});
    assert_eq!(
        normalise(document)["paths"]["/"]["get"],
        json!({
            "parameters": [
                {"name": "a", "in": "query", "schema": {"type": "string"}},
                {"name": "b", "in": "query", "required": true, "schema": schema}
            ],
            "requestBody": {"content": {"a/b": {"schema": {"type": "string"}}}},
            "responses": {"204": {"description": ""}}
        })
    );
}
