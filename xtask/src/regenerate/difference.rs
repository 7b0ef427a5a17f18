//! What is between two documents, whichever of them is the contract. Nothing is printed here.

use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;

use super::compare::{Comparison, Kind};
use super::generate::generate;
use super::pipeline::{Goal, Prepared, compare_prepared, prepare_value};
use super::place::Place;
use super::read::read;
use super::refusal::{Failure, Refusal, Stage};
use super::select::{homes, places};
use super::semver::{Release, release};
use super::source;
use super::validate::generable;
use crate::document::parts::operations_of;
use crate::workspace::OVERLAY;
use crate::{canonical, workspace};

/// What is between two documents.
#[derive(Clone, Debug)]
pub struct Difference {
    /// What changes for a client.
    pub comparison: Comparison,
    /// The texts differ, in the form that the contract has.
    pub wording: bool,
    /// What it means for the versions; or why nothing can be said of them.
    pub release: Result<Release, Refusal>,
    /// What is worth a look in the new document and is not said of the old one.
    pub notes: Vec<String>,
}

/// Compares two documents: files, addresses, or one of them from standard input.
///
/// # Errors
///
/// A document is refused or can't be read.
pub fn difference(
    root: &Path,
    (old, new): (&str, &str),
    input: &mut dyn Read,
) -> Result<Difference, Failure> {
    if old == source::STANDARD_INPUT && new == source::STANDARD_INPUT {
        let message = "only one of the two documents can be standard input";
        return Err(io::Error::other(message).into());
    }
    let overlay = workspace::read(&root.join(OVERLAY))?;
    let read = |name: &str, bytes: &[u8]| read(bytes).map_err(|refusal| named(name, refusal));
    let before = read(old, &source::bring(old, input)?)?;
    let after = read(new, &source::bring(new, input)?)?;
    // A document may be large, so what the other side needs of it is taken before it goes.
    let (homes_before, homes_after) = (homes(&before), homes(&after));
    let places_after = places(&after);
    let prepare = |name: &str, document: Value, homes: &_| {
        let prepared = prepare_value(document, &overlay, Goal::Side(homes));
        prepared.map_err(|refusal| named(name, refusal))
    };
    let older = prepare(old, before, &homes_after)?;
    let newer = prepare(new, after, &homes_before)?;
    let mut comparison = compare_prepared(&older, &newer);
    name_nearest(&mut comparison, &places_after);
    if [&older, &newer]
        .iter()
        .all(|side| operations_of(&side.document).is_empty())
    {
        let message = "none of the operations is in either document";
        return Err(Refusal::new(Stage::Select, "/paths", message).into());
    }
    let release = versions((old, &older), (new, &newer), &comparison, root);
    let notes = newer
        .notes
        .iter()
        .filter(|note| !older.notes.contains(note));
    Ok(Difference {
        wording: canonical::sorted(&older.document) != canonical::sorted(&newer.document),
        notes: notes.cloned().collect(),
        comparison,
        release: release?,
    })
}

/// Tells what the difference means for the versions, if both documents can become the contract.
fn versions(
    (old, older): (&str, &Prepared),
    (new, newer): (&str, &Prepared),
    comparison: &Comparison,
    root: &Path,
) -> io::Result<Result<Release, Refusal>> {
    let published = workspace::published(root)?;
    let made = |name: &str, side: &Prepared| {
        generable(&side.document)
            .and_then(|()| generate(&side.document))
            .map_err(|refusal| named(name, refusal))
    };
    Ok(made(old, older).and_then(|before| {
        let after = made(new, newer)?;
        release((&before, &after), comparison.verdict, published)
    }))
}

/// Adds to each operation that is gone which one of the new document is the most like it.
fn name_nearest(comparison: &mut Comparison, places: &[Place]) {
    for change in &mut comparison.changes {
        if change.kind == Kind::OperationRemoved
            && let Some(gone) = Place::of(change.pointer())
        {
            change.message = gone.is_gone(places);
        }
    }
}

/// Adds to a refusal which of two documents it is about.
fn named(source: &str, mut refusal: Refusal) -> Refusal {
    for problem in &mut refusal.problems {
        problem.message = format!("in {source}: {}", problem.message);
    }
    refusal
}
