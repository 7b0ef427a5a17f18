//! Invalid replies to a login, row by row of the fault table.

use std::time::{Duration, SystemTime};

use pollination_auth::{AccessToken, Error, Operation, Reason};

use crate::support::{ACCESS_TOKEN, Answer, ManualClock, Mock, SECRET, logging_in, variant};

/// The lifetime if none is stated.
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// The longest lifetime that is believed.
const LONGEST_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

fn epoch_plus(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Logs in with this reply on a stopped clock; returns the token and its lifetime.
async fn login(answer: Answer) -> Result<(AccessToken, Duration), Error> {
    let mock = Mock::start(move |seen| match seen.is(Operation::Login) {
        true => answer.clone(),
        false => Answer::to(seen),
    });
    let start = epoch_plus(1_700_000_000);
    let client = logging_in(mock.base_url()).clock(ManualClock::at(start));
    let client = client.build().unwrap();
    let result = client.login().await;
    match &result {
        Ok(_) => assert_eq!(client.get_api_token().await.unwrap().as_str(), "an-id"),
        Err(error) => {
            // An unusable token is not used, and there is one request for it.
            assert_eq!(variant(error), "UnusableReply");
            assert_eq!(mock.seen().len(), 1);
            assert!(!error.is_retryable());
            assert!(error.raw_reply().is_none());
            let error = client.get_api_token().await.unwrap_err();
            assert_eq!(error.operation(), Operation::Login);
            assert_eq!(mock.count(Operation::GetApiToken), 0);
        }
    }
    let token = result?;
    let lifetime = token.expires_at().unwrap().duration_since(start).unwrap();
    Ok((token, lifetime))
}

async fn reason(answer: Answer) -> Reason {
    let error = login(answer).await.map(drop).unwrap_err();
    error.failure().reason().clone()
}

fn reply(access_token: &str, token_type: &str, expires_in: &str) -> Answer {
    Answer::json(
        202,
        format!(
            r#"{{"access_token":{access_token},"token_type":{token_type},"expires_in":{expires_in}}}"#
        ),
    )
}

fn living(expires_in: &str) -> Answer {
    reply(&format!("{ACCESS_TOKEN:?}"), r#""Bearer""#, expires_in)
}

/// JWTs by their claims: the payload in base64url, in front of a signature that nobody checks.
const JWT_OF_120_SECONDS: &str = "e30.eyJpYXQiOjEwMCwiZXhwIjoyMjB9.c2ln";
const JWT_THAT_ENDS_BEFORE_IT_BEGINS: &str = "e30.eyJpYXQiOjEwMCwiZXhwIjo1MH0.c2ln";

/// The time at which the JWTs were issued, by the clock of a service.
const AT_ISSUE: &str = "Thu, 01 Jan 1970 00:01:40 GMT";

fn jwt(token: &str, expires_in: &str) -> Answer {
    reply(&format!("{token:?}"), r#""Bearer""#, expires_in).header("date", AT_ISSUE)
}

#[tokio::test]
async fn row_68_a_token_that_was_issued_earlier_expires_when_its_remaining_lifetime_ends() {
    for (date, expires_in, left) in [
        ("Thu, 01 Jan 1970 00:02:40 GMT", "3600", 60),
        ("Thu, 01 Jan 1970 00:03:39 GMT", "null", 1),
        ("Thu, 01 Jan 1970 00:02:40 GMT", "30", 30),
        // By a clock that is behind, it would be used for too long.
        ("Thu, 01 Jan 1970 00:00:00 GMT", "3600", 120),
        ("Thursday", "3600", 120),
    ] {
        let answer = Answer {
            headers: vec![("date".to_owned(), date.to_owned())],
            ..jwt(JWT_OF_120_SECONDS, expires_in)
        };
        let (_, lifetime) = login(answer).await.unwrap();
        assert_eq!(lifetime, Duration::from_secs(left), "{date} {expires_in}");
    }
}

#[tokio::test]
async fn row_68_a_token_that_has_expired_by_the_services_clock_is_refused() {
    for date in [
        "Thu, 01 Jan 1970 00:03:40 GMT",
        "Fri, 02 Jan 1970 00:00:00 GMT",
    ] {
        let answer = Answer {
            headers: vec![("date".to_owned(), date.to_owned())],
            ..jwt(JWT_OF_120_SECONDS, "3600")
        };
        assert_eq!(reason(answer).await, Reason::Stale, "{date}");
    }
}

#[tokio::test]
async fn row_10_any_success_with_a_valid_body_is_a_login() {
    for status in [200, 201, 202, 203] {
        let answer = Answer {
            status,
            ..living("3600")
        };
        let (token, lifetime) = login(answer).await.unwrap();
        assert_eq!(token.expose_secret(), ACCESS_TOKEN);
        assert_eq!(lifetime, Duration::from_secs(3600), "{status}");
    }
    for status in [200, 202, 204, 205] {
        assert_eq!(
            reason(Answer::empty(status)).await,
            Reason::NoBody,
            "{status}"
        );
    }
}

#[tokio::test]
async fn row_11_a_lifetime_of_nothing_is_refused() {
    for expires_in in [
        "0",
        "-1",
        "-9223372036854775808",
        "0.9",
        r#""0""#,
        r#""-5""#,
    ] {
        let reason = reason(living(expires_in)).await;
        assert_eq!(reason, Reason::InvalidLifetime, "{expires_in}");
    }
}

#[tokio::test]
async fn row_12_a_huge_lifetime_is_clamped() {
    for expires_in in [
        "9223372036854775807",
        "18446744073709551615",
        "1e18",
        "1e300",
    ] {
        let (_, lifetime) = login(living(expires_in)).await.unwrap();
        assert_eq!(lifetime, LONGEST_LIFETIME, "{expires_in}");
    }
}

#[tokio::test]
async fn row_13_a_number_in_any_honest_form_is_read_in_whole_seconds() {
    for expires_in in [
        "3600",
        "3600.0",
        "3600.9",
        r#""3600""#,
        r#""3600.9""#,
        "3.6e3",
    ] {
        let (_, lifetime) = login(living(expires_in)).await.unwrap();
        assert_eq!(lifetime, Duration::from_secs(3600), "{expires_in}");
    }
}

#[tokio::test]
async fn row_13_what_is_no_number_of_seconds_is_refused() {
    let not_json = reason(living("NaN")).await;
    assert!(matches!(not_json, Reason::NotJson { .. }), "{not_json:?}");
    for expires_in in ["1e400", r#""abc""#, "true", "[]", r#""NaN""#, r#""""#] {
        let reason = reason(living(expires_in)).await;
        assert!(
            matches!(
                reason,
                Reason::NotTheDocument {
                    field: Some("expires_in"),
                    ..
                }
            ),
            "{expires_in}: {reason:?}"
        );
    }
}

#[tokio::test]
async fn row_14_an_unstated_lifetime_is_short_and_one_in_the_jwt_is_used() {
    let missing = |token| {
        Answer::json(
            202,
            format!(r#"{{"access_token":"{token}","token_type":"Bearer"}}"#),
        )
        .header("date", AT_ISSUE)
    };
    for (answer, expected) in [
        (living("null"), UNKNOWN_LIFETIME),
        (missing(ACCESS_TOKEN), UNKNOWN_LIFETIME),
        (jwt(JWT_OF_120_SECONDS, "null"), Duration::from_secs(120)),
        (missing(JWT_OF_120_SECONDS), Duration::from_secs(120)),
    ] {
        let (_, lifetime) = login(answer).await.unwrap();
        assert_eq!(lifetime, expected);
    }
}

#[tokio::test]
async fn row_16_the_shorter_lifetime_of_reply_and_jwt_holds() {
    for (expires_in, expected) in [("3600", 120), ("120", 120), ("60", 60)] {
        let (_, lifetime) = login(jwt(JWT_OF_120_SECONDS, expires_in)).await.unwrap();
        assert_eq!(lifetime, Duration::from_secs(expected));
    }
    let reason = reason(jwt(JWT_THAT_ENDS_BEFORE_IT_BEGINS, "3600")).await;
    assert_eq!(reason, Reason::InvalidLifetime);
}

#[tokio::test]
async fn row_17_the_type_of_the_token_is_read_in_any_case_and_sent_in_one() {
    for token_type in ["Bearer", "bearer", "BEARER", "Bearer ", " bEaReR"] {
        let answer = reply(
            &format!("{ACCESS_TOKEN:?}"),
            &format!("{token_type:?}"),
            "60",
        );
        let mock = Mock::start(move |seen| match seen.is(Operation::Login) {
            true => answer.clone(),
            false => Answer::to(seen),
        });
        let client = logging_in(mock.base_url()).build().unwrap();
        client.get_api_token().await.unwrap();
        let seen = mock.seen();
        let sent = seen[1].header("authorization");
        assert_eq!(sent, [format!("Bearer {ACCESS_TOKEN}")], "{token_type}");
    }
    for token_type in ["mac", "DPoP", "", "Bearer x"] {
        let answer = reply(
            &format!("{ACCESS_TOKEN:?}"),
            &format!("{token_type:?}"),
            "60",
        );
        assert_eq!(reason(answer).await, Reason::UnsupportedTokenType);
    }
}

#[tokio::test]
async fn row_18_what_no_header_can_carry_is_refused_and_not_shown() {
    for (json, text) in [
        (r#""planted\nx: y""#, "planted\nx: y"),
        (r#""planted\r\nx: y""#, "planted\r\nx: y"),
        (r#""planted\u0000""#, "planted\0"),
        (r#""planted planted""#, "planted planted"),
        (r#""planted,planted""#, "planted,planted"),
        (r#""planté""#, "planté"),
        (r#""""#, ""),
        (&format!("{:?}", "p".repeat(20_000)), &*"p".repeat(20_000)),
    ] {
        let error = login(reply(json, r#""Bearer""#, "60"))
            .await
            .map(drop)
            .unwrap_err();
        let expected = AccessToken::new(text).unwrap_err();
        let expected = Reason::UnusableCredential(expected);
        assert_eq!(error.failure().reason(), &expected);
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("plant") && !shown.contains("ppp"),
            "{shown}"
        );
    }
    let megabyte = format!("{:?}", "p".repeat(1_000_000));
    let reason = reason(reply(&megabyte, r#""Bearer""#, "60")).await;
    assert_eq!(reason, Reason::TooLarge);
}

#[tokio::test]
async fn row_19_unknown_fields_and_their_order_do_not_matter() {
    let body = format!(
        r#"{{"scope":["a"],"expires_in":60,"id_token":{{"x":1}},"token_type":"Bearer","access_token":"{ACCESS_TOKEN}"}}"#
    );
    let (token, lifetime) = login(Answer::json(202, body)).await.unwrap();
    assert_eq!(token.expose_secret(), ACCESS_TOKEN);
    assert_eq!(lifetime, Duration::from_secs(60));
}

#[tokio::test]
async fn row_20_a_field_that_comes_twice_is_refused() {
    for (name, twice) in [
        (
            "access_token",
            r#"{"access_token":"a","access_token":"b","token_type":"Bearer","expires_in":60}"#,
        ),
        (
            "expires_in",
            r#"{"access_token":"a","token_type":"Bearer","expires_in":60,"expires_in":70}"#,
        ),
        (
            "token_type",
            r#"{"access_token":"a","token_type":"mac","token_type":"Bearer","expires_in":60}"#,
        ),
    ] {
        let reason = reason(Answer::json(202, twice)).await;
        assert!(
            matches!(reason, Reason::NotTheDocument { field: Some(field), .. } if field == name),
            "{reason:?}"
        );
    }
}

#[tokio::test]
async fn row_21_one_byte_order_mark_is_passed_over_and_nothing_else() {
    let body = living("60").body;
    let marked = [b"\xef\xbb\xbf", &*body].concat();
    let (token, _) = login(Answer::json(202, marked.clone())).await.unwrap();
    assert_eq!(token.expose_secret(), ACCESS_TOKEN);
    for wrong in [
        [b"\xef\xbb\xbf", &*marked].concat(),
        [&*body, b"}"].concat(),
        [b"\xff\xfe", &*body].concat(),
    ] {
        let reason = reason(Answer::json(202, wrong)).await;
        assert!(matches!(reason, Reason::NotJson { .. }), "{reason:?}");
    }
}

#[tokio::test]
async fn row_22_the_content_type_of_json_does_not_matter() {
    let body = living("60").body;
    for answer in [Answer::empty(202), Answer::html(202, "")] {
        let body = body.clone();
        let (token, _) = login(Answer { body, ..answer }).await.unwrap();
        assert_eq!(token.expose_secret(), ACCESS_TOKEN);
    }
}

#[tokio::test]
async fn row_31_an_encoding_that_was_not_asked_for_is_refused() {
    let answer = living("60").header("content-encoding", "gzip");
    assert_eq!(reason(answer).await, Reason::Encoded);
    let (token, _) = login(living("60").header("content-encoding", "identity"))
        .await
        .unwrap();
    assert_eq!(token.expose_secret(), ACCESS_TOKEN);
}

#[tokio::test]
async fn row_28_the_secret_is_masked_where_a_violation_echoes_it() {
    let body = format!(
        r#"{{"detail":[{{"loc":["body","{SECRET}"],"msg":"not {SECRET}","type":"{SECRET}"}}]}}"#
    );
    let mock = Mock::always(Answer::json(422, body));
    let client = logging_in(mock.base_url()).build().unwrap();
    let error = client.login().await.unwrap_err();
    assert_eq!(error.violations()[0].message(), "not [REDACTED]");
    assert_eq!(error.detail(), Some("not [REDACTED]"));
    assert_eq!(
        error.violations()[0].to_string(),
        "body.[REDACTED] ([REDACTED])"
    );
}

#[tokio::test]
async fn a_field_that_cannot_be_used_is_named_and_its_value_is_not() {
    for (name, body) in [
        (
            "expires_in",
            r#"{"access_token":"a","token_type":"Bearer","expires_in":"planted"}"#,
        ),
        (
            "expires_in",
            r#"{"access_token":"a","token_type":"Bearer","expires_in":0}"#,
        ),
        (
            "token_type",
            r#"{"access_token":"a","token_type":"planted","expires_in":60}"#,
        ),
        (
            "token_type",
            r#"{"access_token":"planted","expires_in":60}"#,
        ),
        (
            "access_token",
            r#"{"access_token":"planted,","token_type":"Bearer","expires_in":60}"#,
        ),
        (
            "access_token",
            r#"{"access_token":["planted"],"token_type":"Bearer"}"#,
        ),
    ] {
        let error = login(Answer::json(202, body)).await.unwrap_err();
        assert_eq!(error.failure().field(), Some(name), "{body}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("planted"), "{shown}");
        let words = name.replace('_', " ");
        assert!(shown.contains(name) || shown.contains(&words), "{shown}");
    }
}
