//! The five operations as other frameworks describe them: whether each document can become the
//! contract, and what it means for clients of the contract; see `data/emitters/README.md`.

use std::fs;

use serde_json::{Value, json};
use xtask::regenerate::compare::Class;
use xtask::regenerate::generate::generate;
use xtask::regenerate::pipeline::compare_prepared;

use crate::support::{self, CONTRACT, prepared, steps, to_contract};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/emitters");

/// What the checked-in lists say of each document.
const EMITTERS: &str = include_str!("../data/emitters.json");

/// Says of a document what `emitters.json` has.
fn judged(text: &str) -> Value {
    let made = to_contract(text.as_bytes()).and_then(|prepared| generate(&prepared.document));
    if let Err(refusal) = made {
        let lines: Vec<_> = refusal.to_string().lines().map(str::to_owned).collect();
        return json!({"messages": lines});
    }
    let (old, new) = prepared(&support::json(CONTRACT), &support::json(text));
    let comparison = compare_prepared(&old, &new);
    let breaking = comparison.changes.iter();
    let breaking = breaking.filter(|change| change.class == Class::Breaking);
    let breaking: Vec<_> = breaking
        .map(|change| format!("{} at {}", change.message, change.pointer()))
        .collect();
    json!({
        "verdict": comparison.verdict,
        "semver": steps(&old.document, &new.document, &comparison),
        "breaking": breaking,
    })
}

#[test]
fn every_document_of_an_emitter_is_accepted_with_its_verdict_or_refused_with_its_place() {
    let mut found = serde_json::Map::new();
    for entry in fs::read_dir(FOLDER).unwrap() {
        let file = entry.unwrap().path();
        if file
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            found.insert(name, judged(&fs::read_to_string(&file).unwrap()));
        }
    }
    let found = Value::from(found);
    assert!(found == support::json(EMITTERS), "{found:#}");
}
