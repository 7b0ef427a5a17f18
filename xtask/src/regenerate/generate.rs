//! The contract to Rust: the generator's own refusals, and what it makes that does not compile, are
//! refusals with a place like any other.
//!
//! The generator reports no place, and panics on some documents; `locate` finds the place.

use serde_json::Value;

use super::locate::place;
use super::refusal::{Refusal, Stage};
use super::rust_faults;
use super::validate::SECRETS;
use crate::canonical;
use crate::golden::{self, Generated};

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
        let is_there = |other: &Value| made(other).err().as_ref() == Some(&message);
        let pointer = place(document, is_there);
        Refusal::new(Stage::Generate, pointer, message)
    })
}

/// Generates code and checks it.
fn made(document: &Value) -> Result<Generated, String> {
    let generated = golden::generate(&canonical::to_string(document))
        .map_err(|error| format!("the generator can't take this: {error}; {INSTEAD}"))?;
    for code in [&generated.client, &generated.httpmock] {
        if let Some(fault) = rust_faults::find(code) {
            return Err(fault);
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
