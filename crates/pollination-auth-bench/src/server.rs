//! The service, as small as can be: it knows two requests by heart, and checks nothing.
//!
//! It is no fake for tests; that is `pollination-auth-fake`.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

/// The id that every call is answered with.
pub const ID: &str = "6f2b1c1e-8d1f-4c36-9a0e-2f4f5b1f7a10";

/// The bytes that one request takes at the most: 16 KiB, several times what a peer sends.
const REQUEST_LIMIT: usize = 16 * 1024;

/// How long the access token lives, in seconds: longer than any measurement.
const EXPIRES_IN: u32 = 86_400;

/// The length of the signature in an access token: of RS256 with a key of 2048 bits, in base64url.
const SIGNATURE: usize = 342;

/// The length of the claims in an access token: what Auth0 writes for one audience and user.
const CLAIMS: usize = 300;

/// Returns the access token of the login with this number, as long as the service's own are.
#[must_use]
pub fn access_token(login: usize) -> String {
    let claims = format!("login-{login}-");
    format!(
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.{claims:x<CLAIMS$}.{:y<SIGNATURE$}",
        ""
    )
}

/// Reads the number of the login out of an access token.
///
/// # Panics
///
/// The access token is not from [`access_token`].
#[must_use]
pub fn login_of(access_token: &str) -> usize {
    let number = access_token
        .split('-')
        .nth(1)
        .and_then(|number| number.parse().ok());
    number.expect("an access token of this service")
}

/// Serves until the process ends.
///
/// # Errors
///
/// The listener is broken.
pub async fn serve(listener: TcpListener) -> io::Result<()> {
    let logins = Rc::new(Cell::new(0));
    let connections = LocalSet::new();
    connections
        .run_until(async {
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                tokio::task::spawn_local(connection(stream, logins.clone()));
            }
        })
        .await
}

/// Answers one connection to its end; a broken one ends too.
async fn connection(mut stream: TcpStream, logins: Rc<Cell<usize>>) {
    let id = reply("200 OK", &format!(r#"{{"id":"{ID}"}}"#));
    let mut request = Vec::with_capacity(REQUEST_LIMIT);
    while stream
        .read_buf(&mut request)
        .await
        .is_ok_and(|read| read > 0)
    {
        if !is_whole(&request) {
            if request.len() >= REQUEST_LIMIT {
                return;
            }
            continue;
        }
        let sent = if request.starts_with(b"GET /auth/api-token ") {
            stream.write_all(&id).await
        } else if request.starts_with(b"POST /auth/login ") {
            logins.set(logins.get() + 1);
            let token = access_token(logins.get());
            let body = format!(
                r#"{{"access_token":"{token}","expires_in":{EXPIRES_IN},"token_type":"Bearer"}}"#
            );
            stream.write_all(&reply("200 OK", &body)).await
        } else {
            stream.write_all(&reply("404 Not Found", "")).await
        };
        if sent.is_err() {
            return;
        }
        request.clear();
    }
}

/// Returns `true` if a request is all there: a GET ends with its head, a login has the length that its
/// head says.
fn is_whole(request: &[u8]) -> bool {
    if !request.starts_with(b"POST ") {
        return request.ends_with(b"\r\n\r\n");
    }
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.is_none_or(|(_, length)| Ok(body.len()) == length.trim().parse())
}

fn reply(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         date: Wed, 25 Nov 2026 00:00:00 GMT\r\nserver: uvicorn\r\n\r\n{body}"
    )
    .into_bytes()
}
