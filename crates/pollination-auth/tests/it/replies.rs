//! Invalid replies, row by row of the fault table, for all operations.
//!
//! Successes of login are in `replies_login`, those of create and rotate in `replies_minted`.

use pollination_auth::{Location, Operation, Reason};

use crate::listener::{Listener, Script, Then};
use crate::support::{
    ACCESS_TOKEN, Answer, MINTING, Mock, NEW_SECRET, OPERATIONS, at_once, bearing, call, in_turn,
    logging_in, single, variant,
};

/// The most bytes of a reply that are read.
const REPLY_LIMIT: usize = 64 * 1024;

#[tokio::test]
async fn row_04_half_a_document_before_a_broken_connection_is_kept_raw() {
    for operation in OPERATIONS {
        let half = r#"{"id":"an-id","secret":"a-new"#;
        let listener = Listener::start(move |_| {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n";
            Script::new(format!("{head}{half}"), Then::Close)
        })
        .await;
        let client = single(operation, listener.base_url()).build().unwrap();
        let error = call(&client, operation).await.unwrap_err();
        assert_eq!(error.failure().reason(), &Reason::ConnectionLost);
        if MINTING.contains(&operation) {
            assert_eq!(variant(&error), "UnusableReply");
            assert_eq!(error.raw_reply().unwrap().expose_secret(), half.as_bytes());
        } else {
            assert_eq!(variant(&error), "Unavailable");
            assert!(error.raw_reply().is_none());
        }
    }
}

#[tokio::test]
async fn row_22_html_is_named_by_type_and_length_without_its_text() {
    let page = "<html>Please sign in</html>";
    for operation in OPERATIONS {
        if operation == Operation::DeleteApiToken {
            continue;
        }
        let mock = Mock::always(Answer::html(200, page));
        let client = single(operation, mock.base_url()).build().unwrap();
        let error = call(&client, operation).await.unwrap_err();
        assert_eq!(variant(&error), "UnusableReply");
        let expected = Reason::NotJson {
            content_type: Some("text/html".to_owned()),
            length: page.len(),
        };
        assert_eq!(error.failure().reason(), &expected);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("27 bytes of text/html"), "{shown}");
        assert!(!shown.contains("sign in"), "{shown}");
    }
}

#[tokio::test]
async fn row_23_the_page_of_a_proxy_is_an_outage_named_by_status_and_request_id() {
    for status in [502, 503, 504] {
        let page = Answer::html(status, "<html>The proxy says no</html>");
        let mock = Mock::always(page.header("x-request-id", "req-7"));
        for operation in OPERATIONS {
            let client = single(operation, mock.base_url()).build().unwrap();
            let error = call(&client, operation).await.unwrap_err();
            let expected = match MINTING.contains(&operation) {
                true => "Ambiguous",
                false => "Unavailable",
            };
            assert_eq!(variant(&error), expected);
            let shown = error.to_string();
            let facts = format!("status {status}, request id req-7");
            assert!(shown.contains(&facts), "{shown}");
            assert!(!format!("{error} {error:?}").contains("proxy says"));
        }
    }
}

#[tokio::test]
async fn row_28_violations_are_read_whatever_stands_in_them() {
    let body = r#"{"detail":[
        {"loc":["body","items",0,"id"],"msg":"Field required","type":"missing",
         "input":{"secret":"the-input"},"ctx":{"error":{}},"url":"https://errors.example"},
        {"loc":["body",["secret"]],"msg":"Not a string","type":"string_type"},
        "nonsense"]}"#;
    let mock = Mock::always(Answer::json(422, body));
    for operation in OPERATIONS {
        let client = single(operation, mock.base_url()).build().unwrap();
        let error = call(&client, operation).await.unwrap_err();
        assert_eq!(variant(&error), "InvalidRequest");
        let [first, second] = error.violations() else {
            panic!("{error:?}");
        };
        let field = |name: &str| Location::Field(name.to_owned());
        let location = [
            field("body"),
            field("items"),
            Location::Index(0),
            field("id"),
        ];
        assert_eq!(first.location(), location);
        assert_eq!(
            (first.kind(), first.message()),
            ("missing", "Field required")
        );
        assert_eq!(second.location(), [field("body"), field("secret")]);
        let shown = error.to_string();
        assert!(shown.contains("body.items.0.id (missing)"), "{shown}");
        for hidden in ["Field required", "the-input", "errors.example"] {
            assert!(!format!("{error} {error:?}").contains(hidden), "{hidden}");
        }
    }
}

