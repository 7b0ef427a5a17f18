//! What is logged about a request that gets no token: why, and where it goes; never the rest of it.

use pollination_auth::Client;

use super::adapter::ADAPTERS;
use super::given_token;
use crate::redaction_log::logged;

const OTHER_ORIGIN: &str = "it goes to another scheme, host or port than the base URL's";
const OWN_CREDENTIAL: &str = "it has a credential of its own";
const NO_HOST: &str = "its URI names no host";

const HERE: &str = "server.address=\"127.0.0.1\" server.port=1";
const ELSEWHERE: &str = "server.address=\"elsewhere.invalid\" server.port=2";

/// Why a request gets no token, and where it goes.
type Logged = (&'static str, &'static str);

/// A URL, a header of the caller, and what is logged; the last two are URIs only for tower.
const TABLE: [(&str, Option<&str>, Option<Logged>); 8] = [
    ("http://127.0.0.1:1/planted?planted", None, None),
    (
        "http://elsewhere.invalid:2/planted?planted#planted",
        None,
        Some((OTHER_ORIGIN, ELSEWHERE)),
    ),
    (
        "https://127.0.0.1:1",
        Some("planted"),
        Some((OTHER_ORIGIN, HERE)),
    ),
    (
        "http://127.0.0.1:1/planted?planted",
        Some("planted"),
        Some((OWN_CREDENTIAL, HERE)),
    ),
    (
        "http://127.0.0.1:1",
        Some("planted"),
        Some((OWN_CREDENTIAL, HERE)),
    ),
    (
        "http://planted:planted@127.0.0.1:1",
        None,
        Some((OWN_CREDENTIAL, HERE)),
    ),
    ("127.0.0.1:1", None, Some((OTHER_ORIGIN, HERE))),
    ("/planted?planted", None, Some((NO_HOST, ""))),
];

fn client() -> Client {
    let builder = Client::builder().access_token(given_token());
    builder.base_url("http://127.0.0.1:1").build().unwrap()
}

#[test]
fn an_event_says_why_a_request_gets_no_token() {
    for adapter in ADAPTERS {
        for (url, header, expected) in TABLE {
            let (authorized, log) = logged(adapter.authorizes(client(), url, header));
            let Some(authorized) = authorized else {
                continue;
            };
            assert_eq!(authorized, expected.is_none(), "{adapter:?} {url}");
            let told: Vec<_> = log
                .lines()
                .filter(|line| line.contains("no access token"))
                .collect();
            assert_eq!(told.len(), usize::from(expected.is_some()), "{url}: {log}");
            for (line, (reason, place)) in told.iter().zip(expected) {
                for part in ["DEBUG", reason, place] {
                    assert!(line.contains(part), "{url}: {log}");
                }
                assert!(!line.contains("planted"), "{url}: {log}");
            }
        }
    }
}
