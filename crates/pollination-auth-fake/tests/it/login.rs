//! What logs in, and what does not.

use pollination_auth_fake::FakeService;
use reqwest::Method;
use serde_json::json;

use crate::caller::{Caller, secret_of};

#[tokio::test]
async fn the_right_secret_logs_in_with_202() {
    let service = FakeService::start();
    let answer = Caller::of(&service)
        .login(&service.id().unwrap(), &secret_of(&service))
        .await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.headers["content-type"], "application/json");
    let body = answer.json();
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("Bearer"), &json!(86_400))
    );
}

#[tokio::test]
async fn a_wrong_id_a_wrong_secret_and_none_are_the_same_401() {
    let service = FakeService::builder().id("i").secret("s").start();
    let caller = Caller::of(&service);
    for body in [
        r#"{"id":"j","secret":"s"}"#,
        r#"{"id":"i","secret":"t"}"#,
        r#"{"id":"i","secret":""}"#,
        r#"{"id":"i","secret":null}"#,
        r#"{"id":"i"}"#,
    ] {
        let answer = caller.login_with(body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.detail().as_str()),
            (401, "wrong id or secret")
        );
    }
    assert_eq!(service.logins(), 5);
}

#[tokio::test]
async fn a_malformed_body_is_422_in_the_shape_of_fastapi() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    for (body, detail) in [
        (
            "{}",
            json!([{"loc": ["body", "id"], "msg": "field required", "type": "value_error.missing"}]),
        ),
        (
            r#"{"id":1}"#,
            json!([{"loc": ["body", "id"], "msg": "str type expected", "type": "type_error.str"}]),
        ),
        (
            r#"{"id":"i",,}"#,
            json!([{
                "loc": ["body", 10], "msg": "the body is not JSON", "type": "value_error.jsondecode"
            }]),
        ),
    ] {
        let answer = caller.login_with(body).await;
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.json(), json!({"detail": detail}), "{body}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_say_it_is_json_is_not_read() {
    let service = FakeService::builder().id("i").secret("s").start();
    let request = Caller::of(&service)
        .request(Method::POST, "/auth/login")
        .body(r#"{"id":"i","secret":"s"}"#);
    let answer = Caller::send(request).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["detail"][0]["type"], "type_error.dict");
}

#[tokio::test]
async fn a_wrong_secret_can_have_another_status() {
    let builder = FakeService::builder().id("i").secret("s");
    let service = builder.wrong_secret_status(403).start();
    let caller = Caller::of(&service);
    for body in [r#"{"id":"i","secret":"t"}"#, r#"{"id":"i"}"#] {
        let answer = caller.login_with(body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.detail().as_str()),
            (403, "wrong id or secret")
        );
    }
    assert_eq!(caller.login("i", "s").await.status, 202);
}
