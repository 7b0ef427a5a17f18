//! How far a reply is believed: whose 404 it is, what a delete's success proves, how long a wait is.

use std::time::{Duration, SystemTime};

use pollination_auth::reqwest::Proxy;
use pollination_auth::{Error, Operation, Reason, RetryPolicy};

use crate::listener::{Listener, Script, Then};
use crate::support::{
    ACCESS_TOKEN, Answer, ManualClock, Mock, OPERATIONS, SECRET, WITH_BEARER, at_once, bearing,
    call, in_turn, single, variant,
};

const PAGE: &str = "<html>No such page</html>";

/// The reason that names the page.
fn a_page() -> Reason {
    Reason::NotJson {
        content_type: Some("text/html".to_owned()),
        length: PAGE.len(),
    }
}

fn delete(error: &Error) -> (String, &Reason) {
    assert_eq!(error.operation(), Operation::DeleteApiToken);
    (variant(error), error.failure().reason())
}

#[tokio::test]
async fn row_72_a_404_with_a_page_is_not_the_services_and_says_nothing_of_the_api_token() {
    for operation in OPERATIONS {
        let mock = Mock::always(Answer::html(404, PAGE));
        let client = single(operation, mock.base_url()).retry(at_once());
        let error = call(&client.build().unwrap(), operation).await.unwrap_err();
        assert_eq!(variant(&error), "Rejected", "{operation}");
        assert_eq!(error.failure().reason(), &a_page());
        assert_eq!(error.status(), Some(404));
        assert!(error.to_string().contains("check the base URL"), "{error}");
        assert_eq!(mock.seen().len(), 1, "{operation}");
    }
}

