//! Bytes to one JSON value: JSON or YAML, within limits, without duplicate keys, and of a
//! version of OpenAPI that the later stages know. `source` fetches the bytes.

use serde_json::Value;

use super::refusal::{Refusal, Stage};

mod limits;
mod value;

pub use limits::{DEPTH_LIMIT, SIZE_LIMIT};

/// The first character of HTML or XML.
const MARKUP: char = '<';

/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads a document.
///
/// # Errors
///
/// The document is too long, too deep, not UTF-8, neither JSON nor YAML, has duplicate keys, or is
/// not OpenAPI 3.0 or 3.1.
pub fn read(bytes: &[u8]) -> Result<Value, Refusal> {
    let refuse = |message: String| Refusal::new(Stage::Read, "", message);
    if bytes.len() > SIZE_LIMIT {
        let limit = SIZE_LIMIT / (1024 * 1024);
        return Err(refuse(format!("the document is longer than {limit} MiB")));
    }
    let text = decoded(bytes).map_err(refuse)?;
    let value = match text.trim_start().chars().next() {
        None => return Err(refuse("the document is empty".to_owned())),
        Some('{' | '[') => value::json(text)?,
        Some(MARKUP) => {
            let message = "this is a page of HTML or XML, not a document of OpenAPI";
            return Err(refuse(message.to_owned()));
        }
        Some(_) => value::yaml(text)?,
    };
    version(&value)?;
    Ok(value)
}

fn decoded(bytes: &[u8]) -> Result<&str, String> {
    if bytes.starts_with(&GZIP) {
        return Err("the document is compressed with gzip; unpack it first".to_owned());
    }
    let start = bytes.get(..4).unwrap_or(bytes);
    if start.starts_with(&[0xfe, 0xff]) || start.starts_with(&[0xff, 0xfe]) || start.contains(&0) {
        return Err("the document is UTF-16 or UTF-32; write it as UTF-8".to_owned());
    }
    let text = str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("the document is not UTF-8, from line {line} on")
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Checks the version.
fn version(document: &Value) -> Result<(), Refusal> {
    let refuse = |pointer: &str, message: String| Err(Refusal::new(Stage::Read, pointer, message));
    if !document.is_object() {
        return refuse("", "the document is no object".to_owned());
    }
    if let Some(swagger) = document.get("swagger") {
        return refuse(
            "/swagger",
            format!("this is Swagger {swagger}; convert it to OpenAPI 3"),
        );
    }
    match document.get("openapi") {
        Some(Value::String(version))
            if matches!(
                version.split('.').collect::<Vec<_>>().as_slice(),
                ["3", "0" | "1", _]
            ) =>
        {
            Ok(())
        }
        Some(other) => {
            let message = format!("version {other} is not known; 3.0.x and 3.1.x are");
            refuse("/openapi", message)
        }
        None => refuse(
            "/openapi",
            "the version is missing; is this OpenAPI?".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: impl AsRef<[u8]>) -> String {
        read(bytes.as_ref()).unwrap_err().to_string()
    }

    #[test]
    fn both_versions_are_recognised_in_json_and_in_yaml() {
        for text in [
            "{\"openapi\":\"3.0.2\"}",
            "\u{feff} {\"openapi\":\"3.1.0\"}",
            "openapi: 3.1.1",
        ] {
            assert!(read(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn other_versions_are_refused() {
        for (text, message) in [
            (
                "{\"swagger\":\"2.0\"}",
                " at /swagger: this is Swagger \"2.0\"; convert it to OpenAPI 3",
            ),
            (
                "openapi: 3.2.0",
                " at /openapi: version \"3.2.0\" is not known; 3.0.x and 3.1.x are",
            ),
            (
                "openapi: 3.1",
                " at /openapi: version 3.1 is not known; 3.0.x and 3.1.x are",
            ),
            (
                "{}",
                " at /openapi: the version is missing; is this OpenAPI?",
            ),
            ("[]", ": the document is no object"),
        ] {
            assert_eq!(refused(text), format!("read{message}"));
        }
    }

    #[test]
    fn text_that_is_not_utf_8_is_refused_by_its_kind() {
        let utf_16 = "read: the document is UTF-16 or UTF-32; write it as UTF-8";
        assert_eq!(refused(b"\xff\xfe{\0}\0"), utf_16);
        assert_eq!(refused(b"\0{\0}"), utf_16);
        assert_eq!(
            refused(b"{\n\"\xe9\"}"),
            "read: the document is not UTF-8, from line 2 on"
        );
        assert_eq!(
            refused(b"\x1f\x8b\x08\x00"),
            "read: the document is compressed with gzip; unpack it first"
        );
    }

    #[test]
    fn what_is_no_document_is_told_by_what_it_is() {
        assert_eq!(refused(""), "read: the document is empty");
        assert_eq!(refused(" \n"), "read: the document is empty");
        assert_eq!(
            refused("<!doctype html>"),
            "read: this is a page of HTML or XML, not a document of OpenAPI"
        );
    }

    #[test]
    fn the_size_is_limited() {
        let long = vec![b' '; SIZE_LIMIT + 1];
        assert_eq!(refused(long), "read: the document is longer than 64 MiB");
    }
}
