//! URLs that only look like the service's, for both adapters: no token, and no login.

use http::Uri;
use pollination_auth::Client;

use super::adapter::Adapter;
use super::given_token;

const BASE_URL: &str = "http://[::1]:8080/prefix";

/// A URL, and if it is the service's for tower and for reqwest; `None` if it can't be parsed.
const TABLE: [(&str, Option<bool>, Option<bool>); 16] = [
    // Every path of the service gets the token.
    ("http://[::1]:8080/prefix/jobs", Some(true), Some(true)),
    ("http://[::1]:8080/", Some(true), Some(true)),
    ("http://[::1]:8080/jobs", Some(true), Some(true)),
    ("HTTP://[::1]:8080", Some(true), Some(true)),
    // reqwest's URLs are parsed, so that only one way to write a host is left.
    ("http://[0:0:0:0:0:0:0:1]:8080/", Some(false), Some(true)),
    ("http://[::1]:08080/", Some(false), Some(true)),
    ("http://[::1]u:8080/", Some(false), None),
    ("http://[::1]:73616/", Some(false), None),
    ("http://[::1]:99999999/", Some(false), None),
    ("http://[::1]:8080u/", Some(false), None),
    ("http://[::1]/", Some(false), Some(false)),
    ("http://[::1]:80/", Some(false), Some(false)),
    ("http://u@[::1]:8080/", Some(false), Some(false)),
    ("http://u:p@[::1]:8080/", Some(false), Some(false)),
    ("http://[::1]:8080@evil.example/", Some(false), Some(false)),
    ("https://[::1]:8080/", Some(false), Some(false)),
];

fn client() -> Client {
    Client::builder()
        .access_token(given_token())
        .base_url(BASE_URL)
        .build()
        .unwrap()
}

#[tokio::test]
async fn row_82_an_authority_that_only_looks_like_the_services_gets_no_token() {
    for (url, of_tower, of_reqwest) in TABLE {
        let by_tower = Adapter::Tower.authorizes(client(), url, None).await;
        // A URL that the crate `http` refuses is never sent.
        assert!(
            by_tower == of_tower || by_tower.is_none() && of_tower == Some(false),
            "{url}"
        );
        let by_reqwest = Adapter::Reqwest.authorizes(client(), url, None).await;
        assert_eq!(by_reqwest, of_reqwest, "{url}");
    }
    for looks_right in ["http://[::1]u:8080/", "http://[::1]:73616/"] {
        assert!(looks_right.parse::<Uri>().is_ok(), "{looks_right}");
    }
}
