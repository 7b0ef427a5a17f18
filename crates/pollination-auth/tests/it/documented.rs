//! Nothing but the contract: what our mocks answer, and what client and fake exchange.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use httpmock::{Mock as Mocked, MockServer};
use pollination_auth::{AccessToken, ApiToken, Client, Operation, Secret, reqwest};
use pollination_auth_api::httpmock::MockServerExt as _;
use pollination_auth_api::types::Token;
use pollination_auth_fake::FakeService;
use serde_json::{Value, json};

use crate::contract::{OF_THE_FAKE, assert_documented};
use crate::support::{
    ACCESS_TOKEN, Answer, ID, Mock, NEW_SECRET, OPERATIONS, SECRET, Seen, call, lock, model, path,
    single, variant,
};

const CONTRACT: &str = include_str!("../../../../openapi.json");

/// The client's result for each reply of the contract; "ok" for a success.
const DOCUMENTED: &[(Operation, u16, &str)] = &[
    (Operation::Login, 202, "ok"),
    (Operation::Login, 422, "InvalidRequest"),
    (Operation::GetApiToken, 200, "ok"),
    (Operation::GetApiToken, 401, "Unauthorized"),
    (Operation::GetApiToken, 403, "Forbidden"),
    (Operation::GetApiToken, 404, "NotFound"),
    (Operation::GetApiToken, 500, "Unavailable"),
    (Operation::CreateApiToken, 201, "ok"),
    (Operation::RotateApiTokenSecret, 200, "ok"),
    (Operation::RotateApiTokenSecret, 401, "Unauthorized"),
    (Operation::RotateApiTokenSecret, 403, "Forbidden"),
    (Operation::RotateApiTokenSecret, 404, "NotFound"),
    (Operation::RotateApiTokenSecret, 500, "Ambiguous"),
    (Operation::DeleteApiToken, 204, "ok"),
    (Operation::DeleteApiToken, 401, "Unauthorized"),
    (Operation::DeleteApiToken, 403, "Forbidden"),
    (Operation::DeleteApiToken, 404, "NotFound"),
    (Operation::DeleteApiToken, 500, "Unavailable"),
];

fn contract() -> Value {
    serde_json::from_str(CONTRACT).unwrap()
}

#[test]
fn the_list_is_that_of_the_contract() {
    let mut documented = BTreeSet::new();
    for path in contract()["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            for status in operation["responses"].as_object().unwrap().keys() {
                documented.insert((id.to_owned(), status.parse().unwrap()));
            }
        }
    }
    let listed = DOCUMENTED
        .iter()
        .map(|(operation, status, _)| (operation.to_string(), *status));
    assert_eq!(documented, listed.collect());
}

/// Returns a refusal of one of the generated `Then` types, with a realistic body.
macro_rules! refusal {
    ($then:expr, $status:expr) => {
        match $status {
            401 => $then.unauthorized().into_inner(),
            403 => $then.forbidden().into_inner(),
            404 => $then.not_found().into_inner(),
            500 => $then.internal_server_error().into_inner(),
            other => panic!("no status of the contract: {other}"),
        }
        .json_body(json!({"detail": "some words"}))
    };
}

/// Mocks a reply of the contract with the typed helpers.
fn mocked(server: &MockServer, operation: Operation, status: u16) -> Mocked<'_> {
    let minted: Token = model(json!({"id": ID, "secret": NEW_SECRET}));
    match operation {
        Operation::Login => server.login(|_, then| match status {
            202 => drop(then.accepted(&model(json!({
                "access_token": ACCESS_TOKEN, "expires_in": 3600, "token_type": "Bearer"
            })))),
            _ => drop(then.unprocessable_entity(&model(json!({
                "detail": [{"loc": ["body", 0], "msg": "Field required", "type": "missing"}]
            })))),
        }),
        Operation::GetApiToken => server.get_api_token(|_, then| match status {
            200 => drop(then.ok(&model(json!({"id": ID})))),
            _ => drop(refusal!(then, status)),
        }),
        Operation::CreateApiToken => server.create_api_token(|_, then| drop(then.created(&minted))),
        Operation::RotateApiTokenSecret => server.rotate_api_token_secret(|_, then| match status {
            200 => drop(then.ok(&minted)),
            _ => drop(refusal!(then, status)),
        }),
        _ => server.delete_api_token(|_, then| match status {
            204 => drop(then.no_content()),
            _ => drop(refusal!(then, status)),
        }),
    }
}

