//! Fetches a document: from a file, an address, or standard input. It reads no more bytes than are
//! allowed; the stage `read` decides what is in them.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use reqwest::Url;
use reqwest::blocking::Client;
use reqwest::redirect::Policy;

use super::read::SIZE_LIMIT;

/// How long to wait for a connection: a reachable host answers within a second or two.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for the whole document: enough for a large one on a slow line.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How many redirects to follow: one from http to https, one to a version, and some to spare.
const REDIRECT_LIMIT: usize = 5;

/// The name of standard input.
pub const STANDARD_INPUT: &str = "-";

/// Returns `true` if a source is an address.
#[must_use]
pub fn is_address(source: &str) -> bool {
    source.starts_with("http://") || source.starts_with("https://")
}

/// Reads the bytes of a source.
///
/// # Errors
///
/// The source can't be read, or is longer than the limit.
pub fn bring(source: &str, standard_input: &mut dyn Read) -> io::Result<Vec<u8>> {
    if source == STANDARD_INPUT {
        return limited(standard_input, "standard input");
    }
    if is_address(source) {
        return fetch(source);
    }
    let file = File::open(source).map_err(|error| unreadable(source, &error))?;
    limited(file, source)
}

fn unreadable(source: &str, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("{source}: {error}"))
}

fn limited(reader: impl Read, source: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let over = u64::try_from(SIZE_LIMIT)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    reader
        .take(over)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(source, &error))?;
    // One byte over the limit is enough for `read` to refuse it.
    Ok(bytes)
}

fn fetch(address: &str) -> io::Result<Vec<u8>> {
    let url = Url::parse(address).map_err(|error| unreadable(address, &error))?;
    if !url.username().is_empty() || url.password().is_some() {
        // It would stand in every message, and in the history of the shell.
        let message = "the address has a user or a password in it";
        return Err(io::Error::other(message));
    }
    let unreadable = |error: reqwest::Error| {
        let mut causes = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            causes = format!("{causes}: {cause}");
            source = cause.source();
        }
        io::Error::other(causes)
    };
    let client = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .redirect(Policy::limited(REDIRECT_LIMIT))
        .build()
        .map_err(unreadable)?;
    let response = client
        .get(url)
        .send()
        .and_then(|response| response.error_for_status());
    limited(response.map_err(unreadable)?, address)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers each connection with one of the replies, in order.
    fn serve(replies: Vec<String>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for reply in replies {
                let (mut stream, _) = listener.accept().unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
                stream.write_all(reply.as_bytes()).unwrap();
            }
        });
        address
    }

    fn reply(status: &str, body: &str) -> String {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
    }

    fn refused(source: &str) -> String {
        bring(source, &mut std::io::empty())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn standard_input_and_addresses_are_read() {
        assert_eq!(bring("-", &mut &b"{}"[..]).unwrap(), b"{}");
        let address = serve(vec![
            reply("302 Found\r\nlocation: /there", ""),
            reply("200 OK", "{}"),
        ]);
        assert_eq!(bring(&address, &mut std::io::empty()).unwrap(), b"{}");
    }

    #[test]
    fn a_status_that_is_no_success_is_refused() {
        let message = refused(&serve(vec![reply("404 Not Found", "no")]));
        assert!(message.contains("404 Not Found"), "{message}");
    }

    #[test]
    fn a_connection_that_ends_early_is_refused() {
        let address = serve(vec![
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}".to_owned(),
        ]);
        let message = refused(&address);
        assert!(message.starts_with("http://127.0.0.1:"), "{message}");
    }

    #[test]
    fn redirects_have_an_end() {
        let round = reply("302 Found\r\nlocation: /again", "");
        let message = refused(&serve(vec![round; REDIRECT_LIMIT + 1]));
        assert!(message.contains("too many redirects"), "{message}");
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_not_repeated() {
        let message = refused("https://me:planted@a.example/openapi.json");
        assert_eq!(message, "the address has a user or a password in it");
    }

    #[test]
    fn a_file_that_is_not_there_is_refused_by_its_name() {
        assert!(refused("no-such.json").starts_with("no-such.json: "));
    }

    #[test]
    fn no_more_is_read_than_what_is_refused() {
        let bytes = bring("-", &mut std::io::repeat(b' ')).unwrap();
        assert_eq!(bytes.len(), SIZE_LIMIT + 1);
    }
}
