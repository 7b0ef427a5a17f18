//! Rotations that wait, are given up, or lose their task: what is sent, and which error callers get.

use std::time::Duration;

use pollination_auth::{Operation, Reason, RetryPolicy};

use super::fault_server::FaultServer;
use super::reply::{ACCESS_TOKEN, Gate, ID, Reply};
use super::support::{builder, call, client, variant, within};

const ROTATE: Operation = Operation::RotateApiTokenSecret;

/// Long enough for bytes on the loopback address to arrive.
const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn row_47_a_rotate_that_waits_its_turn_and_is_dropped_sends_nothing() {
    let server = FaultServer::start().await;
    let gate = Gate::shut();
    server.always(ROTATE, Reply::behind(&gate).then(Reply::good(ROTATE, 1)));
    let client = client(server.base_url());
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.rotate_api_token_secret().await }
    });
    within(server.has_received(ROTATE, 1)).await;
    for _ in 0..8 {
        let waiting = client.rotate_api_token_secret();
        assert!(tokio::time::timeout(Duration::ZERO, waiting).await.is_err());
    }
    gate.open();
    let rotated = within(first).await.unwrap().unwrap();
    // A rotate of our own comes after all that could have been queued.
    within(client.rotate_api_token_secret()).await.unwrap();
    assert_eq!(server.requests(ROTATE).len(), 2);
    assert_eq!(rotated.id().as_str(), ID);
}

#[tokio::test]
async fn the_deadline_of_a_rotate_holds_while_it_waits_its_turn() {
    let server = FaultServer::start().await;
    server.always(ROTATE, Reply::default().hold());
    let client = builder(server.base_url())
        .total_timeout(SHORT)
        .build()
        .unwrap();
    call(&client, Operation::Login).await.unwrap();
    let rotates = (0..6).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.rotate_api_token_secret().await.unwrap_err() })
    });
    let rotates: Vec<_> = rotates.collect();
    let mut variants = Vec::new();
    for rotate in rotates {
        variants.push(variant(&within(rotate).await.unwrap()));
    }
    variants.sort_unstable();
    // The last of those that wait can get its turn just as its time ends.
    assert_eq!(
        variants.iter().filter(|name| **name == "Ambiguous").count(),
        1
    );
    assert_eq!(
        variants.iter().filter(|name| **name == "NotSent").count(),
        5
    );
    assert_eq!(server.requests(ROTATE).len(), 1);
}

#[test]
fn row_49_a_rotate_whose_runtime_ends_after_it_was_sent_is_ambiguous() {
    let own = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let other = tokio::runtime::Runtime::new().unwrap();
    let server = other.block_on(FaultServer::start());
    server.always(ROTATE, Reply::default().hold());
    let client = client(server.base_url());
    let handle = own.handle().clone();
    let rotate = std::thread::spawn(move || handle.block_on(client.rotate_api_token_secret()));
    other.block_on(within(server.has_received(ROTATE, 1)));
    own.shutdown_background();
    let error = rotate.join().unwrap().unwrap_err();
    assert_eq!(variant(&error), "Ambiguous");
    assert_eq!(error.failure().reason(), &Reason::NoRuntime);
}

#[tokio::test]
async fn a_login_that_is_refused_while_the_secret_is_being_rotated_waits_for_the_new_one() {
    let server = FaultServer::start().await;
    let gate = Gate::shut();
    server.script(ROTATE, [Reply::behind(&gate).then(Reply::good(ROTATE, 1))]);
    let client = client(server.base_url());
    call(&client, Operation::Login).await.unwrap();
    let rotate = tokio::spawn({
        let client = client.clone();
        async move { client.rotate_api_token_secret().await }
    });
    within(server.has_received(ROTATE, 1)).await;
    // The service has the new secret already, and the client has not.
    server.script(
        Operation::Login,
        [Reply::json(401, r#"{"detail":"wrong"}"#)],
    );
    let login = tokio::spawn({
        let client = client.clone();
        async move { client.login().await }
    });
    within(server.has_received(Operation::Login, 2)).await;
    gate.open();
    let rotated = within(rotate).await.unwrap().unwrap();
    within(login).await.unwrap().unwrap();
    let logins = server.requests(Operation::Login);
    assert_eq!(logins.len(), 3);
    let new_secret = rotated.secret().expose_secret();
    assert!(logins[2].body.contains(new_secret));
}

#[tokio::test]
async fn a_wait_that_outlives_the_access_token_is_followed_by_a_new_login() {
    let server = FaultServer::start().await;
    let brief =
        format!(r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"Bearer","expires_in":1}}"#);
    server.always(Operation::Login, Reply::json(202, &brief));
    let busy = Reply::raw("HTTP/1.1 503 Busy\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n");
    server.script(Operation::GetApiToken, [busy]);
    let client = builder(server.base_url()).build().unwrap();
    within(client.get_api_token()).await.unwrap();
    assert_eq!(server.requests(Operation::GetApiToken).len(), 2);
    assert_eq!(server.requests(Operation::Login).len(), 2);
}

#[tokio::test]
async fn a_delete_that_may_be_done_is_never_reported_as_not_sent() {
    let server = FaultServer::start().await;
    server.script(Operation::DeleteApiToken, [Reply::default().close()]);
    let client = builder(server.base_url())
        .retry(RetryPolicy::default().first_wait(Duration::from_millis(20)))
        .build()
        .unwrap();
    call(&client, Operation::Login).await.unwrap();
    let delete = tokio::spawn({
        let client = client.clone();
        async move { client.delete_api_token().await }
    });
    within(server.has_received(Operation::DeleteApiToken, 1)).await;
    let _closed = within(server.stop()).await;
    let error = within(delete).await.unwrap().unwrap_err();
    assert_eq!(variant(&error), "Unavailable");
}
