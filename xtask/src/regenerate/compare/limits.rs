//! Limits of values as intervals and sets: of numbers, of lengths, of formats.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::document::number::Exact;

/// Formats that affect how a value is displayed or entered, not what it is.
const SHOWN: [&str; 1] = ["password"];

/// Patterns that every text matches.
const MATCH_ALL: [&str; 6] = ["", "$", ".*", ".*$", "^", "^.*"];

/// Formats of numbers, from narrow to wide, and the widest of them is what no format means: it is
/// 64 bits in Rust either way.
const WIDTHS: [[&str; 2]; 2] = [["int32", "int64"], ["float", "double"]];

/// A bound of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bound {
    pub(super) value: Exact,
    /// The value itself is not allowed.
    pub(super) strict: bool,
}

impl Bound {
    /// Compares two lower bounds, or two upper ones the other way round.
    fn order(self, other: Self) -> Ordering {
        self.value.order(other.value)
    }
}

/// Limits of numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    pub(super) low: Option<Bound>,
    pub(super) high: Option<Bound>,
    pub(super) multiples: Vec<Exact>,
}

impl Numbers {
    pub(super) fn read(&mut self, schema: &Value) {
        let bound = |keyword: &str, exclusive: &str| {
            let value = Exact::of(schema.get(keyword)?)?;
            let strict = schema.get(exclusive) == Some(&Value::Bool(true));
            Some(Bound { value, strict })
        };
        self.low = tighter(
            self.low,
            bound("minimum", "exclusiveMinimum"),
            Ordering::Greater,
        );
        self.high = tighter(
            self.high,
            bound("maximum", "exclusiveMaximum"),
            Ordering::Less,
        );
        self.multiples
            .extend(schema.get("multipleOf").and_then(Exact::of));
    }

    /// Returns the first and the last whole number.
    pub(super) fn whole(&self) -> (i128, i128) {
        (
            self.low.map_or(i128::MIN, |low| low.value.up(low.strict)),
            self.high
                .map_or(i128::MAX, |high| high.value.down(high.strict)),
        )
    }

    pub(super) fn no_whole(&self) -> bool {
        let (first, last) = self.whole();
        first > last
    }

    /// Returns `true` if no number with a fraction is allowed.
    pub(super) fn no_fraction(&self) -> bool {
        let beside = match (self.low, self.high) {
            (Some(low), Some(high)) => match low.order(high) {
                Ordering::Less => false,
                Ordering::Equal => low.strict || high.strict || low.value.is_whole(),
                Ordering::Greater => true,
            },
            _ => false,
        };
        beside || self.multiples.iter().any(|unit| unit.is_whole())
    }

    pub(super) fn allows(&self, number: Exact) -> Option<bool> {
        let above = self.low.is_none_or(|low| match low.value.order(number) {
            Ordering::Less => true,
            Ordering::Equal => !low.strict,
            Ordering::Greater => false,
        });
        let below = self.high.is_none_or(|high| match high.value.order(number) {
            Ordering::Greater => true,
            Ordering::Equal => !high.strict,
            Ordering::Less => false,
        });
        let mut allowed = Some(above && below);
        for unit in &self.multiples {
            match number.is_multiple_of(*unit) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => allowed = allowed.filter(|allowed| !allowed),
            }
        }
        allowed
    }

    /// Returns `true` if all whole numbers of these are in the others.
    pub(super) fn whole_within(&self, others: &Self) -> Option<bool> {
        let ((first, last), (other_first, other_last)) = (self.whole(), others.whole());
        if first < other_first || last > other_last {
            return Some(false);
        }
        let mut within = Some(true);
        for unit in &others.multiples {
            // Every whole number is a multiple of what one is a multiple of.
            let mut known = self.multiples.iter().chain([&Exact::Whole(1)]);
            if !known.any(|own| own.is_multiple_of(*unit) == Some(true)) {
                within = undecided_or_not(&self.multiples, within);
            }
        }
        within
    }

    /// Returns `true` if all numbers with a fraction of these are in the others.
    pub(super) fn fractions_within(&self, others: &Self) -> Option<bool> {
        if !loosest(self.low, others.low, Ordering::Less)
            || !loosest(self.high, others.high, Ordering::Greater)
        {
            return Some(false);
        }
        let mut within = Some(true);
        for unit in &others.multiples {
            let mut known = self.multiples.iter();
            if !known.any(|own| own.is_multiple_of(*unit) == Some(true)) {
                within = undecided_or_not(&self.multiples, within);
            }
        }
        within
    }

    /// Returns these limits with the lower bound alone.
    pub(super) fn only_low(&self) -> Self {
        Self {
            low: self.low,
            ..Self::default()
        }
    }

    /// Returns these limits with the upper bound alone.
    pub(super) fn only_high(&self) -> Self {
        Self {
            high: self.high,
            ..Self::default()
        }
    }

    /// Returns `true` if the bounds allow nothing that others don't.
    pub(super) fn bounds_within(&self, others: &Self) -> bool {
        self.whole_within(others) == Some(true) && self.fractions_within(others) == Some(true)
    }

    /// Returns `true` if no number is in both.
    pub(super) fn apart(&self, others: &Self) -> bool {
        let over = |low: Option<Bound>, high: Option<Bound>| match (low, high) {
            (Some(low), Some(high)) => match low.order(high) {
                Ordering::Less => false,
                Ordering::Equal => low.strict || high.strict,
                Ordering::Greater => true,
            },
            _ => false,
        };
        over(self.low, others.high) || over(others.low, self.high)
    }
}

