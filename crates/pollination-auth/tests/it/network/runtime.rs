//! Callers that leave, runtimes that end or stand still, and calls without any runtime.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use pollination_auth::{Client, Clock, Error, Moment, Operation, Reason, RetryPolicy, SystemClock};
use tokio::runtime::{Builder, Runtime};

use super::fault_server::FaultServer;
use super::reply::{ACCESS_TOKEN, Gate, Reply, new_secret};
use super::support::{OPERATIONS, builder, call, client, variant, within};

/// A total time that is meant to run out; long enough for a good login on a loaded machine.
const SHORT_TOTAL: Duration = Duration::from_secs(2);

/// An attempt that is meant to run out, so that there is time for a second one.
const SHORT_ATTEMPT: Duration = Duration::from_secs(1);

/// A runtime that does nothing unless it is driven.
fn undriven() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A runtime that drives itself.
fn driven() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

/// Starts a call, and drops it when the server has its request.
async fn leave_when_received(client: &Client, server: &FaultServer, operation: Operation) {
    let count = server.requests(operation).len() + 1;
    tokio::select! {
        biased;
        () = server.has_received(operation, count) => {}
        result = call(client, operation) => panic!("{operation} was held back: {result:?}"),
    }
}

/// Runs a future to its end on this thread, without any runtime.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::park();
    }
}

#[tokio::test]
async fn row_47_a_caller_that_leaves_takes_the_login_from_nobody() {
    let server = FaultServer::start().await;
    let gate = Gate::shut();
    let held = Reply::behind(&gate).then(Reply::good(Operation::Login, 0));
    server.script(Operation::Login, [held]);
    let client = client(server.base_url());
    leave_when_received(&client, &server, Operation::Login).await;
    let other = tokio::spawn({
        let client = client.clone();
        async move { client.access_token().await }
    });
    gate.open();
    let token = within(other).await.unwrap().unwrap();
    assert_eq!(token.expose_secret(), ACCESS_TOKEN);
    assert_eq!(server.requests(Operation::Login).len(), 1);
}

#[tokio::test]
async fn row_47_a_login_that_everybody_left_still_gives_the_next_caller_its_token() {
    let server = FaultServer::start().await;
    let gate = Gate::shut();
    let held = Reply::behind(&gate).then(Reply::good(Operation::Login, 0));
    server.script(Operation::Login, [held]);
    let client = client(server.base_url());
    let mut changes = client.access_token_changes();
    leave_when_received(&client, &server, Operation::Login).await;
    gate.open();
    within(changes.changed()).await.unwrap();
    call(&client, Operation::GetApiToken).await.unwrap();
    assert_eq!(server.requests(Operation::Login).len(), 1);
}

#[tokio::test]
async fn row_47_a_rotate_runs_to_its_end_when_its_caller_leaves() {
    let server = FaultServer::start().await;
    let gate = Gate::shut();
    let held = Reply::behind(&gate).then(Reply::good(Operation::RotateApiTokenSecret, 0));
    server.script(Operation::RotateApiTokenSecret, [held]);
    let client = client(server.base_url());
    leave_when_received(&client, &server, Operation::RotateApiTokenSecret).await;
    gate.open();
    let secret = new_secret(0);
    within(async {
        // The next login shows that the rotation has ended.
        loop {
            client.login().await.unwrap();
            if server
                .requests(Operation::Login)
                .last()
                .unwrap()
                .body
                .contains(&secret)
            {
                break;
            }
        }
    })
    .await;
    assert_eq!(server.requests(Operation::RotateApiTokenSecret).len(), 1);
}

#[test]
fn row_49_a_second_runtime_goes_on_when_the_first_one_ends_in_a_login() {
    let (first, second) = (undriven(), driven());
    let server = second.block_on(FaultServer::start());
    server.script(Operation::Login, [Reply::default().hold()]);
    let client = client(server.base_url());
    first.block_on(leave_when_received(&client, &server, Operation::Login));
    drop(first);
    for operation in OPERATIONS {
        second.block_on(call(&client, operation)).unwrap();
    }
}

