//! What upstream may do one day, as JSON patches on its document, and what each means.
//!
//! An entry of `evolutions.json` has a name, a patch that gives the old document (if it is not the
//! checked-in one), a patch from the old to the new one, and what the comparison says of it. `semver`
//! is the step of the generated crate, then that of every other one; `null` says that no client can
//! be made of a document.

use serde_json::{Value, json};
use xtask::regenerate::compare::Comparison;
use xtask::regenerate::pipeline::compare_prepared;

use crate::support::{self, NEWER, difference, patched, prepared, steps};

const EVOLUTIONS: &str = include_str!("../data/evolutions.json");

fn told(comparison: &Comparison) -> Vec<Value> {
    let told = comparison.changes.iter().map(|change| {
        json!({
            "operation": change.operation,
            "kind": change.kind,
            "class": change.class,
            "message": change.message,
        })
    });
    told.collect()
}

#[test]
fn every_evolution_has_its_verdict_its_changes_and_their_places() {
    let upstream = support::json(NEWER);
    let mut others = Vec::new();
    for evolution in support::json(EVOLUTIONS).as_array().unwrap() {
        let name = &evolution["name"];
        let old = patched(&upstream, evolution.get("base"));
        let new = patched(&old, evolution.get("patch"));
        let (older, newer) = prepared(&old, &new);
        let comparison = compare_prepared(&older, &newer);
        let (verdict, changes) = (json!(comparison.verdict), json!(told(&comparison)));
        let steps = steps(&older.document, &newer.document, &comparison);
        if verdict != evolution["verdict"]
            || changes != evolution["changes"]
            || steps != evolution["semver"]
        {
            others.push(
                json!({"name": name, "verdict": verdict, "semver": steps, "changes": changes}),
            );
        }
        for change in comparison.changes {
            assert!(change.old.is_some() || change.new.is_some(), "{name}");
            // To what changed, or to what it would be in.
            for (side, document) in [(&change.old, &old), (&change.new, &new)] {
                let Some(side) = side else { continue };
                let pointer = &side.pointer;
                assert!(document.pointer(pointer).is_some(), "{name}: {pointer}");
                // Only the servers of all operations can be missing in the whole document.
                assert!(!pointer.is_empty() || change.operation.is_none(), "{name}");
            }
        }
    }
    assert!(others.is_empty(), "{:#}", Value::from(others));
}

#[test]
fn a_change_that_is_taken_back_breaks_nothing_twice() {
    // Whatever is no change one way is none the other way.
    let upstream = support::json(NEWER);
    for evolution in support::json(EVOLUTIONS).as_array().unwrap() {
        if evolution["verdict"] == "identical" {
            let old = patched(&upstream, evolution.get("base"));
            let new = patched(&old, evolution.get("patch"));
            assert_eq!(
                told(&difference(&new, &old)),
                [Value::Null; 0],
                "{}",
                evolution["name"]
            );
        }
    }
}
