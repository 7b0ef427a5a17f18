//! A server that is not well, imitated byte by byte.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const SEALED: &str = r#"{"errors":["Vault is sealed"]}"#;
const STANDBY: &str = r#"{"errors":["local node not active but active cluster node not found"]}"#;
const UPGRADE: &str = r#"{"errors":["Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly."]}"#;

/// Answers one connection after the other, and returns what it was sent.
async fn serve(replies: Vec<String>) -> (Server, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = tokio::spawn(async move {
        let mut seen = Vec::new();
        for reply in replies {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let read = socket.read(&mut request).await.unwrap();
            request.truncate(read);
            seen.push(String::from_utf8(request).unwrap());
            socket.write_all(reply.as_bytes()).await.unwrap();
        }
        seen
    });
    (server(&address, Duration::from_secs(60)), seen)
}

fn server(address: &str, patience: Duration) -> Server {
    let settings = Settings {
        address: Address::parse(address, false).unwrap(),
        namespace: Some("team".to_owned()),
        certificates: None,
        patience,
    };
    Server::new(settings).unwrap()
}

fn reply(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} A\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

fn request() -> Request {
    Request::post("secret/data/a b", &serde_json::json!({"a": 1}), 1)
}

#[tokio::test]
async fn a_server_that_can_not_serve_is_asked_again() {
    for (status, body) in [
        (412, "{}"),
        (429, "{}"),
        (472, "{}"),
        (473, "{}"),
        (500, "{}"),
        (501, "{}"),
        (502, "<html>"),
        (503, SEALED),
        (503, STANDBY),
        (504, ""),
        (400, UPGRADE),
    ] {
        let (server, _) = serve(vec![reply(status, body), reply(200, "{}")]).await;
        let reply = server.send(&request(), None).await.unwrap();
        assert_eq!(reply.status(), 200);
        assert!(reply.was_repeated);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_made_again() {
    let cut_off = "HTTP/1.1 200 A\r\nContent-Length: 9\r\n\r\n{".to_owned();
    let (server, _) = serve(vec![String::new(), cut_off, reply(200, "{}")]).await;
    let reply = server.send(&request(), None).await.unwrap();
    assert!(reply.is_success() && reply.was_repeated);
}

#[tokio::test]
async fn other_replies_are_not_repeated() {
    for status in [200, 204, 400, 403, 404, 405] {
        let (server, _) = serve(vec![reply(status, "")]).await;
        let reply = server.send(&request(), None).await.unwrap();
        assert_eq!(reply.status(), status);
        assert!(!reply.was_repeated);
    }
}

#[tokio::test]
async fn the_last_error_is_returned_when_the_patience_is_over() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let server = server(&address, Duration::ZERO);
    let error = server.send(&request(), None).await.err().unwrap();
    assert!(matches!(error, VaultError::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_takes_the_token_nowhere() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = format!("http://{}/v1/a", other.local_addr().unwrap());
    let redirect = format!(
        "HTTP/1.1 307 A\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    // The address is asked again, as for any standby.
    let (server, seen) = serve(vec![redirect.clone(), reply(200, "{}")]).await;
    let token = HeaderValue::from_static("a-token");
    let reply = server.send(&request(), Some(&token)).await.unwrap();
    assert!(reply.is_success() && reply.was_repeated);
    assert_eq!(seen.await.unwrap().len(), 2);

    let (mut server, _) = serve(vec![redirect; 20]).await;
    server.patience = Duration::from_millis(200);
    let error = server.send(&request(), Some(&token)).await.err().unwrap();
    assert!(matches!(error, VaultError::Redirected), "{error}");
}

#[tokio::test]
async fn a_namespace_that_does_not_exist_is_named() {
    let (server, _) = serve(vec![reply(404, r#"{"errors":["namespace not found"]}"#)]).await;
    let error = server.send(&request(), None).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "there is no namespace `team` on the server"
    );
}

#[tokio::test]
async fn a_reply_without_an_end_is_not_read_to_it() {
    let endless = format!("HTTP/1.1 200 A\r\n\r\n{}", "a".repeat(REPLY_LIMIT + 1));
    let (server, _) = serve(vec![endless]).await;
    let error = server.send(&request(), None).await.err().unwrap();
    assert!(matches!(error, VaultError::TooLong), "{error}");
}

#[tokio::test]
async fn a_request_carries_what_the_api_asks_for() {
    let (server, seen) = serve(vec![reply(200, "{}")]).await;
    let mut token = HeaderValue::from_static("a-token");
    token.set_sensitive(true);
    server.send(&request(), Some(&token)).await.unwrap();
    let seen = seen.await.unwrap().remove(0).to_lowercase();
    for line in [
        "post /v1/secret/data/a%20b http/1.1\r\n",
        "x-vault-request: true\r\n",
        "x-vault-namespace: team\r\n",
        "x-vault-token: a-token\r\n",
        "content-type: application/json\r\n",
        "\r\n\r\n{\"a\":1}",
    ] {
        assert!(seen.contains(line), "{seen}");
    }
}

#[test]
fn a_buffer_grows_without_losing_bytes() {
    let mut body = Zeroizing::new(Vec::with_capacity(1));
    for chunk in [&b"ab"[..], b"", b"cde"] {
        append(&mut body, chunk);
    }
    assert_eq!(body.as_slice(), b"abcde");
}

#[tokio::test(start_paused = true)]
async fn the_pauses_grow_and_end_with_the_deadline() {
    let started = Instant::now();
    let mut pause = server("http://127.0.0.1:1", Duration::from_secs(15)).pause();
    let mut waits = 0;
    while pause.wait().await {
        waits += 1;
    }
    assert_eq!(started.elapsed(), Duration::from_secs(15));
    assert!((8..20).contains(&waits), "{waits}");
}

#[tokio::test(start_paused = true)]
async fn a_patience_that_no_clock_can_name_does_not_panic() {
    let mut pause = server("http://127.0.0.1:1", Duration::MAX).pause();
    assert!(pause.wait().await);
}

#[tokio::test]
async fn without_patience_a_request_is_sent_once() {
    let (mut server, seen) = serve(vec![reply(503, SEALED)]).await;
    server.patience = Duration::ZERO;
    let error = server.send(&request(), None).await.err().unwrap();
    assert!(matches!(error, VaultError::Sealed), "{error}");
    assert_eq!(seen.await.unwrap().len(), 1);
}