/// What a unit means that no own unit is a multiple of: several own units might be together.
fn undecided_or_not(own: &[Exact], before: Option<bool>) -> Option<bool> {
    if own.is_empty() {
        Some(false)
    } else {
        before.filter(|before| !before)
    }
}

/// Returns the bound that allows fewer numbers.
fn tighter(left: Option<Bound>, right: Option<Bound>, wins: Ordering) -> Option<Bound> {
    let (Some(left), Some(right)) = (left, right) else {
        return left.or(right);
    };
    let order = left.order(right);
    Some(match order {
        Ordering::Equal => Bound {
            value: left.value,
            strict: left.strict || right.strict,
        },
        _ if order == wins => left,
        _ => right,
    })
}

/// Returns `true` if an own bound allows nothing that another one doesn't.
fn loosest(own: Option<Bound>, other: Option<Bound>, loses: Ordering) -> bool {
    match (own, other) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(own), Some(other)) => match own.order(other) {
            // A number with a fraction is never equal to a whole bound.
            Ordering::Equal => own.strict || !other.strict || own.value.is_whole(),
            order => order != loses,
        },
    }
}

/// A length, or a number of items or fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) low: u64,
    pub(super) high: u64,
}

impl Default for Range {
    fn default() -> Self {
        Self {
            low: 0,
            high: u64::MAX,
        }
    }
}

impl Range {
    pub(super) fn read(&mut self, schema: &Value, low: &str, high: &str) {
        let count = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
        self.low = self.low.max(count(low).unwrap_or(0));
        self.high = self.high.min(count(high).unwrap_or(u64::MAX));
    }

    pub(super) fn is_empty(self) -> bool {
        self.low > self.high
    }

    pub(super) fn has(self, count: usize) -> bool {
        u64::try_from(count).is_ok_and(|count| self.low <= count && count <= self.high)
    }

    pub(super) fn within(self, other: Self) -> bool {
        other.low <= self.low && self.high <= other.high
    }

    pub(super) fn apart(self, other: Self) -> bool {
        self.high < other.low || other.high < self.low
    }
}

/// The patterns and formats that values must have all of.
#[derive(Clone, Debug, Default)]
pub(super) struct Forms<'a> {
    pub(super) patterns: BTreeSet<&'a str>,
    pub(super) formats: BTreeSet<&'a str>,
}

impl<'a> Forms<'a> {
    pub(super) fn read(&mut self, schema: &'a Value) {
        let text = |keyword: &str| schema.get(keyword).and_then(Value::as_str);
        self.patterns
            .extend(text("pattern").filter(|pattern| !MATCH_ALL.contains(pattern)));
        self.formats
            .extend(text("format").filter(|format| !SHOWN.contains(format)));
    }

    /// Returns `true` if values of these formats are in others, for one kind of values.
    pub(super) fn formats_within(&self, others: &Self) -> bool {
        others.formats.iter().all(|other| {
            let has = |format: &&str| format == other || is_narrower(format, other);
            is_widest(other) || self.formats.iter().any(has)
        })
    }
}

fn is_widest(format: &str) -> bool {
    WIDTHS.iter().any(|widths| widths.last() == Some(&format))
}

fn is_narrower(format: &str, other: &str) -> bool {
    WIDTHS.iter().any(|widths| {
        let place = |format: &str| widths.iter().position(|width| *width == format);
        matches!((place(format), place(other)), (Some(own), Some(other)) if own < other)
    })
}

#[cfg(test)]
mod tests {
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
    fn a_width_is_within_wider_ones() {
        let forms = |format: &'static str| Forms {
            formats: BTreeSet::from([format]),
            ..Forms::default()
        };
        for (own, other, expected) in [
            ("int32", "int64", true),
            ("int64", "int32", false),
            ("float", "double", true),
            ("double", "float", false),
            ("int32", "float", false),
            ("uuid", "uuid", true),
            ("uuid", "date", false),
            ("uuid", "int64", true),
        ] {
            assert_eq!(
                forms(own).formats_within(&forms(other)),
                expected,
                "{own} {other}"
            );
        }
        assert!(!Forms::default().formats_within(&forms("int32")));
    }
}
