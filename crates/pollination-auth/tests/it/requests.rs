//! The exact request of each operation: method, path, every header and nothing more, every byte.

use std::sync::{Arc, Mutex};

use httpmock::{MockServer, When};
use pollination_auth::{Operation, Secret};
use pollination_auth_api::httpmock::MockServerExt as _;
use pollination_auth_api::types::Token;
use serde_json::json;

use crate::listener::Listener;
use crate::support::{
    ACCESS_TOKEN, Answer, ID, Mock, NEW_SECRET, SECRET, Seen, WITH_BEARER, bearing, call, lock,
    logging_in, model, path, single,
};

const LOGIN_BODY: &str = r#"{"id":"an-id","secret":"a-secret"}"#;

/// The whole request of an operation.
fn exactly(operation: Operation, base_url: &str, prefix: &str) -> Seen {
    let mut headers = vec![
        ("accept", "application/json".to_owned()),
        ("accept-encoding", "identity".to_owned()),
        ("host", base_url.trim_start_matches("http://").to_owned()),
        (
            "user-agent",
            concat!("pollination-auth/", env!("CARGO_PKG_VERSION")).to_owned(),
        ),
    ];
    let body = match operation {
        Operation::Login => {
            headers.push(("content-type", "application/json".to_owned()));
            headers.push(("content-length", LOGIN_BODY.len().to_string()));
            LOGIN_BODY
        }
        _ => {
            headers.push(("authorization", format!("Bearer {ACCESS_TOKEN}")));
            ""
        }
    };
    let headers = headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    let target = format!("{prefix}{}", path(operation));
    Seen::new(operation.method(), &target, headers, body.as_bytes())
}

/// Sends one operation to a base URL with this path, and returns the seen and the expected request.
async fn send(operation: Operation, path: &str, prefix: &str) -> (Vec<Seen>, Vec<Seen>) {
    let listener = Listener::start(Answer::to).await;
    let base_url = listener.base_url();
    let client = single(operation, format!("{base_url}{path}"))
        .build()
        .unwrap();
    call(&client, operation).await.unwrap();
    (listener.seen(), vec![exactly(operation, &base_url, prefix)])
}

#[tokio::test]
async fn login_sends_id_and_secret_as_json_and_no_authorization() {
    let (seen, expected) = send(Operation::Login, "", "").await;
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn the_other_four_send_the_bearer_and_no_body() {
    for operation in WITH_BEARER {
        let (seen, expected) = send(operation, "", "").await;
        assert_eq!(seen, expected, "{operation}");
    }
}

#[tokio::test]
async fn the_path_of_the_base_url_is_a_prefix_of_every_path() {
    for (path, prefix) in [("/", ""), ("/a/b", "/a/b"), ("/a//b/", "/a/b")] {
        let (seen, expected) = send(Operation::Login, path, prefix).await;
        assert_eq!(seen, expected, "{path}");
        for operation in WITH_BEARER {
            let (seen, expected) = send(operation, path, prefix).await;
            assert_eq!(seen, expected, "{operation} {path}");
        }
    }
}

#[tokio::test]
async fn a_secret_that_json_has_to_escape_arrives_as_it_is() {
    let mock = Mock::start(Answer::to);
    let secret = "a\"b\\c/é€😀 d";
    let token = pollination_auth::ApiToken::new("an id", Secret::from(secret)).unwrap();
    let client = logging_in(mock.base_url()).api_token(token);
    client.build().unwrap().login().await.unwrap();
    let expected = r#"{"id":"an id","secret":"a\"b\\c/é€😀 d"}"#;
    let [seen] = &mock.seen()[..] else {
        panic!("one request");
    };
    assert_eq!(seen.body, expected);
    assert_eq!(
        seen.header("content-length"),
        [expected.len().to_string().as_str()]
    );
}

#[tokio::test]
async fn a_call_without_an_access_token_logs_in_first_and_sends_the_token_it_got() {
    for operation in WITH_BEARER {
        let listener = Listener::start(Answer::to).await;
        let base_url = listener.base_url();
        let client = logging_in(&*base_url).build().unwrap();
        call(&client, operation).await.unwrap();
        let expected =
            [Operation::Login, operation].map(|operation| exactly(operation, &base_url, ""));
        assert_eq!(listener.seen(), expected, "{operation}");
    }
}

/// Records the requests to a typed mock, besides its own checks.
fn recording(when: When, seen: &Arc<Mutex<Vec<String>>>) -> When {
    let seen = seen.clone();
    when.is_true(move |request| {
        lock(&seen).push(request.uri_str().to_owned());
        true
    })
}

#[tokio::test]
async fn every_request_is_the_one_that_the_contract_generates() {
    let server = MockServer::start();
    let seen = Arc::default();
    let token = |secret: &str| -> Token { model(json!({"id": ID, "secret": secret})) };
    let mocks = [
        server.login(|when, then| {
            recording(when.body(&token(SECRET)).into_inner(), &seen);
            then.accepted(&model(json!({
                "access_token": ACCESS_TOKEN, "expires_in": 3600, "token_type": "Bearer"
            })));
        }),
        server.get_api_token(|when, then| {
            recording(when.into_inner(), &seen);
            then.ok(&model(json!({"id": ID})));
        }),
        server.create_api_token(|when, then| {
            recording(when.into_inner(), &seen);
            then.created(&token(NEW_SECRET));
        }),
        server.rotate_api_token_secret(|when, then| {
            recording(when.into_inner(), &seen);
            then.ok(&token(NEW_SECRET));
        }),
        server.delete_api_token(|when, then| {
            recording(when.into_inner(), &seen);
            then.no_content();
        }),
    ];
    let client = logging_in(server.base_url()).build().unwrap();
    client.login().await.unwrap();
    let client = bearing(server.base_url()).build().unwrap();
    for operation in WITH_BEARER {
        call(&client, operation).await.unwrap();
    }
    assert_eq!(mocks.map(|mock| mock.calls()), [1; 5]);
    // No query anywhere.
    let seen = lock(&seen).clone();
    assert!(seen.iter().all(|target| !target.contains('?')), "{seen:?}");
}
