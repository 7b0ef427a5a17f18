//! What the control endpoint shows of the program's state, and how it is put back.

use std::time::{Duration, Instant};

use pollination_auth_fake::Operation;
use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::{Answer, Caller};
use crate::program::{Program, control};

async fn started(arguments: &[&str]) -> (Program, Caller) {
    let program = Program::start(arguments);
    let caller = Caller::at(program.base_url.clone());
    (program, caller)
}

async fn get(caller: &Caller, name: &str) -> Value {
    control(caller, Method::GET, name, &Value::Null)
        .await
        .json()
}

async fn post(caller: &Caller, name: &str, body: Value) {
    let answer = control(caller, Method::POST, name, &body).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (204, &b""[..]));
}

async fn login(caller: &Caller) -> Answer {
    caller.login("fake-id", "fake-secret").await
}

#[tokio::test]
async fn a_reset_makes_everything_as_it_was() {
    let (_program, caller) = started(&["--expires-in", "60"]).await;
    let start = [
        get(&caller, "credential").await,
        get(&caller, "requests").await,
    ];
    let access_token = login(&caller).await.text("access_token");
    for operation in [
        Operation::RotateApiTokenSecret,
        Operation::DeleteApiToken,
        Operation::CreateApiToken,
    ] {
        caller.call(operation, &access_token).await;
    }
    let fault = json!({"operation": "login", "fault": "status", "status": 503});
    post(&caller, "faults", fault).await;
    let late = json!({"operation": "delete_api_token", "fault": "commit_late", "requests": 0});
    post(&caller, "faults", late).await;
    caller.call(Operation::DeleteApiToken, &access_token).await;
    post(&caller, "latency", json!({"seconds": 3600})).await;
    post(&caller, "advance", json!({"seconds": 61})).await;

    post(&caller, "reset", Value::Null).await;
    assert_eq!(
        [
            get(&caller, "credential").await,
            get(&caller, "requests").await
        ],
        start
    );
    assert_eq!(get(&caller, "faults").await, json!({"unused": []}));
    let old = caller.call(Operation::GetApiToken, &access_token).await;
    assert_eq!(old.detail(), "the signature of the access token is wrong");
    let access_token = login(&caller).await.text("access_token");
    assert_eq!(
        caller
            .call(Operation::GetApiToken, &access_token)
            .await
            .text("id"),
        "fake-id"
    );
}

#[tokio::test]
async fn a_reset_goes_back_to_the_clock_of_the_machine() {
    let (_program, caller) = started(&["--expires-in", "60"]).await;
    post(&caller, "advance", json!({"seconds": 86_400})).await;
    let ahead = issued_at(&login(&caller).await);
    post(&caller, "reset", Value::Null).await;
    let back = issued_at(&login(&caller).await);
    assert!((ahead - 86_400..ahead).contains(&back), "{back} {ahead}");
}

/// Reads the claim `iat` of the access token that a login gave.
fn issued_at(login: &Answer) -> u64 {
    use base64::Engine as _;
    let access_token = login.text("access_token");
    let claims = access_token.split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(claims)
        .unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["iat"]
        .as_u64()
        .unwrap()
}

#[tokio::test]
async fn the_credential_that_logs_in_now_is_shown() {
    let (_program, caller) = started(&[]).await;
    let access_token = login(&caller).await.text("access_token");
    caller
        .call(Operation::RotateApiTokenSecret, &access_token)
        .await;
    let now = get(&caller, "credential").await;
    let [id, secret] = ["id", "secret"].map(|field| now[field].as_str().unwrap().to_owned());
    assert_ne!(secret, "fake-secret");
    assert_eq!(caller.login(&id, &secret).await.status, 202);
    caller.call(Operation::DeleteApiToken, &access_token).await;
    assert_eq!(
        get(&caller, "credential").await,
        json!({"id": null, "secret": null})
    );
}