#[tokio::test]
async fn every_documented_reply_is_mocked_as_the_contract_has_it_and_understood() {
    let plain = reqwest::Client::builder().no_proxy().build().unwrap();
    for &(operation, status, expected) in DOCUMENTED {
        let server = MockServer::start();
        let mock = mocked(&server, operation, status);
        let url = server.url(path(operation));
        let method = operation.method().parse().unwrap();
        let reply = plain.request(method, url).send().await.unwrap();
        assert_eq!(reply.status(), status);
        let body = reply.bytes().await.unwrap();
        assert_documented(operation.as_str(), status, &body);

        let client = single(operation, server.base_url()).build().unwrap();
        let result = call(&client, operation).await;
        let outcome = result.map_or_else(|error| variant(&error), |()| "ok".to_owned());
        assert_eq!(outcome, expected, "{operation} {status}");
        assert_eq!(mock.calls(), 2);
    }
}

#[test]
fn the_usual_replies_of_the_other_tests_are_documented() {
    for operation in OPERATIONS {
        let Answer { status, body, .. } = Answer::usual(operation);
        assert_documented(operation.as_str(), status, &body);
    }
}

/// The bytes that client and fake exchanged.
type Exchanges = Arc<Mutex<Vec<(Operation, Seen, Answer)>>>;

/// Stands between client and fake, and keeps both sides of every exchange.
fn between(service: &FakeService) -> (Mock, Exchanges) {
    let exchanges = Exchanges::default();
    let (kept, base_url) = (exchanges.clone(), service.base_url());
    let mock = Mock::start(move |seen| {
        let answer = forward(base_url.trim_start_matches("http://"), seen);
        let operation = OPERATIONS.into_iter().find(|one| seen.is(*one)).unwrap();
        lock(&kept).push((operation, seen.clone(), answer.clone()));
        answer
    });
    (mock, exchanges)
}

fn forward(address: &str, seen: &Seen) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut request = format!("{} {} HTTP/1.1\r\n", seen.method, seen.target);
    for (name, value) in &seen.headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("connection: close\r\n\r\n{}", seen.body));
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("chunked"), "{head}");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer::json(status, body)
}

/// Checks the one request that has a body.
fn assert_is_a_token(body: &str) {
    let schema = &contract()["components"]["schemas"]["Token"];
    let body = serde_json::from_str(body).unwrap();
    assert!(jsonschema::draft4::new(schema).unwrap().is_valid(&body));
    let fields: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["id", "secret"]);
}

#[tokio::test]
async fn client_and_fake_say_nothing_that_the_contract_does_not_have() {
    let service = FakeService::builder().id(ID).secret(SECRET).start();
    let (mock, exchanges) = between(&service);
    let client_with = |secret: &str| {
        let token = ApiToken::new(ID, Secret::from(secret)).unwrap();
        let builder = Client::builder().api_token(token);
        builder.base_url(mock.base_url()).build().unwrap()
    };
    let bearing = |token: &AccessToken| {
        let builder = Client::builder().access_token(token.clone());
        builder.base_url(mock.base_url()).build().unwrap()
    };

    client_with("no").login().await.unwrap_err();
    let client = client_with(SECRET);
    client.get_api_token().await.unwrap();
    client.create_api_token().await.unwrap_err();
    client.rotate_api_token_secret().await.unwrap();
    let token = client.login().await.unwrap();
    client.delete_api_token().await.unwrap();
    let late = bearing(&token);
    late.get_api_token().await.unwrap_err();
    late.rotate_api_token_secret().await.unwrap_err();
    late.delete_api_token().await.unwrap_err();
    late.create_api_token().await.unwrap();
    service.expire_all_tokens();
    for operation in OPERATIONS {
        call(&late, operation).await.unwrap_err();
    }

    let mut outcomes = BTreeSet::new();
    for (operation, seen, Answer { status, body, .. }) in lock(&exchanges).iter() {
        assert_documented(operation.as_str(), *status, body);
        match operation {
            Operation::Login => assert_is_a_token(&seen.body),
            _ => assert_eq!(seen.body, ""),
        }
        outcomes.insert((operation.as_str(), *status));
    }
    // A body that the service can't read is never sent.
    let expected = OF_THE_FAKE.into_iter().filter(|one| *one != ("login", 422));
    assert_eq!(outcomes, expected.collect());
}
