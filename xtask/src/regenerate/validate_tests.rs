//! Facts about the stage `validate`: the contract, damaged in one place at a time.

use serde_json::json;

use super::*;

fn contract() -> Value {
    serde_json::from_str(include_str!("../../tests/data/contract.json")).unwrap()
}

fn refused(damage: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut document = contract();
    damage(&mut document);
    match validate(&document, Purpose::Contract) {
        Ok(()) => Vec::new(),
        Err(refusal) => refusal.to_string().lines().map(str::to_owned).collect(),
    }
}

fn set(pointer: &str, value: Value) -> impl FnOnce(&mut Value) {
    move |document| {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = document.pointer_mut(parent).unwrap();
        parent[key.replace("~1", "/")] = value;
    }
}

const LOGIN: &str = "/paths/~1auth~1login/post";
const TOKEN: &str = "/components/schemas/Token";

#[test]
fn the_contract_is_valid_for_both_purposes() {
    assert_eq!(validate(&contract(), Purpose::Contract), Ok(()));
    assert_eq!(validate(&contract(), Purpose::Comparison), Ok(()));
}

#[test]
fn damage_is_refused_with_its_place() {
    for (place, value, message) in [
        (
            "/components/schemas/HTTPValidationError/properties/detail/items",
            json!({"$ref": "#/components/schemas/No"}),
            ": \"#/components/schemas/No\" points at nothing",
        ),
        (
            "/components/schemas/Token",
            json!([]),
            ": a schema must be an object",
        ),
        (
            "/components/schemas/Token/type",
            json!("objekt"),
            ": `type` must be array, boolean, integer, number, object or string",
        ),
        (
            "/components/schemas/Token/required",
            json!("id"),
            ": `required` must be a list of different texts",
        ),
        (
            "/components/schemas/Token/properties",
            json!([]),
            ": `properties` must be an object",
        ),
        (
            "/components/schemas/Token/properties/id",
            json!({"type": "array"}),
            ": a list must say of what: `items` is missing",
        ),
        (
            "/components/schemas/Token/properties/id/maxLength",
            json!(-1),
            ": `maxLength` must be a whole number, not below zero",
        ),
        (
            "/components/schemas/Token/additionalProperties",
            json!("no"),
            ": a schema must be an object",
        ),
        (
            "/components/schemas/Token/enum",
            json!([]),
            ": `enum` must be a list of values with something in it",
        ),
        (
            "/components/schemas/Token/anyOf",
            json!({}),
            ": `anyOf` must be a list of schemas with something in it",
        ),
        ("/info/title", json!(1), ": it must be there, and be a text"),
        (
            "/servers",
            json!("https://a.example"),
            ": it must be a list",
        ),
    ] {
        let found = refused(set(place, value));
        assert_eq!(found, [format!("validate at {place}{message}")]);
    }
}

#[test]
fn a_circle_of_references_is_refused() {
    let found = refused(|document| {
        document["components"]["schemas"]["A"] = json!({"$ref": "#/components/schemas/B"});
        document["components"]["schemas"]["B"] =
            json!({"allOf": [{"anyOf": [{"$ref": "#/components/schemas/A"}]}]});
    });
    assert_eq!(
        found,
        [
            "validate at /components/schemas/A: references lead in a circle with nothing in it: \
          /components/schemas/A, /components/schemas/B"
        ]
    );
}

