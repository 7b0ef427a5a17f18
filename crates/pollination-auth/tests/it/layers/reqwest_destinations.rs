//! Which requests get a token from `AuthMiddleware`, and which never do.

use std::sync::{Arc, Mutex};

use http::Extensions;
use pollination_auth::AuthMiddleware;
use pollination_auth_fake::{FakeService, Fault, Operation};
use reqwest::{Request, Response, StatusCode};
use reqwest_middleware::{ClientBuilder, Middleware, Next};

use super::reqwest_chain::http;
use super::{PATH, builder, by_name, credentials};

fn bearer(token: &str) -> Option<String> {
    Some(format!("Bearer {token}"))
}

#[tokio::test]
async fn a_request_to_the_service_carries_the_current_token() {
    let service = FakeService::start();
    let client = builder(&service).build().unwrap();
    let url = format!("{}{PATH}", service.base_url());
    let reply = http(client.clone()).get(url).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK);
    let token = client.access_token().await.unwrap();
    assert_eq!(credentials(&service), [bearer(token.expose_secret())]);
    assert_eq!(service.logins(), 1);
}

#[tokio::test]
async fn a_redirect_to_another_host_takes_no_token_along() {
    let (service, other) = (FakeService::start(), FakeService::start());
    let http = http(builder(&service).build().unwrap());
    for elsewhere in [other.base_url(), by_name(&other)] {
        let to = Fault::status(307).header("location", &format!("{elsewhere}{PATH}"));
        service.fail_next(Operation::GetApiToken, to);
        let url = format!("{}{PATH}", service.base_url());
        let reply = http.get(url).send().await.unwrap();
        assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(credentials(&other), [None, None]);
    // Another server's 401 proves nothing about the token: no replay, and no other login.
    assert_eq!(service.count(Operation::GetApiToken), 2);
    assert_eq!(service.logins(), 1);
}

#[tokio::test]
async fn a_redirect_to_the_same_machine_by_another_name_takes_no_token_along() {
    let service = FakeService::start();
    let client = builder(&service).build().unwrap();
    let to = Fault::status(308).header("location", &format!("{}{PATH}", by_name(&service)));
    service.fail_next(Operation::GetApiToken, to);
    let url = format!("{}{PATH}", service.base_url());
    http(client.clone()).get(url).send().await.unwrap();
    let token = client.access_token().await.unwrap();
    assert_eq!(credentials(&service), [bearer(token.expose_secret()), None]);
}

#[tokio::test]
async fn a_chain_of_redirects_is_not_repeated_but_its_401_drops_the_token() {
    let service = FakeService::start();
    let http = http(builder(&service).build().unwrap());
    let url = format!("{}{PATH}", service.base_url());
    let within = Fault::status(307).header("location", &format!("{PATH}?page=2"));
    service.fail_next(Operation::GetApiToken, within);
    service.fail_next(Operation::GetApiToken, Fault::status(401));

    let reply = http.get(&url).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    let seen = credentials(&service);
    assert_eq!((seen.len(), seen[0] == seen[1]), (2, true));
    assert_eq!(service.logins(), 1);

    assert_eq!(
        http.get(&url).send().await.unwrap().status(),
        StatusCode::OK
    );
    assert_eq!(service.logins(), 2);
}

#[tokio::test]
async fn a_header_or_a_user_of_the_caller_is_kept() {
    let service = FakeService::start();
    let http = http(builder(&service).build().unwrap());
    let url = format!("{}{PATH}", service.base_url());
    let request = http.get(&url).header("authorization", "Custom planted");
    let reply = request.send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);

    let with_user = url.replace("http://", "http://user:word@");
    http.get(with_user.as_str()).send().await.unwrap();
    // Made by hand, the user stays in the URL, and reqwest sends it nowhere.
    let by_hand = Request::new(reqwest::Method::GET, with_user.parse().unwrap());
    http.execute(by_hand).await.unwrap();

    let basic = Some("Basic dXNlcjp3b3Jk".to_owned());
    let custom = Some("Custom planted".to_owned());
    let seen = credentials(&service);
    assert_eq!(seen[..2], [custom, basic]);
    assert!(!seen[2].as_deref().unwrap_or_default().starts_with("Bearer"));
    assert_eq!(service.logins(), 0);
}

/// Records what passes it, like a middleware that was added later.
#[derive(Clone, Default)]
struct Probe(Arc<Mutex<Vec<bool>>>);

#[async_trait::async_trait]
impl Middleware for Probe {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let header = request.headers().get("authorization").cloned();
        let sensitive = header.is_some_and(|value| value.is_sensitive());
        self.0.lock().unwrap().push(sensitive);
        next.run(request, extensions).await
    }
}

#[tokio::test]
async fn the_header_is_marked_sensitive_also_in_a_replay() {
    let service = FakeService::start();
    let (before, behind) = (Probe::default(), Probe::default());
    let http = ClientBuilder::new(reqwest::Client::builder().no_proxy().build().unwrap())
        .with(before.clone())
        .with(AuthMiddleware::new(builder(&service).build().unwrap()))
        .with(behind.clone())
        .build();
    service.fail_next(Operation::GetApiToken, Fault::status(401));
    let url = format!("{}{PATH}", service.base_url());
    assert_eq!(http.get(url).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(*before.0.lock().unwrap(), [false]);
    assert_eq!(*behind.0.lock().unwrap(), [true, true]);
}
