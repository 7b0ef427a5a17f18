//! Endpoints of the user's own, behind the check of the access token.

use pollination_auth_fake::FakeService;
use pollination_auth_fake::http::{Method, Response};
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::caller::{Answer, Caller};

async fn send(caller: &Caller, method: Method, path: &str, access_token: &str) -> Answer {
    Caller::send(caller.request(method, path).bearer_auth(access_token)).await
}

async fn script(caller: &Caller, route: Value) -> Answer {
    let request = caller.request(Method::POST, "/__control/routes");
    Caller::send(request.body(route.to_string())).await
}

#[tokio::test]
async fn an_endpoint_is_reached_with_a_valid_access_token_and_no_other() {
    let service = FakeService::builder()
        .route(Method::GET, "/projects/{id}", |request| {
            let (head, _) = request.into_parts();
            Response::new(head.uri.to_string())
        })
        .start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    let path = "/projects/7?page=2";
    let answer = send(&caller, Method::GET, path, &access_token).await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.body),
        (200, path.as_bytes())
    );
    let last = service.requests().pop().unwrap();
    assert_eq!((last.path(), last.query()), ("/projects/7", Some("page=2")));
    assert_eq!((last.is_known(), last.status()), (false, Some(200)));

    service.expire_all_tokens();
    let answer = send(&caller, Method::GET, path, &access_token).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
    let answer = Caller::send(caller.request(Method::GET, path)).await;
    assert_eq!(answer.detail(), "no bearer token");
    let answer = Caller::send(caller.request(Method::PUT, path)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["allow"]),
        (405, &"GET".parse().unwrap())
    );
}

#[tokio::test]
async fn a_handler_gets_a_body_of_two_mebibytes_and_none_that_is_larger() {
    const MOST: usize = 2 * 1024 * 1024;
    let service = FakeService::builder()
        .route(Method::POST, "/files", |request| {
            Response::builder()
                .status(201)
                // The server knows better.
                .header("content-length", "1")
                .body(request.body().len().to_string())
                .unwrap()
        })
        .start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    let sized = |length: usize| {
        let request = caller.request(Method::POST, "/files");
        let request = request.bearer_auth(&access_token).body(vec![0; length]);
        Caller::send(request)
    };
    let answer = sized(MOST).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (201, json!(MOST)));
    assert_eq!(sized(MOST + 1).await.status, 413);
}

#[tokio::test]
async fn a_handler_that_panics_ends_its_connection_and_no_other() {
    let service = FakeService::builder()
        .route(Method::GET, "/a", |_| -> Response<&str> {
            panic!("as meant")
        })
        .route(Method::GET, "/b", |_| Response::new("b"))
        .start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    let request = caller.request(Method::GET, "/a").bearer_auth(&access_token);
    assert!(Caller::try_send(request).await.err().unwrap().is_request());
    assert_eq!(
        send(&caller, Method::GET, "/b", &access_token).await.body,
        b"b"
    );
}

#[tokio::test]
async fn a_slash_too_many_or_too_few_is_redirected_as_by_fastapi() {
    let service = FakeService::builder()
        .route(Method::GET, "/with/", |_| Response::new(""))
        .start();
    let base_url = service.base_url();
    let client = reqwest::Client::builder().redirect(Policy::none());
    let client = client.no_proxy().build().unwrap();
    for (method, path, to) in [
        (Method::POST, "/auth/login/", "/auth/login"),
        (Method::PATCH, "/auth/api-token/?a=b", "/auth/api-token?a=b"),
        (Method::GET, "/with", "/with/"),
    ] {
        let request = client.request(method, format!("{base_url}{path}"));
        let reply = request.send().await.unwrap();
        assert_eq!(reply.status(), 307, "{path}");
        assert_eq!(reply.headers()["location"], format!("{base_url}{to}"));
        assert_eq!(reply.text().await.unwrap(), "");
    }
    assert_eq!(service.logins(), 0, "a redirect is no login");
}

#[tokio::test]
async fn the_control_endpoint_adds_endpoints_until_a_reset() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    for (route, status, media_type, body) in [
        (
            json!({"method": "GET", "path": "/a", "body": {"a": 1}}),
            200,
            Some("application/json"),
            r#"{"a":1}"#,
        ),
        (
            json!({"method": "GET", "path": "/a", "status": 404, "body": "no"}),
            404,
            None,
            "no",
        ),
        (
            json!({"method": "GET", "path": "/a", "body": "a,b", "headers": {"content-type": "text/csv"}}),
            200,
            Some("text/csv"),
            "a,b",
        ),
    ] {
        assert_eq!(script(&caller, route).await.status, 204);
        let answer = send(&caller, Method::GET, "/a", &access_token).await;
        let got = answer.headers.get("content-type");
        assert_eq!(got.map(|value| value.to_str().unwrap()), media_type);
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (status, body.as_bytes())
        );
        assert_eq!(send(&caller, Method::GET, "/a", "no").await.status, 401);
    }
    Caller::send(caller.request(Method::POST, "/__control/reset")).await;
    assert_eq!(
        send(&caller, Method::GET, "/a", &access_token).await.status,
        404
    );
}

#[tokio::test]
async fn an_endpoint_that_makes_no_sense_is_refused() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    for (route, detail) in [
        (
            json!({"method": "G T", "path": "/a"}),
            "no HTTP method: G T",
        ),
        (
            json!({"method": "GET", "path": "a"}),
            "a path begins with a slash: a",
        ),
        (
            json!({"method": "PATCH", "path": "/auth/login"}),
            "the service itself answers for this path: /auth/login",
        ),
        (
            json!({"method": "GET", "path": "/a", "status": 100}),
            "\"status\" is a number from 200 to 999",
        ),
        (
            json!({"method": "GET", "path": "/a", "headers": {"a b": "c"}}),
            "no HTTP header: a b",
        ),
    ] {
        let refused = script(&caller, route).await;
        assert_eq!((refused.status.as_u16(), &*refused.detail()), (400, detail));
    }
}

#[tokio::test]
async fn only_so_many_endpoints_can_be_added() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    for number in 0..1024 {
        let route = json!({"method": "GET", "path": format!("/{number}")});
        assert_eq!(script(&caller, route).await.status, 204);
    }
    let again = json!({"method": "GET", "path": "/7", "body": "again"});
    assert_eq!(script(&caller, again).await.status, 204);
    let one_more = script(&caller, json!({"method": "GET", "path": "/a"})).await;
    assert_eq!(one_more.status, 400);
    assert!(
        one_more
            .detail()
            .starts_with("1024 routes are there already")
    );
}