#[test]
fn a_schema_that_holds_itself_is_no_circle() {
    let found = refused(|document| {
        document["components"]["schemas"]["A"] = json!({
            "type": "object", "properties": {"a": {"$ref": "#/components/schemas/A"}}
        });
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn broken_operations_are_refused() {
    let replies = format!("{LOGIN}/responses");
    for (place, value, messages) in [
        (
            LOGIN,
            json!({}),
            vec![
                "at {}: there is no operationId",
                "at {}/responses: there is no response",
            ],
        ),
        (
            &format!("{replies}/202"),
            json!({}),
            vec!["at {}/responses/202/description: a response must have a description"],
        ),
        (
            &format!("{replies}/2xx"),
            json!({"description": ""}),
            vec!["at {}/responses/2xx: a status is three digits, 2XX and the like, or default"],
        ),
        (
            &format!("{LOGIN}/requestBody"),
            json!({"content": {}}),
            vec!["at {}/requestBody: a request body without content is none"],
        ),
        (
            &format!("{LOGIN}/parameters"),
            json!([{"name": "a", "in": "body"}, {"name": "b", "in": "path", "schema": {}}, {}]),
            vec![
                "at {}/parameters/0/in: no parameter is in \"body\"",
                "at {}/parameters/0: a parameter must have a schema",
                "at {}/parameters/1: a parameter of the path must be required",
                "at {}/parameters/1: the path has no {b}",
                "at {}/parameters/2: a parameter must have `name` and `in`",
            ],
        ),
    ] {
        let expected: Vec<_> = messages
            .iter()
            .map(|message| format!("validate {}", message.replacen("{}", LOGIN, 1)))
            .collect();
        assert_eq!(refused(set(place, value)), expected);
    }
}

#[test]
fn what_the_generator_can_not_take_is_refused() {
    let body =
        json!({"description": "", "content": {"application/json": {"schema": {"type": "string"}}}});
    let replies = format!("{LOGIN}/responses");
    for (status, other, place) in [
        (
            "401",
            "the error 422 has another body than the error 401",
            "422",
        ),
        (
            "200",
            "the success 202 has another body than the success 200",
            "202",
        ),
    ] {
        let message = "and the generator takes one for all; use one schema, or leave the body out \
                       with xtask/overlay.json";
        assert_eq!(
            refused(set(&format!("{replies}/{status}"), body.clone())),
            [format!("validate at {replies}/{place}: {other}, {message}")]
        );
    }
    assert_eq!(
        refused(set(
            &format!("{LOGIN}/servers"),
            json!([{"url": "https://a.example"}])
        )),
        [format!(
            "validate at {LOGIN}/servers: this operation has servers of its own, and the client has \
             one for all five; name the server once, for the document"
        )]
    );
}

#[test]
fn an_error_without_a_body_is_no_second_shape() {
    let found = refused(set(
        &format!("{LOGIN}/responses/401"),
        json!({"description": "no"}),
    ));
    assert_eq!(found, [""; 0]);
}

#[test]
fn what_the_handwritten_crate_needs_is_asked_for() {
    let scheme = "/components/securitySchemes/JWT";
    let key = refused(set(
        scheme,
        json!({"type": "apiKey", "in": "header", "name": "K"}),
    ));
    assert_eq!(key.len(), 4);
    assert!(key[0].ends_with("the client has a bearer to show, and something else is asked for"));
    assert_eq!(
        refused(set(&format!("{LOGIN}/security"), json!([{"JWT": []}]))),
        [format!(
            "validate at {LOGIN}/security: the client has nothing to show here yet, and something is \
             asked for"
        )]
    );
    assert_eq!(
        refused(set(
            &format!("{LOGIN}/responses/202"),
            json!({"description": ""})
        )),
        [format!(
            "validate at {LOGIN}/responses/202: the client reads JSON from this reply, and it has none"
        )]
    );
    assert_eq!(
        refused(set(
            &format!("{TOKEN}/properties/secret"),
            json!({"type": "string"})
        )),
        [format!(
            "validate at {TOKEN}/properties/secret: this is a secret and not marked as one; extend \
             xtask/overlay.json"
        )]
    );
}

#[test]
fn exactly_the_five_operations_make_a_contract() {
    let found = refused(set(&format!("{LOGIN}/operationId"), json!("sign_in")));
    assert_eq!(
        found,
        [
            "validate at /paths: the operation `login` is missing".to_owned(),
            format!("validate at {LOGIN}: `sign_in` is none of the five operations"),
        ]
    );
    let mut document = contract();
    document["paths"]["/auth/login"]["post"]["operationId"] = json!("sign_in");
    assert_eq!(validate(&document, Purpose::Comparison), Ok(()));
}
