//! Picks one of several things, and puts values into objects.

use fastrand::Rng;
use serde_json::Value;

/// Returns one of several things.
pub(super) fn one<T: Clone + Default>(random: &mut Rng, list: &[T]) -> T {
    random.choice(list).cloned().unwrap_or_default()
}

/// Puts a value into an object.
pub(super) fn put(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(key.to_owned(), value);
    }
}
