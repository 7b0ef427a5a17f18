//! OpenAPI 3.1 to 3.0: each construct is written as its 3.0 equivalent, or refused with its place
//! if it has none. What means the same in both versions is left unchanged, so a valid 3.0 document
//! stays the same.
//!
//! A 3.0 document is lowered too: older releases of FastAPI write `const` and numeric exclusive
//! bounds into it.

use serde_json::{Value, json};

use super::normalise::VERSION;
use super::refusal::{Refusal, Stage};
use crate::document::parts::each_part_mut;
use crate::document::pointer::at;
use crate::document::positions::{Kind, each_child_mut};

mod annotations;
mod applicators;
mod nulls;
mod remarks;
mod types;

use annotations::DIALECTS;
use remarks::Remarks;

/// A 3.0 document, and notes on what was left out because it means nothing to a client.
#[derive(Debug)]
pub struct Lowered {
    /// The document.
    pub document: Value,
    /// A line for each thing that was left out.
    pub notes: Vec<String>,
}

/// Lowers a selected document.
///
/// # Errors
///
/// A construct has no equivalent in 3.0.
pub fn lower(mut document: Value) -> Result<Lowered, Refusal> {
    let mut remarks = Remarks::default();
    let newer = document.get("openapi").and_then(Value::as_str);
    let newer = newer.is_some_and(|version| version.starts_with("3.1."));
    each_part_mut(&mut document, &mut |value, kind, pointer| {
        walk(value, kind, pointer, newer, &mut remarks);
    });
    if let (true, Value::Object(fields)) = (newer, &mut document) {
        fields.insert("openapi".to_owned(), json!(VERSION));
        if let Some(dialect) = fields.remove("jsonSchemaDialect")
            && !DIALECTS.iter().any(|known| dialect == *known)
        {
            let message = format!("the dialect {dialect} is not known");
            remarks.problems.add("/jsonSchemaDialect", message);
        }
    }
    remarks.problems.into_result(Stage::Lower)?;
    Ok(Lowered {
        document,
        notes: remarks.notes,
    })
}

fn walk(value: &mut Value, kind: Kind, pointer: &str, newer: bool, remarks: &mut Remarks) {
    match kind {
        Kind::Schema => schema(value, pointer, newer, remarks),
        Kind::SecurityScheme if value.get("type") == Some(&json!("mutualTLS")) => {
            let message = "mutualTLS has no equivalent in 3.0";
            remarks.problems.add(at(pointer, "type"), message);
        }
        _ => {}
    }
    each_child_mut(value, kind, pointer, &mut |child, kind, pointer| {
        // Here, and only here, both versions have `true` and `false`.
        if !(child.is_boolean() && pointer.ends_with("/additionalProperties")) {
            walk(child, kind, pointer, newer, remarks);
        }
    });
}

/// Lowers one schema, not those in it.
fn schema(value: &mut Value, pointer: &str, newer: bool, remarks: &mut Remarks) {
    match value {
        Value::Bool(true) => *value = json!({}),
        Value::Bool(false) => *value = json!({"not": {}}),
        _ => {}
    }
    let Value::Object(fields) = value else {
        return;
    };
    if fields.contains_key("$ref") && fields.len() > 1 {
        if !newer {
            // 3.0 ignores keywords beside a reference.
            return;
        }
        if let Some(reference) = fields.remove("$ref") {
            applicators::all_of(fields, json!({"$ref": reference}));
        }
    }
    annotations::lower(fields, pointer, remarks);
    applicators::lower(fields, pointer, remarks);
    types::lower(fields, pointer, remarks);
    annotations::leave_out_unknown(fields, pointer, remarks);
}

#[cfg(test)]
#[path = "lower_tests.rs"]
mod tests;
