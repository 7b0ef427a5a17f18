//! Runs the stages from read to validate: bytes in; out comes a document that can be compared or
//! become the contract.

use serde_json::Value;

use super::compare::{Comparison, compare};
use super::normalise::normalise;
use super::refusal::Refusal;
use super::select::{Home, Missing, reached, select};
use super::validate::{Purpose, validate};
use super::{correct, lower, read};

/// A document that went through the stages.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The version that it was written in.
    pub version: String,
    /// The document, in the form of the contract.
    pub document: Value,
    /// Notes: worth a look, but no reason to refuse the document.
    pub notes: Vec<String>,
    /// What the operations reach, as it was written.
    pub written: Value,
}

/// Compares two prepared documents, and says of each change where it is in the documents as they
/// were written.
#[must_use]
pub fn compare_prepared(old: &Prepared, new: &Prepared) -> Comparison {
    let mut comparison = compare(&old.document, &new.document);
    comparison.locate(&old.written, &new.written);
    comparison
}

/// What a document is prepared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal<'a> {
    /// The contract. The homes say in messages where an operation was.
    Contract(&'a [Home]),
    /// One side of a comparison. An operation that the other side has at one of these homes, and
    /// this one not or under another name, is a change and not an error.
    Side(&'a [Home]),
}

/// Runs the stages read, select, lower, correct and validate on a document.
///
/// # Errors
///
/// The first stage that refuses it.
pub fn prepare(bytes: &[u8], overlay: &str, goal: Goal<'_>) -> Result<Prepared, Refusal> {
    prepare_value(read::read(bytes)?, overlay, goal)
}

/// As [`prepare`], for a document that was already read.
///
/// # Errors
///
/// The first stage that refuses it.
pub fn prepare_value(document: Value, overlay: &str, goal: Goal<'_>) -> Result<Prepared, Refusal> {
    let (homes, missing, purpose) = match goal {
        Goal::Contract(homes) => (homes, Missing::Refused, Purpose::Contract),
        Goal::Side(homes) => (homes, Missing::Tolerated, Purpose::Comparison),
    };
    let version = document
        .get("openapi")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let selected = select(&document, homes, missing)?;
    // The whole service is no longer needed, and may be large.
    let written = reached(document, &selected);
    let lowered = lower::lower(selected)?;
    let corrected = correct::correct(normalise(lowered.document), overlay)?;
    validate(&corrected.document, purpose)?;
    let mut notes = lowered.notes;
    notes.extend(corrected.notes);
    if corrected.document.get("servers").is_none() {
        notes.push("the document names no server".to_owned());
    }
    Ok(Prepared {
        version,
        document: corrected.document,
        notes,
        written,
    })
}
