//! Whether the keywords of 3.1 that stand beside each other allow null.

use serde_json::{Map, Value, json};

/// Returns `true` if neither the type nor a list of values excludes null, as 3.1 reads them.
pub(super) fn allows_null(schema: &Map<String, Value>) -> bool {
    let types = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.contains(&json!("null")),
        Some(kind) => kind == "null" || schema.get("nullable") == Some(&json!(true)),
        None => true,
    };
    let values = schema.get("enum").and_then(Value::as_array);
    types
        && values.is_none_or(|values| values.contains(&Value::Null))
        && schema.get("const").is_none_or(Value::is_null)
}
