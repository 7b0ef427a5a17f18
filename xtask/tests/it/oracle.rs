//! The short form of `cargo xtask oracle`: random pairs of schemas, judged by `jsonschema`.

use xtask::oracle::{Options, outcome};

/// Pairs of the short form: a few seconds in a debug build.
const PAIRS: u32 = 150;

fn is_sound(seed: u64, one_of: bool) {
    let options = Options {
        pairs: PAIRS,
        seed,
        one_of,
    };
    let outcome = outcome(&options);
    assert_eq!(outcome.unsound, Vec::<String>::new());
    // It has to try something, and to find what breaks a client.
    assert!(outcome.refused * 4 < PAIRS, "{outcome:?}");
    assert!(outcome.witnessed * 4 > outcome.verdicts, "{outcome:?}");
    assert!(outcome.breaking * 4 < outcome.verdicts * 3, "{outcome:?}");
}

#[test]
fn no_value_that_breaks_a_client_goes_untold() {
    is_sound(1, false);
}

#[test]
fn no_value_that_breaks_a_client_goes_untold_with_one_of() {
    is_sound(2, true);
}
