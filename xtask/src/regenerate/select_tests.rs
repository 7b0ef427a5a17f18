//! Facts about the stage `select`, on documents of a few lines.

use super::*;

/// A document with the five operations, each answering 204 at `/<id>`.
fn document() -> Value {
    let mut paths = json!({});
    for id in OPERATIONS {
        paths[format!("/{id}")] = json!({"get": {
            "operationId": id, "security": [], "responses": {"204": {"description": ""}}
        }});
    }
    json!({"openapi": "3.0.2", "paths": paths, "components": {}})
}

fn selected(document: &Value) -> Value {
    select(document, &[], Missing::Refused).unwrap()
}

fn refused(document: &Value) -> String {
    select(document, &homes(&self::document()), Missing::Refused)
        .unwrap_err()
        .to_string()
}

#[test]
fn unrelated_parts_may_be_odd() {
    let mut odd = document();
    odd["paths"]["/odd"] =
        json!({"get": {"operationId": 1, "responses": {"200": {"$ref": "#/no"}}}});
    odd["paths"]["/null"] = json!(null);
    odd["components"] = json!({"schemas": {"Odd": {"$ref": "#/components/schemas/Odd"}, "N": 0}});
    odd["webhooks"] = json!(3);
    odd["info"] = json!({"title": "t", "license": {"identifier": "MIT"}});
    let mut expected = selected(&document());
    expected["info"] = json!({"title": "t"});
    assert_eq!(selected(&odd), expected);
}

#[test]
fn what_references_reach_is_kept_and_nothing_else() {
    let mut document = document();
    document["paths"]["/login"]["get"]["responses"] =
        json!({"200": {"$ref": "#/components/responses/R"}});
    document["components"] = json!({
        "responses": {"R": {"description": "", "content": {"a/b": {"schema": {"$ref": "#/components/schemas/A"}}}}},
        "schemas": {
            "A": {"properties": {"$ref": {"$ref": "#/components/schemas/B"}}, "example": {"$ref": "#/no"}},
            "B": {"items": {"$ref": "#/components/schemas/A"}},
            "C": {"discriminator": {"mapping": {"d": "D"}}},
            "D": {}
        }
    });
    let keys = |document: &Value| {
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let mut keys: Vec<_> = schemas.keys().cloned().collect();
        keys.sort_unstable();
        keys
    };
    assert_eq!(keys(&selected(&document)), ["A", "B"]);
    document["components"]["schemas"]["B"] = json!({"$ref": "#/components/schemas/C"});
    assert_eq!(keys(&selected(&document)), ["A", "B", "C", "D"]);
}

#[test]
fn a_reference_into_the_middle_of_something_is_written_out() {
    let mut document = document();
    let target = "#/components/schemas/A/properties/b";
    document["paths"]["/login"]["get"]["responses"] = json!({"200": {
        "description": "", "content": {"a/b": {"schema": {"$ref": target}}}
    }});
    document["components"] = json!({"schemas": {"A": {"properties": {"b": {"type": "string"}}}}});
    let login = &selected(&document)["paths"]["/login"]["get"];
    assert_eq!(
        login["responses"]["200"]["content"]["a/b"]["schema"],
        json!({"type": "string"})
    );
    document["components"]["schemas"]["A"]["properties"]["b"] =
        json!({"items": {"$ref": "#/components/schemas/A/properties/b"}});
    assert_eq!(
        refused(&document),
        "select at /paths/~1login/get/responses/200/content/a~1b/schema/items: \
         `#/components/schemas/A/properties/b` leads back to itself, and only a component can do that"
    );
}

#[test]
fn security_is_said_by_each_operation() {
    let mut document = document();
    document["security"] = json!([{"JWT": []}]);
    document["components"]["securitySchemes"] = json!({"JWT": {"type": "http"}, "Other": {}});
    let login = document["paths"]["/login"]["get"].as_object_mut().unwrap();
    login.remove("security");
    let selected = selected(&document);
    assert_eq!(
        selected["paths"]["/login"]["get"]["security"],
        json!([{"JWT": []}])
    );
    assert_eq!(
        selected["components"]["securitySchemes"],
        json!({"JWT": {"type": "http"}})
    );
    assert_eq!(selected.get("security"), None);
    document["components"] = json!({});
    assert_eq!(
        refused(&document),
        "select at /paths/~1login/get/security/0/JWT: there is no security scheme of this name"
    );
}

