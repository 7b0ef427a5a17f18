//! Many runtimes: shut down, not driven, incomplete. None of them delays or fails the callers of
//! another one.

use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use pollination_auth::{AccessToken, ApiToken, Client, Error, Operation, Reason, Secret};
use pollination_auth_fake::{FakeService, Fault, Operation as Fake};
use tokio::runtime::{Builder, Runtime};

use super::fault_server::FaultServer;
use super::reply::Reply;
use super::support::{call, client, within};
use crate::support::variant;

/// A runtime that does nothing unless it is driven.
fn undriven() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A runtime that drives itself.
fn driven() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

fn reason(error: &Error) -> (String, &Reason) {
    (variant(error), error.failure().reason())
}

fn internal(reason: &Reason) -> (String, &Reason) {
    ("Internal".to_owned(), reason)
}

#[test]
fn row_56_a_runtime_that_was_shut_down_fails_its_caller_at_once_and_nobody_else() {
    let other = driven();
    let server = other.block_on(FaultServer::start());
    let client = client(server.base_url());
    let ended = driven();
    let handle = ended.handle().clone();
    ended.shutdown_background();
    for _ in 0..3 {
        // As a thread of `spawn_blocking` that outlives `main`.
        let error = handle.block_on(client.access_token()).unwrap_err();
        assert_eq!(reason(&error), internal(&Reason::NoRuntime));
    }
    assert_eq!(server.received().len(), 0);
    other
        .block_on(call(&client, Operation::GetApiToken))
        .unwrap();
    assert_eq!(server.requests(Operation::Login).len(), 1);
    // A valid token is returned anywhere.
    handle.block_on(client.access_token()).unwrap();
}

#[test]
fn row_56_every_call_on_a_runtime_that_was_shut_down_is_a_typed_error() {
    let other = driven();
    let server = other.block_on(FaultServer::start());
    let client = client(server.base_url());
    other.block_on(call(&client, Operation::Login)).unwrap();
    let ended = driven();
    let handle = ended.handle().clone();
    ended.shutdown_background();
    let errors = [
        handle.block_on(client.login()).unwrap_err(),
        handle.block_on(client.get_api_token()).unwrap_err(),
        handle.block_on(client.delete_api_token()).unwrap_err(),
    ];
    for error in &errors {
        assert_eq!(reason(error), internal(&Reason::NoRuntime));
    }
    // None of these may be reported as done, or as not done.
    for error in [
        handle.block_on(client.create_api_token()).unwrap_err(),
        handle
            .block_on(client.rotate_api_token_secret())
            .unwrap_err(),
    ] {
        assert_eq!(error.failure().reason(), &Reason::NoRuntime);
    }
    assert_eq!(server.received().len(), 1);
}

#[test]
fn row_57_a_caller_may_ask_for_a_token_while_it_looks_at_the_latest_one() {
    let runtime = undriven();
    let server = runtime.block_on(FaultServer::start());
    let client = client(server.base_url());
    runtime.block_on(within(async {
        let changes = client.access_token_changes();
        let token = match changes.latest() {
            Some(token) => Ok(token),
            None => client.access_token().await,
        };
        let latest = changes.latest().unwrap();
        assert_eq!(token.unwrap().expose_secret(), latest.expose_secret());
    }));
}

#[test]
fn row_58_logins_of_runtimes_that_are_no_longer_driven_hold_up_nobody() {
    let second = driven();
    let server = second.block_on(FaultServer::start());
    let client = client(server.base_url());
    let mut kept = Vec::new();
    for still in (0..4).map(|_| undriven()) {
        // The call is started, and then nobody drives it, as after `block_on(timeout(..))`.
        still.block_on(async {
            let mut call = pin!(client.access_token());
            let mut context = Context::from_waker(Waker::noop());
            assert!(matches!(call.as_mut().poll(&mut context), Poll::Pending));
        });
        kept.push(still);
    }
    second.block_on(within(client.access_token())).unwrap();
    // None of the started logins has sent anything.
    assert_eq!(server.requests(Operation::Login).len(), 1);
    drop(kept);
}

#[test]
fn row_60_on_a_runtime_without_timers_or_io_the_error_names_them_and_others_are_unaffected() {
    let other = driven();
    let server = other.block_on(FaultServer::start());
    for incomplete in [
        Builder::new_current_thread().build().unwrap(),
        Builder::new_current_thread().enable_io().build().unwrap(),
        Builder::new_current_thread().enable_time().build().unwrap(),
        Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap(),
    ] {
        let client = client(server.base_url());
        let before = server.received().len();
        for logged_in in [false, true] {
            let error = incomplete.block_on(client.login()).unwrap_err();
            assert_eq!(reason(&error), internal(&Reason::IncompleteRuntime));
            assert!(error.to_string().contains("enable_all"), "{error}");
            let error = incomplete.block_on(client.get_api_token()).unwrap_err();
            assert_eq!(reason(&error), internal(&Reason::IncompleteRuntime));
            let error = incomplete.block_on(client.create_api_token()).unwrap_err();
            assert_eq!(reason(&error), internal(&Reason::IncompleteRuntime));
            if !logged_in {
                assert_eq!(server.received().len(), before);
                // Nobody shares its failure.
                other.block_on(call(&client, Operation::Login)).unwrap();
            }
        }
        assert_eq!(server.received().len(), before + 1);
    }
}

