//! Servers that are slow without end: each time limit ends what it limits, and keeps what came.
//!
//! A loaded machine can use up a time limit before anything has arrived. So each test is repeated
//! with longer limits until its outcome is the expected one, which must not depend on the limit.

use std::fmt::Debug;
use std::time::Duration;

use pollination_auth::{Client, Operation, Reason, RetryPolicy};
use tokio::task::JoinSet;

use super::fault_server::{FaultServer, OnAccept};
use super::reply::{Reply, good_body};
use super::support::{Failed, MINTING, OPERATIONS, REPEATABLE, builder, call, raw_reply, within};

/// The time limits, tried in turn; everything but the slow part takes a fraction of the first one
/// on a machine that is not loaded, and two of the longest are within the bound of a call.
const LIMITS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(12),
];

/// A time that never runs out here.
const LONG: Duration = Duration::from_secs(60 * 60);

/// The attempts in these tests: the least with which a repetition is seen.
const TWICE: u32 = 2;

/// A failure, and the raw reply that it kept.
type Outcome = (Failed, Option<String>);

/// Runs a scenario with longer and longer time limits until its outcome is this one.
async fn comes_to<T: Debug + PartialEq>(expected: T, scenario: impl AsyncFn(Duration) -> T) {
    let mut last = None;
    for limit in LIMITS {
        let outcome = scenario(limit).await;
        if outcome == expected {
            return;
        }
        last = Some(outcome);
    }
    assert_eq!(last, Some(expected));
}

/// A client whose attempts are limited.
fn impatient(server: &FaultServer, limit: Duration) -> Client {
    builder(server.base_url())
        .attempt_timeout(limit)
        .total_timeout(LONG)
        .retry(
            RetryPolicy::default()
                .first_wait(Duration::ZERO)
                .max_attempts(TWICE),
        )
        .build()
        .unwrap()
}

/// The outcome of an operation whose reply never ends.
async fn outcome(operation: Operation, reply: Reply, limit: Duration) -> Outcome {
    let server = FaultServer::start().await;
    server.always(operation, reply);
    let error = call(&impatient(&server, limit), operation)
        .await
        .unwrap_err();
    (Failed::of(&error, &server), raw_reply(&error))
}

/// Several operations at once, because each takes its whole time.
async fn all_come_to(
    operations: &[Operation],
    reply: Reply,
    expected: fn(Operation) -> (Failed, Option<&'static str>),
) {
    let mut running = JoinSet::new();
    for &operation in operations {
        let reply = reply.clone();
        let (failed, raw) = expected(operation);
        running.spawn(comes_to(
            (failed, raw.map(str::to_owned)),
            async move |limit| outcome(operation, reply.clone(), limit).await,
        ));
    }
    running.join_all().await;
}

fn no_reply(operation: Operation) -> (Failed, Option<&'static str>) {
    let failed = if MINTING.contains(&operation) {
        Failed::expected("Ambiguous", Reason::TimedOut, 1)
    } else {
        Failed::expected("Unavailable", Reason::TimedOut, TWICE)
    };
    (failed, None)
}

#[tokio::test]
async fn row_33_an_answer_that_never_comes_ends_with_the_attempt() {
    all_come_to(&OPERATIONS, Reply::default().hold(), no_reply).await;
}

#[tokio::test]
async fn row_33_headers_that_never_end_end_with_the_attempt() {
    let slow = Reply::raw("HTTP/1.1 200 OK\r\nx-slow: 1").byte_by_byte();
    all_come_to(&OPERATIONS, slow.hold(), no_reply).await;
}

#[tokio::test]
async fn row_33_the_part_of_a_slow_body_that_came_is_kept_for_a_create_and_a_rotate() {
    const PART: &str = r#"{"id":"an-id","secret":"new-se"#;
    let slow = Reply::raw(format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{PART}"
    ))
    .hold();
    // A delete is done when its status has come, however slow the rest is.
    let with_body = [REPEATABLE, MINTING].concat();
    all_come_to(&with_body, slow, |operation| {
        if MINTING.contains(&operation) {
            let failed = Failed::expected("UnusableReply", Reason::TimedOut, 1);
            (failed, Some(PART))
        } else {
            no_reply(operation)
        }
    })
    .await;
}

#[tokio::test]
async fn row_33_a_whole_document_in_a_body_without_end_is_taken_when_the_time_is_over() {
    let operation = Operation::RotateApiTokenSecret;
    let body = good_body(operation, 0);
    let slow = Reply::with_length(operation, body.len() + 1, &body).hold();
    comes_to(Some("new-secret-0".to_owned()), async |limit| {
        let server = FaultServer::start().await;
        server.always(operation, slow.clone());
        let client = impatient(&server, limit);
        let token = within(client.rotate_api_token_secret()).await.ok()?;
        Some(token.secret().expose_secret().to_owned())
    })
    .await;
}

#[tokio::test]
async fn row_33_a_delete_is_done_when_its_204_has_come() {
    let server = FaultServer::start().await;
    // A 204 has no body, whatever its length.
    let reply = Reply::raw("HTTP/1.1 204 X\r\ncontent-length: 9\r\n\r\n").hold();
    server.script(Operation::DeleteApiToken, [reply]);
    call(&impatient(&server, LONG), Operation::DeleteApiToken)
        .await
        .unwrap();
    assert_eq!(server.requests(Operation::DeleteApiToken).len(), 1);
}

#[tokio::test]
async fn row_34_a_server_that_accepts_and_never_reads_ends_with_the_attempt() {
    let failed = Failed {
        requests: 0,
        ..Failed::expected("Unavailable", Reason::TimedOut, TWICE)
    };
    // The third connection is served.
    comes_to((failed, TWICE as usize, true), async |limit| {
        let server = FaultServer::start().await;
        server.on_accept([OnAccept::Ignore; TWICE as usize]);
        let client = impatient(&server, limit);
        let error = call(&client, Operation::Login).await.unwrap_err();
        let failed = Failed::of(&error, &server);
        let connections = server.connections();
        let served = call(&client, Operation::Login).await.is_ok();
        (failed, connections, served)
    })
    .await;
}

#[tokio::test]
async fn the_total_time_ends_a_call_that_would_go_on() {
    let mut running = JoinSet::new();
    for operation in OPERATIONS {
        let variant = if MINTING.contains(&operation) {
            "Ambiguous"
        } else {
            "Unavailable"
        };
        let expected = Failed::expected(variant, Reason::TimedOut, 1);
        running.spawn(comes_to(expected, async move |limit| {
            let server = FaultServer::start().await;
            server.always(operation, Reply::default().hold());
            let client = builder(server.base_url())
                .attempt_timeout(LONG)
                .total_timeout(limit)
                .build()
                .unwrap();
            let error = call(&client, operation).await.unwrap_err();
            Failed::of(&error, &server)
        }));
    }
    running.join_all().await;
}
