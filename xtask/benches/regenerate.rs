//! How long a large document takes, from its bytes to the verdict: `cargo bench -p xtask`.
//! The generator is not in it: it sees the five operations only, however large the document is.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use serde_json::Value;
use xtask::regenerate::compare::compare;
use xtask::regenerate::pipeline::{Goal, prepare};
use xtask::regenerate::select::homes;

const CONTRACT: &str = include_str!("../../openapi.json");
const OVERLAY: &str = include_str!("../overlay.json");
const UPSTREAM: &str = include_str!("../tests/data/fastapi-3.1.0.json");

/// Sizes in megabytes: the one that is promised half a second, and others to see the growth.
const MEGABYTES: [usize; 4] = [1, 5, 10, 40];

/// A megabyte.
const MEGABYTE: usize = 1_000_000;

fn main() {
    divan::main();
}

/// The upstream document, its unrelated parts again and again under other names.
fn service(bytes: usize) -> Vec<u8> {
    let upstream: Value = serde_json::from_str(UPSTREAM).unwrap_or_default();
    let mut large = upstream.clone();
    let rounds = bytes / UPSTREAM.len();
    for (section, pointer) in [("paths", "/paths"), ("schemas", "/components/schemas")] {
        let originals = upstream.pointer(pointer).and_then(Value::as_object);
        let Some(Value::Object(entries)) = large.pointer_mut(pointer) else {
            continue;
        };
        for round in 0..rounds {
            for (name, original) in originals.into_iter().flatten() {
                if !name.starts_with("/auth/") {
                    let name = format!(
                        "{name}{}{round}",
                        if section == "paths" { "/" } else { "_" }
                    );
                    entries.insert(name, original.clone());
                }
            }
        }
    }
    serde_json::to_vec_pretty(&large).unwrap_or_default()
}

#[divan::bench(args = MEGABYTES)]
fn from_bytes_to_verdict(bencher: Bencher<'_, '_>, megabytes: usize) {
    let bytes = service(megabytes * MEGABYTE);
    let contract = prepare(CONTRACT.as_bytes(), OVERLAY, Goal::Side(&[]))
        .map(|prepared| prepared.document)
        .unwrap_or_default();
    let homes = homes(&contract);
    bencher.counter(BytesCount::new(bytes.len())).bench(|| {
        let prepared = prepare(black_box(&bytes), OVERLAY, Goal::Contract(&homes));
        prepared.map(|prepared| compare(&contract, &prepared.document))
    });
}