/// Starts the fake service, and a client of it.
fn of_fake() -> (FakeService, Client) {
    let service = FakeService::builder()
        .id("an-id")
        .secret("a-secret")
        .start();
    let client = Client::builder()
        .api_token(ApiToken::new("an-id", Secret::from("a-secret")).unwrap())
        .base_url(service.base_url())
        .build()
        .unwrap();
    (service, client)
}

#[tokio::test]
async fn row_61_a_401_that_is_not_the_tokens_fault_costs_one_login() {
    let (service, client) = of_fake();
    let first = client.access_token().await.unwrap();
    for _ in 0..21 {
        service.fail_next(Fake::GetApiToken, Fault::status(401));
    }
    let error = client.get_api_token().await.unwrap_err();
    assert_eq!(variant(&error), "Unauthorized");
    let second = client.access_token().await.unwrap();
    assert_ne!(first.expose_secret(), second.expose_secret());
    for _ in 0..19 {
        let error = client.get_api_token().await.unwrap_err();
        assert_eq!(variant(&error), "Unauthorized");
        // All others keep their token.
        let same = client.access_token().await.unwrap();
        assert_eq!(same.expose_secret(), second.expose_secret());
    }
    assert_eq!(
        (service.logins(), service.count(Fake::GetApiToken)),
        (2, 21)
    );
}

#[tokio::test]
async fn row_61_tokens_that_are_revoked_again_and_again_are_replaced_each_time() {
    let (service, client) = of_fake();
    for logins in 1..6 {
        client.get_api_token().await.unwrap();
        assert_eq!(service.logins(), logins);
        service.expire_all_tokens();
    }
}

#[tokio::test]
async fn a_refused_token_leaves_the_notification() {
    let server = FaultServer::start().await;
    server.script(Operation::GetApiToken, [Reply::json(401, "{}")]);
    server.script(
        Operation::Login,
        [Reply::good(Operation::Login, 0), Reply::json(401, "{}")],
    );
    let client = client(server.base_url());
    client.access_token().await.unwrap();
    let changes = client.access_token_changes();
    assert!(changes.latest().is_some());
    let error = client.get_api_token().await.unwrap_err();
    assert_eq!(variant(&error), "CredentialsRejected");
    assert!(changes.latest().is_none());
}

/// A JWT of 2023: `{"iat":1700000000,"exp":1700003600}`.
const LONG_EXPIRED: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDAwMzYwMH0.c2ln";

#[tokio::test]
async fn row_69_a_given_access_token_that_seems_expired_is_shown_to_the_service() {
    let server = FaultServer::start().await;
    let client = Client::builder()
        .access_token(AccessToken::new(LONG_EXPIRED).unwrap())
        .base_url(server.base_url())
        .build()
        .unwrap();
    // This machine's clock may be wrong, so the service is asked, and here it accepts the token.
    client.get_api_token().await.unwrap();
    assert_eq!(
        client.access_token().await.unwrap().expose_secret(),
        LONG_EXPIRED
    );
    server.script(Operation::GetApiToken, [Reply::json(401, "{}")]);
    let error = client.get_api_token().await.unwrap_err();
    assert_eq!(
        reason(&error),
        ("AccessTokenExpired".to_owned(), &Reason::Expired)
    );
    assert_eq!(error.status(), Some(401));
    assert_eq!(server.requests(Operation::GetApiToken).len(), 2);
}

#[test]
fn row_59_a_client_that_all_runtimes_of_a_test_suite_share_serves_each_of_them() {
    static SERVICE: LazyLock<FakeService> = LazyLock::new(|| {
        let builder = FakeService::builder().id("an-id");
        builder.secret("a-secret").start()
    });
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        let builder =
            Client::builder().api_token(ApiToken::new("an-id", Secret::from("a-secret")).unwrap());
        builder.base_url(SERVICE.base_url()).build().unwrap()
    });
    let mut kept = Vec::new();
    for number in 0..100 {
        let runtime = undriven();
        runtime.block_on(async {
            for _ in 0..3 {
                call(&CLIENT, Operation::GetApiToken).await.unwrap();
            }
        });
        // Every other one is no longer driven, the rest are shut down.
        if number % 2 == 0 {
            kept.push(runtime);
        }
    }
    assert_eq!(
        (SERVICE.logins(), SERVICE.count(Fake::GetApiToken)),
        (1, 300)
    );
    drop(kept);
}
