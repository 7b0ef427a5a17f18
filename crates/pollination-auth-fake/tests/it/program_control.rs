//! The control endpoint of the program, as a test in another language uses it.

use pollination_auth_fake::Operation;
use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::{Answer, Caller};
use crate::program::{Program, control};

async fn login(caller: &Caller) -> Answer {
    caller.login("fake-id", "fake-secret").await
}

#[tokio::test]
async fn a_fault_is_scripted_met_and_used_up() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    let fault = json!({
        "operation": "login", "fault": "status", "status": 429, "headers": {"retry-after": 5},
    });
    assert_eq!(
        control(&caller, Method::POST, "faults", &fault)
            .await
            .status,
        204
    );
    let unused = control(&caller, Method::GET, "faults", &Value::Null).await;
    assert_eq!(unused.json(), json!({"unused": ["login: status(429)"]}));

    let refused = login(&caller).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.headers["retry-after"]),
        (429, &"5".parse().unwrap())
    );
    assert_eq!(login(&caller).await.status, 202);
    let unused = control(&caller, Method::GET, "faults", &Value::Null).await;
    assert_eq!(unused.json(), json!({"unused": []}));
    let requests = control(&caller, Method::GET, "requests", &Value::Null).await;
    assert_eq!(requests.json()["login"], 2);
}

#[tokio::test]
async fn a_rotation_is_committed_and_its_answer_dropped() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    let access_token = login(&caller).await.text("access_token");
    let fault = json!({"operation": "rotate_api_token_secret", "fault": "commit_and_drop"});
    control(&caller, Method::POST, "faults", &fault).await;
    let rotate = caller.operation_request(Operation::RotateApiTokenSecret, &access_token);
    assert!(
        Caller::try_send(rotate)
            .await
            .is_err_and(|error| !error.is_connect())
    );
    assert_eq!(login(&caller).await.status, 401, "the old secret is dead");
}

#[tokio::test]
async fn access_tokens_end_by_the_clock_by_decree_and_by_the_key() {
    let program = Program::start(&["--expires-in", "60"]);
    let caller = Caller::at(program.base_url.clone());
    for (name, body) in [
        ("advance", json!({"seconds": 60})),
        ("expire-all-tokens", Value::Null),
        ("change-signing-key", Value::Null),
    ] {
        let access_token = login(&caller).await.text("access_token");
        assert_eq!(
            caller
                .call(Operation::GetApiToken, &access_token)
                .await
                .status,
            200,
            "{name}"
        );
        assert_eq!(
            control(&caller, Method::POST, name, &body).await.status,
            204,
            "{name}"
        );
        assert_eq!(
            caller
                .call(Operation::GetApiToken, &access_token)
                .await
                .status,
            401,
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    for (body, detail) in [
        (
            json!({"operation": "x", "fault": "status"}),
            "no such operation: x; there are login, get_api_token, create_api_token, \
             rotate_api_token_secret, delete_api_token, any",
        ),
        (
            json!({"operation": "login", "fault": "x"}),
            "no such fault: x; there are status, other_status, commit_and_answer, commit_and_drop, \
             commit_late, drop_connection, propagation_delay, delay, wrong_id, no_secret, \
             same_secret, truncated, raw_body",
        ),
        (
            json!({"operation": "login", "fault": "status", "status": 99}),
            "status needs \"status\", a number from 200 to 999",
        ),
        (
            json!({"operation": "login", "fault": "wrong_id"}),
            "wrong_id makes no difference to login; it does to get_api_token, create_api_token, \
             rotate_api_token_secret",
        ),
        (
            json!({"operation": "login", "fault": "delay", "seconds": 1e300}),
            "1e300 is no number of seconds from 0 to 31536000",
        ),
        (
            json!({"operation": "login", "fault": "delay", "seconds": -1}),
            "-1.0 is no number of seconds from 0 to 31536000",
        ),
        (
            json!({"operation": "login", "fault": "truncated", "headers": {"a b": "c"}}),
            "no HTTP header: a b",
        ),
        (
            json!({"operation": "login", "fault": "truncated", "headers": {"Content-Length": "9"}}),
            "the server sets this header by itself: Content-Length",
        ),
        (
            json!({"operation": "login", "fault": "commit_and_drop", "status": 503}),
            "commit_and_drop takes no status",
        ),
        (
            json!({"operation": "login", "fault": "status", "status": 503, "seconds": 1}),
            "status takes no seconds",
        ),
        (
            json!({"operation": "login", "fault": "delay", "seconds": 1, "requests": 1}),
            "delay takes no requests",
        ),
        (
            json!({"operation": "login", "fault": "delay", "seconds": 1, "after_seconds": 1}),
            "delay takes no after_seconds",
        ),
        (
            json!({"operation": "login", "fault": "drop_connection", "body": "b"}),
            "drop_connection takes no body",
        ),
        (
            json!({"operation": "login", "fault": "commit_and_drop", "headers": {"a": "b"}}),
            "commit_and_drop takes no headers",
        ),
        (
            json!({"operation": "login", "fault": "delay"}),
            "delay needs \"seconds\", a number",
        ),
        (
            json!({"operation": "login", "fault": "status", "status": "503"}),
            "status needs \"status\", a number from 200 to 999",
        ),
        (
            json!({"operation": "delete_api_token", "fault": "commit_late", "requests": 0.5}),
            "commit_late needs \"requests\", a whole number",
        ),
        (
            json!({"operation": "login", "fault": "truncated", "after_seconds": "1"}),
            "\"after_seconds\" is a number",
        ),
        (
            json!({"operation": "login", "fault": "truncated", "headers": {"a": ["b"]}}),
            "the header a is a text or a number",
        ),
        (
            json!({"operation": "login", "fault": "truncated", "times": 0}),
            "\"times\" is a whole number from 1 on, or \"always\"",
        ),
        (
            json!({"operation": "login", "fault": "truncated", "times": "3"}),
            "\"times\" is a whole number from 1 on, or \"always\"",
        ),
        (
            json!({"operation": "login", "fault": "raw_body"}),
            "raw_body needs \"body\"",
        ),
        (
            json!({"operation": "login"}),
            "this call takes another body: missing field `fault` at line 1 column 21; \
             GET /__control shows it",
        ),
    ] {
        let refused = control(&caller, Method::POST, "faults", &body).await;
        assert_eq!((refused.status.as_u16(), &*refused.detail()), (400, detail));
    }
    let unused = control(&caller, Method::GET, "faults", &Value::Null).await;
    assert_eq!(unused.json(), json!({"unused": []}));
}

#[tokio::test]
async fn a_fault_can_last_and_be_for_any_operation() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    for fault in [
        json!({"operation": "login", "fault": "status", "status": 500, "times": 2}),
        json!({"operation": "any", "fault": "status", "status": 503, "times": "always"}),
    ] {
        let scripted = control(&caller, Method::POST, "faults", &fault).await;
        assert_eq!(scripted.status, 204);
    }
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(login(&caller).await.status.as_u16());
    }
    assert_eq!(statuses, [500, 500, 503, 503]);
    let get = caller.call(Operation::GetApiToken, "any").await;
    assert_eq!(get.status, 503);
    control(&caller, Method::DELETE, "faults", &Value::Null).await;
    assert_eq!(login(&caller).await.status, 202);
}

