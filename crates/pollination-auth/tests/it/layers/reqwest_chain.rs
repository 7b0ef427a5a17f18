//! What is special about `AuthMiddleware` after a 401: streams, herds, and how it fails.

use bytes::Bytes;
use http_body_util::Full;
use pollination_auth::{AuthMiddleware, Client, Error};
use pollination_auth_fake::{FakeService, Fault, Operation};
use reqwest::{Body, StatusCode};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tokio::task::JoinSet;

use super::{HERD, PATH, builder};

pub(super) fn http(client: Client) -> ClientWithMiddleware {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    ClientBuilder::new(http)
        .with(AuthMiddleware::new(client))
        .build()
}

async fn get(http: &ClientWithMiddleware, service: &FakeService) -> StatusCode {
    let url = format!("{}{PATH}", service.base_url());
    http.get(url).send().await.unwrap().status()
}

#[tokio::test]
async fn a_stream_is_not_replayed_but_the_next_request_has_the_next_token() {
    let service = FakeService::start();
    let http = http(builder(&service).build().unwrap());
    assert_eq!(get(&http, &service).await, StatusCode::OK);
    service.expire_all_tokens();

    let stream = Body::wrap(Full::new(Bytes::from_static(b"a stream")));
    let url = format!("{}{PATH}", service.base_url());
    let reply = http.put(url).body(stream).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(service.count(Operation::RotateApiTokenSecret), 1);
    assert_eq!(service.logins(), 1);

    assert_eq!(get(&http, &service).await, StatusCode::OK);
    assert_eq!(
        (service.count(Operation::GetApiToken), service.logins()),
        (2, 2)
    );
}

#[tokio::test]
async fn a_request_with_a_fragment_is_made_once_more_after_a_401() {
    let service = FakeService::start();
    let http = http(builder(&service).build().unwrap());
    service.fail_next(Operation::GetApiToken, Fault::status(401));
    let url = format!("{}{PATH}#here", service.base_url());
    assert_eq!(http.get(url).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(service.count(Operation::GetApiToken), 2);
}

#[tokio::test]
async fn row_27_a_herd_logs_in_once_and_once_more_after_its_token_ended() {
    let service = FakeService::start();
    let http = http(builder(&service).build().unwrap());
    for logins in [1, 2] {
        let mut herd = JoinSet::new();
        for _ in 0..HERD {
            let (http, url) = (http.clone(), format!("{}{PATH}", service.base_url()));
            herd.spawn(async move { http.get(url).send().await.unwrap().status() });
        }
        assert_eq!(herd.join_all().await, [StatusCode::OK; HERD]);
        assert_eq!(service.logins(), logins);
        service.expire_all_tokens();
    }
}

/// Sends a request that must fail without a token.
async fn refused(http: &ClientWithMiddleware, service: &FakeService) -> Error {
    let url = format!("{}{PATH}", service.base_url());
    match http.get(url).send().await {
        Err(reqwest_middleware::Error::Middleware(error)) => error.downcast().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_login_that_fails_before_the_replay_is_the_error() {
    let service = FakeService::start();
    let http = http(builder(&service).build().unwrap());
    assert_eq!(get(&http, &service).await, StatusCode::OK);
    service.expire_all_tokens();
    service.fail_next(Operation::Login, Fault::status(403));
    let error = refused(&http, &service).await;
    assert!(matches!(error, Error::CredentialsRejected(_)), "{error:?}");
    assert_eq!(service.count(Operation::GetApiToken), 2);
}

#[tokio::test]
async fn the_middleware_shows_no_secret() {
    let service = FakeService::builder().secret("planted").start();
    let shown = format!(
        "{:?}",
        AuthMiddleware::new(builder(&service).build().unwrap())
    );
    assert!(shown.contains("127.0.0.1"), "{shown}");
    assert!(!shown.contains("planted"), "{shown}");
}

#[tokio::test]
async fn an_endpoint_of_another_api_gets_a_valid_token_and_after_a_401_the_next_one() {
    let service = FakeService::builder()
        .route(http::Method::GET, "/projects", |_| {
            http::Response::new("a project")
        })
        .start();
    let http = http(builder(&service).build().unwrap());
    let url = format!("{}/projects", service.base_url());
    for _ in 0..2 {
        let reply = http.get(&url).send().await.unwrap();
        assert_eq!(reply.text().await.unwrap(), "a project");
        service.expire_all_tokens();
    }
    let requests = service.requests();
    let of_the_endpoint = requests.iter().filter(|one| one.path() == "/projects");
    let statuses: Vec<_> = of_the_endpoint.map(|one| one.status().unwrap()).collect();
    assert_eq!((statuses, service.logins()), (vec![200, 401, 200], 2));
}
