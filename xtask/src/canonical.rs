//! The one way in which this workspace writes JSON: keys sorted at every level, two spaces, LF,
//! one newline at the end. The content of a document is not decided here.

use serde::Serialize as _;
use serde_json::{Map, Value};

/// Writes a document in canonical form.
///
/// The same value results in the same bytes, whatever order its keys were read in.
#[must_use]
pub fn to_string(document: &Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"  ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    // Neither step fails: a `Value` serializes, a `Vec` takes every byte, and JSON is UTF-8.
    let _ = sorted(document).serialize(&mut serializer);
    bytes.push(b'\n');
    String::from_utf8(bytes).unwrap_or_default()
}

/// Sorts the keys of every object; `serde_json` keeps them as they came when some crate in the
/// build turns its feature `preserve_order` on.
#[must_use]
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| key.as_str());
            let mut ordered = Map::new();
            for (key, value) in entries {
                ordered.insert(key.clone(), sorted(value));
            }
            Value::Object(ordered)
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_at_every_level() {
        let document =
            serde_json::from_str(r#"{"b":{"d":1,"c":[{"z":0,"y":""}]},"a":[]}"#).unwrap();
        let expected = "{\n  \"a\": [],\n  \"b\": {\n    \"c\": [\n      {\n        \"y\": \"\",\n        \
                        \"z\": 0\n      }\n    ],\n    \"d\": 1\n  }\n}\n";
        assert_eq!(to_string(&document), expected);
    }

    #[test]
    fn text_beyond_ascii_is_written_as_it_is() {
        assert_eq!(to_string(&Value::from("é\n")), "\"é\\n\"\n");
    }
}