fn no_such_call(method: &Method, name: &str) -> String {
    format!("no such call: {method} /__control/{name}; GET /__control shows those there are")
}

#[tokio::test]
async fn a_body_is_taken_as_a_text_or_as_json() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    for (body, sent) in [
        (json!("{ \"a\": 1 }"), "{ \"a\": 1 }"),
        (json!({"detail": ["later"]}), r#"{"detail":["later"]}"#),
        (json!([1, null]), "[1,null]"),
        (json!(false), "false"),
    ] {
        for fault in [
            json!({"operation": "login", "fault": "raw_body", "body": body}),
            json!({"operation": "login", "fault": "status", "status": 503, "body": body}),
        ] {
            let scripted = control(&caller, Method::POST, "faults", &fault).await;
            assert_eq!(scripted.status, 204);
            assert_eq!(login(&caller).await.body, sent.as_bytes());
        }
    }
}

#[tokio::test]
async fn only_so_many_faults_wait_at_once() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    let late = json!({"operation": "delete_api_token", "fault": "commit_late", "requests": 9});
    control(&caller, Method::POST, "faults", &late).await;
    let access_token = login(&caller).await.text("access_token");
    let put_off = caller.call(Operation::DeleteApiToken, &access_token).await;
    assert_eq!(put_off.status, 504);
    let fault = json!({"operation": "login", "fault": "truncated"});
    for _ in 1..1024 {
        let scripted = control(&caller, Method::POST, "faults", &fault).await;
        assert_eq!(scripted.status, 204);
    }
    let refused = control(&caller, Method::POST, "faults", &fault).await;
    assert_eq!(
        (refused.status.as_u16(), &*refused.detail()),
        (
            400,
            "1024 faults wait already; DELETE /__control/faults takes them back, \
             POST /__control/settle does what was put off"
        )
    );
    control(&caller, Method::POST, "settle", &Value::Null).await;
    let scripted = control(&caller, Method::POST, "faults", &fault).await;
    assert_eq!(scripted.status, 204);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_told_from_a_path_that_is_none() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    for (method, name, allow) in [
        (Method::PUT, "faults", "DELETE, GET, POST"),
        (Method::DELETE, "requests", "GET"),
        (Method::GET, "advance", "POST"),
        (Method::GET, "settle", "POST"),
    ] {
        let answer = control(&caller, method.clone(), name, &Value::Null).await;
        assert_eq!(answer.status, 405, "{method} {name}");
        assert_eq!(answer.headers["allow"], allow, "{method} {name}");
        assert_eq!(answer.detail(), no_such_call(&method, name));
    }
    for name in ["nonsense", "faults/", "/"] {
        let answer = control(&caller, Method::GET, name, &Value::Null).await;
        assert_eq!(answer.status, 404, "{name}");
        assert_eq!(answer.detail(), no_such_call(&Method::GET, name));
    }
    let api = Caller::send(caller.request(Method::GET, "/__controls")).await;
    assert_eq!(api.detail(), "no such operation: GET /__controls");
}

#[tokio::test]
async fn scripted_faults_can_be_taken_back() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    let fault = json!({"operation": "login", "fault": "drop_connection"});
    control(&caller, Method::POST, "faults", &fault).await;
    assert_eq!(
        control(&caller, Method::DELETE, "faults", &Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(login(&caller).await.status, 202);
}

#[tokio::test]
async fn row_83_a_web_page_is_refused() {
    let program = Program::start(&[]);
    let caller = Caller::at(program.base_url.clone());
    for (name, value, status) in [
        ("origin", "https://page.example", 403),
        ("origin", "null", 403),
        ("host", "rebound.example:8080", 403),
        ("origin", program.base_url.as_str(), 200),
    ] {
        let request = caller.request(Method::GET, "/__control/credential");
        let answer = Caller::send(request.header(name, value)).await;
        assert_eq!(answer.status, status, "{name}: {value}");
        let shows_it = answer.body.windows(11).any(|part| part == b"fake-secret");
        assert_eq!(shows_it, status == 200, "{name}: {value}");
    }
}
