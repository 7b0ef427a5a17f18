//! What a document may have and what not: each entry of `documents.json` is a JSON patch on the
//! upstream document, and the lines of the refusal if it is refused. `cargo xtask compiles` compiles
//! what is accepted.

use serde_json::Value;
use xtask::regenerate::generate::generate;

use crate::support::{self, NEWER, patched, to_contract};

const DOCUMENTS: &str = include_str!("../data/documents.json");

#[test]
fn every_document_becomes_rust_or_is_refused_with_its_place() {
    let upstream = support::json(NEWER);
    let mut others = String::new();
    for entry in support::json(DOCUMENTS).as_array().unwrap() {
        let document = patched(&upstream, entry.get("patch"));
        let made = to_contract(document.to_string().as_bytes())
            .and_then(|prepared| generate(&prepared.document));
        let lines: Vec<_> = match made {
            Ok(_) => Vec::new(),
            Err(refusal) => refusal.to_string().lines().map(str::to_owned).collect(),
        };
        let expected = entry
            .get("messages")
            .cloned()
            .unwrap_or_else(|| Value::from(vec![""; 0]));
        if Value::from(lines.clone()) != expected {
            others += &format!("{}: {}\n", entry["name"], Value::from(lines));
        }
    }
    assert!(others.is_empty(), "other messages than expected:\n{others}");
}
