//! The blocking client: on plain threads, inside runtimes, and when something on its thread fails.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use pollination_auth::blocking::Client;
use pollination_auth::{
    ApiToken, Clock, Error, MemoryStore, Moment, Operation, Reason, Recovered, RotateError,
    RotateOptions, RotationStatus, Secret, SystemClock,
};
use pollination_auth_fake::{FakeService, Fault};

use super::{builder, given_token};

/// How many threads call at once.
const THREADS: usize = 32;

fn client(service: &FakeService) -> Client {
    builder(service).build_blocking().unwrap()
}

#[test]
fn every_operation_works_without_a_runtime() {
    let service = FakeService::start();
    let client = client(&service);
    let changes = client.access_token_changes();
    assert!(changes.latest().is_none());

    let token = client.access_token().unwrap();
    let same = client.access_token_valid_for(std::time::Duration::from_secs(60));
    assert_eq!(same.unwrap().expose_secret(), token.expose_secret());
    let current = changes.latest().unwrap();
    assert_eq!(current.expose_secret(), token.expose_secret());
    assert_eq!(service.logins(), 1);

    let id = client.get_api_token().unwrap();
    assert_eq!(Some(id.as_str()), service.id().as_deref());
    let rotated = client.rotate_api_token_secret().unwrap();
    let secret = service.secret().unwrap();
    assert_eq!(rotated.secret().expose_secret(), secret.expose_secret());
    client.login().unwrap();
    assert_eq!(service.logins(), 2);
    client.delete_api_token().unwrap();
    assert_eq!(service.id(), None);
    let gone = client.create_api_token().unwrap_err();
    assert!(matches!(gone, Error::CredentialsRejected(_)), "{gone:?}");
}

#[test]
fn an_api_token_is_created_with_an_access_token_alone() {
    let service = FakeService::start();
    let first = client(&service);
    let token = first.access_token().unwrap();
    first.delete_api_token().unwrap();
    let keeper = pollination_auth::Client::builder()
        .access_token(token)
        .base_url(service.base_url())
        .build_blocking()
        .unwrap();
    let created = keeper.create_api_token().unwrap();
    assert_eq!(Some(created.id().as_str()), service.id().as_deref());
}

#[test]
fn many_threads_share_one_login() {
    let service = FakeService::start();
    let client = client(&service);
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                client.clone().get_api_token().unwrap();
            });
        }
    });
    assert_eq!(service.logins(), 1);
}

/// Reads the head of one request.
fn read_head(stream: &TcpStream) {
    let lines = BufReader::new(stream).lines();
    let blank = |line: &String| line.is_empty();
    assert!(lines.map(Result::unwrap).any(|line| blank(&line)));
}

/// Answers two requests, the first one only after the second has arrived.
fn answer_two_at_once(listener: TcpListener) {
    let streams = [(); 2].map(|()| {
        let (stream, _) = listener.accept().unwrap();
        read_head(&stream);
        stream
    });
    let body = r#"{"id": "an-id"}"#;
    for mut stream in streams {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}"
        );
        write!(stream, "{head}\r\nconnection: close\r\n\r\n{body}").unwrap();
    }
}

#[test]
fn calls_of_two_threads_run_at_the_same_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let client = pollination_auth::Client::builder()
        .access_token(given_token())
        .base_url(base_url)
        .build_blocking()
        .unwrap();
    thread::scope(|scope| {
        scope.spawn(|| answer_two_at_once(listener));
        let calls = [(); 2].map(|()| scope.spawn(|| client.get_api_token()));
        for call in calls {
            assert_eq!(call.join().unwrap().unwrap().as_str(), "an-id");
        }
    });
}

/// Uses and drops a client right where async code runs.
async fn use_and_drop(service: &FakeService) {
    let client = client(service);
    client.access_token().unwrap();
    client.get_api_token().unwrap();
    client.rotate_api_token_secret().unwrap();
    drop(client);
}

