//! The body of a login request: parsed, or the validation errors that FastAPI would give.
//!
//! Only the form is checked here. An error says where and what is wrong, and never shows the
//! value.

use http::{HeaderMap, header::CONTENT_TYPE};
use pollination_auth_api::SecretText;
use serde_json::Value;

use crate::body::{Loc, Violation};

/// An id, and a secret if there was one: the contract makes it optional.
pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) secret: Option<SecretText>,
}

pub(crate) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Credentials, Vec<Violation>> {
    if body.is_empty() {
        return Err(vec![missing(vec![whole()])]);
    }
    if !is_json(headers) {
        // A body of another type is never read as JSON, or a form on any web page could log in.
        return Err(vec![not_an_object()]);
    }
    let value: Value =
        serde_json::from_slice(body).map_err(|error| vec![not_json(body, &error)])?;
    let Value::Object(fields) = value else {
        return Err(vec![not_an_object()]);
    };

    let id = match fields.get("id") {
        Some(Value::String(id)) => Ok(id.clone()),
        Some(_) => Err(not_a_string("id")),
        None => Err(missing(loc("id"))),
    };
    let secret = match fields.get("secret") {
        Some(Value::String(secret)) => Ok(Some(SecretText::from(secret.clone()))),
        Some(Value::Null) | None => Ok(None),
        Some(_) => Err(not_a_string("secret")),
    };
    match (id, secret) {
        (Ok(id), Ok(secret)) => Ok(Credentials { id, secret }),
        (id, secret) => Err([id.err(), secret.err()].into_iter().flatten().collect()),
    }
}

/// Where every error of this operation is.
const BODY: &str = "body";

fn whole() -> Loc {
    Loc::Name(BODY.to_owned())
}

fn loc(field: &str) -> Vec<Loc> {
    vec![whole(), Loc::Name(field.to_owned())]
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

fn missing(loc: Vec<Loc>) -> Violation {
    error(loc, "field required", "value_error.missing")
}

fn not_a_string(field: &str) -> Violation {
    error(loc(field), "str type expected", "type_error.str")
}

fn not_an_object() -> Violation {
    error(
        vec![whole()],
        "value is not a valid dict",
        "type_error.dict",
    )
}

/// The error for invalid JSON; only its `loc` contains a number, the offset.
fn not_json(body: &[u8], at: &serde_json::Error) -> Violation {
    let lines_before = at.line().saturating_sub(1);
    let offset = body
        .split_inclusive(|byte| *byte == b'\n')
        .take(lines_before)
        .map(<[u8]>::len)
        .sum::<usize>()
        .saturating_add(at.column().saturating_sub(1));
    error(
        vec![whole(), Loc::Index(offset)],
        "the body is not JSON",
        "value_error.jsondecode",
    )
}

fn error(loc: Vec<Loc>, msg: &'static str, kind: &'static str) -> Violation {
    Violation { loc, msg, kind }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn parse_json(body: &str) -> Result<Credentials, Vec<String>> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        parse(&headers, body.as_bytes()).map_err(shown)
    }

    fn shown(errors: Vec<Violation>) -> Vec<String> {
        let one = |error: &Violation| {
            let step = |step: &Loc| match step {
                Loc::Name(name) => name.clone(),
                Loc::Index(index) => index.to_string(),
            };
            let loc: Vec<_> = error.loc.iter().map(step).collect();
            format!("{} {}", loc.join("."), error.kind)
        };
        errors.iter().map(one).collect()
    }

    #[test]
    fn a_missing_secret_is_well_formed() {
        for body in [r#"{"id":"i"}"#, r#"{"id":"i","secret":null}"#] {
            let credentials = parse_json(body).unwrap_or_else(|errors| panic!("{errors:?}"));
            assert_eq!(
                (credentials.id.as_str(), credentials.secret.is_none()),
                ("i", true)
            );
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        for (body, expected) in [
            ("", &["body value_error.missing"][..]),
            ("{}", &["body.id value_error.missing"]),
            (r#"{"secret":"s"}"#, &["body.id value_error.missing"]),
            (r#"{"id":null}"#, &["body.id type_error.str"]),
            (r#"{"id":5}"#, &["body.id type_error.str"]),
            (r#"{"id":"i","secret":[]}"#, &["body.secret type_error.str"]),
            (
                r#"{"secret":{}}"#,
                &["body.id value_error.missing", "body.secret type_error.str"],
            ),
            (
                r#"{"id":null,"secret":1}"#,
                &["body.id type_error.str", "body.secret type_error.str"],
            ),
            ("[]", &["body type_error.dict"]),
            ("null", &["body type_error.dict"]),
            ("{\n x", &["body.3 value_error.jsondecode"]),
        ] {
            assert_eq!(parse_json(body).err().unwrap(), expected, "{body}");
        }
    }

    #[test]
    fn a_body_of_another_type_is_not_read() {
        let errors = parse(&HeaderMap::new(), br#"{"id":"i"}"#).err().unwrap();
        assert_eq!(shown(errors), ["body type_error.dict"]);
    }

    #[test]
    fn no_error_shows_a_value() {
        for body in [
            r#"{"id":7355608}"#,
            r#"{"id":"i","secret":7355608}"#,
            r#"{"secret":"7355608""#,
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let errors = parse(&headers, body.as_bytes()).err().unwrap();
            assert!(!format!("{errors:?}").contains("7355608"), "{errors:?}");
        }
    }
}
