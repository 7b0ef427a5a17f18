//! Values that a schema lists, each found without a look at the others: a list may be long.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::document::number::Exact;

/// The listed values of a schema.
#[derive(Clone, Debug)]
pub(super) struct Listed<'a> {
    values: Vec<&'a Value>,
    known: BTreeSet<String>,
}

impl<'a> Listed<'a> {
    pub(super) fn new(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let values: Vec<_> = values.into_iter().collect();
        Self {
            known: values.iter().map(|value| text(value)).collect(),
            values,
        }
    }

    pub(super) fn has(&self, value: &Value) -> bool {
        self.known.contains(&text(value))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a Value> {
        self.values.iter().copied()
    }

    /// Returns those that other ones are not.
    pub(super) fn without(&self, others: &Self) -> Vec<&'a Value> {
        self.iter().filter(|value| !others.has(value)).collect()
    }
}

/// Returns `true` if two values are the same in JSON, where 1 and 1.0 are.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    text(left) == text(right)
}

/// Returns a text that is the same for values that are.
fn text(value: &Value) -> String {
    match value {
        Value::Number(_) => match Exact::of(value) {
            Some(Exact::Whole(whole)) => whole.to_string(),
            _ => value.to_string(),
        },
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(text).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(fields) => {
            let fields: BTreeSet<_> = fields
                .iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), text(value)))
                .collect();
            let fields: Vec<_> = fields.into_iter().collect();
            format!("{{{}}}", fields.join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_the_same_however_it_is_written() {
        for (left, right, expected) in [
            (json!(1), json!(1.0), true),
            (json!(1), json!("1"), false),
            (json!(1), json!(true), false),
            (json!(0.1), json!(1e-1), true),
            (json!(1e300), json!(1e300), true),
            (json!(u64::MAX), json!(i64::MAX), false),
            (json!([1, "a"]), json!([1.0, "a"]), true),
            (json!(["a,b"]), json!(["a", "b"]), false),
            (json!({"a": 1, "b": 2}), json!({"b": 2.0, "a": 1}), true),
            (json!({"a": 1}), json!({"a": 1, "b": 2}), false),
        ] {
            assert_eq!(same(&left, &right), expected, "{left} {right}");
        }
    }
}
