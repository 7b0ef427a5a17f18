//! Test support: the planted secrets, and a server that leaks them wherever it can.

use pollination_auth::Operation;

use crate::listener::{Script, Then};
use crate::support::{Answer, ID, Seen};

pub(crate) const API_SECRET: &str = "Planted-Api-Secret-Qx7vB2nM";
pub(crate) const GIVEN: &str = "Planted-Given-Token.Hk3pW8.Zw9rT4";
pub(crate) const MINTED: &str = "Minted-Access-Token.Jt5dF6.Lm1cS0";
pub(crate) const CREATED: &str = "Created-Secret-Uy2bG5kV";
pub(crate) const ROTATED: &str = "Rotated-Secret-Eo8hX3jN";
/// The secret in replies that can't be used.
pub(crate) const LOST: &str = "Secret-In-A-Bad-Reply-Ia4zP7";
pub(crate) const IN_URL: &str = "Password-In-A-Url-Ov6tK1";
pub(crate) const OF_PROXY: &str = "Password-Of-A-Proxy-Rs9wD2";
pub(crate) const IN_HEADER: &str = "Key-In-A-Header-Bc3yL8";
pub(crate) const IN_ENVIRONMENT: &str = "Secret-In-The-Environment-Nf5";

pub(crate) const SECRETS: [&str; 10] = [
    API_SECRET,
    GIVEN,
    MINTED,
    CREATED,
    ROTATED,
    LOST,
    IN_URL,
    OF_PROXY,
    IN_HEADER,
    IN_ENVIRONMENT,
];

/// The usual replies, with secrets of their own.
pub(crate) fn usual(seen: &Seen) -> Answer {
    if seen.is(Operation::Login) {
        Answer::login(MINTED)
    } else if seen.is(Operation::CreateApiToken) {
        Answer::minted(201, CREATED)
    } else if seen.is(Operation::RotateApiTokenSecret) {
        Answer::minted(200, ROTATED)
    } else {
        Answer::to(seen)
    }
}

/// Returns the secret that a request carried.
fn carried(seen: &Seen) -> &'static str {
    match seen.is(Operation::Login) {
        true => API_SECRET,
        false => GIVEN,
    }
}

/// Echoes what the request carried in every header that a client could read.
fn echoing(answer: Answer, seen: &Seen) -> Answer {
    let secret = carried(seen);
    answer
        .header("x-request-id", &format!("req-{secret}"))
        .header("www-authenticate", &format!("Bearer error=\"{secret}\""))
        .header("set-cookie", &format!("a={secret}"))
        .header("retry-after", secret)
        .header("server", secret)
}

/// One way in which a call can end badly.
pub(crate) type End = Box<dyn Fn(&Seen) -> Script + Send + Sync>;

/// All the ways, by name.
pub(crate) fn ends() -> Vec<(String, End)> {
    let mut ends = refusals();
    ends.extend(unusable());
    ends.extend(broken());
    ends
}

/// Every kind of refusal, with every shape of error text.
fn refusals() -> Vec<(String, End)> {
    let words: [fn(&str) -> String; 5] = [
        |secret| format!(r#"{{"detail":"you said {secret}"}}"#),
        |secret| format!(r#"{{"detail":{{"{secret}":["{secret}"]}}}}"#),
        |secret| {
            format!(
                r#"{{"detail":[{{"loc":["body","{secret}",0],"msg":"not {secret}",
                    "type":"{secret}","input":"{secret}","ctx":{{"a":"{secret}"}}}}]}}"#
            )
        },
        |secret| format!("<html>{secret}</html>"),
        |secret| format!("{}{secret}", "x".repeat(1000)),
    ];
    let mut ends: Vec<(String, End)> = Vec::new();
    for status in [302, 307, 400, 401, 403, 404, 422, 429, 500, 503] {
        for (shape, words) in words.into_iter().enumerate() {
            let name = format!("status {status} in shape {shape}");
            let end = move |seen: &Seen| {
                let secret = carried(seen);
                let host = format!("https://{secret}:{secret}@{secret}.example/{secret}");
                let body = words(secret).into_bytes();
                let answer = Answer {
                    body,
                    ..Answer::empty(status)
                }
                .header("content-type", &format!("text/{secret}"))
                .header("location", &format!("{host}?{secret}#{secret}"));
                echoing(answer, seen).into()
            };
            ends.push((name, Box::new(end)));
        }
    }
    ends
}

