//! Every status that is not a success, for every operation: which error, with which facts.
//!
//! Replies of a success that can't be used are in `replies`; redirects also in `redirects`.

use pollination_auth::{Operation, Reason};
use serde_json::Value;

use crate::support::{
    Answer, MINTING, Mock, OPERATIONS, SECRET, WITH_BEARER, at_once, bearing, call, in_turn,
    logging_in, single, variant,
};

const CONTRACT: &str = include_str!("../../../../openapi.json");

const AMBIGUOUS: &str = "Ambiguous";
const FORBIDDEN: &str = "Forbidden";
const INVALID: &str = "InvalidRequest";
const LIMITED: &str = "RateLimited";
const NOT_FOUND: &str = "NotFound";
const REDIRECTED: &str = "Redirected";
const REJECTED: &str = "Rejected";
const UNAUTHORIZED: &str = "Unauthorized";
const UNAVAILABLE: &str = "Unavailable";

/// A redirect that changes the method may hide that a create or rotate happened.
const MOVED: [&str; 5] = [REDIRECTED, REDIRECTED, AMBIGUOUS, AMBIGUOUS, REDIRECTED];
/// A proxy can answer this way after the service has acted.
const FAILED: [&str; 5] = [UNAVAILABLE, UNAVAILABLE, AMBIGUOUS, AMBIGUOUS, UNAVAILABLE];

/// The variant for each operation, in the order of `OPERATIONS`.
const TABLE: [(u16, [&str; 5]); 29] = [
    (300, MOVED),
    (301, MOVED),
    (302, MOVED),
    (303, MOVED),
    (307, [REDIRECTED; 5]),
    (308, [REDIRECTED; 5]),
    (400, [REJECTED; 5]),
    (
        401,
        [
            "CredentialsRejected",
            UNAUTHORIZED,
            UNAUTHORIZED,
            UNAUTHORIZED,
            UNAUTHORIZED,
        ],
    ),
    (402, [REJECTED; 5]),
    (
        403,
        [
            "CredentialsRejected",
            FORBIDDEN,
            FORBIDDEN,
            FORBIDDEN,
            FORBIDDEN,
        ],
    ),
    (404, [REJECTED, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND]),
    (405, [REJECTED; 5]),
    (407, [REJECTED; 5]),
    (408, FAILED),
    (409, [REJECTED; 5]),
    (410, [REJECTED; 5]),
    (418, [REJECTED; 5]),
    (422, [INVALID; 5]),
    (425, FAILED),
    (429, [LIMITED; 5]),
    (431, [REJECTED; 5]),
    (451, [REJECTED; 5]),
    (500, FAILED),
    (501, [REJECTED, REJECTED, AMBIGUOUS, AMBIGUOUS, REJECTED]),
    (502, FAILED),
    (503, FAILED),
    (504, FAILED),
    (530, FAILED),
    (599, FAILED),
];

/// Error text that no error may print by itself.
const WORDS: &str = "the words of the server";

