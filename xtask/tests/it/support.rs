//! The documents of `tests/data`, and what several tests do with them.

use std::cell::RefCell;

use serde_json::{Value, json};
use xtask::golden::Generated;
use xtask::regenerate::compare::Comparison;
use xtask::regenerate::generate::generate;
use xtask::regenerate::pipeline::{Goal, Prepared, compare_prepared, prepare, prepare_value};
use xtask::regenerate::refusal::Refusal;
use xtask::regenerate::select::{Home, homes};
use xtask::regenerate::semver::release;
use xtask::regenerate::validate::generable;

/// The contract as it was when the upstream documents beside it were made.
///
/// The one at the root moves on with upstream, and these tests must not fail when it does.
pub(crate) const CONTRACT: &str = include_str!("../data/contract.json");
pub(crate) const OVERLAY: &str = include_str!("../../overlay.json");

/// An early upstream document of the five operations alone, in 3.0.2.
pub(crate) const FIVE: &str = include_str!("../data/upstream-five-3.0.2.json");

/// A whole service as current FastAPI writes it; see `make_fastapi_documents.py`.
pub(crate) const NEWER: &str = include_str!("../data/fastapi-3.1.0.json");

/// The same service as an old FastAPI wrote it.
pub(crate) const OLDER: &str = include_str!("../data/fastapi-3.0.2.json");

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Applies a JSON patch, if there is one.
pub(crate) fn patched(document: &Value, patch: Option<&Value>) -> Value {
    let mut document = document.clone();
    if let Some(patch) = patch {
        let patch: json_patch::Patch = serde_json::from_value(patch.clone()).unwrap();
        json_patch::patch(&mut document, &patch).unwrap();
    }
    document
}

/// Takes a document through the stages, to become the contract.
pub(crate) fn to_contract(bytes: &[u8]) -> Result<Prepared, Refusal> {
    let homes = homes(&json(CONTRACT));
    prepare(bytes, OVERLAY, Goal::Contract(&homes))
}

/// Takes two documents through the stages, to be compared.
pub(crate) fn prepared(old: &Value, new: &Value) -> (Prepared, Prepared) {
    let (old_homes, new_homes) = (homes(old), homes(new));
    let side = |document: &Value, homes: &[Home]| {
        prepare_value(document.clone(), OVERLAY, Goal::Side(homes)).unwrap()
    };
    (side(old, &new_homes), side(new, &old_homes))
}

/// Compares two documents as the command `diff` does.
pub(crate) fn difference(old: &Value, new: &Value) -> Comparison {
    let (old, new) = prepared(old, new);
    compare_prepared(&old, &new)
}

/// Returns the step of the generated crate, and the one that all others share.
pub(crate) fn steps(old: &Value, new: &Value, comparison: &Comparison) -> Value {
    thread_local! {
        /// Most evolutions begin with the same document.
        static LATEST: RefCell<Option<(Value, Generated)>> = const { RefCell::new(None) };
    }
    let latest = LATEST.take().filter(|(document, _)| document == old);
    let generated = |document| generable(document).and_then(|()| generate(document));
    let latest = latest.or_else(|| Some((old.clone(), generated(old).ok()?)));
    let (Some((_, before)), Ok(after)) = (&latest, generated(new)) else {
        return Value::Null;
    };
    let release = release((before, &after), comparison.verdict, Vec::new()).unwrap();
    LATEST.set(latest);
    json!([release.semver.generated, release.semver.others])
}