#[tokio::test]
async fn requests_are_shown_with_what_they_were_answered() {
    let (_program, caller) = started(&[]).await;
    login(&caller).await;
    let twice = caller.request(Method::GET, "/auth/api-token?a=b");
    Caller::send(
        twice
            .header("authorization", "a")
            .header("authorization", "b"),
    )
    .await;
    Caller::send(caller.request(Method::PATCH, "/x").body("\u{e9}")).await;
    let fault = json!({"operation": "get_api_token", "fault": "drop_connection"});
    post(&caller, "faults", fault).await;
    let lost = caller.operation_request(Operation::GetApiToken, "t");
    Caller::try_send(lost).await.err().unwrap();

    let seen = get(&caller, "requests").await;
    let counts = Operation::ALL.map(|operation| seen[operation.as_str()].as_u64().unwrap());
    assert_eq!(counts, [1, 2, 0, 0, 0]);
    let requests = seen["requests"].as_array().unwrap();
    let shown = |field: &str| {
        requests
            .iter()
            .map(|one| one[field].clone())
            .collect::<Value>()
    };
    assert_eq!(
        shown("operation"),
        json!(["login", "get_api_token", null, "get_api_token"])
    );
    assert_eq!(shown("method"), json!(["POST", "GET", "PATCH", "GET"]));
    assert_eq!(
        shown("path"),
        json!(["/auth/login", "/auth/api-token", "/x", "/auth/api-token"])
    );
    assert_eq!(shown("status"), json!([202, 401, 404, null]));
    let body = json!({"id": "fake-id", "secret": "fake-secret"}).to_string();
    assert_eq!(shown("body"), json!([body, "", "\u{e9}", ""]));
    assert_eq!(requests[0]["headers"]["content-type"], "application/json");
    assert_eq!(requests[1]["headers"]["authorization"], "a, b");
}

#[tokio::test]
async fn the_newest_requests_are_kept_and_all_are_counted() {
    const KEPT: usize = 512;
    let (_program, caller) = started(&[]).await;
    for _ in 0..=KEPT {
        caller.login_with("").await;
    }
    let seen = get(&caller, "requests").await;
    assert_eq!(seen["login"], KEPT + 1);
    assert_eq!(seen["requests"].as_array().unwrap().len(), KEPT);
}

#[tokio::test]
async fn latency_holds_replies_back_from_the_start_or_from_a_call_on() {
    let latency = Duration::from_millis(100);
    let (_program, caller) = started(&["--latency", "100ms"]).await;
    let started = Instant::now();
    assert_eq!(login(&caller).await.status, 202);
    assert!(started.elapsed() >= latency);

    post(&caller, "latency", json!({"seconds": 0.2})).await;
    let started = Instant::now();
    assert_eq!(login(&caller).await.status, 202);
    assert!(started.elapsed() >= latency * 2);
}

#[tokio::test]
async fn the_control_endpoint_has_no_latency() {
    let (_program, caller) = started(&["--latency", "1h"]).await;
    assert_eq!(get(&caller, "credential").await["id"], "fake-id");
    post(&caller, "latency", json!({"seconds": 0})).await;
    assert_eq!(login(&caller).await.status, 202);
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let (_program, caller) = started(&[]).await;
    let long = caller
        .request(Method::GET, "/x")
        .header("a", "a".repeat(64 * 1024 + 1));
    assert_eq!(Caller::send(long).await.status, 431);
}

#[tokio::test]
async fn a_creation_replaces_the_api_token_only_when_told_so_and_so_after_a_reset() {
    for (arguments, status) in [(&["--create-replaces"][..], 201), (&[], 409)] {
        let (_program, caller) = started(arguments).await;
        for _ in 0..2 {
            let access_token = login(&caller).await.text("access_token");
            let answer = caller.call(Operation::CreateApiToken, &access_token).await;
            assert_eq!(answer.status, status);
            post(&caller, "reset", Value::Null).await;
        }
    }
}
