//! How the exchange ends, seen on a socket: whole, cut off, over the limit, never answered.

use std::time::Duration;

use pollination_auth_api::{Bearer, Client, CutOff, Exchange, Outcome, REPLY_LIMIT};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Long enough for any loopback exchange; short enough that a hang is seen.
const BOUND: Duration = Duration::from_secs(20);

/// Answers one connection with these bytes and closes it; returns what the client sent.
async fn serve(reply: Vec<u8>) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        while !request.windows(4).any(|window| window == b"\r\n\r\n") {
            let read = stream.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0, "the client left before it had sent its request");
            request.extend_from_slice(&buffer[..read]);
        }
        // A client that stops reading at its limit may close before everything is written.
        let _ = stream.write_all(&reply).await;
        String::from_utf8(request).unwrap()
    });
    (address, served)
}

fn reply(head: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .timeout(BOUND)
        .build()
        .unwrap()
}

async fn rotate(address: &str) -> Outcome {
    let exchange = Exchange::new().bearer(&Bearer::new("a.b.c").unwrap());
    let client = Client::new_with_client(address, http(), exchange);
    let result = client.rotate_api_token_secret().await;
    Exchange::conclude(client, result).0
}

#[tokio::test]
async fn sends_the_bearer_and_nothing_the_contract_does_not_have() {
    let (address, served) = serve(reply("200 OK", r#"{"id":"i","secret":"s"}"#)).await;
    let outcome = rotate(&address).await;
    assert!(matches!(outcome, Outcome::Complete { .. }));
    let host = address.trim_start_matches("http://");
    let request = served.await.unwrap().to_lowercase();
    let mut lines: Vec<_> = request.trim_end().split("\r\n").collect();
    lines[1..].sort_unstable();
    assert_eq!(
        lines,
        [
            "put /auth/api-token http/1.1",
            "accept-encoding: identity",
            "accept: application/json",
            "authorization: bearer a.b.c",
            &format!("host: {host}"),
        ]
    );
}

#[tokio::test]
async fn a_documented_error_keeps_the_body_that_the_generated_code_drops() {
    let (address, _served) = serve(reply("403 Forbidden", r#"{"detail":"no"}"#)).await;
    let outcome = rotate(&address).await;
    let Outcome::Complete { head, body } = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(
        (head.status.as_u16(), body.expose_secret()),
        (403, &br#"{"detail":"no"}"#[..])
    );
}

#[tokio::test]
async fn a_body_that_stops_early_keeps_its_bytes() {
    let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"id\":\"i\",\"sec".to_vec();
    let (address, _served) = serve(whole).await;
    let outcome = rotate(&address).await;
    let Outcome::CutOff {
        body,
        cause: CutOff::Transport(_),
        ..
    } = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(body.expose_secret(), br#"{"id":"i","sec"#);
}

#[tokio::test]
async fn reading_stops_at_the_limit() {
    for (surplus, over) in [(0, false), (1, true), (10 * REPLY_LIMIT, true)] {
        let (address, _served) = serve(reply("200 OK", &"x".repeat(REPLY_LIMIT + surplus))).await;
        let outcome = rotate(&address).await;
        let body = match outcome {
            Outcome::CutOff {
                body,
                cause: CutOff::Limit,
                ..
            } if over => body,
            Outcome::Complete { body, .. } if !over => body,
            other => panic!("{surplus} bytes over the limit: {other:?}"),
        };
        assert_eq!(body.len(), REPLY_LIMIT);
    }
}

#[tokio::test]
async fn a_connection_that_was_never_made_is_not_sent() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let outcome = rotate(&format!("http://{free}")).await;
    assert!(matches!(outcome, Outcome::NotSent(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_connection_that_closes_without_a_reply_is_ambiguous() {
    let (address, _served) = serve(Vec::new()).await;
    let outcome = rotate(&address).await;
    assert!(
        matches!(outcome, Outcome::Ambiguous(Some(_))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn half_a_status_line_is_ambiguous() {
    let (address, _served) = serve(b"HTTP/1.1 20".to_vec()).await;
    let outcome = rotate(&address).await;
    assert!(
        matches!(outcome, Outcome::Ambiguous(Some(_))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn debug_shows_no_bearer_no_body_and_no_header_value() {
    let exchange = Exchange::new().bearer(&Bearer::new("planted").unwrap());
    let client = Client::new_with_client("http://127.0.0.1", http(), exchange);
    assert!(!format!("{client:?}").contains("planted"));
    let (address, _served) = serve(
        b"HTTP/1.1 200 OK\r\nx-echo: planted\r\ncontent-length: 9\r\n\r\n\"planted\"".to_vec(),
    )
    .await;
    let outcome = rotate(&address).await;
    assert!(
        !format!("{outcome:?} {outcome:#?}").contains("planted"),
        "{outcome:?}"
    );
}
