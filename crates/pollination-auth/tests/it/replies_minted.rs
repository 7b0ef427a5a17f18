//! Replies to a create or rotate that are not as they should be, row by row of the table of faults:
//! which secret is taken, and which reply is kept raw instead.

use pollination_auth::{ApiToken, Client, Error, Operation, Reason, Secret};

use crate::listener::{Listener, Script, Then};
use crate::support::{
    Answer, ID, MINTING, Mock, NEW_SECRET, SECRET, at_once, bearing, logging_in, variant,
};

/// The longest secret that is accepted, and one byte.
const TOO_LONG: usize = 4 * 1024 + 1;

async fn mint(client: &Client, operation: Operation) -> Result<ApiToken, Error> {
    match operation {
        Operation::CreateApiToken => client.create_api_token().await,
        _ => client.rotate_api_token_secret().await,
    }
}

/// Makes a create and a rotate with the reply, whose bytes both have to keep; returns the reasons.
async fn kept_raw(answer: Answer) -> [Reason; 2] {
    let mut reasons = Vec::new();
    for operation in MINTING {
        let mock = Mock::after_login(answer.clone());
        let client = logging_in(mock.base_url())
            .retry(at_once())
            .build()
            .unwrap();
        let error = mint(&client, operation).await.unwrap_err();
        assert_eq!(variant(&error), "UnusableReply", "{operation}");
        assert_eq!(error.status(), Some(answer.status));
        assert!(!error.is_retryable());
        let raw = error.raw_reply().unwrap();
        assert_eq!(raw.expose_secret(), answer.body, "{operation}");
        // Neither repeated nor taken over: the next login has the secret that it had before.
        assert_eq!(mock.count(operation), 1);
        client.login().await.unwrap();
        assert!(mock.seen().last().unwrap().body.contains(SECRET));
        reasons.push(error.failure().reason().clone());
    }
    reasons.try_into().unwrap()
}

fn unusable_secret(secret: &str) -> Reason {
    Reason::UnusableCredential(ApiToken::new(ID, Secret::from(secret)).unwrap_err())
}

#[tokio::test]
async fn row_03_a_whole_document_before_a_broken_connection_is_a_success() {
    for operation in MINTING {
        let listener = Listener::start(|_| {
            let body = Answer::minted(200, NEW_SECRET).body;
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n";
            Script::new([head.as_bytes(), &body].concat(), Then::Close)
        })
        .await;
        let client = bearing(listener.base_url()).build().unwrap();
        let token = mint(&client, operation).await.unwrap();
        assert_eq!(token.secret().expose_secret(), NEW_SECRET);
    }
}

