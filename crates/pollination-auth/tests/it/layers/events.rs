//! What is logged about a request that gets no token: why, and where it goes; never the rest of it.

use pollination_auth::{AccessToken, Client};

use super::given_token;
use crate::redaction_log::logged;

/// The service of these tests; nothing is ever sent to it.
const HOST: &str = "http://127.0.0.1:1";

/// A name that is never one of a machine (RFC 2606), so that nothing is sent there either.
#[cfg(feature = "reqwest-middleware")]
const ELSEWHERE: &str = "http://elsewhere.invalid:2/planted?planted#planted";

const OTHER_ORIGIN: &str = "it goes to another scheme, host or port than the base URL's";
const OWN_CREDENTIAL: &str = "it has a credential of its own";

fn client(token: AccessToken) -> Client {
    let builder = Client::builder().access_token(token).base_url(HOST);
    builder.build().unwrap()
}

fn told(log: &str) -> Vec<&str> {
    let lines = log.lines().filter(|line| line.contains("no access token"));
    lines.collect()
}

#[cfg(feature = "reqwest-middleware")]
#[test]
fn a_middleware_says_why_a_request_gets_no_token() {
    use async_trait::async_trait;
    use http::Extensions;
    use pollination_auth::AuthMiddleware;
    use reqwest_middleware::{ClientBuilder, Error, Middleware, Next};

    /// Sends nothing.
    struct Nowhere;

    #[async_trait]
    impl Middleware for Nowhere {
        async fn handle(
            &self,
            _: reqwest::Request,
            _: &mut Extensions,
            _: Next<'_>,
        ) -> Result<reqwest::Response, Error> {
            Ok(http::Response::new("").into())
        }
    }

    let (host, path) = (HOST, "/planted?planted");
    for (url, header, expected) in [
        (ELSEWHERE.to_owned(), None, Some(OTHER_ORIGIN)),
        (
            "https://127.0.0.1:1".to_owned(),
            Some("planted"),
            Some(OTHER_ORIGIN),
        ),
        (
            format!("{host}{path}"),
            Some("planted"),
            Some(OWN_CREDENTIAL),
        ),
        (
            "http://planted:planted@127.0.0.1:1".to_owned(),
            None,
            Some(OWN_CREDENTIAL),
        ),
        (format!("{host}{path}"), None, None),
    ] {
        let (_, log) = logged(async {
            let http = ClientBuilder::new(reqwest::Client::new())
                .with(AuthMiddleware::new(client(given_token())))
                .with(Nowhere)
                .build();
            let mut request = http.get(&url);
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            request.send().await.unwrap();
        });
        let told = told(&log);
        assert_eq!(told.len(), usize::from(expected.is_some()), "{url}: {log}");
        if let Some(expected) = expected {
            assert!(told[0].contains(expected), "{url}: {log}");
            assert!(told[0].contains("DEBUG"), "{url}: {log}");
            let host = if url == ELSEWHERE {
                "server.address=\"elsewhere.invalid\" server.port=2"
            } else {
                "server.address=\"127.0.0.1\" server.port=1"
            };
            assert!(told[0].contains(host), "{url}: {log}");
            assert!(!told[0].contains("planted"), "{url}: {log}");
        }
    }
}

#[cfg(feature = "tower")]
#[test]
fn a_layer_says_why_a_request_gets_no_token() {
    use http::{Request, Response};
    use pollination_auth::AuthLayer;
    use tower::{BoxError, Layer as _, ServiceExt as _};

    for (uri, header, expected) in [
        (
            "http://elsewhere.invalid:2/planted?planted",
            None,
            Some(OTHER_ORIGIN),
        ),
        ("127.0.0.1:1", None, Some(OTHER_ORIGIN)),
        ("/planted?planted", None, Some("its URI names no host")),
        (
            "http://planted:planted@127.0.0.1:1",
            None,
            Some(OWN_CREDENTIAL),
        ),
        (HOST, Some("planted"), Some(OWN_CREDENTIAL)),
        (HOST, None, None),
    ] {
        let (_, log) = logged(async {
            let http = AuthLayer::new(client(given_token())).layer(tower::service_fn(
                |_: Request<()>| async { Ok::<_, BoxError>(Response::new(())) },
            ));
            let mut request = Request::get(uri).body(()).unwrap();
            if let Some(header) = header {
                let header = header.parse().unwrap();
                request.headers_mut().insert("authorization", header);
            }
            http.oneshot(request).await.unwrap();
        });
        let told = told(&log);
        assert_eq!(told.len(), usize::from(expected.is_some()), "{uri}: {log}");
        if let Some(expected) = expected {
            assert!(told[0].contains(expected), "{uri}: {log}");
            assert!(!told[0].contains("planted"), "{uri}: {log}");
        }
    }
}
