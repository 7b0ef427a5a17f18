//! The server's own words: read out of an error's body, cut short, with known secrets masked.
//!
//! They never decide anything, and they are never printed by an error.

use serde::Deserialize;
use serde_json::Value;

use super::mask::{Mask, WORD_LIMIT};
use crate::failure::{Location, Violation};

/// The most violations that are kept; a request of two fields can't have more of use.
const VIOLATION_LIMIT: usize = 16;

/// The most steps of a location that are kept.
const LOCATION_LIMIT: usize = 16;

/// What an error's body says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Words {
    pub(super) detail: Option<String>,
    pub(super) violations: Vec<Violation>,
}

impl Words {
    pub(super) fn read(body: &[u8], mask: &Mask) -> Self {
        let body = super::decode::without_byte_order_mark(body);
        let Ok(Body { detail }) = serde_json::from_slice(body) else {
            let text = String::from_utf8_lossy(body);
            return Self {
                detail: non_empty(&text, mask),
                violations: Vec::new(),
            };
        };
        match &detail {
            Value::Null => Self::default(),
            Value::String(text) => Self {
                detail: non_empty(text, mask),
                violations: Vec::new(),
            },
            Value::Array(items) => Self::of_violations(items, mask),
            other => Self {
                detail: non_empty(&other.to_string(), mask),
                violations: Vec::new(),
            },
        }
    }

    /// What else FastAPI puts there (`input`, `ctx`, `url`) may echo the secret, and is dropped.
    fn of_violations(items: &[Value], mask: &Mask) -> Self {
        let violations: Vec<_> = items
            .iter()
            .take(VIOLATION_LIMIT)
            .filter_map(|item| violation(item, mask))
            .collect();
        let messages: Vec<_> = violations.iter().map(|one| one.message.as_str()).collect();
        Self {
            detail: non_empty(&messages.join("; "), mask),
            violations,
        }
    }
}

/// FastAPI's body of an error: `{"detail": …}`.
#[derive(Deserialize)]
struct Body {
    detail: Value,
}

fn non_empty(text: &str, mask: &Mask) -> Option<String> {
    let text = text.trim();
    // A zero byte is a sign of UTF-16, in which no secret would be found.
    let readable = !text.is_empty() && !text.contains('\0');
    readable.then(|| mask.hide(text))
}

fn violation(item: &Value, mask: &Mask) -> Option<Violation> {
    let word = |key| item.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut location = Vec::new();
    steps(item.get("loc")?, mask, &mut location);
    Some(Violation {
        location,
        kind: mask.hide_and_cut(word("type"), WORD_LIMIT),
        message: mask.hide(word("msg")),
    })
}

/// Reads names and positions; a list within the list is read as if written out.
fn steps(value: &Value, mask: &Mask, into: &mut Vec<Location>) {
    if into.len() >= LOCATION_LIMIT {
        return;
    }
    match value {
        Value::String(name) => into.push(Location::Field(mask.hide_and_cut(name, WORD_LIMIT))),
        Value::Number(number) => {
            into.extend(number.as_i64().map(Location::Index));
        }
        Value::Array(items) => items.iter().for_each(|item| steps(item, mask, into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::mask::TEXT_LIMIT;

    fn read(body: &str) -> Words {
        Words::read(body.as_bytes(), &Mask::new("pl\"anted"))
    }

    fn detail(body: &str) -> Option<String> {
        read(body).detail
    }

    #[test]
    fn row_28_every_shape_of_detail_is_read() {
        assert_eq!(detail(r#"{"detail":"no"}"#).as_deref(), Some("no"));
        assert_eq!(
            detail(r#"{"detail":{"code":7}}"#).as_deref(),
            Some(r#"{"code":7}"#)
        );
        assert_eq!(
            detail("<html>Bad gateway</html>").as_deref(),
            Some("<html>Bad gateway</html>")
        );
        assert_eq!(
            detail(r#"{"message":"x"}"#).as_deref(),
            Some(r#"{"message":"x"}"#)
        );
        for nothing in [
            "",
            "  ",
            r#"{"detail":null}"#,
            r#"{"detail":""}"#,
            r#"{"detail":[]}"#,
        ] {
            assert_eq!(read(nothing), Words::default(), "{nothing}");
        }
    }

    #[test]
    fn row_28_violations_keep_names_and_positions_and_drop_the_input() {
        let words = read(
            r#"{"detail":[{"type":"missing","loc":["body","items",0,["id"]],"msg":"Field required",
                "input":{"secret":"echo"},"ctx":{"a":1},"url":"https://errors.example"}, 7]}"#,
        );
        assert_eq!(words.violations.len(), 1);
        assert_eq!(words.violations[0].to_string(), "body.items.0.id (missing)");
        assert_eq!(words.violations[0].message(), "Field required");
        assert_eq!(words.detail.as_deref(), Some("Field required"));
    }

    #[test]
    fn an_echo_of_the_secret_is_masked_before_anything_is_cut() {
        assert_eq!(
            detail(r#"{"detail":"x pl\"anted y"}"#).as_deref(),
            Some("x [REDACTED] y")
        );
        assert_eq!(
            detail(r#"{"detail":{"k":"pl\"anted"}}"#).as_deref(),
            Some(r#"{"k":"[REDACTED]"}"#)
        );
        assert_eq!(
            detail("echo: pl\"anted").as_deref(),
            Some("echo: [REDACTED]")
        );
        let late = format!("{}pl\"anted", "x".repeat(TEXT_LIMIT - 3));
        assert!(!detail(&late).unwrap().contains("pl"));
        let words =
            read(r#"{"detail":[{"type":"pl\"anted","loc":["pl\"anted"],"msg":"pl\"anted"}]}"#);
        assert_eq!(words.violations[0].to_string(), "[REDACTED] ([REDACTED])");
        assert_eq!(words.violations[0].message(), "[REDACTED]");
    }

    #[test]
    fn what_a_server_says_is_bounded() {
        assert_eq!(
            detail(&"é".repeat(5_000)).unwrap().chars().count(),
            TEXT_LIMIT
        );
        let many = vec![r#"{"loc":["a"],"msg":"m","type":"t"}"#; 500].join(",");
        assert_eq!(
            read(&format!(r#"{{"detail":[{many}]}}"#)).violations.len(),
            VIOLATION_LIMIT
        );
        let deep = format!(
            r#"{{"detail":{}1{}}}"#,
            "[".repeat(5_000),
            "]".repeat(5_000)
        );
        assert!(read(&deep).violations.is_empty());
    }

    #[test]
    fn an_encoded_echo_is_masked_in_every_shape_of_body() {
        for body in [
            r#"{"detail":"pl\"anted"}"#,
            r#"{"detail":{"k<":"pl"anted","pl\"anted":1}}"#,
            r#"{"message":"pl"anted"}"#,
            r#"["pl"anted"]"#,
            r#"{"detail":"pl%22anted"#,
            "<p>pl&quot;anted</p>",
            r#"{"detail":[{"loc":["body"],"msg":"pl&#34;anted"}]}"#,
        ] {
            let shown = detail(body).unwrap();
            assert!(shown.contains("[REDACTED]"), "{shown}");
            assert!(!shown.contains("pl") && !shown.contains("nted"), "{shown}");
        }
    }

    #[test]
    fn a_body_in_utf_16_is_not_shown() {
        let body: Vec<u8> = "pl\"anted"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(Words::read(&body, &Mask::new("pl\"anted")).detail, None);
    }
}
