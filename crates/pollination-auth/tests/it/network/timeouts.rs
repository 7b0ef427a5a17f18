//! Servers that are slow without end: each limit of time ends what it limits, and keeps what came.

use std::time::Duration;

use pollination_auth::{Client, Operation, Reason, RetryPolicy};
use tokio::task::JoinSet;

use super::fault_server::{FaultServer, OnAccept};
use super::reply::{Reply, good_body};
use super::support::{Failed, MINTING, OPERATIONS, REPEATABLE, builder, call, raw_reply, within};

/// Ends an attempt that never ends by itself. Everything before the slow part comes over loopback
/// in a fraction of this, so that a loaded machine changes no outcome.
const ATTEMPT: Duration = Duration::from_secs(1);

/// What is waited for a call with several slow attempts.
const TOTAL: Duration = Duration::from_secs(20);

/// The attempts in these tests: the least with which a repetition is seen.
const TWICE: u32 = 2;

fn impatient(server: &FaultServer) -> Client {
    builder(server.base_url())
        .attempt_timeout(ATTEMPT)
        .total_timeout(TOTAL)
        .retry(
            RetryPolicy::default()
                .first_wait(Duration::ZERO)
                .max_attempts(TWICE),
        )
        .build()
        .unwrap()
}

/// One operation against a reply of which the rest never comes.
async fn outcome(operation: Operation, reply: Reply) -> (Failed, Option<String>) {
    let server = FaultServer::start().await;
    server.always(operation, reply);
    let error = call(&impatient(&server), operation).await.unwrap_err();
    (Failed::of(&error, &server), raw_reply(&error))
}

/// Several operations at once, for each takes its whole time.
async fn outcomes(
    operations: &[Operation],
    reply: Reply,
) -> Vec<(Operation, Failed, Option<String>)> {
    let mut running = JoinSet::new();
    for &operation in operations {
        let reply = reply.clone();
        running.spawn(async move {
            let (failed, raw) = outcome(operation, reply).await;
            (operation, failed, raw)
        });
    }
    running.join_all().await
}

async fn is_waited_for_as_long_as_an_attempt(slow: Reply) {
    for (operation, failed, raw) in outcomes(&OPERATIONS, slow).await {
        let expected = if MINTING.contains(&operation) {
            Failed::expected("Ambiguous", Reason::TimedOut, 1)
        } else {
            Failed::expected("Unavailable", Reason::TimedOut, TWICE)
        };
        assert_eq!((failed, raw), (expected, None), "{operation}");
    }
}

#[tokio::test]
async fn row_33_an_answer_that_never_comes_ends_with_the_attempt() {
    is_waited_for_as_long_as_an_attempt(Reply::default().hold()).await;
}

#[tokio::test]
async fn row_33_headers_that_never_end_end_with_the_attempt() {
    let slow = Reply::raw("HTTP/1.1 200 OK\r\nx-slow: 1").byte_by_byte();
    is_waited_for_as_long_as_an_attempt(slow.hold()).await;
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
    for (operation, failed, raw) in outcomes(&with_body, slow).await {
        if MINTING.contains(&operation) {
            let expected = Failed::expected("UnusableReply", Reason::TimedOut, 1);
            assert_eq!(
                (failed, raw.as_deref()),
                (expected, Some(PART)),
                "{operation}"
            );
        } else {
            let expected = Failed::expected("Unavailable", Reason::TimedOut, TWICE);
            assert_eq!((failed, raw), (expected, None), "{operation}");
        }
    }
}

#[tokio::test]
async fn row_33_a_whole_document_in_a_body_without_end_is_taken_when_the_time_is_over() {
    let server = FaultServer::start().await;
    let body = good_body(Operation::RotateApiTokenSecret, 0);
    let slow = Reply::with_length(Operation::RotateApiTokenSecret, body.len() + 1, &body).hold();
    server.always(Operation::RotateApiTokenSecret, slow);
    let token = within(impatient(&server).rotate_api_token_secret())
        .await
        .unwrap();
    assert_eq!(token.secret().expose_secret(), "new-secret-0");
}

#[tokio::test]
async fn row_33_a_delete_is_done_when_its_204_has_come() {
    let server = FaultServer::start().await;
    // It has no body, whatever its length says.
    let reply = Reply::raw("HTTP/1.1 204 X\r\ncontent-length: 9\r\n\r\n").hold();
    server.script(Operation::DeleteApiToken, [reply]);
    call(&impatient(&server), Operation::DeleteApiToken)
        .await
        .unwrap();
    assert_eq!(server.requests(Operation::DeleteApiToken).len(), 1);
}

#[tokio::test]
async fn row_34_a_server_that_accepts_and_never_reads_ends_with_the_attempt() {
    let server = FaultServer::start().await;
    server.on_accept([OnAccept::Ignore; TWICE as usize]);
    let client = impatient(&server);
    let error = call(&client, Operation::Login).await.unwrap_err();
    let expected = Failed {
        requests: 0,
        ..Failed::expected("Unavailable", Reason::TimedOut, TWICE)
    };
    assert_eq!(Failed::of(&error, &server), expected);
    assert_eq!(server.connections(), TWICE as usize);
    // The third connection is served.
    call(&client, Operation::Login).await.unwrap();
}

/// The total is shorter than one attempt here, so there is time for one alone.
async fn outcome_of_one_attempt(operation: Operation) -> (Operation, Failed) {
    let server = FaultServer::start().await;
    server.always(operation, Reply::default().hold());
    let client = builder(server.base_url())
        .total_timeout(ATTEMPT)
        .build()
        .unwrap();
    let error = call(&client, operation).await.unwrap_err();
    (operation, Failed::of(&error, &server))
}

#[tokio::test]
async fn the_total_time_ends_a_call_that_would_go_on() {
    let running: JoinSet<_> = OPERATIONS.map(outcome_of_one_attempt).into_iter().collect();
    for (operation, failed) in running.join_all().await {
        let variant = if MINTING.contains(&operation) {
            "Ambiguous"
        } else {
            "Unavailable"
        };
        let expected = Failed::expected(variant, Reason::TimedOut, 1);
        assert_eq!(failed, expected, "{operation}");
    }
}
