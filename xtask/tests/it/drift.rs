//! Our comparison against the crate `drift`: where it finds a break and stays on its feet, so do
//! we. It judges less than we do, so the other way round is no fact.

use std::panic;

use drift::ChangeClass;
use serde_json::Value;
use xtask::regenerate::compare::{Verdict, compare};

use crate::support::{self, NEWER, patched, prepared};

const EVOLUTIONS: &str = include_str!("../data/evolutions.json");

/// Where drift sees a break and we don't: it takes a status that is documented more for one, also
/// that of an error, and any change of a type, also one that allows less where we read or that is
/// of a media type which the client doesn't use.
const DIFFER: [&str; 11] = [
    "a media type beside JSON is of other values",
    "a number of a reply becomes whole",
    "a reply is one of two schemas, and the old one reads both",
    "a success is one of a range",
    "a validation error is documented",
    "an alternative of a reply is gone",
    "an error is documented",
    "an error is documented with a body",
    "an error is one of a range",
    "login takes a number as well as a text for the id",
    "the default becomes the ranges that it was",
];

/// What drift says, if it says something.
fn breaks(old: &Value, new: &Value) -> Option<bool> {
    let compared = panic::catch_unwind(|| drift::compare(old, new))
        .ok()?
        .ok()?;
    let is_break = |class: ChangeClass| {
        matches!(
            class,
            ChangeClass::BackwardIncompatible | ChangeClass::Incompatible
        )
    };
    Some(
        compared
            .iter()
            .flat_map(|change| &change.changes)
            .any(|change| is_break(change.class)),
    )
}

#[test]
fn whatever_breaks_for_drift_breaks_for_us() {
    let upstream = support::json(NEWER);
    let mut judged = 0;
    for evolution in support::json(EVOLUTIONS).as_array().unwrap() {
        let name = evolution["name"].as_str().unwrap();
        let old = patched(&upstream, evolution.get("base"));
        let new = patched(&old, evolution.get("patch"));
        let (old, new) = prepared(&old, &new);
        let ours = compare(&old.document, &new.document).verdict;
        if let Some(true) = breaks(&old.document, &new.document) {
            judged += 1;
            let expected = if DIFFER.contains(&name) {
                Verdict::Compatible
            } else {
                Verdict::Breaking
            };
            assert_eq!(ours, expected, "{name}");
        }
    }
    assert!(
        judged > 10,
        "drift judged {judged} only; is it still asked the right thing?"
    );
}