/// Successes with a secret in a reply that can't be used.
fn unusable() -> Vec<(String, End)> {
    let large = format!(r#"{{"secret":"{LOST}","x":"{}"}}"#, "x".repeat(70_000));
    let bodies = [
        (
            "half",
            format!(r#"{{"id":"{ID}","access_token":"{LOST}","secret":"{LOST}"#),
        ),
        (
            "lists for texts",
            format!(r#"{{"id":["{LOST}"],"access_token":["{LOST}"],"secret":["{LOST}"]}}"#),
        ),
        (
            "names for texts",
            format!(r#"{{"id":{{"{LOST}":1}},"secret":{{"{LOST}":1}},"access_token":1}}"#),
        ),
        (
            "control characters",
            format!(
                r#"{{"id":"a\n\nb","secret":"{LOST}\n\n","access_token":"{LOST}\r\n",
                    "token_type":"Bearer","expires_in":60}}"#
            ),
        ),
        (
            "a secret for a type",
            format!(r#"{{"access_token":"{LOST}","token_type":"{LOST}","expires_in":60}}"#),
        ),
        (
            "a secret for a number",
            format!(r#"{{"access_token":"{LOST}","token_type":"Bearer","expires_in":"{LOST}"}}"#),
        ),
        (
            "a name twice",
            format!(
                r#"{{"secret":"{LOST}","secret":"{LOST}","access_token":"a","access_token":1}}"#
            ),
        ),
        (
            "another id",
            format!(r#"{{"id":"another\n\n","secret":"{LOST}"}}"#),
        ),
        ("a bare text", format!("{LOST:?}")),
        ("a page", format!("<html>{LOST}</html>")),
        ("too much", large),
    ];
    let mut ends: Vec<(String, End)> = Vec::new();
    for (name, body) in bodies {
        for encoding in ["identity", "gzip"] {
            let body = body.clone();
            let end = move |seen: &Seen| {
                let body = body.clone().into_bytes();
                let answer = Answer {
                    body,
                    ..Answer::empty(200)
                }
                .header("content-encoding", encoding)
                .header("content-type", &format!("text/{}; x={LOST}", carried(seen)));
                echoing(answer, seen).into()
            };
            ends.push((format!("{name}, {encoding}"), Box::new(end)));
        }
    }
    ends
}

/// A name, the bytes of a reply, and what happens after them.
type Broken = (&'static str, String, fn() -> Then);

/// Replies that are not HTTP, or only a part of it.
fn broken() -> Vec<(String, End)> {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n";
    let scripts: [Broken; 8] = [
        ("nothing", String::new(), || Then::Close),
        ("silence", String::new(), || Then::Hang),
        ("cut off", format!("{head}{{\"secret\":\"{LOST}"), || {
            Then::Close
        }),
        ("too slow", format!("{head}{{\"secret\":\"{LOST}"), || {
            Then::Hang
        }),
        ("no HTTP", format!("{LOST} {LOST}\r\n\r\n"), || Then::Close),
        (
            "no status",
            format!("HTTP/1.1 {LOST} {LOST}\r\n\r\n"),
            || Then::Close,
        ),
        (
            "no header",
            format!("HTTP/1.1 200 {LOST}\r\n{LOST}\r\na: \0{LOST}\r\n\r\n{LOST}"),
            || Then::Close,
        ),
        (
            "no chunk",
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{LOST}\r\n{LOST}"),
            || Then::Close,
        ),
    ];
    scripts
        .into_iter()
        .map(|(name, bytes, then)| {
            let end = move |_: &Seen| Script::new(bytes.clone(), then());
            (name.to_owned(), Box::new(end) as End)
        })
        .collect()
}
