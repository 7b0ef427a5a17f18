//! Reads one request off a connection, and finds its operation by the first line.

use pollination_auth::Operation;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The first byte of a client that speaks TLS (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// One request, as it came.
#[derive(Clone, Debug)]
pub(super) struct Received {
    /// The connection that it came over, counted from 0.
    pub(super) connection: usize,
    pub(super) operation: Operation,
    /// Request line and headers.
    pub(super) head: String,
    pub(super) body: String,
}

/// Reads one request; `None` if the client closed the connection instead.
pub(super) async fn read_request(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    connection: usize,
) -> Option<Received> {
    const END: &[u8] = b"\r\n\r\n";
    let mut bytes = Vec::new();
    let end = loop {
        let found = bytes.windows(END.len()).position(|window| window == END);
        if let Some(end) = found {
            break end + END.len();
        }
        if bytes.first() == Some(&TLS_HANDSHAKE) {
            // As common servers answer a handshake on their plain port.
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            return None;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let length: usize = head
        .to_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received {
        connection,
        operation: operation(head.lines().next().unwrap()),
        body: String::from_utf8(bytes.split_off(end)).unwrap(),
        head,
    })
}

fn operation(request_line: &str) -> Operation {
    match request_line {
        "POST /auth/login HTTP/1.1" => Operation::Login,
        "GET /auth/api-token HTTP/1.1" => Operation::GetApiToken,
        "POST /auth/api-token HTTP/1.1" => Operation::CreateApiToken,
        "PUT /auth/api-token HTTP/1.1" => Operation::RotateApiTokenSecret,
        "DELETE /auth/api-token HTTP/1.1" => Operation::DeleteApiToken,
        other => panic!("the service has no {other}"),
    }
}
