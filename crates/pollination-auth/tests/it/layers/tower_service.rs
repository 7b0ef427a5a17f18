//! `AuthLayer` around services of tower: which requests get a token, the replay, and readiness.

use std::collections::VecDeque;
use std::future::{Ready, poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri};
use pollination_auth::{AuthLayer, AuthService, Client, Error};
use pollination_auth_fake::{FakeService, Fault, Operation};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tower::limit::ConcurrencyLimitLayer;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt as _};

use super::{HERD, PATH, builder, credentials, given_token};

/// Sends requests over HTTP, as hyper's client does.
#[derive(Clone)]
struct Sender(reqwest::Client);

impl Sender {
    fn new() -> Self {
        Self(reqwest::Client::builder().no_proxy().build().unwrap())
    }
}

impl Service<Request<Bytes>> for Sender {
    type Response = Response<reqwest::Body>;
    type Error = reqwest::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let http = self.0.clone();
        Box::pin(async move { Ok(http.execute(request.try_into()?).await?.into()) })
    }
}

fn over_http(client: Client) -> AuthService<Sender> {
    AuthLayer::new(client).layer(Sender::new())
}

fn request(method: &str, service: &FakeService, body: &'static str) -> Request<Bytes> {
    Request::builder()
        .method(method)
        .uri(format!("{}{PATH}", service.base_url()))
        .body(Bytes::from_static(body.as_bytes()))
        .unwrap()
}

async fn get(http: &AuthService<Sender>, service: &FakeService) -> StatusCode {
    let reply = http.clone().oneshot(request("GET", service, "")).await;
    reply.unwrap().status()
}

#[tokio::test]
async fn a_refused_request_is_made_once_more_with_the_next_token_and_the_same_body() {
    let service = FakeService::start();
    let http = over_http(builder(&service).build().unwrap());
    assert_eq!(get(&http, &service).await, StatusCode::OK);
    service.expire_all_tokens();

    let reply = http.oneshot(request("PUT", &service, "the body")).await;
    assert_eq!(reply.unwrap().status(), StatusCode::OK);
    assert_eq!(service.count(Operation::Rotate), 2);
    assert_eq!(service.logins(), 2);
    let requests = service.requests();
    let bodies = requests
        .iter()
        .filter(|request| request.operation() == Some(Operation::Rotate))
        .map(|request| request.body().to_vec());
    assert_eq!(bodies.collect::<Vec<_>>(), [b"the body", b"the body"]);
    let seen = credentials(&service);
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[1], seen[2]);
}

#[tokio::test]
async fn row_26_the_second_401_is_the_answer_and_a_403_the_first() {
    let service = FakeService::start();
    let http = over_http(builder(&service).build().unwrap());
    for status in [403, 401, 401] {
        service.fail_next(Operation::Get, Fault::status(status));
    }
    assert_eq!(get(&http, &service).await, StatusCode::FORBIDDEN);
    assert_eq!(get(&http, &service).await, StatusCode::UNAUTHORIZED);
    assert_eq!((service.count(Operation::Get), service.logins()), (3, 2));
}

#[tokio::test]
async fn row_27_a_herd_in_single_file_logs_in_once_and_once_more_after_its_token_ended() {
    let service = FakeService::start();
    let client = builder(&service).build().unwrap();
    // One permit for all: who waits for a login holds it, and a replay has to get it again.
    let http = ServiceBuilder::new()
        .layer(AuthLayer::new(client))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(Sender::new());
    for logins in [1, 2] {
        let mut herd = JoinSet::new();
        for _ in 0..HERD {
            let (http, request) = (http.clone(), request("GET", &service, ""));
            herd.spawn(async move { http.oneshot(request).await.unwrap().status() });
        }
        assert_eq!(herd.join_all().await, [StatusCode::OK; HERD]);
        assert_eq!(service.logins(), logins);
        service.expire_all_tokens();
    }
}

