//! Facts about limits of values.

use serde_json::json;

use super::*;

fn numbers(schema: &Value) -> Numbers {
    let mut numbers = Numbers::default();
    numbers.read(schema);
    numbers
}

#[test]
fn of_two_bounds_the_tighter_one_holds() {
    let mut both = numbers(&json!({"minimum": 1, "maximum": 5}));
    both.read(&json!({"minimum": 2, "maximum": 5, "exclusiveMaximum": true}));
    assert_eq!(both.whole(), (2, 4));
    both.read(&json!({"minimum": 1.5, "maximum": 9}));
    assert_eq!(both.whole(), (2, 4));
}

#[test]
fn numbers_are_allowed_up_to_their_bounds() {
    let limits = numbers(&json!({
        "minimum": 1, "exclusiveMinimum": true, "maximum": 2.5, "multipleOf": 0.5
    }));
    for (number, expected) in [
        (json!(1), Some(false)),
        (json!(1.5), Some(true)),
        (json!(1.25), Some(false)),
        (json!(2.5), Some(true)),
        (json!(3), Some(false)),
    ] {
        let number = Exact::of(&number).unwrap();
        assert_eq!(limits.allows(number), expected, "{number:?}");
    }
    let undecided = numbers(&json!({"multipleOf": 1e-300}));
    assert_eq!(undecided.allows(Exact::Whole(1)), None);
}

#[test]
fn kinds_of_numbers_that_can_not_be_are_seen() {
    for (schema, no_whole, no_fraction) in [
        (json!({}), false, false),
        (json!({"minimum": 0.25, "maximum": 0.75}), true, false),
        (json!({"minimum": 1, "maximum": 1}), false, true),
        (json!({"minimum": 0.5, "maximum": 0.5}), true, false),
        (
            json!({"minimum": 0.5, "maximum": 0.5, "exclusiveMaximum": true}),
            true,
            true,
        ),
        (json!({"minimum": 2, "maximum": 1}), true, true),
        (json!({"multipleOf": 2}), false, true),
        (json!({"multipleOf": 0.5}), false, false),
    ] {
        let limits = numbers(&schema);
        assert_eq!(limits.no_whole(), no_whole, "{schema}");
        assert_eq!(limits.no_fraction(), no_fraction, "{schema}");
    }
}

#[test]
fn one_interval_is_within_another_or_not() {
    for (own, other, whole, fractions) in [
        (json!({"minimum": 1}), json!({}), true, true),
        (json!({}), json!({"minimum": 1}), false, false),
        (json!({"maximum": 1}), json!({"maximum": 2}), true, true),
        (json!({"maximum": 2}), json!({"maximum": 1}), false, false),
        (json!({"minimum": 1}), json!({"minimum": 0.5}), true, true),
        (json!({"minimum": 0.5}), json!({"minimum": 1}), true, false),
        (
            json!({"minimum": 1}),
            json!({"minimum": 1, "exclusiveMinimum": true}),
            false,
            true,
        ),
        (
            json!({"minimum": 0.5}),
            json!({"minimum": 0.5, "exclusiveMinimum": true}),
            true,
            false,
        ),
    ] {
        let (own_limits, other_limits) = (numbers(&own), numbers(&other));
        assert_eq!(
            own_limits.whole_within(&other_limits),
            Some(whole),
            "{own} {other}"
        );
        assert_eq!(
            own_limits.fractions_within(&other_limits),
            Some(fractions),
            "{own} {other}"
        );
    }
}

#[test]
fn multiples_are_within_multiples() {
    let within = |own: Value, other: Value| numbers(&own).whole_within(&numbers(&other));
    assert_eq!(
        within(json!({"multipleOf": 6}), json!({"multipleOf": 3})),
        Some(true)
    );
    assert_eq!(within(json!({}), json!({"multipleOf": 3})), Some(false));
    assert_eq!(within(json!({}), json!({"multipleOf": 0.5})), Some(true));
    // Together, 2 and 3 mean 6; that is not looked at.
    assert_eq!(
        within(json!({"multipleOf": 4}), json!({"multipleOf": 6})),
        None
    );
}

#[test]
fn intervals_are_apart_or_touch() {
    for (left, right, expected) in [
        (json!({"maximum": 1}), json!({"minimum": 2}), true),
        (json!({"maximum": 1}), json!({"minimum": 1}), false),
        (
            json!({"maximum": 1}),
            json!({"minimum": 1, "exclusiveMinimum": true}),
            true,
        ),
        (json!({"maximum": 1}), json!({}), false),
    ] {
        assert_eq!(
            numbers(&left).apart(&numbers(&right)),
            expected,
            "{left} {right}"
        );
        assert_eq!(
            numbers(&right).apart(&numbers(&left)),
            expected,
            "{right} {left}"
        );
    }
}

#[test]
fn a_format_is_within_wider_ones() {
    let forms = |format: &'static str| Forms {
        formats: BTreeSet::from([format]),
        ..Forms::default()
    };
    for (own, other, expected) in [
        ("float", "double", true),
        ("double", "float", false),
        ("uuid", "uuid", true),
        ("uuid", "date", false),
        ("uuid", "double", true),
        ("uuid", "int32", true),
    ] {
        assert_eq!(
            forms(own).numbers_within(&forms(other)),
            expected,
            "{own} {other}"
        );
    }
    assert!(!Forms::default().numbers_within(&forms("float")));
    assert!(forms("int32").texts_within(&Forms::default()));
    assert!(!Forms::default().texts_within(&forms("int32")));
}

#[test]
fn whole_numbers_are_between_what_their_format_and_their_bounds_say() {
    const I64: (i128, i128) = (i64::MIN as i128, i64::MAX as i128);
    const BEYOND: i128 = 9_223_372_036_854_775_808;
    for (schema, between) in [
        (json!({}), (i128::MIN, i128::MAX)),
        (
            json!({"type": "number", "format": "int32"}),
            (i128::MIN, i128::MAX),
        ),
        (json!({"type": "integer"}), I64),
        (json!({"type": "integer", "format": "int64"}), I64),
        (json!({"type": "integer", "format": "unknown"}), I64),
        (json!({"type": "integer", "format": "uint8"}), (0, 255)),
        (
            json!({"type": "integer", "format": "uint8", "maximum": 300}),
            (0, 255),
        ),
        (
            json!({"type": "integer", "format": "uint8", "minimum": 7}),
            (7, 255),
        ),
        (
            json!({"type": "integer", "minimum": BEYOND as u64}),
            (BEYOND, BEYOND),
        ),
        (
            json!({"type": "integer", "maximum": BEYOND as u64}),
            (I64.0, BEYOND),
        ),
    ] {
        assert_eq!(numbers(&schema).whole(), between, "{schema}");
    }
}