async fn every_status_has_its_error(operation: Operation) {
    let position = OPERATIONS.iter().position(|one| *one == operation).unwrap();
    let mock = Mock::always(Answer::empty(404));
    let client = single(operation, mock.base_url()).build().unwrap();
    for (status, variants) in TABLE {
        let body = format!(r#"{{"detail":"{WORDS}"}}"#);
        mock.answer_from_now_on(Answer::json(status, body).header("x-request-id", "req-7"));
        let error = call(&client, operation).await.unwrap_err();
        assert_eq!(variant(&error), variants[position], "{operation} {status}");
        assert_eq!(error.status(), Some(status));
        assert_eq!(error.operation(), operation);
        assert_eq!(error.failure().attempts(), 1);
        let reason = match status {
            407 => Reason::ProxyAuthentication,
            _ => Reason::Status,
        };
        assert_eq!(error.failure().reason(), &reason);
        assert_eq!(error.failure().request_id(), Some("req-7"));
        assert_eq!(
            error.is_retryable(),
            [UNAVAILABLE, LIMITED].contains(&variants[position]),
            "{operation} {status}"
        );
        assert_eq!(error.detail(), Some(WORDS), "{operation} {status}");
        // Only a success can contain a secret that has to be saved.
        assert!(error.raw_reply().is_none(), "{operation} {status}");
        let shown = format!("{error} {error:?} {error:#?} {}", error.failure());
        assert!(!shown.contains(WORDS), "{shown}");
        let facts = format!("status {status}, request id req-7");
        assert!(error.to_string().contains(&facts), "{error}");
    }
    assert_eq!(
        mock.seen().len(),
        TABLE.len(),
        "one request for each status"
    );
}

#[tokio::test]
async fn every_status_of_login_has_its_error() {
    every_status_has_its_error(Operation::Login).await;
}

#[tokio::test]
async fn every_status_of_get_has_its_error() {
    every_status_has_its_error(Operation::GetApiToken).await;
}

#[tokio::test]
async fn every_status_of_create_has_its_error() {
    every_status_has_its_error(Operation::CreateApiToken).await;
}

#[tokio::test]
async fn every_status_of_rotate_has_its_error() {
    every_status_has_its_error(Operation::RotateApiTokenSecret).await;
}

#[tokio::test]
async fn every_status_of_delete_has_its_error() {
    every_status_has_its_error(Operation::DeleteApiToken).await;
}

#[test]
fn the_table_has_every_documented_refusal() {
    let contract: Value = serde_json::from_str(CONTRACT).unwrap();
    let paths = contract["paths"].as_object().unwrap().values();
    let operations: Vec<_> = paths
        .flat_map(|path| path.as_object().unwrap().values())
        .collect();
    // A later contract has more.
    assert!(operations.len() >= OPERATIONS.len());
    for operation in operations {
        for status in operation["responses"].as_object().unwrap().keys() {
            let status: u16 = status.parse().unwrap();
            let known = TABLE.iter().any(|(listed, _)| *listed == status);
            assert!((200..300).contains(&status) || known, "{status}");
        }
    }
}

#[tokio::test]
async fn the_body_does_not_decide_which_error_it_is() {
    for body in ["", "null", "[]", "<html>", r#"{"detail":7}"#, "{\"detail\""] {
        let mock = Mock::always(Answer::html(403, body));
        let client = bearing(mock.base_url()).build().unwrap();
        for operation in WITH_BEARER {
            let error = call(&client, operation).await.unwrap_err();
            assert_eq!(variant(&error), FORBIDDEN, "{body:?}");
        }
    }
}

/// Only such a refusal can be believed to be the service's own.
#[tokio::test]
async fn an_error_says_whether_its_body_was_json() {
    for (answer, expected) in [
        (Answer::json(409, r#"{"detail":"no"}"#), true),
        (Answer::html(409, "<html>a proxy</html>"), false),
        (Answer::empty(409), false),
    ] {
        let mock = Mock::always(answer);
        let client = bearing(mock.base_url()).build().unwrap();
        let error = client.create_api_token().await.unwrap_err();
        assert_eq!(error.failure().has_json_error(), expected, "{error:?}");
    }
}

/// Answers one call of each operation with each status, and expects this many requests.
async fn expect_attempts(statuses: &[u16], attempts: impl Fn(Operation) -> usize) {
    for operation in OPERATIONS {
        let mock = Mock::always(Answer::empty(404));
        let client = single(operation, mock.base_url()).retry(at_once());
        let client = client.build().unwrap();
        let mut seen = 0;
        for status in statuses {
            mock.answer_from_now_on(Answer::empty(*status));
            let error = call(&client, operation).await.unwrap_err();
            let attempts = attempts(operation);
            assert_eq!(
                error.failure().attempts() as usize,
                attempts,
                "{operation} {status}"
            );
            seen += attempts;
            assert_eq!(mock.count(operation), seen, "{operation} {status}");
        }
    }
}

#[tokio::test]
async fn table_5_6_an_outage_is_met_with_three_attempts_unless_a_secret_may_have_been_minted() {
    let outages = [500, 502, 503, 504, 408, 425, 429];
    expect_attempts(
        &outages,
        |operation| {
            if MINTING.contains(&operation) { 1 } else { 3 }
        },
    )
    .await;
}

#[tokio::test]
async fn table_5_6_a_refusal_or_a_redirect_is_not_repeated() {
    let refusals = [301, 307, 400, 403, 404, 405, 407, 409, 418, 422];
    expect_attempts(&refusals, |_| 1).await;
}

#[tokio::test]
async fn a_service_that_comes_back_is_used() {
    for operation in [
        Operation::Login,
        Operation::GetApiToken,
        Operation::DeleteApiToken,
    ] {
        let answers = [
            Answer::empty(503),
            Answer::empty(502),
            Answer::usual(operation),
        ];
        let mock = Mock::start(in_turn(answers));
        let client = single(operation, mock.base_url()).retry(at_once());
        call(&client.build().unwrap(), operation).await.unwrap();
        assert_eq!(mock.count(operation), 3, "{operation}");
    }
}

#[tokio::test]
async fn row_25_a_401_at_login_is_final_after_one_request() {
    let mock = Mock::always(Answer::json(401, r#"{"detail":"no"}"#));
    let client = logging_in(mock.base_url()).retry(at_once());
    let error = client.build().unwrap().login().await.unwrap_err();
    assert_eq!(variant(&error), "CredentialsRejected");
    assert_eq!(mock.seen().len(), 1);
    assert!(!error.is_retryable());
    assert!(!error.to_string().contains(SECRET), "{error}");
}

#[tokio::test]
async fn row_70_a_403_at_login_refuses_the_credential_after_one_request() {
    let mock = Mock::always(Answer::empty(403));
    let client = logging_in(mock.base_url()).retry(at_once());
    let error = client.build().unwrap().login().await.unwrap_err();
    assert_eq!(variant(&error), "CredentialsRejected");
    assert_eq!(error.status(), Some(403));
    assert_eq!(
        error.to_string(),
        "login: the server did not accept the request, status 403; \
         check the API token's id and secret"
    );
    assert_eq!(mock.seen().len(), 1);
}

#[tokio::test]
async fn row_26_a_401_elsewhere_leads_to_one_fresh_login_and_one_replay() {
    for operation in WITH_BEARER {
        let mock = Mock::after_login(Answer::json(401, r#"{"detail":"no"}"#));
        let client = logging_in(mock.base_url()).retry(at_once());
        let error = call(&client.build().unwrap(), operation).await.unwrap_err();
        assert_eq!(variant(&error), UNAUTHORIZED);
        assert_eq!(error.operation(), operation);
        let expected = [Operation::Login, operation, Operation::Login, operation];
        let seen = mock.seen();
        assert_eq!(seen.len(), expected.len(), "{operation}");
        assert!(seen.iter().zip(expected).all(|(seen, one)| seen.is(one)));
    }
}

#[tokio::test]
async fn row_26_the_replay_after_a_401_carries_the_new_access_token() {
    for operation in WITH_BEARER {
        let answers = [
            Answer::login("the-old-one"),
            Answer::empty(401),
            Answer::login("the-new-one"),
            Answer::usual(operation),
        ];
        let mock = Mock::start(in_turn(answers));
        let client = logging_in(mock.base_url()).build().unwrap();
        call(&client, operation).await.unwrap();
        let seen = mock.seen();
        let bearers: Vec<_> = seen
            .iter()
            .flat_map(|seen| seen.header("authorization"))
            .collect();
        assert_eq!(bearers, ["Bearer the-old-one", "Bearer the-new-one"]);
    }
}

#[tokio::test]
async fn row_26_a_given_access_token_that_is_refused_is_not_sent_twice() {
    for operation in WITH_BEARER {
        let mock = Mock::always(Answer::empty(401));
        let client = bearing(mock.base_url()).retry(at_once());
        let error = call(&client.build().unwrap(), operation).await.unwrap_err();
        assert_eq!(variant(&error), UNAUTHORIZED);
        assert_eq!(mock.seen().len(), 1, "{operation}");
    }
}

#[tokio::test]
async fn row_26_a_403_never_leads_to_another_login() {
    for operation in WITH_BEARER {
        let mock = Mock::after_login(Answer::empty(403));
        let client = logging_in(mock.base_url()).retry(at_once());
        let error = call(&client.build().unwrap(), operation).await.unwrap_err();
        assert_eq!(variant(&error), FORBIDDEN);
        assert_eq!(mock.seen().len(), 2, "{operation}");
    }
}
