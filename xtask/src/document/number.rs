//! Numbers as a document writes them, compared exactly: neither a whole number beyond 2^53 nor a
//! decimal is rounded on the way.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// The greatest whole number that a double is converted to; any beyond it stays a double.
///
/// 2^100 is far from where the conversion would saturate.
const WHOLE_LIMIT: f64 = 1_267_650_600_228_229_401_496_703_205_376.0;

/// The most decimal places by which two numbers are brought to the same unit.
///
/// Any more and the product would not fit 128 bits.
const SCALE_LIMIT: i32 = 18;

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Exact {
    /// A whole number.
    Whole(i128),
    /// Any other number, or one that is too large.
    Double(f64),
}

impl Exact {
    /// Returns a value as a number, if it is one.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        let Value::Number(number) = value else {
            return None;
        };
        Some(Self::from_number(number))
    }

    fn from_number(number: &Number) -> Self {
        if let Some(whole) = number.as_i64() {
            return Self::Whole(whole.into());
        }
        if let Some(whole) = number.as_u64() {
            return Self::Whole(whole.into());
        }
        let double = number.as_f64().unwrap_or(f64::NAN);
        match truncated(double) {
            Some(whole) if double.fract() == 0.0 => Self::Whole(whole),
            _ => Self::Double(double),
        }
    }

    /// Returns `true` if it is a whole number.
    #[must_use]
    pub fn is_whole(self) -> bool {
        match self {
            Self::Whole(_) => true,
            Self::Double(double) => double.fract() == 0.0,
        }
    }

    /// Compares two numbers by value.
    #[must_use]
    pub fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => left.cmp(&right),
            (Self::Double(left), Self::Double(right)) => left.total_cmp(&right),
            (Self::Whole(left), Self::Double(right)) => whole_to_double(left, right),
            (Self::Double(left), Self::Whole(right)) => whole_to_double(right, left).reverse(),
        }
    }

    /// Returns the least whole number that is not below, or above it if `strict`.
    #[must_use]
    pub fn up(self, strict: bool) -> i128 {
        match self {
            Self::Whole(whole) => whole.saturating_add(strict.into()),
            Self::Double(double) => truncated(double.ceil()).unwrap_or(extreme(double)),
        }
    }

    /// Returns the greatest whole number that is not above, or below it if `strict`.
    #[must_use]
    pub fn down(self, strict: bool) -> i128 {
        match self {
            Self::Whole(whole) => whole.saturating_sub(strict.into()),
            Self::Double(double) => truncated(double.floor()).unwrap_or(extreme(double)),
        }
    }

    /// Returns `true` if it is a multiple of a number, and nothing if that can't be decided.
    #[must_use]
    pub fn is_multiple_of(self, unit: Self) -> Option<bool> {
        let (value, unit) = same_unit(self, unit)?;
        Some(value.checked_rem(unit)? == 0)
    }
}

fn extreme(double: f64) -> i128 {
    if double.is_sign_negative() {
        i128::MIN
    } else {
        i128::MAX
    }
}

/// Returns the whole part of a double, if it is not too large.
fn truncated(double: f64) -> Option<i128> {
    if double.abs() > WHOLE_LIMIT || double.is_nan() {
        return None;
    }
    // Without places it is written in full: a conversion by text is exact, and can't be wrong.
    format!("{:.0}", double.trunc()).parse().ok()
}

fn whole_to_double(whole: i128, double: f64) -> Ordering {
    match truncated(double.floor()) {
        None => 0.0_f64.total_cmp(&double),
        Some(floor) if whole <= floor && (whole < floor || double.fract() != 0.0) => Ordering::Less,
        Some(floor) if whole == floor => Ordering::Equal,
        Some(_) => Ordering::Greater,
    }
}

/// Writes two numbers as whole multiples of the same power of ten.
fn same_unit(left: Exact, right: Exact) -> Option<(i128, i128)> {
    let ((left, left_places), (right, right_places)) = (decimal(left)?, decimal(right)?);
    let places = left_places.max(right_places);
    let scaled = |digits: i128, own: i32| {
        let by = places.checked_sub(own).filter(|by| *by <= SCALE_LIMIT)?;
        digits.checked_mul(10_i128.checked_pow(by.try_into().ok()?)?)
    };
    Some((scaled(left, left_places)?, scaled(right, right_places)?))
}

