//! From an upstream document to the contract, byte for byte.

use serde_json::Value;
use xtask::canonical;
use xtask::regenerate::select::Missing;
use xtask::regenerate::{correct, normalise, select};

const CONTRACT: &str = include_str!("../../../openapi.json");
const OVERLAY: &str = include_str!("../../overlay.json");
const FIVE: &str = include_str!("../data/upstream-five-3.0.2.json");

#[test]
fn the_upstream_document_of_the_five_becomes_the_contract() {
    let upstream: Value = serde_json::from_str(FIVE).unwrap();
    let selected = select::select(&upstream, &[], Missing::Refused).unwrap();
    let corrected = correct::correct(normalise::normalise(selected), OVERLAY).unwrap();
    assert_eq!(canonical::to_string(&corrected.document), CONTRACT);
    assert_eq!(
        corrected.notes,
        [
            "the overlay's action 4 (remove $.components.schemas.ValidationError.properties.input) \
             matches nothing",
            "the overlay's action 5 (remove $.components.schemas.ValidationError.properties.ctx) \
             matches nothing",
        ]
    );
}
