//! What is special about `AuthLayer`: the URIs of tower, late replies, and readiness.

use std::collections::VecDeque;
use std::future::{Ready, poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Uri};
use pollination_auth::{AuthLayer, AuthService, Client};
use pollination_auth_fake::FakeService;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tower::limit::ConcurrencyLimitLayer;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt as _};

use super::{HERD, builder, get, given_token};

/// Sends requests over HTTP, as hyper's client does.
#[derive(Clone)]
pub(super) struct Sender(reqwest::Client);

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

/// The service that sends over HTTP.
pub(super) type OverHttp = AuthService<Sender, fn(&Bytes) -> Option<Bytes>>;

pub(super) fn over_http(client: Client) -> OverHttp {
    AuthLayer::new(client).layer(Sender::new())
}

#[tokio::test]
async fn row_27_a_herd_in_single_file_logs_in_once_and_once_more_after_its_token_ended() {
    let service = FakeService::start();
    let client = builder(&service).build().unwrap();
    // One permit for all: a call that waits for a login keeps it, and a replay has to get it again.
    let http = ServiceBuilder::new()
        .layer(AuthLayer::new(client))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(Sender::new());
    for logins in [1, 2] {
        let mut herd = JoinSet::new();
        for _ in 0..HERD {
            let (http, request) = (http.clone(), get(&service));
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
    // After one poll it waits for its answer, with the first token.
    let answered = poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_ready()));
    assert!(!answered.await);
    soon.send(StatusCode::UNAUTHORIZED).unwrap();
    let second = http.clone().oneshot(request()).await.unwrap();
    assert_eq!((second.status(), service.logins()), (StatusCode::OK, 2));
    late.send(StatusCode::UNAUTHORIZED).unwrap();
    let first = first.await.unwrap();
    assert_eq!((first.status(), service.logins()), (StatusCode::OK, 2));
}

/// The header's value, and `true` if it was marked sensitive.
type Carried = Option<(String, bool)>;

/// Records the requests' headers, and refuses the first few.
///
/// It panics if it is called before it was ready, which a new clone never is.
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

/// Returns the header of a request with this URI; the service is at `http://127.0.0.1:1`.
async fn carried(layer: &AuthLayer<fn(&()) -> Option<()>>, request: Request<()>) -> Option<String> {
    let strict = Strict::default();
    layer.layer(strict.clone()).oneshot(request).await.unwrap();
    let seen = strict.seen.lock().unwrap().pop().unwrap();
    seen.map(|(value, _)| value)
}

#[tokio::test]
async fn a_uri_without_a_host_gets_the_token_only_where_it_is_said_to_be_ours() {
    let client = Client::builder()
        .access_token(given_token())
        .base_url("http://127.0.0.1:1/prefix")
        .build()
        .unwrap();
    let strictly = AuthLayer::new(client);
    let connected = strictly.clone().relative_uris_are_ours();
    for (uri, by_default, when_connected) in [
        ("http://127.0.0.1:1/jobs", true, true),
        ("/jobs", false, true),
        ("*", false, true),
        ("127.0.0.1:1", false, false),
        ("http://127.0.0.1:2/jobs", false, false),
        ("http://127.1:1/jobs", false, false),
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