/// Returns the digits of a number and how many of them are places, as a document writes it.
fn decimal(number: Exact) -> Option<(i128, i32)> {
    match number {
        Exact::Whole(whole) => Some((whole, 0)),
        Exact::Double(double) => {
            let text = format!("{double:e}");
            let (digits, exponent) = text.split_once('e')?;
            let exponent: i32 = exponent.parse().ok()?;
            let places = digits.split_once('.').map_or(0, |(_, places)| places.len());
            let digits = digits.replace('.', "").parse().ok()?;
            Some((digits, i32::try_from(places).ok()?.checked_sub(exponent)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn exact(value: &Value) -> Exact {
        Exact::of(value).unwrap()
    }

    #[test]
    fn neighbours_beyond_2_to_53_differ() {
        let (low, high) = (9_007_199_254_740_992_u64, 9_007_199_254_740_993_u64);
        assert_eq!(
            exact(&json!(low)).order(exact(&json!(high))),
            Ordering::Less
        );
        let double = exact(&json!(9_007_199_254_740_992.0));
        assert_eq!(exact(&json!(high)).order(double), Ordering::Greater);
        assert_eq!(exact(&json!(low)).order(double), Ordering::Equal);
    }

    #[test]
    fn whole_numbers_and_doubles_are_ordered_by_value() {
        for (left, right, order) in [
            (json!(1), json!(1.5), Ordering::Less),
            (json!(2), json!(1.5), Ordering::Greater),
            (json!(-1), json!(-1.5), Ordering::Greater),
            (json!(-2), json!(-1.5), Ordering::Less),
            (json!(1.0), json!(1), Ordering::Equal),
            (json!(u64::MAX), json!(1e300), Ordering::Less),
            (json!(0), json!(-1e300), Ordering::Greater),
            (json!(0.5), json!(0.25), Ordering::Greater),
        ] {
            assert_eq!(exact(&left).order(exact(&right)), order, "{left} {right}");
            assert_eq!(
                exact(&right).order(exact(&left)),
                order.reverse(),
                "{right} {left}"
            );
        }
    }

    #[test]
    fn bounds_of_whole_numbers_are_rounded_inwards() {
        assert_eq!(
            (exact(&json!(1)).up(false), exact(&json!(1)).up(true)),
            (1, 2)
        );
        assert_eq!(
            (exact(&json!(1)).down(false), exact(&json!(1)).down(true)),
            (1, 0)
        );
        assert_eq!(
            (exact(&json!(1.5)).up(true), exact(&json!(1.5)).down(true)),
            (2, 1)
        );
        assert_eq!(
            (
                exact(&json!(-1.5)).up(false),
                exact(&json!(-1.5)).down(false)
            ),
            (-1, -2)
        );
        assert_eq!(
            (
                exact(&json!(1e300)).up(false),
                exact(&json!(-1e300)).down(false)
            ),
            (i128::MAX, i128::MIN)
        );
    }

    #[test]
    fn multiples_of_decimals_are_exact() {
        for (value, unit, expected) in [
            (json!(0.3), json!(0.1), Some(true)),
            (json!(0.35), json!(0.1), Some(false)),
            (json!(1), json!(0.25), Some(true)),
            (json!(7), json!(2), Some(false)),
            (json!(0.5), json!(1), Some(false)),
            (json!(1e-7), json!(1e-8), Some(true)),
            (json!(1), json!(1e-300), None),
            (json!(1), json!(0), None),
        ] {
            assert_eq!(
                exact(&value).is_multiple_of(exact(&unit)),
                expected,
                "{value} {unit}"
            );
        }
    }

    #[test]
    fn a_number_with_an_empty_fraction_is_whole() {
        assert!(exact(&json!(1.0)).is_whole() && exact(&json!(1e300)).is_whole());
        assert!(!exact(&json!(1.5)).is_whole());
    }
}