#[test]
fn parameters_and_servers_of_the_path_are_said_by_each_operation() {
    let mut document = document();
    let item = &mut document["paths"]["/login"];
    item["parameters"] = json!([{"in": "query", "name": "a"}, {"in": "query", "name": "b"}]);
    item["servers"] = json!([{"url": "https://other.example"}]);
    item["get"]["parameters"] = json!([{"in": "query", "name": "b", "required": true}]);
    let login = &selected(&document)["paths"]["/login"]["get"];
    let parameters =
        json!([{"in": "query", "name": "b", "required": true}, {"in": "query", "name": "a"}]);
    assert_eq!(login["parameters"], parameters);
    assert_eq!(login["servers"], json!([{"url": "https://other.example"}]));
}

#[test]
fn a_renamed_operation_is_refused_with_what_stands_there() {
    let mut document = document();
    document["paths"]["/login"]["get"]["operationId"] = json!("login_login_get");
    assert_eq!(
        refused(&document),
        "select at /paths/~1login/get: no operation has the operationId `login`; GET /login has the \
         operationId `login_login_get`"
    );
    document["paths"]["/login"] = json!({});
    assert_eq!(
        refused(&document),
        "select at /paths: login: GET /login is gone; the nearest is GET /get_api_token"
    );
}

#[test]
fn a_renamed_operation_can_be_tolerated() {
    let mut document = document();
    document["paths"]["/login"]["get"]["operationId"] = json!("login_login_get");
    document["paths"]["/delete_api_token"] = json!({});
    let homes = homes(&self::document());
    let selected = select(&document, &homes, Missing::Tolerated).unwrap();
    let paths = selected["paths"].as_object().unwrap();
    assert_eq!(paths["/login"]["get"]["operationId"], "login_login_get");
    assert_eq!(paths.len(), OPERATIONS.len() - 1);
}

#[test]
fn an_operation_that_is_there_twice_is_refused() {
    let mut document = document();
    document["paths"]["/other"] = json!({"put": {"operationId": "login"}});
    assert_eq!(
        refused(&document),
        "select at /paths/~1other/put: the operationId `login` is also that of /paths/~1login/get"
    );
}

#[test]
fn a_reference_that_leads_nowhere_is_refused() {
    let mut document = document();
    for (text, message) in [
        (
            "#/components/schemas/No",
            "`#/components/schemas/No` points at nothing",
        ),
        (
            "other.json#/A",
            "`other.json#/A` is not a pointer into this document; bundle the document first",
        ),
    ] {
        document["paths"]["/login"]["get"]["responses"]["204"] = json!({"$ref": text});
        assert_eq!(
            refused(&document),
            format!("select at /paths/~1login/get/responses/204: {message}")
        );
    }
    document["components"] = json!({"schemas": {"A": {}}});
    document["paths"]["/login"]["get"]["responses"]["204"] =
        json!({"$ref": "#/components/schemas/A"});
    assert_eq!(
        refused(&document),
        "select at /paths/~1login/get/responses/204: `#/components/schemas/A` points at one of \
         `schemas`, not at a response"
    );
}

#[test]
fn a_document_without_paths_is_refused() {
    assert_eq!(
        refused(&json!({"openapi": "3.0.2"})),
        "select at /paths: there is no object of paths; this is no document of a service"
    );
}

#[test]
fn tags_are_those_that_the_operations_have() {
    let mut document = document();
    document["paths"]["/login"]["get"]["tags"] = json!(["B", "A"]);
    document["tags"] = json!([{"name": "A", "description": "a"}, {"name": "C"}]);
    assert_eq!(
        selected(&document)["tags"],
        json!([{"name": "A", "description": "a"}, {"name": "B"}])
    );
}
