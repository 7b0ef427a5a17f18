//! What a log shows of a call: the operation, the attempts, the statuses, and how long it took.

use crate::redaction_log::{logged, logged_by};
use crate::support::{Answer, Mock, at_once, bearing};
use pollination_auth_fake::FakeService;
use tracing::Instrument as _;
use tracing_subscriber::filter::{LevelFilter, filter_fn};

/// Returns the log lines at the end of each attempt.
fn attempts(log: &str) -> Vec<&str> {
    log.lines()
        .filter(|line| line.contains("http.client.request.duration="))
        .collect()
}

#[test]
fn each_attempt_is_a_span_with_operation_method_status_and_duration() {
    let (result, log) = logged(async {
        let service = FakeService::builder()
            .id("an-id")
            .secret("a-secret")
            .start();
        let client = crate::support::logging_in(service.base_url())
            .build()
            .unwrap();
        client.get_api_token().await
    });
    assert_eq!(result.unwrap().as_str(), "an-id");
    let attempts = attempts(&log);
    let [login, get] = attempts[..] else {
        panic!("{attempts:#?}");
    };
    for (line, operation, method, status) in [
        (login, "login", "POST", 202),
        (get, "get_api_token", "GET", 200),
    ] {
        for field in [
            format!(r#"operation="{operation}""#),
            format!(r#"http.request.method="{method}""#),
            format!("http.response.status_code={status}"),
            "http.request.resend_count=0".to_owned(),
            r#"server.address="127.0.0.1""#.to_owned(),
            "server.port=".to_owned(),
            "http.client.request.duration=".to_owned(),
        ] {
            assert!(line.contains(&field), "{field} is missing: {line}");
        }
    }
}

#[test]
fn a_repeated_attempt_counts_up_and_says_what_went_wrong() {
    let (result, log) = logged(async {
        let mock = Mock::always(Answer::html(503, "<p>planted</p>"));
        let client = bearing(mock.base_url()).retry(at_once()).build().unwrap();
        client.get_api_token().await
    });
    assert_eq!(result.unwrap_err().status(), Some(503));
    let attempts = attempts(&log);
    assert_eq!(attempts.len(), 3, "{attempts:#?}");
    for (number, line) in attempts.iter().enumerate() {
        assert!(
            line.contains(&format!("http.request.resend_count={number}")),
            "{line}"
        );
        assert!(
            line.contains("error.type=the server did not accept the request"),
            "{line}"
        );
        assert!(line.contains("http.response.status_code=503"), "{line}");
        assert!(!line.contains("planted"), "{line}");
    }
}

#[test]
fn a_span_of_the_caller_gets_no_status_where_there_is_none_of_the_attempt() {
    let (result, log) = logged_by(LevelFilter::INFO, async {
        let mock = Mock::always(Answer::html(503, "<p>planted</p>"));
        let client = bearing(mock.base_url()).retry(at_once()).build().unwrap();
        let status = tracing::field::Empty;
        let serving = tracing::info_span!("serving", "http.response.status_code" = status);
        client.get_api_token().instrument(serving).await
    });
    assert_eq!(result.unwrap_err().status(), Some(503));
    assert!(log.contains("serving"), "{log}");
    assert!(!log.contains("http.response.status_code"), "{log}");
}

#[test]
fn the_end_of_an_attempt_is_told_to_who_wants_no_spans() {
    let (result, log) = logged_by(filter_fn(|it| it.is_event()), async {
        let mock = Mock::always(Answer::html(503, "<p>planted</p>"));
        let client = bearing(mock.base_url()).retry(at_once()).build().unwrap();
        client.get_api_token().await
    });
    assert_eq!(result.unwrap_err().status(), Some(503));
    assert_eq!(attempts(&log).len(), 3, "{log}");
}