#[tokio::test]
async fn row_04_half_a_document_is_kept_raw() {
    let half = format!(r#"{{"id":"{ID}","secret":"{NEW_SECRET}"#);
    let length = half.len();
    let not_json = Reason::NotJson {
        content_type: Some("application/json".to_owned()),
        length,
    };
    assert_eq!(
        kept_raw(Answer::json(200, half)).await,
        [not_json.clone(), not_json]
    );
}

#[tokio::test]
async fn row_07_a_secret_that_is_none_is_kept_raw_and_replaces_nothing() {
    for (json, text) in [
        (r#""""#, ""),
        ("null", ""),
        (r#""   ""#, "   "),
        (r#""a\u0000b""#, "a\0b"),
        (r#""a\nb""#, "a\nb"),
        (
            &format!("{:?}", "s".repeat(TOO_LONG)),
            &*"s".repeat(TOO_LONG),
        ),
    ] {
        let body = format!(r#"{{"id":"{ID}","secret":{json}}}"#);
        let reasons = kept_raw(Answer::json(200, body)).await;
        assert_eq!(reasons, [unusable_secret(text), unusable_secret(text)]);
    }
    let missing = format!(r#"{{"id":"{ID}"}}"#);
    let reasons = kept_raw(Answer::json(201, missing)).await;
    assert_eq!(reasons, [unusable_secret(""), unusable_secret("")]);
    let number = format!(r#"{{"id":"{ID}","secret":7}}"#);
    let [create, rotate] = kept_raw(Answer::json(201, number)).await;
    assert!(
        matches!(
            create,
            Reason::NotTheDocument {
                field: Some("secret"),
                line: 1,
                ..
            }
        ),
        "{create:?}"
    );
    assert_eq!(create, rotate);
}

#[tokio::test]
async fn row_07_a_newline_at_the_end_is_not_taken_off_a_reply() {
    let secret = format!(r#"{{"id":"{ID}","secret":"{NEW_SECRET}\n"}}"#);
    let control = unusable_secret("a\nb");
    let reasons = kept_raw(Answer::json(200, secret)).await;
    assert_eq!(reasons, [control.clone(), control]);
    let control =
        Reason::UnusableCredential(ApiToken::new("a\nb", Secret::from(SECRET)).unwrap_err());
    let id = format!(r#"{{"id":"{ID}\r\n","secret":"{NEW_SECRET}"}}"#);
    let reasons = kept_raw(Answer::json(200, id.clone())).await;
    assert_eq!(reasons, [control.clone(), control.clone()]);
    let mock = Mock::always(Answer::json(200, id));
    let client = bearing(mock.base_url()).build().unwrap();
    let error = client.get_api_token().await.unwrap_err();
    assert_eq!(error.failure().reason(), &control);
}

#[tokio::test]
async fn row_08_a_rotate_for_another_id_is_not_taken_over() {
    let body = format!(r#"{{"id":"another","secret":"{NEW_SECRET}"}}"#);
    let mock = Mock::after_login(Answer::json(200, body.clone()));
    let client = logging_in(mock.base_url()).build().unwrap();
    let error = client.rotate_api_token_secret().await.unwrap_err();
    let Reason::IdMismatch { expected, received } = error.failure().reason() else {
        panic!("{error:?}");
    };
    assert_eq!((expected.as_str(), received.as_str()), (ID, "another"));
    assert_eq!(error.raw_reply().unwrap().expose_secret(), body.as_bytes());
    assert!(!format!("{error} {error:?}").contains(NEW_SECRET));
    client.login().await.unwrap();
    assert!(mock.seen().last().unwrap().body.contains(SECRET));
}

#[tokio::test]
async fn row_09_the_same_secret_again_is_accepted() {
    let mock = Mock::after_login(Answer::minted(200, SECRET));
    let client = logging_in(mock.base_url()).build().unwrap();
    let token = client.rotate_api_token_secret().await.unwrap();
    assert_eq!(token.secret().expose_secret(), SECRET);
    client.login().await.unwrap();
    assert!(mock.seen().last().unwrap().body.contains(SECRET));
}

#[tokio::test]
async fn row_10_any_success_with_a_document_is_one_and_without_is_none() {
    for status in [200, 201, 202, 203] {
        for operation in MINTING {
            let mock = Mock::always(Answer::minted(status, NEW_SECRET));
            let client = bearing(mock.base_url()).build().unwrap();
            let token = mint(&client, operation).await.unwrap();
            assert_eq!(token.secret().expose_secret(), NEW_SECRET);
        }
    }
    for status in [200, 201, 204, 205] {
        let reasons = kept_raw(Answer::empty(status)).await;
        assert_eq!(reasons, [Reason::NoBody, Reason::NoBody]);
    }
}

#[tokio::test]
async fn row_19_unknown_fields_and_their_order_do_not_matter() {
    let body = r#"{"x":[{"y":null}],"secret":"a-new-secret","owner":{"id":"no"},"id":"an-id"}"#;
    let mock = Mock::always(Answer::json(200, body));
    let client = bearing(mock.base_url()).build().unwrap();
    for operation in MINTING {
        let token = mint(&client, operation).await.unwrap();
        assert_eq!(token.secret().expose_secret(), NEW_SECRET);
        assert_eq!(token.id().as_str(), ID);
    }
    assert_eq!(client.get_api_token().await.unwrap().as_str(), ID);
}

#[tokio::test]
async fn row_19_nesting_without_end_is_passed_over() {
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    let body = format!(r#"{{"x":{deep},"id":"{ID}","secret":"{NEW_SECRET}"}}"#);
    let mock = Mock::always(Answer::json(200, body));
    let client = bearing(mock.base_url()).build().unwrap();
    for operation in MINTING {
        let token = mint(&client, operation).await.unwrap();
        assert_eq!(token.secret().expose_secret(), NEW_SECRET);
    }
    mock.answer_from_now_on(Answer::json(500, format!(r#"{{"detail":{deep}}}"#)));
    let error = client.get_api_token().await.unwrap_err();
    assert_eq!(variant(&error), "Unavailable");
}

#[tokio::test]
async fn row_20_a_secret_that_comes_twice_is_kept_raw() {
    let body = format!(r#"{{"id":"{ID}","secret":"{NEW_SECRET}","secret":"{SECRET}"}}"#);
    let [create, rotate] = kept_raw(Answer::json(200, body)).await;
    assert!(
        matches!(
            create,
            Reason::NotTheDocument {
                field: Some("secret"),
                ..
            }
        ),
        "{create:?}"
    );
    assert_eq!(create, rotate);
}

#[tokio::test]
async fn row_21_one_byte_order_mark_is_passed_over() {
    let body = [b"\xef\xbb\xbf", &*Answer::minted(200, NEW_SECRET).body].concat();
    let mock = Mock::always(Answer::json(200, body));
    let client = bearing(mock.base_url()).build().unwrap();
    for operation in MINTING {
        let token = mint(&client, operation).await.unwrap();
        assert_eq!(token.secret().expose_secret(), NEW_SECRET);
    }
}

#[tokio::test]
async fn row_21_other_encodings_and_trailing_garbage_are_kept_raw() {
    let document = Answer::minted(200, NEW_SECRET).body;
    let text = String::from_utf8(document.clone()).unwrap();
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let invalid = [br#"{"id":"an-id","secret":"a"#, &b"\xff\xfe"[..], br#""}"#].concat();
    for body in [
        utf_16,
        invalid,
        [&document[..], b" trailing"].concat(),
        [&document[..], &document].concat(),
    ] {
        let [create, rotate] = kept_raw(Answer::json(200, body)).await;
        let is_decoding = |reason: &Reason| {
            matches!(
                reason,
                Reason::NotJson { .. } | Reason::NotTheDocument { .. }
            )
        };
        assert!(is_decoding(&create), "{create:?}");
        assert_eq!(create, rotate);
    }
}

#[tokio::test]
async fn row_22_the_content_type_of_json_does_not_matter() {
    for answer in [
        Answer::empty(200),
        Answer::html(200, ""),
        Answer::empty(200).header("content-type", "text/plain"),
    ] {
        let body = Answer::minted(200, NEW_SECRET).body;
        let mock = Mock::always(Answer { body, ..answer });
        let client = bearing(mock.base_url()).build().unwrap();
        for operation in MINTING {
            let token = mint(&client, operation).await.unwrap();
            assert_eq!(token.secret().expose_secret(), NEW_SECRET);
        }
    }
}

#[tokio::test]
async fn row_31_an_encoding_that_was_not_asked_for_is_refused_unread() {
    for encoding in ["gzip", "br", "identity, gzip"] {
        let answer = Answer::minted(200, NEW_SECRET).header("content-encoding", encoding);
        let reasons = kept_raw(answer).await;
        assert_eq!(reasons, [Reason::Encoded, Reason::Encoded], "{encoding}");
    }
    let body = format!(r#"{{"id":"{ID}"}}"#);
    let mock = Mock::always(Answer::json(200, body).header("content-encoding", "gzip"));
    let client = bearing(mock.base_url()).build().unwrap();
    let error = client.get_api_token().await.unwrap_err();
    assert_eq!(error.failure().reason(), &Reason::Encoded);
    assert!(error.raw_reply().is_none(), "an id is no secret to save");
}
