//! `AuthLayer` and bodies: which are sent again after a 401, and which only once.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use pollination_auth::AuthLayer;
use pollination_auth_fake::FakeService;
use tower::{BoxError, Layer as _, Service, ServiceExt as _};

use super::builder;

/// A body that has no clone, as one that is read from a connection.
#[derive(Debug, PartialEq, Eq)]
struct Stream(&'static str);

/// The body of a request, and its `Authorization` header.
type Seen = (Stream, Option<String>);

/// Refuses every request, and records it.
#[derive(Clone, Default)]
struct Refusing(Arc<Mutex<Vec<Seen>>>);

impl Service<Request<Stream>> for Refusing {
    type Response = Response<()>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<()>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Stream>) -> Self::Future {
        let marker = request.extensions().get::<&str>().copied();
        assert_eq!(marker, Some("an extension"));
        let kept = request.headers().get("x-kept").is_some();
        let token = request.headers().get("authorization");
        let token = token.map(|token| token.to_str().unwrap().to_owned());
        assert!(kept, "the replay has lost a header");
        self.0.lock().unwrap().push((request.into_body(), token));
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        Box::pin(async move { Ok(response) })
    }
}

/// Sends a body through a service that refuses it; returns what that saw and the number of logins.
async fn refused(clone_body: fn(&Stream) -> Option<Stream>) -> (Vec<Seen>, usize) {
    let service = FakeService::start();
    let refusing = Refusing::default();
    let layer = AuthLayer::with_clone_body(builder(&service).build().unwrap(), clone_body);
    let http = layer.layer(refusing.clone());
    let mut request = Request::put(format!("{}/jobs", service.base_url()))
        .header("x-kept", "1")
        .body(Stream("a job"))
        .unwrap();
    request.extensions_mut().insert("an extension");
    let reply = http.oneshot(request).await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    let seen = std::mem::take(&mut *refusing.0.lock().unwrap());
    (seen, service.logins())
}

#[tokio::test]
async fn a_body_without_a_clone_is_sent_once_with_a_token() {
    let (seen, logins) = refused(|_| None).await;
    assert_eq!((seen.len(), logins), (1, 1));
    assert_eq!(seen[0].0, Stream("a job"));
    assert!(seen[0].1.as_ref().unwrap().starts_with("Bearer "));
}

#[tokio::test]
async fn a_function_that_clones_a_body_makes_a_replay_with_the_next_token() {
    let (seen, logins) = refused(|body| Some(Stream(body.0))).await;
    assert_eq!((seen.len(), logins), (2, 2));
    assert_eq!(seen[0].0, seen[1].0);
    assert_ne!(seen[0].1, seen[1].1);
}

/// A 401 for a request that can't be repeated is still the end of its token.
#[tokio::test]
async fn row_27_the_request_after_one_that_had_no_replay_has_another_token() {
    let service = FakeService::start();
    let client = builder(&service).build().unwrap();
    let refusing = Refusing::default();
    let http = AuthLayer::with_clone_body(client, |_: &Stream| None).layer(refusing.clone());
    for _ in 0..2 {
        let mut request = Request::get(service.base_url())
            .header("x-kept", "1")
            .body(Stream(""))
            .unwrap();
        request.extensions_mut().insert("an extension");
        http.clone().oneshot(request).await.unwrap();
    }
    let seen = refusing.0.lock().unwrap();
    assert_eq!((seen.len(), service.logins()), (2, 2));
    assert_ne!(seen[0].1, seen[1].1);
}
