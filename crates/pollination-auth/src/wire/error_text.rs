//! The server's error text: read from an error's body, truncated, with known secrets masked.
//!
//! It decides nothing, and no error prints it. A body may contain a secret that is not known yet, so
//! it is read in place: every copy is wiped, or is masked and truncated.

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::bytes::without_byte_order_mark;
use super::decoded::{Decoded, json};
use super::mask::{Mask, WORD_LIMIT};
use crate::error::violation::{Location, Violation};

/// The most violations that are kept: 16, plenty for a request of two fields.
const VIOLATION_LIMIT: usize = 16;

/// The most steps of a location that are kept, and the deepest nesting that is read: 16.
const LOCATION_LIMIT: usize = 16;

/// The content of an error's body.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ErrorText {
    pub(super) detail: Option<String>,
    pub(super) violations: Vec<Violation>,
}

impl ErrorText {
    pub(super) fn read(body: &[u8], content_type: &[u8], mask: &Mask) -> Self {
        let body = without_byte_order_mark(body);
        if is_page(body, content_type) {
            return Self::default();
        }
        let detail = serde_json::from_slice(body)
            .ok()
            .map(|Body { detail }| detail);
        if let Some(detail) = detail
            && let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(detail.get())
        {
            return Self::of_violations(&items, mask);
        }
        if has_credential(body) {
            return Self::default();
        }
        let Some(detail) = detail else {
            // The text ends at the first byte that is not UTF-8.
            let text = body.utf8_chunks().next().map(|chunk| chunk.valid());
            return Self::of_text(text.unwrap_or_default(), mask);
        };
        match decoded(detail) {
            Some(text) => Self::of_text(&text, mask),
            None if detail.get() == "null" => Self::default(),
            None => Self::of_text(detail.get(), mask),
        }
    }

    fn of_text(text: &str, mask: &Mask) -> Self {
        Self {
            detail: non_empty(text, mask),
            violations: Vec::new(),
        }
    }

    /// FastAPI's other fields (`input`, `ctx`, `url`) may echo the secret, and are dropped.
    fn of_violations(items: &[&RawValue], mask: &Mask) -> Self {
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
struct Body<'a> {
    #[serde(borrow)]
    detail: &'a RawValue,
}

/// One item of FastAPI's list of violations.
#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow)]
    loc: &'a RawValue,
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    msg: Option<&'a RawValue>,
}

/// Returns `true` for HTML, which a gateway writes and the service does not.
fn is_page(body: &[u8], content_type: &[u8]) -> bool {
    const HTML: &[u8] = b"text/html";
    let media_type = content_type.get(..HTML.len()).unwrap_or_default();
    media_type.eq_ignore_ascii_case(HTML) || body.trim_ascii_start().starts_with(b"<")
}

/// Returns `true` for JSON with a field that contains a secret in a success: of an error that has one,
/// no text is shown, because a secret that this client does not know yet can't be masked.
fn has_credential(body: &[u8]) -> bool {
    const FIELDS: [&str; 2] = ["\"secret\"", "\"access_token\""];
    let text = Zeroizing::new(String::from_utf8_lossy(body).into_owned());
    FIELDS.iter().any(|field| {
        text.match_indices(field).any(|(at, field)| {
            let behind = text.get(at + field.len()..).unwrap_or_default();
            behind.trim_start().starts_with(':')
        })
    })
}

fn non_empty(text: &str, mask: &Mask) -> Option<String> {
    let text = text.trim();
    // A zero byte is a sign of UTF-16, in which no secret would be found.
    let readable = !text.is_empty() && !text.contains('\0');
    // In base64 a JWT begins like this. One that is left after masking is not known.
    const JWT: &str = "eyJ";
    let shown = readable.then(|| mask.hide(text));
    shown.filter(|text| !text.contains(JWT))
}

fn violation(item: &RawValue, mask: &Mask) -> Option<Violation> {
    // A list would be read as the values of the fields in their order.
    let object = item.get().starts_with('{').then_some(item.get())?;
    let Item { loc, kind, msg } = serde_json::from_str(object).ok()?;
    let word = |value: Option<&RawValue>| value.and_then(decoded).unwrap_or_default();
    let mut location = Vec::new();
    steps(loc, mask, LOCATION_LIMIT, &mut location);
    Some(Violation {
        location,
        kind: mask.hide_and_cut(&word(kind), WORD_LIMIT),
        message: mask.hide(&word(msg)),
    })
}

/// Reads names and positions; a nested list is flattened.
fn steps(value: &RawValue, mask: &Mask, depth: usize, into: &mut Vec<Location>) {
    if into.len() >= LOCATION_LIMIT || depth == 0 {
        return;
    }
    if let Some(name) = decoded(value) {
        into.push(Location::Field(mask.hide_and_cut(&name, WORD_LIMIT)));
    } else if let Ok(index) = value.get().parse() {
        into.push(Location::Index(index));
    } else if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value.get()) {
        for item in items {
            steps(item, mask, depth - 1, into);
        }
    }
}

