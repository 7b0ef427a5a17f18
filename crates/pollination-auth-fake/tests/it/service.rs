//! Starting, ending and looking into the service.

use std::cell::Cell;
use std::collections::HashSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use pollination_auth_fake::http::Response;
use pollination_auth_fake::{Builder, FakeService, Fault, Operation, RecordedRequest};
use reqwest::Method;

use crate::caller::{Caller, secret_of};

/// As many as a test of racing callers sends.
const AT_ONCE: usize = 1000;

#[test]
fn it_starts_outside_a_runtime() {
    let service = FakeService::start();
    assert!(service.base_url().starts_with("http://127.0.0.1:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_inside_a_runtime() {
    let service = FakeService::start();
    assert_eq!(Caller::of(&service).login("i", "s").await.status, 401);
}

#[test]
fn two_services_have_nothing_in_common() {
    let (one, other) = (FakeService::start(), FakeService::start());
    assert_ne!(one.base_url(), other.base_url());
    assert_ne!(one.id(), other.id());
    assert_ne!(secret_of(&one), secret_of(&other));
}

#[test]
fn threads_can_share_it() {
    fn shared<T: Send + Sync>() {}
    shared::<FakeService>();
}

#[tokio::test]
async fn a_request_that_no_operation_has_is_named() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    for (method, path, status, allow) in [
        (Method::PATCH, "/x?a=b", 404, None),
        (Method::GET, "/", 404, None),
        (Method::GET, "/auth/login", 405, Some("POST")),
        (Method::OPTIONS, "/auth/login", 405, Some("POST")),
        (
            Method::PATCH,
            "/auth/api-token",
            405,
            Some("DELETE, GET, POST, PUT"),
        ),
    ] {
        let answer = Caller::send(caller.request(method.clone(), path)).await;
        assert_eq!(answer.status, status, "{method} {path}");
        let path = path.trim_end_matches("?a=b");
        assert_eq!(
            answer.detail(),
            format!("no such operation: {method} {path}")
        );
        let allowed = answer
            .headers
            .get("allow")
            .map(|value| value.to_str().unwrap());
        assert_eq!(allowed, allow);
    }
    let known: Vec<_> = service
        .requests()
        .iter()
        .map(RecordedRequest::is_known)
        .collect();
    assert_eq!(known, [false; 5]);
}

#[tokio::test]
async fn a_head_request_is_answered_without_a_body() {
    let service = FakeService::start();
    let request = Caller::of(&service).request(Method::HEAD, "/auth/api-token");
    let answer = Caller::send(request).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (405, 0));
}

#[tokio::test]
async fn requests_are_counted_and_kept() {
    let service = FakeService::builder().keep_requests(2).start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    caller.call(Operation::GetApiToken, &access_token).await;
    caller.login_with("planted").await;

    let counts = Operation::ALL.map(|operation| service.count(operation));
    assert_eq!(counts, [2, 1, 0, 0, 0]);
    assert_eq!(service.logins(), 2);
    let requests = service.requests();
    let [get, login] = requests.as_slice() else {
        panic!("two are kept: {requests:?}")
    };
    assert_eq!((get.method(), get.path()), ("GET", "/auth/api-token"));
    assert_eq!(get.operation(), Some(Operation::GetApiToken));
    assert_eq!(
        get.header("authorization"),
        Some(&*format!("Bearer {access_token}"))
    );
    assert_eq!(login.body(), b"planted");
    assert_eq!((get.status(), login.status()), (Some(200), Some(422)));
    let gone = Caller::try_send(caller.operation_request(Operation::GetApiToken, &access_token));
    service.fail_next(Operation::GetApiToken, Fault::drop_connection());
    gone.await.err().unwrap();
    assert_eq!(service.requests()[1].status(), None);
}

