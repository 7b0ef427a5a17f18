//! Output of the commands for programs: one object, written in canonical form.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::super::difference::Difference;
use super::super::plan::Plan;
use super::super::refusal::Refusal;
use super::super::semver::Release;
use super::changelog;
use crate::canonical;

/// Writes an object.
///
/// # Errors
///
/// The output can't be written.
pub fn write(output: &mut dyn Write, value: &Value) -> io::Result<()> {
    output.write_all(canonical::to_string(value).as_bytes())
}

/// Returns what a plan does, with the files that were written.
#[must_use]
pub fn plan(plan: &Plan, written: &[&str]) -> Value {
    json!({
        "outcome": plan.outcome,
        "changes": plan.comparison.changes,
        "semver": semver(&plan.release),
        "surface": plan.release.surface,
        "notes": plan.notes,
        "changelog": changelog(&plan.comparison),
        "files": plan.stale,
        "written": written,
    })
}

/// Returns what is between two documents.
#[must_use]
pub fn diff(difference: &Difference) -> Value {
    let mut notes = difference.notes.clone();
    let release = difference.release.as_ref();
    if let Err(refusal) = release {
        notes.push(format!("no client can be made: {refusal}"));
    }
    let release = release.ok();
    json!({
        "verdict": difference.comparison.verdict,
        "wording": difference.wording,
        "changes": difference.comparison.changes,
        "semver": release.map(semver),
        "surface": release.map(|release| &release.surface),
        "notes": notes,
    })
}

fn semver(release: &Release) -> Value {
    let names = release.published.iter();
    names
        .map(|name| (name.clone(), json!(release.semver.of(name))))
        .collect()
}

/// Returns a refusal.
#[must_use]
pub fn refused(refusal: &Refusal) -> Value {
    json!({
        "outcome": "refused",
        "stage": refusal.stage,
        "problems": refusal.problems,
    })
}
