//! Replies that break after their headers: the bytes are kept if they may contain a new secret.

use pollination_auth::{Client, Operation, Reason};

use super::fault_server::FaultServer;
use super::reply::{Reply, body_status, good_body, new_secret};
use super::support::{
    ATTEMPTS, Failed, MINTING, OPERATIONS, REPEATABLE, call, client, fails, raw_reply, within,
};

/// What a client reads of one reply: 64 KiB.
const REPLY_LIMIT: usize = 64 * 1024;

/// The bytes of a body in these tests before it breaks.
const HALF: usize = 9;

/// A length that no reply here has.
const TOO_LONG: usize = 9_999;

/// The first half of a good body; of a delete's, which has none, anything.
fn half(operation: Operation) -> String {
    match operation {
        Operation::DeleteApiToken => "x".repeat(HALF),
        _ => good_body(operation, 0)[..HALF].to_owned(),
    }
}

/// Checks the outcome of a success of which `received` arrived before the connection broke.
async fn is_lost_in_the_body(broken: impl Fn(Operation) -> Reply, received: &str) {
    for operation in REPEATABLE.into_iter().chain([Operation::DeleteApiToken]) {
        let (error, server) = fails(operation, broken(operation)).await;
        let expected = Failed::expected("Unavailable", Reason::ConnectionLost, ATTEMPTS);
        assert_eq!(Failed::of(&error, &server), expected, "{operation}");
        assert_eq!(error.status(), Some(body_status(operation)), "{operation}");
        assert_eq!(raw_reply(&error), None, "{operation}");
    }
    for operation in MINTING {
        let (error, server) = fails(operation, broken(operation)).await;
        let expected = Failed::expected("UnusableReply", Reason::ConnectionLost, 1);
        assert_eq!(Failed::of(&error, &server), expected, "{operation}");
        assert_eq!(error.status(), Some(body_status(operation)), "{operation}");
        assert_eq!(raw_reply(&error).as_deref(), Some(received), "{operation}");
    }
}

/// Checks the outcome of a complete success that can't be used for `reason`, for every operation but
/// delete.
async fn is_unusable(broken: impl Fn(Operation) -> Reply, reason: Reason) {
    for operation in REPEATABLE.into_iter().chain(MINTING) {
        let (error, server) = fails(operation, broken(operation)).await;
        let expected = Failed::expected("UnusableReply", reason.clone(), 1);
        assert_eq!(Failed::of(&error, &server), expected, "{operation}");
        let mints = MINTING.contains(&operation);
        assert_eq!(error.raw_reply().is_some(), mints, "{operation}");
    }
}

async fn started(replies: impl Fn(Operation) -> Reply) -> (Client, FaultServer) {
    let server = FaultServer::start().await;
    for operation in OPERATIONS {
        server.always(operation, replies(operation));
    }
    (client(server.base_url()), server)
}

#[tokio::test]
async fn row_03_a_whole_document_before_an_early_end_is_taken() {
    let (client, server) = started(|operation| {
        Reply::with_length(operation, TOO_LONG, &good_body(operation, 0)).close()
    })
    .await;
    for operation in REPEATABLE.into_iter().chain(MINTING) {
        let called = call(&client, operation).await;
        assert!(matches!(called, Ok(())), "{operation}: {called:?}");
        assert_eq!(server.requests(operation).len(), 1, "{operation}");
    }
}

#[tokio::test]
async fn row_03_the_secret_of_a_rotate_that_broke_off_behind_it_is_the_new_one() {
    let (client, _server) = started(|operation| {
        Reply::with_length(operation, TOO_LONG, &good_body(operation, 7)).close()
    })
    .await;
    let token = within(client.rotate_api_token_secret()).await.unwrap();
    assert_eq!(token.secret().expose_secret(), new_secret(7));
}

#[tokio::test]
async fn row_04_a_length_too_large_and_half_a_document_keeps_the_half() {
    let half_of_rotate = half(Operation::RotateApiTokenSecret);
    let broken = |operation| Reply::with_length(operation, TOO_LONG, &half(operation)).close();
    is_lost_in_the_body(broken, &half_of_rotate).await;
}

/// Linux delivers what came before a reset; other systems may discard it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn row_04_a_reset_in_the_middle_of_the_body_keeps_what_came_before_it() {
    let half_of_rotate = half(Operation::RotateApiTokenSecret);
    let broken = |operation| Reply::with_length(operation, TOO_LONG, &half(operation)).reset();
    is_lost_in_the_body(broken, &half_of_rotate).await;
    is_lost_in_the_body(
        |operation| Reply::with_length(operation, TOO_LONG, "").reset(),
        "",
    )
    .await;
}

#[tokio::test]
async fn row_05_a_length_too_small_cuts_the_document_and_ends_the_connection() {
    let cut = |operation| Reply::with_length(operation, HALF, &good_body(operation, 0));
    let not_json = Reason::NotJson {
        content_type: None,
        length: HALF,
    };
    is_unusable(cut, not_json).await;
    for operation in MINTING {
        let (error, _server) = fails(operation, cut(operation)).await;
        assert_eq!(raw_reply(&error), Some(half(operation)), "{operation}");
    }
}

