//! URLs that only look like the service's, for both adapters: no token, and no login.

use std::future::ready;
use std::sync::{Arc, Mutex};

use http::{Extensions, Request, Response, Uri};
use pollination_auth::{AuthLayer, AuthMiddleware, Client};
use pollination_auth_fake::{FakeService, Fault, Operation};
use reqwest::{StatusCode, Url};
use reqwest_middleware::{ClientBuilder, Middleware, Next};
use tower::{BoxError, ServiceBuilder, ServiceExt as _};

use super::{PATH, builder, given_token};

const BASE_URL: &str = "http://[::1]:8080";

/// A URL, and whether it is the service's for tower and for reqwest; none where it can't be one.
const TABLE: [(&str, Option<bool>, Option<bool>); 14] = [
    ("http://[::1]:8080/jobs", Some(true), Some(true)),
    ("HTTP://[::1]:8080", Some(true), Some(true)),
    // reqwest's URLs are parsed, so that only one way to write a host is left.
    ("http://[0:0:0:0:0:0:0:1]:8080/", Some(false), Some(true)),
    ("http://[::1]:08080/", Some(false), Some(true)),
    ("http://[::1]u:8080/", Some(false), None),
    ("http://[::1]:73616/", Some(false), None),
    ("http://[::1]:99999999/", Some(false), None),
    ("http://[::1]:8080u/", Some(false), None),
    ("http://[::1]/", Some(false), Some(false)),
    ("http://[::1]:80/", Some(false), Some(false)),
    ("http://u@[::1]:8080/", Some(false), Some(false)),
    ("http://u:p@[::1]:8080/", Some(false), Some(false)),
    ("http://[::1]:8080@evil.example/", Some(false), Some(false)),
    ("https://[::1]:8080/", Some(false), Some(false)),
];

fn client() -> Client {
    Client::builder()
        .access_token(given_token())
        .base_url(BASE_URL)
        .build()
        .unwrap()
}

/// Returns whether a request of tower gets a token; none when it is no URI.
async fn by_tower(url: &str) -> Option<bool> {
    let uri: Uri = url.parse().ok()?;
    let http = ServiceBuilder::new()
        .layer(AuthLayer::new(client()))
        .service_fn(|request: Request<()>| {
            let authorized = request.headers().contains_key("authorization");
            ready(Ok::<_, BoxError>(Response::new(authorized)))
        });
    let request = Request::get(uri).body(()).unwrap();
    Some(http.oneshot(request).await.unwrap().into_body())
}

/// Sees a request as the network would, and sends nothing.
#[derive(Clone, Default)]
struct Probe(Arc<Mutex<Vec<bool>>>);

#[async_trait::async_trait]
impl Middleware for Probe {
    async fn handle(
        &self,
        request: reqwest::Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let authorized = request.headers().contains_key("authorization");
        self.0.lock().unwrap().push(authorized);
        Ok(Response::new("").into())
    }
}

/// Returns whether a request of reqwest gets a token; none when it is no URL.
async fn by_reqwest(url: &str) -> Option<bool> {
    let url: Url = url.parse().ok()?;
    let probe = Probe::default();
    let http = ClientBuilder::new(reqwest::Client::builder().no_proxy().build().unwrap())
        .with(AuthMiddleware::new(client()))
        .with(probe.clone())
        .build();
    let request = reqwest::Request::new(reqwest::Method::GET, url);
    http.execute(request).await.unwrap();
    let [authorized] = probe.0.lock().unwrap()[..] else {
        panic!("one request is seen once");
    };
    Some(authorized)
}

#[tokio::test]
async fn row_82_an_authority_that_only_looks_like_the_services_gets_no_token() {
    for (url, of_tower, of_reqwest) in TABLE {
        let by_tower = by_tower(url).await;
        // What the crate `http` refuses goes nowhere.
        assert!(
            by_tower == of_tower || by_tower.is_none() && of_tower == Some(false),
            "{url}"
        );
        assert_eq!(by_reqwest(url).await, of_reqwest, "{url}");
    }
    for looks_right in ["http://[::1]u:8080/", "http://[::1]:73616/"] {
        assert!(looks_right.parse::<Uri>().is_ok(), "{looks_right}");
    }
}

#[tokio::test]
async fn a_request_with_a_fragment_is_made_once_more_after_a_401() {
    let service = FakeService::start();
    let http = ClientBuilder::new(reqwest::Client::builder().no_proxy().build().unwrap())
        .with(AuthMiddleware::new(builder(&service).build().unwrap()))
        .build();
    service.fail_next(Operation::GetApiToken, Fault::status(401));
    let url = format!("{}{PATH}#here", service.base_url());
    assert_eq!(http.get(url).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(service.count(Operation::GetApiToken), 2);
}
