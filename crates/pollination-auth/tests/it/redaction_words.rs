//! Every secret of a client in a server's error text, ids and headers, not only that of the call.

use pollination_auth::{ApiToken, Client, Error, Operation, Reason, Secret};

use crate::listener::Listener;
use crate::support::{Answer, ID, Seen, logging_in};

/// Secrets with every kind of character that an encoding changes.
const HELD: &str = r#"held"Secret\7%41/é😀"#;
const CREATED: &str = r#"created'Secret\u0041&%"/x"#;
/// The special characters that an access token can have.
const BEARER: &str = "Bearer-Secret.+/~_9==";

const SECRETS: [&str; 3] = [HELD, CREATED, BEARER];

/// An echo of a secret, in one encoding.
type Echo = fn(&str) -> String;

fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn ascii(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect()
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

const ECHOES: [Echo; 3] = [json, ascii, percent];

/// All texts that an error can return.
fn all_of(error: &Error) -> String {
    let failure = error.failure();
    let mut shown = format!("{error} {error:?} {:?} ", error.detail());
    for violation in error.violations() {
        shown += &format!("{violation} {violation:?} {} ", violation.message());
    }
    shown + &format!("{:?} {:?}", failure.request_id(), failure.redirect_origin())
}

fn shows_none(error: &Error) -> String {
    let shown = all_of(error);
    for part in ["held", "created", "Secret", "secret"] {
        assert!(!shown.contains(part), "{part} in {shown}");
    }
    shown
}

/// Answers a login and a rotate or create, and then every request with the given reply.
async fn client_with_secrets(
    answer: impl Fn(&Seen) -> Option<Answer> + Send + Sync + 'static,
) -> (Client, Listener) {
    let server = Listener::start(move |seen| match answer(seen) {
        Some(answer) => answer,
        None if seen.is(Operation::Login) => Answer::login(BEARER),
        None => Answer::json(
            201,
            format!(r#"{{"id":"{ID}","secret":"{}"}}"#, json(CREATED)),
        ),
    })
    .await;
    let client = logging_in(server.base_url())
        .api_token(ApiToken::new(ID, Secret::from(HELD)).unwrap())
        .build()
        .unwrap();
    client.create_api_token().await.unwrap();
    (client, server)
}

#[tokio::test]
async fn row_81_every_secret_of_the_client_is_masked_in_a_servers_words() {
    for secret in SECRETS {
        for echo in ECHOES {
            let echoed = echo(secret);
            let bodies = [
                format!(r#"{{"detail":"you said {echoed}."}}"#),
                format!(r#"{{"detail":{{"{echoed}":["{echoed}"]}}}}"#),
                format!(
                    r#"{{"detail":[{{"loc":["{echoed}"],"msg":"{echoed}","type":"{echoed}"}}]}}"#
                ),
                format!(r#"{{"other":"{echoed}"}}"#),
                format!("you said {echoed}"),
            ];
            for body in bodies {
                let word = percent(secret);
                let reply = Answer::json(422, body)
                    .header("x-request-id", &format!("req-{word}"))
                    .header("location", "/");
                let (client, _server) = client_with_secrets(move |seen| {
                    seen.is(Operation::GetApiToken).then(|| reply.clone())
                })
                .await;
                let error = client.get_api_token().await.unwrap_err();
                let shown = shows_none(&error);
                assert!(error.detail().unwrap().contains("[REDACTED]"), "{shown}");
                let request_id = error.failure().request_id();
                assert_eq!(request_id, Some("req-[REDACTED]"), "{shown}");
            }
        }
    }
}

#[tokio::test]
async fn row_81_every_secret_of_the_client_is_masked_in_the_origin_of_a_redirect() {
    let (client, _server) = client_with_secrets(|seen| {
        let location = format!("https://{}.example/{}", percent(BEARER), percent(HELD));
        let moved = Answer::empty(307).header("location", &location);
        seen.is(Operation::GetApiToken).then_some(moved)
    })
    .await;
    shows_none(&client.get_api_token().await.unwrap_err());
}

#[tokio::test]
async fn row_81_a_secret_in_the_place_of_an_id_is_masked() {
    for id in [HELD, CREATED, BEARER, "the-new-secret"] {
        let id = json(id);
        let rotated = format!(r#"{{"id":"{id}","secret":"the-new-secret"}}"#);
        let (client, _server) = client_with_secrets(move |seen| {
            let rotates = seen.is(Operation::RotateApiTokenSecret);
            rotates.then(|| Answer::json(200, rotated.clone()))
        })
        .await;
        let error = client.rotate_api_token_secret().await.unwrap_err();
        let Reason::IdMismatch { expected, received } = error.failure().reason() else {
            panic!("{error:?}");
        };
        assert_eq!((expected.as_str(), received.as_str()), (ID, "[REDACTED]"));
        let shown = format!("{error} {error:?}");
        for part in ["held", "created", "Bearer", "the-new"] {
            assert!(!shown.contains(part), "{part} in {shown}");
        }
    }
}

/// The caller gets such an id as a value, and prints it.
#[tokio::test]
async fn row_81_a_secret_within_an_id_that_is_returned_is_masked() {
    for (secret, shown) in [
        (HELD, "x-[REDACTED]-y"),
        (BEARER, "x-[REDACTED]-y"),
        ("the-new-secret", "x-[REDACTED]-y"),
        ("other", "x-other-y"),
    ] {
        let id = json(&format!("x-{secret}-y"));
        let answer = format!(r#"{{"id":"{id}","secret":"the-new-secret"}}"#);
        let (client, _server) = client_with_secrets(move |seen| {
            let has_id = seen.is(Operation::GetApiToken) || seen.is(Operation::CreateApiToken);
            has_id.then(|| Answer::json(200, answer.clone()))
        })
        .await;
        let created = client.create_api_token().await.unwrap();
        assert_eq!(created.id().as_str(), shown);
        assert_eq!(client.get_api_token().await.unwrap().as_str(), shown);
    }
}

#[tokio::test]
async fn row_81_a_secret_in_a_reply_that_could_not_be_used_is_masked_from_then_on() {
    let (client, _server) = client_with_secrets(|seen| {
        if seen.is(Operation::RotateApiTokenSecret) {
            return Some(Answer::json(200, r#"{"secret":"the-new-secret"}"#));
        }
        let body = r#"{"detail":"the-new-secret"}"#;
        seen.is(Operation::GetApiToken)
            .then(|| Answer::json(400, body))
    })
    .await;
    client.rotate_api_token_secret().await.unwrap_err();
    let error = client.get_api_token().await.unwrap_err();
    assert_eq!(error.detail(), Some("[REDACTED]"));
}
