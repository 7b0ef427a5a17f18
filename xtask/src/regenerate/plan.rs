//! What taking in a document would do to a workspace: every stage but the last. Nothing is written
//! and nothing is printed here.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::compare::{Comparison, Verdict};
use super::generate::generate;
use super::pipeline::{Goal, Prepared, compare_prepared, prepare};
use super::refusal::{Failure, Refusal};
use super::select::homes;
use super::semver::{Release, release};
use super::write::NewFile;
use crate::document::parts::{entries, operations_of};
use crate::workspace::{CONTRACT, OVERLAY};
use crate::{canonical, workspace};

/// What taking in a document changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// No file.
    Nothing,
    /// The text of files, and nothing that a client sees.
    Wording,
    /// Clients work as before.
    Compatible,
    /// Some client may fail.
    Breaking,
}

/// What taking in a document would do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The version of OpenAPI that the document was written in.
    pub version: String,
    /// How many operations were selected.
    pub operations: usize,
    /// How many components the operations reach.
    pub components: usize,
    /// Notes: worth a look, but no reason to refuse the document.
    pub notes: Vec<String>,
    /// What changes for a client.
    pub comparison: Comparison,
    /// What that means for the versions.
    pub release: Release,
    /// All files as they should be. The contract is the last one: a run that is cut off between
    /// two files leaves it as it was, and the next run finds the same changes again.
    pub files: Vec<NewFile>,
    /// The paths of the files that are not what they should be.
    pub stale: Vec<&'static str>,
    /// What changes.
    pub outcome: Outcome,
}

/// Runs a document through all stages and compares the result with the workspace.
///
/// # Errors
///
/// The document is refused, or a file of the workspace can't be read.
pub fn plan(root: &Path, bytes: &[u8]) -> Result<Plan, Failure> {
    let overlay = workspace::read(&root.join(OVERLAY))?;
    let contract = workspace::read(&root.join(CONTRACT))?;
    let current = current(&contract, &overlay)?;
    let mut prepared = prepare(bytes, &overlay, Goal::Contract(&homes(&current.document)))?;
    keep_servers(&current.document, &mut prepared);
    let comparison = compare_prepared(&current, &prepared);
    let text = canonical::to_string(&prepared.document);
    let generated = generate(&prepared.document)?;
    let before = generate(&current.document).map_err(of_contract)?;
    let published = workspace::published(root)?;
    let release = release((&before, &generated), comparison.verdict, published)?;
    let mut files = Vec::from(generated.into_files());
    files.push((CONTRACT, text));
    let stale = super::write::stale(root, &files);
    let outcome = match comparison.verdict {
        Verdict::Breaking => Outcome::Breaking,
        Verdict::Compatible => Outcome::Compatible,
        Verdict::Identical if stale.is_empty() => Outcome::Nothing,
        // The same on the wire, and another interface of the generated crate.
        Verdict::Identical if !release.surface.is_empty() => Outcome::Compatible,
        Verdict::Identical => Outcome::Wording,
    };
    let sections = entries(prepared.document.get("components"));
    Ok(Plan {
        operations: operations_of(&prepared.document).len(),
        components: sections
            .filter_map(|(_, section)| section.as_object())
            .map(|section| section.len())
            .sum(),
        version: prepared.version,
        notes: prepared.notes,
        comparison,
        release,
        files,
        stale,
        outcome,
    })
}

/// Keeps the servers of the contract if the document names none: the host still exists.
fn keep_servers(current: &Value, prepared: &mut Prepared) {
    if let (Some(servers), Value::Object(document)) =
        (current.get("servers"), &mut prepared.document)
        && !document.contains_key("servers")
    {
        document.insert("servers".to_owned(), servers.clone());
        prepared
            .notes
            .push("the servers of the contract are kept".to_owned());
    }
}

/// Runs the same stages on the contract that is checked in.
fn current(contract: &str, overlay: &str) -> Result<Prepared, Refusal> {
    prepare(contract.as_bytes(), overlay, Goal::Side(&[])).map_err(of_contract)
}

fn of_contract(mut refusal: Refusal) -> Refusal {
    for problem in &mut refusal.problems {
        problem.message = format!("in {CONTRACT} as it is now: {}", problem.message);
    }
    refusal
}