#[tokio::test]
async fn row_28_every_shape_of_detail_is_kept() {
    for (body, detail) in [
        (r#"{"detail":"a text"}"#, Some("a text")),
        (r#"{"detail":{"code":7}}"#, Some(r#"{"code":7}"#)),
        (r#"{"detail":[]}"#, None),
        (r#"{"detail":null}"#, None),
        ("plain", Some("plain")),
        ("", None),
    ] {
        let mock = Mock::always(Answer::json(422, body));
        let client = logging_in(mock.base_url()).build().unwrap();
        let error = client.login().await.unwrap_err();
        assert_eq!(error.detail(), detail, "{body}");
        assert_eq!(error.violations(), []);
    }
}

#[tokio::test]
async fn row_29_a_create_that_failed_is_made_once_and_typed_by_status() {
    for (status, expected) in [(403, "Forbidden"), (404, "NotFound"), (500, "Ambiguous")] {
        let mock = Mock::always(Answer::json(status, r#"{"detail":"no"}"#));
        let client = bearing(mock.base_url()).retry(at_once()).build().unwrap();
        let error = client.create_api_token().await.unwrap_err();
        assert_eq!(variant(&error), expected);
        assert_eq!(mock.seen().len(), 1, "{status}");
        assert!(!error.is_retryable(), "{status}");
    }
}

#[tokio::test]
async fn row_30_none_to_delete_is_done_after_a_lost_reply_and_an_error_before() {
    let mock = Mock::start(in_turn([Answer::empty(503), Answer::empty(404)]));
    let client = bearing(mock.base_url()).retry(at_once()).build().unwrap();
    client.delete_api_token().await.unwrap();
    assert_eq!(mock.seen().len(), 2);

    let mock = Mock::start(in_turn([Answer::empty(429), Answer::empty(404)]));
    let client = bearing(mock.base_url()).retry(at_once()).build().unwrap();
    let error = client.delete_api_token().await.unwrap_err();
    assert_eq!(
        variant(&error),
        "NotFound",
        "a refused attempt deleted nothing"
    );
}

#[tokio::test]
async fn row_30_the_access_token_is_forgotten_when_there_is_nothing_left() {
    for status in [204, 404] {
        let mock = Mock::after_login(Answer::empty(status));
        let client = logging_in(mock.base_url()).build().unwrap();
        for _ in 0..2 {
            let _done_or_none = client.delete_api_token().await;
        }
        assert_eq!(mock.count(Operation::Login), 2, "{status}");
    }
}

#[tokio::test]
async fn row_30_a_given_access_token_is_kept_when_there_is_nothing_left() {
    for status in [204, 404] {
        let mock = Mock::start(move |seen| match seen.is(Operation::DeleteApiToken) {
            true => Answer::empty(status),
            false => Answer::to(seen),
        });
        let client = bearing(mock.base_url()).build().unwrap();
        let _done_or_none = client.delete_api_token().await;
        let token = client.create_api_token().await.unwrap();
        assert_eq!(token.secret().expose_secret(), NEW_SECRET, "{status}");
    }
}

#[tokio::test]
async fn row_32_a_body_without_end_is_read_to_the_limit() {
    for operation in [Operation::Login, Operation::RotateApiTokenSecret] {
        let listener = Listener::start(|_| {
            let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            let chunk = [b"400\r\n", &[b' '; 0x400][..], b"\r\n"].concat();
            Script::new(head, Then::Repeat(chunk))
        })
        .await;
        let client = single(operation, listener.base_url()).build().unwrap();
        let error = call(&client, operation).await.unwrap_err();
        assert_eq!(variant(&error), "UnusableReply");
        assert_eq!(error.failure().reason(), &Reason::TooLarge);
        assert!(error.to_string().contains("64 KiB"), "{error}");
        let raw = error.raw_reply().map(|raw| raw.expose_secret().len());
        let minting = MINTING.contains(&operation);
        assert_eq!(raw, minting.then_some(REPLY_LIMIT));
    }
}

#[tokio::test]
async fn row_32_an_error_page_of_megabytes_is_an_outage_like_any_other() {
    let mock = Mock::always(Answer {
        body: vec![b'x'; 10_000_000],
        ..Answer::empty(500)
    });
    let client = bearing(mock.base_url()).build().unwrap();
    let error = client.get_api_token().await.unwrap_err();
    assert_eq!(variant(&error), "Unavailable");
    assert_eq!(error.status(), Some(500));
    assert_eq!(error.detail().map(str::len), Some(1024));
}

#[tokio::test]
async fn row_32_headers_without_end_are_no_reply() {
    /// As many at once as make the end come before the time is over, on any machine.
    const AT_ONCE: usize = 200;
    for operation in OPERATIONS {
        let listener = Listener::start(|_| {
            let headers = b"a: b\r\n".repeat(AT_ONCE);
            Script::new("HTTP/1.1 200 OK\r\n", Then::Repeat(headers))
        })
        .await;
        let client = single(operation, listener.base_url()).build().unwrap();
        let error = call(&client, operation).await.unwrap_err();
        let expected = match MINTING.contains(&operation) {
            true => "Ambiguous",
            false => "Unavailable",
        };
        assert_eq!(variant(&error), expected, "{operation}");
        assert_eq!(error.failure().reason(), &Reason::ConnectionLost);
        assert!(!format!("{error:?}").contains(ACCESS_TOKEN));
    }
}