#[tokio::test]
async fn row_27_a_late_401_for_the_old_token_causes_no_login_and_is_replayed() {
    let service = FakeService::start();
    let client = builder(&service).build().unwrap();
    client.access_token().await.unwrap();
    let (late, first_answer) = oneshot::channel();
    let (soon, second_answer) = oneshot::channel();
    let answers = Mutex::new(VecDeque::from([first_answer, second_answer]));
    let answers = Arc::new(answers);
    let http = AuthLayer::new(client).layer(tower::service_fn(move |_: Request<()>| {
        let answer = answers.lock().unwrap().pop_front();
        async move {
            let mut response = Response::new(());
            if let Some(status) = answer {
                *response.status_mut() = status.await?;
            }
            Ok::<_, BoxError>(response)
        }
    }));
    let request = || Request::get(service.base_url()).body(()).unwrap();

    let mut first = pin!(http.clone().oneshot(request()));
    // One poll brings it to its answer, with the first token.
    let answered = poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_ready()));
    assert!(!answered.await);
    soon.send(StatusCode::UNAUTHORIZED).unwrap();
    let second = http.clone().oneshot(request()).await.unwrap();
    assert_eq!((second.status(), service.logins()), (StatusCode::OK, 2));
    late.send(StatusCode::UNAUTHORIZED).unwrap();
    let first = first.await.unwrap();
    assert_eq!((first.status(), service.logins()), (StatusCode::OK, 2));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_the_error_says_why() {
    let service = FakeService::start();
    let http = over_http(builder(&service).build().unwrap());
    service.fail_next(Operation::Login, Fault::status(401));
    let error = http
        .oneshot(request("GET", &service, ""))
        .await
        .unwrap_err();
    let error = error.downcast::<Error>().unwrap();
    assert!(matches!(*error, Error::CredentialsRejected(_)), "{error:?}");
    assert_eq!(service.count(Operation::Get), 0);
}

#[tokio::test]
async fn another_port_and_another_host_see_no_token_and_cause_no_login() {
    let (service, other) = (FakeService::start(), FakeService::start());
    let http = over_http(builder(&service).build().unwrap());
    let by_name = service.base_url().replace("127.0.0.1", "localhost");
    for url in [other.base_url(), by_name] {
        let request = Request::get(format!("{url}{PATH}")).body(Bytes::new());
        let reply = http.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(credentials(&other), [None]);
    assert_eq!(credentials(&service), [None]);
    assert_eq!(service.logins(), 0);
}

/// What a request carried: the header's value, and whether it was marked sensitive.
type Carried = Option<(String, bool)>;

/// Keeps what the requests carry, and refuses as many of them as it is told to.
///
/// It panics where it is called without having been ready, which a clone never is at first.
#[derive(Default)]
struct Strict {
    is_ready: bool,
    seen: Arc<Mutex<Vec<Carried>>>,
    refusals: Arc<Mutex<usize>>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            is_ready: false,
            seen: self.seen.clone(),
            refusals: self.refusals.clone(),
        }
    }
}

impl Service<Request<()>> for Strict {
    type Response = Response<()>;
    type Error = BoxError;
    type Future = Ready<Result<Response<()>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        assert!(self.is_ready, "called without having been ready");
        self.is_ready = false;
        let header = request.headers().get("authorization");
        let seen = header.map(|value| (value.to_str().unwrap().to_owned(), value.is_sensitive()));
        self.seen.lock().unwrap().push(seen);
        let mut response = Response::new(());
        let mut refusals = self.refusals.lock().unwrap();
        if *refusals > 0 {
            *refusals -= 1;
            *response.status_mut() = StatusCode::UNAUTHORIZED;
        }
        ready(Ok(response))
    }
}

#[tokio::test]
async fn only_a_service_that_was_ready_is_called_also_for_the_replay() {
    let service = FakeService::start();
    let strict = Strict::default();
    let mut http = AuthLayer::new(builder(&service).build().unwrap()).layer(strict.clone());
    *strict.refusals.lock().unwrap() = 1;
    for _ in 0..2 {
        let request = Request::get(service.base_url()).body(()).unwrap();
        let reply = http.ready().await.unwrap().call(request).await.unwrap();
        assert_eq!(reply.status(), StatusCode::OK);
    }
    let seen = strict.seen.lock().unwrap();
    let sensitive: Vec<_> = seen
        .iter()
        .flatten()
        .map(|(_, sensitive)| *sensitive)
        .collect();
    assert_eq!(sensitive, [true, true, true]);
    assert_eq!(service.logins(), 2);
}

