//! From an upstream document to the contract, byte for byte.

use serde_json::Value;
use xtask::canonical;
use xtask::regenerate::pipeline::{Goal, prepare};

use crate::support::{self, CONTRACT, FIVE, NEWER, OLDER, OVERLAY, to_contract};

#[test]
fn every_upstream_document_of_the_service_becomes_the_same_contract() {
    for document in [FIVE, NEWER, OLDER] {
        let prepared = to_contract(document.as_bytes()).unwrap();
        assert_eq!(canonical::to_string(&prepared.document), CONTRACT);
    }
}

#[test]
fn the_contract_becomes_itself() {
    let prepared = to_contract(CONTRACT.as_bytes()).unwrap();
    assert_eq!(canonical::to_string(&prepared.document), CONTRACT);
}

#[test]
fn the_contract_of_today_becomes_itself() {
    let today = xtask::workspace::read(&xtask::workspace::root().join("openapi.json")).unwrap();
    let prepared = to_contract(today.as_bytes()).unwrap();
    assert_eq!(canonical::to_string(&prepared.document), today);
}

#[test]
fn yaml_becomes_the_same_contract_as_json() {
    let yaml = to_yaml(&support::json(NEWER), 0);
    let prepared = to_contract(yaml.as_bytes()).unwrap();
    assert_eq!(canonical::to_string(&prepared.document), CONTRACT);
}

#[test]
fn what_the_overlay_has_no_place_for_is_told() {
    let notes = prepare(NEWER.as_bytes(), OVERLAY, Goal::Side(&[]))
        .unwrap()
        .notes;
    assert_eq!(
        notes,
        [
            "the overlay's action 6 (remove $.paths['/auth/api-token'].delete.responses['204'].content) \
          matches nothing"
        ]
    );
}

/// Writes a value as block style YAML; its texts are quoted, but not those of the keys.
fn to_yaml(value: &Value, indent: usize) -> String {
    let margin = "  ".repeat(indent);
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            let entry = |(key, value): (&String, &Value)| {
                let plain = key
                    .chars()
                    .all(|char| char.is_ascii_alphanumeric() || "_/-".contains(char));
                let key = if plain {
                    key.clone()
                } else {
                    format!("{key:?}")
                };
                format!("\n{margin}{key}: {}", to_yaml(value, indent + 1))
            };
            entries.iter().map(entry).collect()
        }
        Value::Array(items) if !items.is_empty() => {
            let item = |value: &Value| format!("\n{margin}- {}", to_yaml(value, indent + 1));
            items.iter().map(item).collect()
        }
        other => other.to_string(),
    }
}
