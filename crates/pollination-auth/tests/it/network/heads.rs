//! Replies that break before their headers are complete: nobody knows if the service acted.

use pollination_auth::{Operation, Reason};

use super::fault_server::FaultServer;
use super::reply::{Reply, body_status, good_body};
use super::support::{ATTEMPTS, Failed, OPERATIONS, call, client, fails, raw_reply};

/// Checks the outcome of a reply without a complete head.
async fn is_lost_without_a_trace(name: &str, reply: Reply) {
    for operation in OPERATIONS {
        let (error, server) = fails(operation, reply.clone()).await;
        let (variant, attempts) = match operation {
            Operation::CreateApiToken | Operation::RotateApiTokenSecret => ("Ambiguous", 1),
            _ => ("Unavailable", ATTEMPTS),
        };
        assert_eq!(
            Failed::of(&error, &server),
            Failed::expected(variant, Reason::ConnectionLost, attempts),
            "{name}, {operation}: {error:?}"
        );
        assert_eq!(error.status(), None, "{name}, {operation}");
        assert_eq!(raw_reply(&error), None, "{name}, {operation}");
    }
}

#[tokio::test]
async fn half_a_status_line_is_a_lost_reply() {
    is_lost_without_a_trace("half", Reply::raw("HTTP/1.1 20").close()).await;
    is_lost_without_a_trace("nothing", Reply::default().close()).await;
}

#[tokio::test]
async fn what_is_not_http_is_a_lost_reply() {
    is_lost_without_a_trace("a banner", Reply::raw("SSH-2.0-OpenSSH_9.9\r\n").close()).await;
    is_lost_without_a_trace("a fault", Reply::raw(vec![0xff; 64]).close()).await;
}

#[tokio::test]
async fn half_a_head_is_a_lost_reply() {
    let half = Reply::raw("HTTP/1.1 200 OK\r\ncontent-type: applica");
    is_lost_without_a_trace("closed", half.clone().close()).await;
    is_lost_without_a_trace("reset", half.reset()).await;
}

#[tokio::test]
async fn row_06_a_reset_before_the_headers_is_a_lost_reply() {
    is_lost_without_a_trace("reset", Reply::default().reset()).await;
}

#[tokio::test]
async fn row_06_two_different_content_lengths_are_a_lost_reply() {
    let two = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} ";
    is_lost_without_a_trace("two headers", Reply::raw(two)).await;
    let garbage = "HTTP/1.1 200 OK\r\ncontent-length: some\r\n\r\n{}";
    is_lost_without_a_trace("no number", Reply::raw(garbage)).await;
}

/// RFC 9112, section 2.2, lets a recipient accept a bare LF as the end of a line, and hyper does. The
/// meaning is clear, so the reply counts.
#[tokio::test]
async fn row_06_bare_line_feeds_between_headers_are_read_as_line_ends() {
    for operation in OPERATIONS {
        let server = FaultServer::start().await;
        let (status, body) = (body_status(operation), good_body(operation, 0));
        let length = body.len();
        let bare = format!("HTTP/1.1 {status} OK\ncontent-length: {length}\n\n{body}");
        server.always(operation, Reply::raw(bare));
        let called = call(&client(server.base_url()), operation).await;
        assert!(called.is_ok(), "{operation}: {called:?}");
        assert_eq!(server.requests(operation).len(), 1, "{operation}");
    }
}

#[tokio::test]
async fn row_06_a_bare_carriage_return_in_a_header_is_a_lost_reply() {
    let bare = "HTTP/1.1 200 OK\r\nx-a: 1\rx-b: 2\r\ncontent-length: 2\r\n\r\n{}";
    is_lost_without_a_trace("bare CR", Reply::raw(bare)).await;
}

#[tokio::test]
async fn row_32_headers_without_end_are_not_read_without_end() {
    let many = Reply::raw("HTTP/1.1 200 OK\r\n").endless("x-filler: 0123456789abcdef\r\n");
    is_lost_without_a_trace("many headers", many).await;
    let long = Reply::raw("HTTP/1.1 200 OK\r\nx-filler: ").endless(vec![b'x'; 4096]);
    is_lost_without_a_trace("one long header", long).await;
}
