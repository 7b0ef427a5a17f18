//! Test support: judges a reply by `openapi.json`, and by what life adds to it.
//!
//! It names nothing of the crate it lives in, so another crate's tests can include the file with
//! `#[path]`. A reply that neither the contract nor [`UNDOCUMENTED`] has fails the test.

use serde_json::{Value, json};

const CONTRACT: &str = include_str!("../../../../openapi.json");

/// Statuses that the contract does not list and a client meets all the same.
///
/// Their body is `{"detail": "some text"}`, as for those documented with a description only.
const UNDOCUMENTED: [(&str, u16); 6] = [
    ("login", 401),
    ("login", 500),
    ("create_api_token", 401),
    ("create_api_token", 403),
    ("create_api_token", 409),
    ("create_api_token", 500),
];

/// What the service in memory gives by itself.
pub(crate) const OF_THE_FAKE: [(&str, u16); 15] = [
    ("create_api_token", 201),
    ("create_api_token", 401),
    ("create_api_token", 409),
    ("delete_api_token", 204),
    ("delete_api_token", 401),
    ("delete_api_token", 404),
    ("get_api_token", 200),
    ("get_api_token", 401),
    ("get_api_token", 404),
    ("login", 202),
    ("login", 401),
    ("login", 422),
    ("rotate_api_token_secret", 200),
    ("rotate_api_token_secret", 401),
    ("rotate_api_token_secret", 404),
];

/// Checks that the contract has a reply; the error is what is wrong with it.
///
/// Fields that a schema does not name are wrong too: OpenAPI would let them pass.
pub(crate) fn check(operation_id: &str, status: u16, body: &[u8]) -> Result<(), String> {
    let contract: Value = serde_json::from_str(CONTRACT).unwrap();
    let operation = operation(&contract, operation_id);
    let documented = &operation["responses"][status.to_string()];
    if documented.is_null() && !UNDOCUMENTED.contains(&(operation_id, status)) {
        return Err(format!("{operation_id} has no status {status}"));
    }
    let schema = match &documented["content"]["application/json"]["schema"] {
        Value::Null if status == 204 => {
            return match body {
                [] => Ok(()),
                _ => Err("a 204 has no body".to_owned()),
            };
        }
        Value::Null => json!({
            "type": "object",
            "properties": {"detail": {"type": "string"}},
            "required": ["detail"],
        }),
        schema => schema.clone(),
    };
    let body: Value =
        serde_json::from_slice(body).map_err(|_| format!("{operation_id} {status}: not JSON"))?;
    let validator = jsonschema::draft4::new(&closed(&written_out(&schema, &contract))).unwrap();
    // The paths of the errors only: an error shows the value, which can be a secret.
    let errors: Vec<_> = validator
        .iter_errors(&body)
        .map(|error| error.schema_path().to_string())
        .collect();
    match errors.is_empty() {
        true => Ok(()),
        false => Err(format!("{operation_id} {status}: {errors:?}")),
    }
}

/// Fails the test when the contract does not have this reply.
#[track_caller]
pub(crate) fn assert_documented(operation_id: &str, status: u16, body: &[u8]) {
    if let Err(wrong) = check(operation_id, status, body) {
        panic!("{wrong}");
    }
}

fn operation<'a>(contract: &'a Value, id: &str) -> &'a Value {
    let paths = contract["paths"].as_object().unwrap();
    paths
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .find(|operation| operation["operationId"] == id)
        .unwrap_or_else(|| panic!("the contract has no operation {id}"))
}

/// Replaces references with what they refer to.
fn written_out(schema: &Value, contract: &Value) -> Value {
    match schema {
        Value::Object(object) => match object.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let target = contract.pointer(reference.trim_start_matches('#')).unwrap();
                written_out(target, contract)
            }
            None => object
                .iter()
                .map(|(key, value)| (key.clone(), written_out(value, contract)))
                .collect(),
        },
        Value::Array(items) => items
            .iter()
            .map(|item| written_out(item, contract))
            .collect(),
        other => other.clone(),
    }
}

/// Allows no field that is not named.
fn closed(schema: &Value) -> Value {
    match schema {
        Value::Object(object) => {
            let mut object: serde_json::Map<_, _> = object
                .iter()
                .map(|(key, value)| (key.clone(), closed(value)))
                .collect();
            if object.get("type").is_some_and(|type_| type_ == "object") {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            Value::Object(object)
        }
        Value::Array(items) => items.iter().map(closed).collect(),
        other => other.clone(),
    }
}

#[test]
fn a_reply_that_the_contract_does_not_have_is_found() {
    for (operation_id, status, body, wrong) in [
        ("login", 200, "{}", "login has no status 200"),
        (
            "get_api_token",
            422,
            "{}",
            "get_api_token has no status 422",
        ),
        (
            "get_api_token",
            200,
            "{}",
            r#"get_api_token 200: ["/required"]"#,
        ),
        ("get_api_token", 200, "<p>", "get_api_token 200: not JSON"),
        (
            "get_api_token",
            200,
            r#"{"id":"i","secret":"s"}"#,
            r#"get_api_token 200: ["/additionalProperties"]"#,
        ),
        (
            "login",
            422,
            r#"{"detail":[{"loc":[1.5],"msg":"m","type":"t"}]}"#,
            r#"login 422: ["/properties/detail/items/properties/loc/items/anyOf"]"#,
        ),
        ("delete_api_token", 204, "null", "a 204 has no body"),
        (
            "login",
            401,
            r#"{"detail":[]}"#,
            r#"login 401: ["/properties/detail/type"]"#,
        ),
    ] {
        assert_eq!(
            check(operation_id, status, body.as_bytes()),
            Err(wrong.to_owned())
        );
    }
}

#[test]
fn a_reply_of_the_contract_passes() {
    assert_documented(
        "rotate_api_token_secret",
        200,
        br#"{"id":"i","secret":"s"}"#,
    );
    assert_documented("rotate_api_token_secret", 200, br#"{"id":"i"}"#);
    assert_documented("delete_api_token", 204, b"");
    assert_documented("create_api_token", 409, br#"{"detail":"no"}"#);
}