/// Decodes a JSON string into a buffer that is wiped; serde_json's own buffer is not.
fn decoded(string: &RawValue) -> Option<Zeroizing<String>> {
    let text = string.get().strip_prefix('"')?.strip_suffix('"')?;
    Some(Decoded::read(text, json).text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::secret::Secret;
    use crate::wire::mask::TEXT_LIMIT;

    fn mask() -> Mask {
        Mask::new(vec![Secret::from("pl\"anted".to_owned())])
    }

    fn read(body: &str) -> ErrorText {
        ErrorText::read(body.as_bytes(), b"application/json", &mask())
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
        assert_eq!(detail("Bad gateway").as_deref(), Some("Bad gateway"));
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
            assert_eq!(read(nothing), ErrorText::default(), "{nothing}");
        }
    }

    #[test]
    fn row_28_violations_keep_names_and_positions_and_drop_the_input() {
        let text = read(
            r#"{"detail":[{"type":"missing","loc":["body","items",0,["id"]],"msg":"Field required",
                "input":{"secret":"echo"},"ctx":{"a":1},"url":"https://errors.example"}, 7]}"#,
        );
        assert_eq!(text.violations.len(), 1);
        assert_eq!(text.violations[0].to_string(), "body.items.0.id (missing)");
        assert_eq!(text.violations[0].message(), "Field required");
        assert_eq!(text.detail.as_deref(), Some("Field required"));
    }

    #[test]
    fn row_81_an_error_with_a_secret_that_is_not_known_yet_has_no_text() {
        for body in [
            r#"{"id":"a","secret":"new"}"#,
            r#"{"detail":{"secret" : "new"}}"#,
            r#"{"detail":"the secret is new","secret":"new"}"#,
            r#"[{"access_token":"new"}]"#,
            "{\"secret\":\"new\"\u{0}",
        ] {
            assert_eq!(read(body), ErrorText::default(), "{body}");
        }
        assert_eq!(
            detail(r#"{"detail":[{"loc":["body","secret"],"msg":"no","input":{"secret":"new"}}]}"#),
            Some("no".to_owned())
        );
        assert!(detail(r#"{"detail":{"missing":"secret"}}"#).is_some());
        assert_eq!(
            detail(r#"{"detail":"yours is eyJhbGciOiJIUzI1NiJ9.e30.c2ln"}"#),
            None
        );
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
        let text =
            read(r#"{"detail":[{"type":"pl\"anted","loc":["pl\"anted"],"msg":"pl\"anted"}]}"#);
        assert_eq!(text.violations[0].to_string(), "[REDACTED] ([REDACTED])");
        assert_eq!(text.violations[0].message(), "[REDACTED]");
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
            r#"{"detail":"pl\\\"anted"}"#,
            r#"{"detail":"\u0070l\u0022anted"}"#,
            r#"{"detail":{"k<":"pl\u0022anted","pl\"anted":1}}"#,
            r#"{"message":"pl\"anted"}"#,
            r#"["pl%22anted"]"#,
            r#"{"detail":"pl%22anted"#,
            r#"{"detail":[{"loc":["body"],"msg":"pl%22anted"}]}"#,
        ] {
            let shown = detail(body).unwrap();
            assert!(shown.contains("[REDACTED]"), "{shown}");
            assert!(!shown.contains("pl") && !shown.contains("nted"), "{shown}");
        }
    }

    #[test]
    fn a_page_is_never_the_services_error_text() {
        for (content_type, body) in [
            ("text/html; charset=utf-8", "Bad gateway"),
            ("Text/HTML", r#"{"detail":"no"}"#),
            ("", "<html>Bad gateway</html>"),
            ("application/json", " \n<!DOCTYPE html>"),
            ("text/plain", "\u{feff}<p>no</p>"),
        ] {
            let text = ErrorText::read(body.as_bytes(), content_type.as_bytes(), &mask());
            assert_eq!(text, ErrorText::default(), "{content_type} {body}");
        }
    }

    #[test]
    fn a_string_is_decoded_as_serde_json_does_it_and_a_lone_surrogate_is_left() {
        for json in [
            r#""""#,
            r#""é/\/\\\"\b\f\n\r\t""#,
            r#""\u0041\u00e9\ud83d\ude00x""#,
        ] {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            let expected: String = serde_json::from_str(json).unwrap();
            assert_eq!(decoded(raw).as_deref(), Some(&expected));
        }
        for (json, expected) in [
            (r#""\ud83dx""#, r"\ud83dx"),
            (r#""\ud83d\u0041""#, r"\ud83dA"),
            (r#""\ude00""#, r"\ude00"),
        ] {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            assert_eq!(decoded(raw).unwrap().as_str(), expected, "{json}");
        }
        for json in ["1", "null", "[]", r#"{"a":"b"}"#] {
            assert!(decoded(serde_json::from_str(json).unwrap()).is_none());
        }
    }

    #[test]
    fn a_body_in_utf_16_is_not_shown() {
        let body: Vec<u8> = "pl\"anted"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(ErrorText::read(&body, b"", &mask()).detail, None);
    }
}
