//! References within a document: reads and follows them. Whether a reference is allowed at its
//! place is not decided here.

use serde_json::Value;

/// Follows the reference of a value, and its reference again, to what it names.
///
/// For a reference that leads nowhere or in a circle, returns the value itself.
pub fn follow<'a>(document: &'a Value, value: &'a Value, pointer: String) -> (&'a Value, String) {
    let last = trail(document, value).pop();
    match last.and_then(|pointer| Some((document.pointer(&pointer)?, pointer))) {
        Some(found) => found,
        None => (value, pointer),
    }
}

/// Returns the pointers that the reference of a value leads through, each once.
#[must_use]
pub fn trail(document: &Value, value: &Value) -> Vec<String> {
    let mut trail = Vec::new();
    let mut next = target(value);
    while let Some(pointer) = next.filter(|pointer| !trail.contains(pointer)) {
        let Some(value) = document.pointer(&pointer) else {
            break;
        };
        next = target(value);
        trail.push(pointer);
    }
    trail
}

/// Returns the JSON pointer of a value's reference into its own document.
#[must_use]
pub fn target(value: &Value) -> Option<String> {
    let text = value.get("$ref")?.as_str()?;
    let fragment = text.strip_prefix('#')?;
    (fragment.is_empty() || fragment.starts_with('/')).then(|| decoded(fragment))
}

/// Decodes escapes like `%41` in a fragment; anything else is unchanged.
fn decoded(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after
            .first_chunk::<2>()
            .and_then(|digits| str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::pointer::{component, to_component};
    use super::*;

    #[test]
    fn escapes_of_fragments_and_pointers_are_read() {
        let value = json!({"$ref": "#/components/schemas/A%20b~1c"});
        let target = target(&value).unwrap();
        assert_eq!(target, "/components/schemas/A b~1c");
        assert_eq!(
            component(&target),
            Some(("schemas".to_owned(), "A b/c".to_owned()))
        );
        assert_eq!(to_component("schemas", "A b/c"), target);
    }

    #[test]
    fn a_percent_sign_that_escapes_nothing_stays() {
        assert_eq!(
            target(&json!({"$ref": "#/a%2%zz%"})),
            Some("/a%2%zz%".to_owned())
        );
    }

    #[test]
    fn another_document_is_no_target() {
        for text in ["other.json#/a", "https://a.example/b", "#anchor"] {
            assert_eq!(target(&json!({"$ref": text})), None, "{text}");
        }
    }

    #[test]
    fn a_circle_ends() {
        let document = json!({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}});
        let (value, pointer) = follow(&document, &document["a"], "/a".to_owned());
        assert_eq!((value, pointer.as_str()), (&document["a"], "/a"));
        assert_eq!(trail(&document, &document["a"]), ["/b", "/a"]);
    }
}
