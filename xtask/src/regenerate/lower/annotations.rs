//! Keywords of 3.1 that describe rather than constrain, and the ones that say how other keywords
//! are read.

use serde_json::{Map, Value, json};

use super::applicators::REFUSED;
use super::remarks::Remarks;
use crate::document::keywords::KEYWORDS;
use crate::document::pointer::at;

/// The dialect of schemas that 3.1 documents have unless they say otherwise.
pub(super) const DIALECTS: [&str; 2] = [
    "https://spec.openapis.org/oas/3.1/dialect/base",
    "https://json-schema.org/draft/2020-12/schema",
];

/// Keywords that name a place or comment on it; references to such a name were refused before.
const NAMES: [&str; 5] = [
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "definitions",
];

/// Keywords that change how a reference or a schema is read.
const SCOPES: [&str; 5] = [
    "$dynamicRef",
    "$id",
    "$recursiveAnchor",
    "$recursiveRef",
    "$vocabulary",
];

pub(super) fn lower(schema: &mut Map<String, Value>, pointer: &str, remarks: &mut Remarks) {
    for name in NAMES {
        schema.remove(name);
    }
    for name in SCOPES {
        if schema.contains_key(name) {
            let message = format!("`{name}` has no equivalent in 3.0");
            remarks.problems.add(at(pointer, name), message);
        }
    }
    if let Some(dialect) = schema.remove("$schema")
        && !DIALECTS.iter().any(|known| dialect == *known)
    {
        let message = format!("the dialect {dialect} is not known");
        remarks.problems.add(at(pointer, "$schema"), message);
    }
    examples(schema, pointer, remarks);
    content(schema, pointer, remarks);
}

/// Replaces a list of examples with the single one that 3.0 allows.
fn examples(schema: &mut Map<String, Value>, pointer: &str, remarks: &mut Remarks) {
    let Some(examples) = schema.remove("examples") else {
        return;
    };
    let mut examples = match examples {
        Value::Array(examples) => examples,
        _ => {
            remarks.note(pointer, "examples that are no list are left out");
            return;
        }
    }
    .into_iter();
    if !schema.contains_key("example")
        && let Some(first) = examples.next()
    {
        schema.insert("example".to_owned(), first);
    }
    if examples.next().is_some() {
        remarks.note(
            pointer,
            "3.0 has room for one example; the others are left out",
        );
    }
}

/// Replaces the encoding and media type of text with a format, as in 3.0.
fn content(schema: &mut Map<String, Value>, pointer: &str, remarks: &mut Remarks) {
    let encoding = schema.remove("contentEncoding");
    let media_type = schema.remove("contentMediaType");
    let format = match (&encoding, &media_type) {
        (None, None) => None,
        (Some(encoding), _) if *encoding == "base64" => Some("byte"),
        (None, Some(media_type)) if *media_type == "application/octet-stream" => Some("binary"),
        (Some(encoding), _) => {
            let message = format!("the encoding {encoding} has no equivalent in 3.0");
            remarks
                .problems
                .add(at(pointer, "contentEncoding"), message);
            None
        }
        (None, Some(media_type)) => {
            let message = format!("the content {media_type} has no equivalent in 3.0");
            remarks
                .problems
                .add(at(pointer, "contentMediaType"), message);
            None
        }
    };
    if schema.contains_key("contentSchema") {
        let message = "`contentSchema` has no equivalent in 3.0";
        remarks.problems.add(at(pointer, "contentSchema"), message);
    }
    if let Some(format) = format {
        let before = schema.insert("format".to_owned(), json!(format));
        if let Some(before) = before.filter(|before| before != format) {
            let message = format!("the format {before} and the encoding have no common equivalent");
            remarks.problems.add(at(pointer, "format"), message);
        }
    }
}

/// Removes keywords that no version knows.
pub(super) fn leave_out_unknown(
    schema: &mut Map<String, Value>,
    pointer: &str,
    remarks: &mut Remarks,
) {
    let unknown: Vec<_> = schema
        .keys()
        .filter(|key| KEYWORDS.iter().all(|(known, ..)| key != known) && !key.starts_with("x-"))
        .filter(|key| !REFUSED.contains(&key.as_str()))
        .filter(|key| !SCOPES.contains(&key.as_str()) && *key != "contentSchema")
        .cloned()
        .collect();
    for key in unknown {
        schema.remove(&key);
        remarks.note(
            pointer,
            &format!("`{key}` is no keyword of OpenAPI and is left out"),
        );
    }
}