#[tokio::test]
async fn a_request_is_shown_before_it_is_acted_on() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let seeing = Arc::clone(&seen);
    let service = FakeService::builder()
        .on_request(move |request| seeing.lock().unwrap().push(request.operation()))
        .start();
    let caller = Caller::of(&service);
    caller.access_token(&service).await;
    caller.call(Operation::RotateApiTokenSecret, "no").await;
    assert_eq!(
        *seen.lock().unwrap(),
        [
            Some(Operation::Login),
            Some(Operation::RotateApiTokenSecret)
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_that_blocks_holds_up_neither_other_requests_nor_the_end() {
    let (arrived, arrives) = mpsc::channel();
    let (_until_the_end, held) = mpsc::channel::<()>();
    let held = Mutex::new(held);
    let service = FakeService::builder()
        .on_request(move |request| {
            if request.operation() == Some(Operation::Login) {
                arrived.send(()).unwrap();
                held.lock().unwrap().recv().unwrap_err();
            }
        })
        .start();
    let caller = Caller::of(&service);
    let login = tokio::spawn(Caller::try_send(caller.login_request("{}")));
    arrives.recv().unwrap();
    assert_eq!(caller.call(Operation::GetApiToken, "no").await.status, 401);
    drop(service);
    assert!(login.await.unwrap().err().unwrap().is_request());
}

#[tokio::test]
async fn an_observer_that_panics_ends_the_connection_and_not_the_service() {
    let service = FakeService::builder()
        .on_request(|request| {
            assert_ne!(
                request.operation(),
                Some(Operation::RotateApiTokenSecret),
                "as meant"
            )
        })
        .start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    let before = secret_of(&service);
    service.fail_next(
        Operation::RotateApiTokenSecret,
        Fault::delay(Duration::from_millis(1)),
    );
    for _ in 0..2 {
        let request = caller.operation_request(Operation::RotateApiTokenSecret, &access_token);
        assert!(Caller::try_send(request).await.err().unwrap().is_request());
        service.clear_faults();
    }
    assert_eq!(
        caller.login(&service.id().unwrap(), &before).await.status,
        202
    );
}

#[test]
fn an_address_in_use_is_an_error() {
    let service = FakeService::start();
    let address = address_of(&service);
    let error = FakeService::builder().start_on(address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

fn address_of(service: &FakeService) -> SocketAddr {
    let base_url = service.base_url();
    base_url.strip_prefix("http://").unwrap().parse().unwrap()
}

#[test]
fn row_84_a_dropped_service_leaves_no_port_and_no_connection() {
    let service = FakeService::start();
    let address = address_of(&service);
    let mut idle = TcpStream::connect(address).unwrap();
    let mut waiting = TcpStream::connect(address).unwrap();
    let hour = Duration::from_secs(3600);
    service.fail_next(Operation::Login, Fault::status(503).after(hour));
    let login = b"POST /auth/login HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n";
    waiting.write_all(login).unwrap();
    while service.logins() == 0 {
        std::thread::yield_now();
    }
    drop(service);
    let refused = TcpStream::connect(address).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    for stream in [&mut idle, &mut waiting] {
        // An end or a reset; a connection that is still open would be neither.
        stream.set_nonblocking(true).unwrap();
        let ended = stream.read(&mut [0]);
        assert!(!matches!(&ended, Err(error) if error.kind() == ErrorKind::WouldBlock));
        assert_eq!(ended.unwrap_or_default(), 0);
    }
}

#[tokio::test]
async fn row_84_no_later_service_counts_the_requests_for_a_dropped_one() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    assert_eq!(caller.login("i", "s").await.status, 401);
    drop(service);
    let later: Vec<_> = (0..50).map(|_| FakeService::start()).collect();
    let login = caller.login_request("{}");
    assert!(Caller::try_send(login).await.is_err());
    assert!(later.iter().all(|service| service.requests().is_empty()));
}

#[tokio::test]
async fn latency_holds_every_reply_back_but_not_one_after_the_other() {
    let latency = Duration::from_millis(200);
    let service = FakeService::builder().latency(latency).start();
    let caller = Caller::of(&service);
    let started = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..10 {
        calls.spawn(Caller::send(caller.login_request("{}")));
    }
    calls.join_all().await;
    let took = started.elapsed();
    assert!((latency..latency * 10).contains(&took), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_logins_at_once_are_all_answered_with_another_token() {
    let service = FakeService::builder().id("i").secret("s").start();
    let caller = Caller::of(&service);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        calls.spawn(Caller::send(
            caller.login_request(r#"{"id":"i","secret":"s"}"#),
        ));
    }
    let tokens: HashSet<_> = calls
        .join_all()
        .await
        .iter()
        .map(|answer| answer.text("access_token"))
        .collect();
    assert_eq!((tokens.len(), service.logins()), (AT_ONCE, AT_ONCE));
}

#[test]
fn dropping_it_with_a_fault_unmet_panics_and_names_the_fault() {
    let service = FakeService::start();
    let line = line!() + 1;
    service.fail_next(Operation::GetApiToken, Fault::commit_and_answer(502));
    service.fail_next(Operation::GetApiToken, Fault::truncated());
    assert_eq!(
        service.unused_faults(),
        [
            "get_api_token: commit_and_answer(502)",
            "get_api_token: truncated"
        ]
    );
    let panic = catch_unwind(AssertUnwindSafe(|| drop(service))).unwrap_err();
    let at = |line| format!("(scripted at {}:{line}:13)", file!());
    assert_eq!(
        *panic.downcast_ref::<String>().unwrap(),
        format!(
            "scripted faults that no request met: \
             get_api_token: commit_and_answer(502) {}, \
             get_api_token: truncated {}",
            at(line),
            at(line + 1)
        )
    );
}

thread_local! {
    /// Where this thread panicked last.
    static PANICKED_AT: Cell<Option<(String, u32)>> = const { Cell::new(None) };
}

#[test]
fn a_panic_over_a_mistake_names_the_line_that_made_it() {
    let before = take_hook();
    // Other tests of this process panic as ever.
    set_hook(Box::new(move |info| {
        let place = info.location().map(|at| (at.file().to_owned(), at.line()));
        PANICKED_AT.set(place);
        before(info);
    }));
    let service = FakeService::start();
    let line = line!();
    let mistakes: [&dyn Fn(); 8] = [
        &|| service.fail_next(Operation::Login, Fault::wrong_id()),
        &|| drop(Fault::status(99)),
        &|| drop(Fault::commit_and_answer(99)),
        &|| drop(Fault::other_status(99)),
        &|| drop(Fault::status(503).header("a b", "c")),
        &|| drop(Fault::status(503).times(0)),
        &|| drop(FakeService::builder().wrong_secret_status(100)),
        &|| drop(FakeService::builder().route(Method::GET, "a", |_| Response::new(""))),
    ];
    for (mistake, line) in mistakes.iter().zip(line + 2..) {
        catch_unwind(AssertUnwindSafe(mistake)).unwrap_err();
        assert_eq!(PANICKED_AT.take(), Some((file!().to_owned(), line)));
    }
}

#[tokio::test]
async fn a_fault_that_came_over_the_control_endpoint_is_nothing_to_a_drop() {
    let service = FakeService::start();
    let fault = r#"{"operation":"login","fault":"truncated"}"#;
    let faults = Caller::of(&service).request(Method::POST, "/__control/faults");
    assert_eq!(Caller::send(faults.body(fault)).await.status, 204);
    assert_eq!(service.unused_faults(), ["login: truncated"]);
}

#[test]
fn a_test_that_fails_already_keeps_its_own_message() {
    let panic = catch_unwind(|| {
        let service = FakeService::start();
        service.fail_next(Operation::GetApiToken, Fault::status(500));
        panic!("the test's own")
    })
    .unwrap_err();
    assert_eq!(*panic.downcast_ref::<&str>().unwrap(), "the test's own");
}

#[test]
fn a_fault_that_would_do_nothing_is_refused() {
    let service = FakeService::start();
    let panic = catch_unwind(AssertUnwindSafe(|| {
        service.fail_next(Operation::Login, Fault::wrong_id());
    }))
    .unwrap_err();
    assert_eq!(
        panic.downcast_ref::<String>().unwrap(),
        "wrong_id makes no difference to login"
    );
}

#[tokio::test]
async fn the_api_token_is_what_logs_in_until_it_is_deleted() {
    let service = FakeService::start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    caller
        .call(Operation::RotateApiTokenSecret, &access_token)
        .await;
    let (id, secret) = service.api_token();
    assert_eq!(caller.login(&id, &secret).await.status, 202);
    caller.call(Operation::DeleteApiToken, &access_token).await;
    let panic = catch_unwind(AssertUnwindSafe(|| service.api_token())).unwrap_err();
    assert_eq!(
        *panic.downcast_ref::<&str>().unwrap(),
        "the API token was deleted"
    );
}

#[tokio::test]
async fn debug_shows_no_secret_and_no_token() {
    let service = FakeService::builder().secret("planted").start();
    let caller = Caller::of(&service);
    let access_token = caller.access_token(&service).await;
    caller.call(Operation::GetApiToken, &access_token).await;
    let builder: Builder = FakeService::builder().secret("planted");
    let shown = format!(
        "{service:?} {service:#?} {:?} {:?} {builder:?}",
        service.secret(),
        service.requests()
    );
    assert!(!shown.contains("planted"), "{shown}");
    assert!(!shown.contains(&access_token), "{shown}");
}