#[tokio::test(flavor = "current_thread")]
async fn row_49_it_works_and_is_dropped_inside_of_a_current_thread_runtime() {
    let service = FakeService::start();
    use_and_drop(&service).await;
    assert_eq!(service.logins(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_49_it_works_and_is_dropped_inside_of_a_multi_thread_runtime() {
    let service = Arc::new(FakeService::start());
    use_and_drop(&service).await;
    let on_a_worker = service.clone();
    let task = tokio::spawn(async move { use_and_drop(&on_a_worker).await });
    task.await.unwrap();
    let allowed_to_block = service.clone();
    tokio::task::spawn_blocking(move || client(&allowed_to_block).login().unwrap())
        .await
        .unwrap();
    assert_eq!(service.logins(), 3);
}

#[test]
fn row_49_it_outlives_the_runtime_that_it_was_made_and_used_in() {
    let service = FakeService::start();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let client = runtime.unwrap().block_on(async {
        let client = client(&service);
        client.get_api_token().unwrap();
        client
    });
    // The connection that it made there belongs to its own thread, and still works.
    client.get_api_token().unwrap();
    assert_eq!(service.logins(), 1);
}

#[test]
fn a_failure_is_the_one_of_the_async_client() {
    let service = FakeService::start();
    let client = client(&service);
    service.fail_next(
        pollination_auth_fake::Operation::GetApiToken,
        Fault::status(403),
    );
    let error = client.get_api_token().unwrap_err();
    assert!(matches!(error, Error::Forbidden(_)), "{error:?}");
    assert_eq!(error.operation(), Operation::GetApiToken);
}

/// What the clock does on the client's thread.
type Mischief = Box<dyn FnOnce() + Send>;

/// The system's clock, with one action for its next reading.
#[derive(Clone, Default)]
struct Rigged(Arc<Mutex<Option<Mischief>>>);

impl Rigged {
    fn next(&self, deed: impl FnOnce() + Send + 'static) {
        *self.0.lock().unwrap() = Some(Box::new(deed));
    }
}

impl std::fmt::Debug for Rigged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rigged")
    }
}

impl Clock for Rigged {
    fn now(&self) -> Moment {
        let deed = self.0.lock().unwrap().take();
        if let Some(deed) = deed {
            deed();
        }
        SystemClock.now()
    }
}

#[test]
fn row_48_a_panic_on_its_thread_is_a_typed_error_and_the_next_call_works() {
    let service = FakeService::start();
    let clock = Rigged::default();
    let client = builder(&service)
        .clock(clock.clone())
        .build_blocking()
        .unwrap();
    clock.next(|| panic!("planted"));
    let error = client.get_api_token().unwrap_err();
    assert!(matches!(error, Error::Internal(_)), "{error:?}");
    assert_eq!(error.failure().reason(), &Reason::Panicked);
    assert_eq!(error.operation(), Operation::GetApiToken);
    assert_eq!(
        client.get_api_token().unwrap().as_str(),
        service.id().unwrap()
    );
}

#[test]
fn a_call_on_its_own_thread_is_a_typed_error_and_no_deadlock() {
    let service = FakeService::start();
    let clock = Rigged::default();
    let client = builder(&service)
        .clock(clock.clone())
        .build_blocking()
        .unwrap();
    let (inside, (sender, receiver)) = (client.clone(), std::sync::mpsc::channel());
    clock.next(move || sender.send(inside.access_token()).unwrap());
    client.get_api_token().unwrap();
    let error = receiver.recv().unwrap().unwrap_err();
    assert_eq!(error.failure().reason(), &Reason::OwnThread);
    assert!(
        error.to_string().ends_with("; call it from another thread"),
        "{error}"
    );
}

#[test]
fn the_client_shows_no_secret() {
    let service = FakeService::builder().secret("planted").start();
    let shown = format!("{:?}", client(&service));
    assert!(shown.contains("127.0.0.1"), "{shown}");
    assert!(!shown.contains("planted"), "{shown}");
}

#[test]
fn an_interrupted_rotation_is_recovered_without_async() {
    let service = FakeService::builder()
        .id("an-id")
        .secret("planted-old")
        .start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = pollination_auth::Client::builder()
        .store(MemoryStore::new())
        .base_url(service.base_url())
        .build_blocking()
        .unwrap();
    let old = ApiToken::new("an-id", Secret::from("planted-old")).unwrap();
    let profile = client.profile().unwrap().clone();
    runtime.block_on(profile.save(&old)).unwrap();
    let options = RotateOptions::default()
        .settle(std::time::Duration::from_millis(1))
        .accept_volatile();
    service.fail_next(
        pollination_auth_fake::Operation::RotateApiTokenSecret,
        Fault::commit_and_drop(),
    );
    let once = client.rotation(options.clone().requests(1));
    let error = once.rotate().unwrap_err();
    assert!(matches!(error, RotateError::Ambiguous(_)), "{error:?}");
    let rotation = client.rotation(options);
    let status = rotation.status().unwrap();
    assert!(
        matches!(status, RotationStatus::Unfinished { .. }),
        "{status:?}"
    );
    let recovered = rotation.recover().unwrap();
    assert!(matches!(recovered, Recovered::Rotated(_)), "{recovered:?}");
    let stored = runtime.block_on(profile.load()).unwrap().unwrap();
    let active = service.secret().unwrap();
    assert_eq!(stored.secret().expose_secret(), active.expose_secret());
    client.login().unwrap();
}