#[test]
fn row_49_who_waits_on_another_runtime_logs_in_when_the_first_one_ends() {
    let (first, second) = (undriven(), driven());
    let server = second.block_on(FaultServer::start());
    server.script(Operation::Login, [Reply::default().hold()]);
    let client = client(server.base_url());
    first.block_on(leave_when_received(&client, &server, Operation::Login));
    let waiting = second.spawn({
        let client = client.clone();
        async move { client.access_token().await }
    });
    drop(first);
    let token = second.block_on(within(waiting)).unwrap().unwrap();
    assert_eq!(token.expose_secret(), ACCESS_TOKEN);
    assert_eq!(server.requests(Operation::Login).len(), 2);
}

#[test]
fn row_49_a_runtime_that_stands_still_in_a_login_holds_nobody_for_ever() {
    let (still, second) = (undriven(), driven());
    let server = second.block_on(FaultServer::start());
    server.script(Operation::Login, [Reply::default().hold()]);
    let client = builder(server.base_url())
        .total_timeout(SHORT_TOTAL)
        .build()
        .unwrap();
    still.block_on(leave_when_received(&client, &server, Operation::Login));
    let token = second.block_on(within(async {
        loop {
            match client.access_token().await {
                Ok(token) => break token,
                Err(Error::Unavailable(failure)) => {
                    assert_eq!(failure.reason(), &Reason::TimedOut);
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }));
    assert_eq!(token.expose_secret(), ACCESS_TOKEN);
    // The login on the still runtime counts as lost soon after the total time.
    assert_eq!(server.requests(Operation::Login).len(), 2);
    drop(still);
}

#[test]
fn row_49_a_kept_connection_of_a_runtime_that_stands_still_costs_one_attempt() {
    let (still, second) = (undriven(), driven());
    let server = second.block_on(FaultServer::start());
    let client = builder(server.base_url())
        .attempt_timeout(SHORT_ATTEMPT)
        .build()
        .unwrap();
    still.block_on(call(&client, Operation::Login)).unwrap();
    second
        .block_on(call(&client, Operation::GetApiToken))
        .unwrap();
    let get = server.requests(Operation::GetApiToken);
    assert_eq!(get.len(), 1);
    assert_eq!(get[0].connection, 1);
    drop(still);
}

/// Attempts everything once, so that a lost attempt is an error.
fn single_attempts(server: &FaultServer) -> Client {
    builder(server.base_url())
        .retry(RetryPolicy::none())
        .configure_http(|http| http.tls_certs_only([]))
        .build()
        .unwrap()
}

#[test]
fn row_59_kept_connections_of_four_runtimes_that_stand_still_cost_another_one_nothing() {
    const GET: Operation = Operation::GetApiToken;
    let still = [(); 4].map(|()| undriven());
    let second = driven();
    let server = second.block_on(FaultServer::start());
    let client = single_attempts(&server);
    for runtime in &still {
        for _ in 0..3 {
            runtime.block_on(call(&client, GET)).unwrap();
        }
    }
    let kept = server.connections();
    for _ in 0..3 {
        second.block_on(call(&client, GET)).unwrap();
    }
    let over: Vec<_> = server
        .requests(GET)
        .iter()
        .map(|received| received.connection)
        .collect();
    // The first call has a connection of its own, and the others share that of a pool.
    assert_eq!(over[4 * 3..], [kept, kept + 1, kept + 1]);
    // A runtime that is driven again continues with its own.
    still[0].block_on(call(&client, GET)).unwrap();
    assert_eq!(server.requests(GET).last().unwrap().connection, over[0]);
}

#[test]
fn row_59_one_client_serves_a_hundred_runtimes_whether_they_end_or_stand_still() {
    const RUNTIMES: usize = 100;
    let service = driven();
    let server = service.block_on(FaultServer::start());
    let client = LazyLock::new(|| single_attempts(&server));
    let mut still = Vec::new();
    for number in 0..RUNTIMES {
        let runtime = undriven();
        for _ in 0..2 {
            runtime
                .block_on(call(&client, Operation::GetApiToken))
                .unwrap();
        }
        if number % 2 == 0 {
            still.push(runtime);
        }
    }
    let requests = server.requests(Operation::GetApiToken).len();
    assert_eq!(requests, 2 * RUNTIMES);
    assert_eq!(server.requests(Operation::Login).len(), 1);
}

#[test]
fn row_49_without_a_runtime_every_call_says_so() {
    let runtime = driven();
    let server = runtime.block_on(FaultServer::start());
    let client = client(server.base_url());
    for logged_in in [false, true] {
        if logged_in {
            runtime.block_on(call(&client, Operation::Login)).unwrap();
        }
        for operation in OPERATIONS {
            let error = block_on(unbounded(&client, operation)).unwrap_err();
            assert_eq!(variant(&error), "Internal", "{operation}, {logged_in}");
            assert_eq!(error.failure().reason(), &Reason::NoRuntime, "{operation}");
        }
    }
    assert_eq!(server.received().len(), 1);
}

/// Like `call`, whose bound needs a runtime.
async fn unbounded(client: &Client, operation: Operation) -> Result<(), Error> {
    match operation {
        Operation::Login => client.login().await.map(drop),
        Operation::GetApiToken => client.get_api_token().await.map(drop),
        Operation::CreateApiToken => client.create_api_token().await.map(drop),
        Operation::RotateApiTokenSecret => client.rotate_api_token_secret().await.map(drop),
        _ => client.delete_api_token().await,
    }
}

#[test]
fn row_49_without_a_runtime_a_good_access_token_is_still_given() {
    let runtime = driven();
    let server = runtime.block_on(FaultServer::start());
    let client = client(server.base_url());
    let error = block_on(client.access_token()).unwrap_err();
    assert_eq!(variant(&error), "Internal");
    assert_eq!(error.failure().reason(), &Reason::NoRuntime);
    runtime.block_on(call(&client, Operation::Login)).unwrap();
    let token = block_on(client.access_token()).unwrap();
    assert_eq!(token.expose_secret(), ACCESS_TOKEN);
}

#[test]
fn row_49_a_client_may_be_dropped_inside_of_a_task() {
    let runtime = undriven();
    let server = runtime.block_on(FaultServer::start());
    let client = client(server.base_url());
    runtime.block_on(async move {
        call(&client, Operation::Login).await.unwrap();
        drop(client);
    });
    drop(server);
}

/// A clock that panics once, inside of a task, after it was armed.
#[derive(Debug, Default)]
struct Faulty(Arc<AtomicBool>);

impl Clock for Faulty {
    fn now(&self) -> Moment {
        // The main future of a test is not a task, so this finds only the login's own task.
        let in_task = tokio::task::try_id().is_some();
        assert!(
            !(in_task && self.0.swap(false, Ordering::Relaxed)),
            "planned"
        );
        SystemClock.now()
    }
}

#[tokio::test]
async fn row_48_a_login_that_panics_fails_its_callers_and_hangs_none() {
    let server = FaultServer::start().await;
    let armed = Arc::new(AtomicBool::new(true));
    let client = builder(server.base_url())
        .clock(Faulty(armed.clone()))
        .build()
        .unwrap();
    let (one, other) = tokio::join!(within(client.login()), within(client.login()));
    for result in [one, other] {
        let error = result.unwrap_err();
        assert_eq!(variant(&error), "Internal");
        assert_eq!(error.failure().reason(), &Reason::Panicked);
    }
    // The clock works again, and so does the client.
    call(&client, Operation::Login).await.unwrap();
    assert_eq!(server.requests(Operation::Login).len(), 1);
}
