//! Documents that are refused, and what is said of each.
//!
//! An entry of `broken.json` has a name, the damage (a JSON patch on the upstream document, or a
//! whole text, or bytes in hexadecimal), and the lines of the refusal.

use serde_json::Value;

use crate::support::{self, NEWER, patched, to_contract};

const BROKEN: &str = include_str!("../data/broken.json");

fn bytes(entry: &Value) -> Vec<u8> {
    if let Some(text) = entry["text"].as_str() {
        return text.as_bytes().to_vec();
    }
    if let Some(hex) = entry["hex"].as_str() {
        let byte = |index| u8::from_str_radix(&hex[index..index + 2], 16).unwrap();
        return (0..hex.len()).step_by(2).map(byte).collect();
    }
    patched(&support::json(NEWER), entry.get("patch"))
        .to_string()
        .into_bytes()
}

#[test]
fn every_broken_document_is_refused_with_what_is_wrong() {
    let mut others = String::new();
    for entry in support::json(BROKEN).as_array().unwrap() {
        let lines: Vec<_> = match to_contract(&bytes(entry)) {
            Ok(_) => vec!["it was accepted".to_owned()],
            Err(refusal) => refusal.to_string().lines().map(str::to_owned).collect(),
        };
        if Value::from(lines.clone()) != entry["messages"] {
            others += &format!("{}: {lines:#?}\n", entry["name"]);
        }
    }
    assert!(others.is_empty(), "other messages than expected:\n{others}");
}