#[tokio::test]
async fn row_89_an_answer_that_the_api_never_gives_sends_the_caller_to_the_base_url() {
    let no_page = |status| Answer::json(status, r#"{"detail":"Not Found"}"#);
    let of_others = [
        (Operation::Login, no_page(404)),
        (Operation::Login, Answer::empty(404)),
        (Operation::Login, Answer::html(200, PAGE)),
    ];
    let anywhere = [
        Answer::html(400, PAGE),
        Answer::html(401, PAGE),
        Answer::html(403, PAGE),
        Answer::html(404, PAGE),
        no_page(405),
        Answer::html(410, PAGE),
        Answer::html(422, PAGE),
    ];
    let unsupported = [Answer::html(501, PAGE), Answer::empty(501)];
    let of_all = OPERATIONS.map(|operation| anywhere.clone().map(|answer| (operation, answer)));
    let no_mint = [
        Operation::Login,
        Operation::GetApiToken,
        Operation::DeleteApiToken,
    ];
    let of_no_mint = no_mint.map(|operation| unsupported.clone().map(|answer| (operation, answer)));
    let all = of_others
        .into_iter()
        .chain(of_all.into_iter().flatten())
        .chain(of_no_mint.into_iter().flatten());
    for (operation, answer) in all {
        let mock = Mock::always(answer);
        let client = single(operation, mock.base_url()).retry(at_once());
        let error = call(&client.build().unwrap(), operation).await.unwrap_err();
        assert!(error.failure().is_not_the_api(), "{operation}: {error}");
        assert!(!error.is_retryable(), "{operation}: {error}");
        let shown = error.to_string();
        let scheme = error.failure().other_scheme();
        match error.status() {
            // Web servers answer so on a port for TLS.
            Some(400) => {
                assert_eq!(scheme, Some("https"));
                assert!(shown.ends_with("use https:// in the base URL"), "{shown}");
            }
            _ => {
                assert_eq!(scheme, None);
                let advice =
                    "; the host does not look like the Pollination API; check the base URL";
                assert!(shown.contains(advice), "{shown}");
            }
        }
        assert_eq!(mock.seen().len(), 1, "{operation}: {error}");
    }
}

#[tokio::test]
async fn row_89_what_the_service_and_its_proxies_answer_is_not_another_servers() {
    let json = r#"{"detail":"no"}"#;
    for operation in OPERATIONS {
        for status in [400, 401, 403, 409, 422, 429, 500, 502, 503] {
            let mut answers = vec![Answer::json(status, json), Answer::empty(status)];
            if status >= 429 {
                answers.push(Answer::html(status, PAGE));
            }
            for answer in answers {
                let mock = Mock::always(answer);
                let client = single(operation, mock.base_url()).build().unwrap();
                let error = call(&client, operation).await.unwrap_err();
                assert!(!error.failure().is_not_the_api(), "{operation}: {error}");
                assert_eq!(error.failure().other_scheme(), None, "{operation}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn row_72_a_404_that_is_empty_or_json_is_the_services() {
    for body in ["", "  ", r#"{"detail":"none"}"#, "null"] {
        for operation in WITH_BEARER {
            let mock = Mock::always(Answer::html(404, body));
            let client = bearing(mock.base_url()).build().unwrap();
            let error = call(&client, operation).await.unwrap_err();
            assert_eq!(variant(&error), "NotFound", "{operation} {body:?}");
            assert_eq!(error.failure().reason(), &Reason::Status);
        }
    }
}

#[tokio::test]
async fn row_73_a_lost_delete_that_then_meets_a_404_with_a_page_is_not_done() {
    let mock = Mock::start(in_turn([Answer::empty(503), Answer::html(404, PAGE)]));
    let client = bearing(mock.base_url()).retry(at_once()).build().unwrap();
    let error = client.delete_api_token().await.unwrap_err();
    assert_eq!(delete(&error), ("Rejected".to_owned(), &a_page()));
    assert_eq!(mock.seen().len(), 2);
}

#[tokio::test]
async fn row_73_a_delete_answered_with_a_page_or_202_is_not_done() {
    let pending = Answer::json(202, r#"{"state":"queued"}"#);
    for (answer, reason) in [
        (Answer::html(200, PAGE), a_page()),
        (Answer::html(203, PAGE), a_page()),
        (Answer::empty(202), Reason::Pending),
        (pending, Reason::Pending),
    ] {
        let mock = Mock::always(answer);
        let client = bearing(mock.base_url()).retry(at_once()).build().unwrap();
        let error = client.delete_api_token().await.unwrap_err();
        assert_eq!(delete(&error), ("UnusableReply".to_owned(), &reason));
        let shown = error.to_string();
        assert!(shown.contains("may not be deleted"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
        assert!(error.raw_reply().is_none());
        assert_eq!(mock.seen().len(), 1, "it is not repeated");
    }
}

#[tokio::test]
async fn row_73_a_delete_answered_with_another_success_that_can_be_read_is_done() {
    for answer in [
        Answer::empty(204),
        Answer::empty(200),
        Answer::empty(205),
        Answer::json(200, r#"{"id":"an-id"}"#),
        Answer::html(200, "null"),
    ] {
        let mock = Mock::always(answer);
        let client = bearing(mock.base_url()).build().unwrap();
        client.delete_api_token().await.unwrap();
    }
}

#[tokio::test]
async fn row_73_a_delete_whose_success_breaks_off_is_tried_again_and_a_404_then_is_its_end() {
    for half in [r#"{"id":"an-"#, ""] {
        let attempts = std::sync::atomic::AtomicUsize::new(0);
        let listener = Listener::start(move |_| {
            if attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 0 {
                return Answer::empty(404).into();
            }
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n";
            Script::new(format!("{head}{half}"), Then::Close)
        })
        .await;
        let client = bearing(listener.base_url()).retry(at_once());
        client.build().unwrap().delete_api_token().await.unwrap();
        assert_eq!(listener.seen().len(), 2);
    }
}

#[tokio::test]
async fn row_75_a_wait_beyond_the_cap_or_the_deadline_ends_the_call_with_the_time_in_it() {
    let (cap, total) = (Duration::from_secs(7), Duration::from_secs(20));
    for status in [429, 503] {
        for wait in [8, 21] {
            let clock = ManualClock::at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));
            let answer = Answer::empty(status).header("retry-after", &wait.to_string());
            let mock = Mock::always(answer);
            let policy = if wait == 8 {
                RetryPolicy::default().longest_retry_after(cap)
            } else {
                RetryPolicy::default().longest_retry_after(Duration::MAX)
            };
            let client = bearing(mock.base_url())
                .retry(policy.first_wait(Duration::ZERO))
                .total_timeout(total)
                .clock(clock)
                .build()
                .unwrap();
            let error = client.get_api_token().await.unwrap_err();
            assert_eq!(mock.seen().len(), 1, "{status} {wait}");
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000 + wait);
            assert_eq!(error.retry_at(), Some(at), "{status} {wait}");
        }
    }
}

#[tokio::test]
async fn row_76_a_407_names_the_proxy_in_one_attempt() {
    for operation in OPERATIONS {
        let answer = Answer::empty(407).header("proxy-authenticate", "Basic realm=\"planted\"");
        let proxy = Listener::start(move |_| answer.clone()).await;
        // The proxy answers for itself: as a status, or to the CONNECT before TLS.
        for (url, expected) in [
            ("http://127.0.0.1:9", "Rejected"),
            ("https://127.0.0.1:9", "NotSent"),
        ] {
            let before = proxy.seen().len();
            let through = Proxy::all(proxy.base_url()).unwrap();
            let client = single(operation, url)
                .retry(at_once())
                .configure_http(move |http| http.tls_certs_only([]).proxy(through.clone()));
            let error = call(&client.build().unwrap(), operation).await.unwrap_err();
            assert_eq!(variant(&error), expected, "{operation} {url}: {error}");
            assert_eq!(error.failure().reason(), &Reason::ProxyAuthentication);
            assert_eq!(error.failure().attempts(), 1);
            assert!(!error.is_retryable());
            let advice = "check the proxy's user and password";
            assert!(error.to_string().ends_with(advice), "{error}");
            for secret in [ACCESS_TOKEN, SECRET, "planted"] {
                assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
            }
            assert_eq!(proxy.seen().len(), before + 1, "{operation} {url}");
        }
    }
}