#[tokio::test]
async fn it_is_ready_when_the_service_inside_is() {
    let service = FakeService::start();
    let limited = ConcurrencyLimitLayer::new(1).layer(Strict::default());
    let mut busy = limited.clone();
    let mut http = AuthLayer::new(builder(&service).build().unwrap()).layer(limited);
    let mut context = Context::from_waker(Waker::noop());

    assert!(busy.ready().await.is_ok());
    assert!(http.poll_ready(&mut context).is_pending());
    drop(busy);
    assert!(matches!(http.poll_ready(&mut context), Poll::Ready(Ok(()))));
}

/// What a request with this URI carries, where the service is at `http://127.0.0.1:1`.
async fn carried(layer: &AuthLayer, request: Request<()>) -> Option<String> {
    let strict = Strict::default();
    layer.layer(strict.clone()).oneshot(request).await.unwrap();
    let seen = strict.seen.lock().unwrap().pop().unwrap();
    seen.map(|(value, _)| value)
}

#[tokio::test]
async fn only_a_uri_that_names_the_service_gets_the_token() {
    let client = Client::builder()
        .access_token(given_token())
        .base_url("http://127.0.0.1:1/prefix")
        .build()
        .unwrap();
    let strictly = AuthLayer::new(client);
    let connected = strictly.clone().relative_uris_are_ours();
    for (uri, by_default, when_connected) in [
        ("http://127.0.0.1:1/jobs", true, true),
        ("HTTP://127.0.0.1:1", true, true),
        ("/jobs", false, true),
        ("*", false, true),
        ("127.0.0.1:1", false, false),
        ("http://127.0.0.1:2/jobs", false, false),
        ("http://127.0.0.1/jobs", false, false),
        ("http://127.1:1/jobs", false, false),
        ("https://127.0.0.1:1/jobs", false, false),
        ("http://user@127.0.0.1:1/jobs", false, false),
        ("http://127.0.0.1:1@evil.example/jobs", false, false),
    ] {
        for (layer, expected) in [(&strictly, by_default), (&connected, when_connected)] {
            let mut request = Request::new(());
            *request.uri_mut() = uri.parse::<Uri>().unwrap();
            let token = format!("Bearer {}", given_token().expose_secret());
            let carried = carried(layer, request).await;
            assert_eq!(carried, expected.then_some(token), "{uri}");
        }
    }
}

#[tokio::test]
async fn a_header_of_the_caller_is_kept_and_its_401_is_the_answer() {
    let service = FakeService::start();
    let http = over_http(builder(&service).build().unwrap());
    let mut request = request("GET", &service, "");
    let custom = "Custom planted".parse().unwrap();
    request.headers_mut().insert("authorization", custom);
    let reply = http.oneshot(request).await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(credentials(&service), [Some("Custom planted".to_owned())]);
    assert_eq!(service.logins(), 0);
}

#[tokio::test]
async fn a_client_that_cannot_log_in_passes_the_401_on() {
    let service = FakeService::start();
    let client = Client::builder()
        .access_token(given_token())
        .base_url(service.base_url())
        .build()
        .unwrap();
    assert_eq!(
        get(&over_http(client), &service).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!((service.count(Operation::Get), service.logins()), (1, 0));
}

#[tokio::test]
async fn an_error_of_the_service_inside_comes_out_as_it_is() {
    let service = FakeService::start();
    let client = builder(&service).build().unwrap();
    let failing = tower::service_fn(|_: Request<()>| async {
        Err::<Response<()>, _>(std::io::Error::from(std::io::ErrorKind::BrokenPipe))
    });
    let request = Request::get(service.base_url()).body(()).unwrap();
    let error = AuthLayer::new(client).layer(failing).oneshot(request).await;
    let error = error.unwrap_err().downcast::<std::io::Error>().unwrap();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
}
