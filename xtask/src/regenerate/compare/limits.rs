//! Limits of values as intervals and sets: of numbers, of lengths, of formats.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::document::number::Exact;

/// Formats that affect how a value is displayed or entered, not what it is.
const SHOWN: [&str; 1] = ["password"];

/// Patterns that every text matches.
const MATCH_ALL: [&str; 6] = ["", "$", ".*", ".*$", "^", "^.*"];

/// Formats of fractions, from narrow to wide. No format means the widest: it is 64 bits in Rust.
const FRACTIONS: [&str; 2] = ["float", "double"];

/// What a whole number is between if its format does not say it: it is an `i64` in Rust.
const WHOLE: (i128, i128) = (i64::MIN as i128, i64::MAX as i128);

/// Formats of whole numbers, and what these are between.
const WHOLES: [(&str, (i128, i128)); 10] = [
    ("int8", (i8::MIN as i128, i8::MAX as i128)),
    ("int16", (i16::MIN as i128, i16::MAX as i128)),
    ("int32", (i32::MIN as i128, i32::MAX as i128)),
    ("int64", WHOLE),
    ("int128", (i128::MIN, i128::MAX)),
    ("uint8", (0, u8::MAX as i128)),
    ("uint16", (0, u16::MAX as i128)),
    ("uint32", (0, u32::MAX as i128)),
    ("uint64", (0, u64::MAX as i128)),
    // As far as whole numbers are told apart here.
    ("uint128", (0, i128::MAX)),
];

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
    /// All are whole, so that a format says what they are between.
    is_whole: bool,
    width: Option<(i128, i128)>,
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
        let text = |keyword: &str| schema.get(keyword).and_then(Value::as_str);
        self.is_whole |=
            text("type") == Some("integer") || self.multiples.iter().any(|unit| unit.is_whole());
        if let Some((first, last)) = text("format").and_then(width) {
            let (least, most) = self.width.unwrap_or((i128::MIN, i128::MAX));
            self.width = Some((least.max(first), most.min(last)));
        }
    }

    /// Returns the first and the last whole number.
    pub(super) fn whole(&self) -> (i128, i128) {
        let low = self.low.map(|low| low.value.up(low.strict));
        let high = self.high.map(|high| high.value.down(high.strict));
        match (self.is_whole, self.width) {
            (false, _) => (low.unwrap_or(i128::MIN), high.unwrap_or(i128::MAX)),
            (true, Some((least, most))) => (
                low.map_or(least, |low| low.max(least)),
                high.map_or(most, |high| high.min(most)),
            ),
            // A bound beyond 64 bits is meant.
            (true, None) => {
                let least = high.map_or(WHOLE.0, |high| high.min(WHOLE.0));
                let most = low.map_or(WHOLE.1, |low| low.max(WHOLE.1));
                (low.unwrap_or(least), high.unwrap_or(most))
            }
        }
    }

    /// Returns what the type and the format alone say that whole numbers are between.
    pub(super) fn width(&self) -> (i128, i128) {
        match self.is_whole {
            true => self.width.unwrap_or(WHOLE),
            false => (i128::MIN, i128::MAX),
        }
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
        let (first, last) = self.whole();
        let between = !number.is_whole() || first <= number.down(false) && number.up(false) <= last;
        let mut allowed = Some(above && below && between);
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

    /// Returns `true` if texts of these formats are of others.
    pub(super) fn texts_within(&self, others: &Self) -> bool {
        others.formats.is_subset(&self.formats)
    }

    /// Returns `true` if numbers of these formats are of others. What is said of whole numbers are
    /// limits of [`Numbers`].
    pub(super) fn numbers_within(&self, others: &Self) -> bool {
        let mut others = others.formats.iter().filter(|it| width(it).is_none());
        others.all(|other| {
            let has = |format: &&str| format == other || is_narrower(format, other);
            FRACTIONS.last() == Some(other) || self.formats.iter().any(has)
        })
    }
}

/// Returns what whole numbers of a format are between.
fn width(format: &str) -> Option<(i128, i128)> {
    let known = WHOLES.iter().find(|(name, _)| *name == format);
    known.map(|(_, between)| *between)
}

fn is_narrower(format: &str, other: &str) -> bool {
    let place = |format: &str| FRACTIONS.iter().position(|width| *width == format);
    matches!((place(format), place(other)), (Some(own), Some(other)) if own < other)
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
