//! OpenAPI 3.1 to 3.0: each construct is written as its 3.0 equivalent, or refused with its
//! place where there is none. What means the same in both versions passes as it is, so a valid
//! 3.0 document comes out as it went in.
//!
//! A 3.0 document is looked through all the same: older releases of FastAPI write `const` and
//! numeric exclusive bounds into them.

use serde_json::{Value, json};

use super::normalise::{VERSION, each_part_mut};
use super::positions::{Kind, each_child_mut};
use super::refusal::{Problems, Refusal, Stage, at};

mod annotations;
mod applicators;
mod types;

/// The dialect of schemas that 3.1 documents have unless they say otherwise.
const DIALECTS: [&str; 2] = [
    "https://spec.openapis.org/oas/3.1/dialect/base",
    "https://json-schema.org/draft/2020-12/schema",
];

/// A 3.0 document, and what was said in 3.1 that tells a client nothing and is left out.
#[derive(Debug)]
pub struct Lowered {
    /// The document.
    pub document: Value,
    /// A line for each thing that was left out.
    pub notes: Vec<String>,
}

/// What lowering a value has to say.
#[derive(Default)]
struct Remarks {
    problems: Problems,
    notes: Vec<String>,
}

impl Remarks {
    fn note(&mut self, pointer: &str, what: &str) {
        let note = format!("{pointer}: {what}");
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
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
            // In 3.0 what stands beside a reference is ignored.
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