#[tokio::test]
async fn row_05_a_connection_with_a_surplus_is_not_used_again() {
    let server = FaultServer::start().await;
    let body = good_body(Operation::Login, 0);
    let surplus = format!("{body}HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{{\"id\":\"evil\"}}");
    let lying = Reply::with_length(Operation::Login, body.len(), &surplus);
    server.script(Operation::Login, [lying]);
    let client = client(server.base_url());
    call(&client, Operation::Login).await.unwrap();
    let id = within(client.get_api_token()).await.unwrap();
    assert_eq!(id.as_str(), super::reply::ID);
    let get = &server.requests(Operation::GetApiToken)[0];
    assert_eq!(get.connection, 1);
}

#[tokio::test]
async fn row_06_a_bad_chunk_size_is_a_lost_body() {
    for bad in ["zz\r\n{}\r\n", "-1\r\n", "fffffffffffffffff\r\n"] {
        is_lost_in_the_body(|operation| Reply::chunked(operation, bad), "").await;
    }
}

#[tokio::test]
async fn row_06_a_bad_chunk_size_behind_a_good_chunk_keeps_the_chunk() {
    let broken = |operation| {
        let chunk = format!("{HALF:x}\r\n{}\r\nzz\r\n", half(operation));
        Reply::chunked(operation, chunk)
    };
    is_lost_in_the_body(broken, &half(Operation::RotateApiTokenSecret)).await;
}

#[tokio::test]
async fn chunks_that_end_too_soon_are_a_lost_body() {
    let broken = |operation| {
        let chunk = format!("{HALF:x}\r\n{}\r\n", half(operation));
        Reply::chunked(operation, chunk).close()
    };
    is_lost_in_the_body(broken, &half(Operation::RotateApiTokenSecret)).await;
}

#[tokio::test]
async fn a_good_reply_may_come_byte_by_byte() {
    let (client, server) = started(|operation| match operation {
        Operation::DeleteApiToken => Reply::good(operation, 0).byte_by_byte(),
        _ => {
            let body = good_body(operation, 0);
            let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
            Reply::chunked(operation, chunks).byte_by_byte()
        }
    })
    .await;
    for operation in OPERATIONS {
        call(&client, operation).await.unwrap();
        assert_eq!(server.requests(operation)[0].operation, operation);
    }
}

#[tokio::test]
async fn row_31_an_encoding_that_was_not_asked_for_is_refused_unread() {
    // The first bytes of a gzip file; a client that decoded them would report that.
    const BOMB: &str = "\x1f\x08\x08\0\0\0\0\0\0\x03";
    for encoding in ["gzip", "br", "zstd", "deflate", "x-gzip", "gzip, gzip"] {
        let encoded = |operation| {
            let (status, length) = (body_status(operation), BOMB.len());
            Reply::raw(format!(
                "HTTP/1.1 {status} OK\r\ncontent-encoding: {encoding}\r\n\
                 content-length: {length}\r\n\r\n{BOMB}"
            ))
        };
        is_unusable(encoded, Reason::Encoded).await;
        let (error, server) = fails(
            Operation::CreateApiToken,
            encoded(Operation::CreateApiToken),
        )
        .await;
        assert_eq!(raw_reply(&error).as_deref(), Some(BOMB));
        for received in server.received() {
            let head = received.head.to_lowercase();
            assert!(head.contains("\r\naccept-encoding: identity\r\n"), "{head}");
        }
    }
}

#[tokio::test]
async fn row_31_a_document_under_a_false_encoding_is_refused_as_well() {
    let labelled = |operation| {
        let (status, body) = (body_status(operation), good_body(operation, 0));
        let length = body.len();
        Reply::raw(format!(
            "HTTP/1.1 {status} OK\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    };
    is_unusable(labelled, Reason::Encoded).await;
}

#[tokio::test]
async fn row_32_a_body_without_end_is_read_up_to_the_limit() {
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    let endless = |operation| Reply::chunked(operation, "").endless(chunk.clone());
    is_unusable(endless, Reason::TooLarge).await;
    for operation in MINTING {
        let (error, _server) = fails(operation, endless(operation)).await;
        assert_eq!(error.raw_reply().unwrap().len(), REPLY_LIMIT);
    }
    let operation = Operation::DeleteApiToken;
    let (error, server) = fails(operation, endless(operation)).await;
    let expected = Failed::expected("UnusableReply", Reason::TooLarge, 1);
    assert_eq!(Failed::of(&error, &server), expected);
}

#[tokio::test]
async fn row_32_an_error_page_of_ten_megabytes_keeps_its_status_and_few_of_its_words() {
    const PAGE: usize = 10 * 1024 * 1024;
    const KEPT: usize = 1024;
    let page = Reply::raw(format!("HTTP/1.1 503 X\r\ncontent-length: {PAGE}\r\n\r\n"))
        .send("x".repeat(PAGE));
    for operation in OPERATIONS {
        let (error, server) = fails(operation, page.clone()).await;
        let (variant, attempts) = match operation {
            Operation::CreateApiToken | Operation::RotateApiTokenSecret => ("Ambiguous", 1),
            _ => ("Unavailable", ATTEMPTS),
        };
        let expected = Failed::expected(variant, Reason::Status, attempts);
        assert_eq!(Failed::of(&error, &server), expected, "{operation}");
        assert_eq!(error.status(), Some(503), "{operation}");
        assert_eq!(error.detail().map(str::len), Some(KEPT), "{operation}");
        assert!(!error.to_string().contains("xx"), "{error}");
    }
}
