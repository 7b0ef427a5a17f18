//! The contract to Rust: the generator's own refusals, and what it makes that does not compile, are
//! refusals with a place like any other.
//!
//! The generator reports no place, and panics on some documents. The place is found by leaving out:
//! a part without which the rest can be generated is the part that is at fault.

use serde_json::{Value, json};

use super::refusal::{Refusal, Stage};
use super::rust_names;
use super::validate::SECRETS;
use crate::canonical;
use crate::document::parts::each_part;
use crate::document::pointer::unescaped;
use crate::document::positions::{Kind, each_child};
use crate::golden::{self, Generated};

/// The most times the generator runs to find the place of an error.
///
/// It takes some milliseconds for the five operations, and the way down to a place is some ten
/// levels with a dozen parts each. Beyond that the place is the last part that was found.
const TRIES: usize = 400;

/// What to do about what the generator can't take.
const INSTEAD: &str = "write it in another way upstream, or correct it in xtask/overlay.json";

/// Generates the code of a document that can become the contract.
///
/// # Errors
///
/// The generator can't take a part of the document, or would make of it what does not compile or
/// what prints a secret.
pub fn generate(document: &Value) -> Result<Generated, Refusal> {
    made(document).map_err(|message| {
        let pointer = place(document, &message);
        Refusal::new(Stage::Generate, pointer, message)
    })
}

/// Generates code and checks it.
fn made(document: &Value) -> Result<Generated, String> {
    let generated = golden::generate(&canonical::to_string(document))
        .map_err(|error| format!("the generator can't take this: {error}; {INSTEAD}"))?;
    for (code, what) in [
        (&generated.client, "client"),
        (&generated.httpmock, "mocks"),
    ] {
        if let Some(name) = rust_names::clash(code) {
            let message = format!("two items of the generated {what} would have the name `{name}`");
            return Err(format!("{message}; rename one of them"));
        }
    }
    let open = golden::open_secrets(&generated.client, &SECRETS);
    if !open.is_empty() {
        let open = open.join(", ");
        return Err(format!(
            "{open} would be printed by Debug; extend xtask/overlay.json"
        ));
    }
    Ok(generated)
}

/// Finds the smallest part of a document without which the error does not occur.
fn place(document: &Value, message: &str) -> String {
    let mut tries = TRIES;
    let mut found: Option<(String, Kind)> = None;
    loop {
        let parts = match &found {
            None => top(document),
            Some((pointer, kind)) => below(document, pointer, *kind),
        };
        let at_fault = parts.into_iter().find(|(pointer, kind)| {
            tries = tries.saturating_sub(1);
            tries > 0 && made(&without(document, pointer, *kind)).err().as_deref() != Some(message)
        });
        match at_fault {
            Some(part) => found = Some(part),
            None => break,
        }
    }
    found.map(|(pointer, _)| pointer).unwrap_or_default()
}

/// Lists the components, then the operations: a component is the better place where both help.
fn top(document: &Value) -> Vec<(String, Kind)> {
    let (mut components, mut operations) = (Vec::new(), Vec::new());
    each_part(document, &mut |_, kind, pointer| {
        let list = match kind {
            Kind::Operation => &mut operations,
            _ => &mut components,
        };
        list.push((pointer.to_owned(), kind));
    });
    components.extend(operations);
    components
}

fn below(document: &Value, pointer: &str, kind: Kind) -> Vec<(String, Kind)> {
    let mut parts = Vec::new();
    if let Some(value) = document.pointer(pointer) {
        each_child(value, kind, pointer, &mut |_, kind, pointer| {
            parts.push((pointer.to_owned(), kind));
        });
    }
    parts
}

/// Returns the document with a part replaced by the plainest one of its kind.
fn without(document: &Value, pointer: &str, kind: Kind) -> Value {
    let mut document = document.clone();
    let plain = match kind {
        Kind::Schema => json!({"type": "string"}),
        Kind::Response => json!({"description": ""}),
        Kind::Header => json!({"schema": {"type": "string"}}),
        Kind::RequestBody => {
            json!({"content": {"application/json": {"schema": {"type": "string"}}}})
        }
        Kind::Operation => {
            json!({"operationId": "plain", "responses": {"204": {"description": ""}}})
        }
        _ => {
            remove(&mut document, pointer);
            return document;
        }
    };
    if let Some(part) = document.pointer_mut(pointer) {
        *part = plain;
    }
    document
}

fn remove(document: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return;
    };
    match document.pointer_mut(parent) {
        Some(Value::Array(items)) => {
            if let Some(index) = key.parse().ok().filter(|index| *index < items.len()) {
                let _: Value = items.remove(index);
            }
        }
        Some(Value::Object(entries)) => {
            entries.remove(&unescaped(key));
        }
        _ => {}
    }
}
