//! Bytes through the whole pipeline, generator included: they are taken or refused, and nothing
//! else may happen. What comes out goes in again and comes out the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use xtask::canonical;
use xtask::golden::generate;
use xtask::regenerate::compare::{Verdict, compare};
use xtask::regenerate::pipeline::{Goal, prepare};

const CONTRACT: &str = include_str!("../../openapi.json");
const OVERLAY: &str = include_str!("../../xtask/overlay.json");

fuzz_target!(|bytes: &[u8]| {
    if let Ok(new) = prepare(bytes, OVERLAY, Goal::Side(&[])) {
        if let Ok(old) = prepare(CONTRACT.as_bytes(), OVERLAY, Goal::Side(&[])) {
            let _ = compare(&old.document, &new.document);
        }
        assert_eq!(compare(&new.document, &new.document).verdict, Verdict::Identical);
    }
    if let Ok(taken) = prepare(bytes, OVERLAY, Goal::Contract(&[])) {
        let text = canonical::to_string(&taken.document);
        let again = prepare(text.as_bytes(), OVERLAY, Goal::Contract(&[]));
        assert_eq!(again.map(|again| canonical::to_string(&again.document)), Ok(text.clone()));
        let _ = generate(&text);
    }
});
