//! Parses JSON or YAML text to one JSON value: within limits, and without duplicate keys. Both
//! parsers drive the same seed; what only one of them knows is an option of it.

use std::cell::Cell;
use std::{fmt, io, thread};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{UserMessageFormatter, budget, options};

use super::super::refusal::{Refusal, Stage};
use super::limits::{ALIAS_LIMIT, DEPTH_LIMIT};
use crate::document::pointer::at;

/// The stack of the thread that parses YAML.
///
/// The parser takes up to 30 KB for a level in a debug build, and a test's thread has 2 MiB. This
/// is five times what [`DEPTH_LIMIT`] needs.
const YAML_STACK: usize = 16 * 1024 * 1024;

pub(super) fn json(text: &str) -> Result<Value, Refusal> {
    read("JSON", text, |seed| {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let value = seed.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok::<_, serde_json::Error>(value)
    })
}

/// Parses YAML 1.2 by its core schema. What JSON can't represent (keys that are no strings, custom
/// tags, infinity) is refused.
pub(super) fn yaml(text: &str) -> Result<Value, Refusal> {
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(YAML_STACK);
        let worker = worker.spawn_scoped(scope, || yaml_here(text));
        let parsed = worker.and_then(|worker| {
            let ended = worker.join();
            ended.map_err(|_| io::Error::other("the YAML parser panicked"))
        });
        parsed.unwrap_or_else(|error| Err(Refusal::new(Stage::Read, "", error.to_string())))
    })
}

fn yaml_here(text: &str) -> Result<Value, Refusal> {
    // The seed limits what comes out. Here the limits keep the parser itself from recursing or
    // copying too much; counts are bounded by the size of the text.
    let budget = budget! {
        max_depth: DEPTH_LIMIT + 1,
        flow_nesting_limit: DEPTH_LIMIT + 1,
        max_recorded_anchor_events: ALIAS_LIMIT,
        max_recorded_anchor_bytes: ALIAS_LIMIT,
        max_events: usize::MAX,
        max_nodes: usize::MAX,
        max_aliases: usize::MAX,
        max_anchors: usize::MAX,
        enforce_alias_anchor_ratio: false,
    };
    let options = options! {
        budget: budget,
        // The seed has a rule for both languages.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        null_as_string: true,
        reject_unsupported_tags: true,
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    };
    read("YAML", text, |seed| {
        serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
            seed.deserialize(deserializer)
        })
        .map_err(|error| error.render_with_formatter(&UserMessageFormatter))
    })
}

/// Runs a parser on a new seed, and reports an error with the pointer that the seed had reached.
fn read<E: fmt::Display>(
    language: &str,
    text: &str,
    parse: impl FnOnce(Seed<'_>) -> Result<Value, E>,
) -> Result<Value, Refusal> {
    let mut trail = Vec::new();
    let room = Cell::new(text.len().saturating_add(ALIAS_LIMIT));
    let seed = Seed {
        depth: 0,
        room: &room,
        trail: &mut trail,
    };
    parse(seed).map_err(|error| {
        let keys = trail.iter().rev();
        let pointer = keys.fold(String::new(), |pointer, key| at(&pointer, key));
        let message = format!("the {language} is broken: {error}");
        Refusal::new(Stage::Read, pointer, message)
    })
}

/// Parses one value; on an error the trail collects the keys that lead to it, from the inside out.
struct Seed<'a> {
    depth: usize,
    /// How much more may come, in values and bytes of text: a document without aliases makes no
    /// more of them than it has bytes.
    room: &'a Cell<usize>,
    trail: &'a mut Vec<String>,
}

impl Seed<'_> {
    /// Counts a value and the bytes of its text.
    fn count<E: Error>(&self, bytes: usize) -> Result<(), E> {
        let left = self.room.get().checked_sub(bytes.saturating_add(1));
        let left = left.ok_or_else(|| E::custom("aliases make the document too long"))?;
        self.room.set(left);
        Ok(())
    }

    /// Returns the seed of a value one level deeper.
    fn deeper<E: Error>(&mut self) -> Result<Seed<'_>, E> {
        if self.depth >= DEPTH_LIMIT {
            return Err(E::custom(format_args!(
                "nested deeper than {DEPTH_LIMIT} levels"
            )));
        }
        Ok(Seed {
            depth: self.depth + 1,
            room: self.room,
            trail: self.trail,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.count(0)?;
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.count(0)?;
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.count(0)?;
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.count(0)?;
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.count(value.len())?;
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.count(0)?;
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        self.count(0)?;
        let mut list = Vec::new();
        loop {
            match items.next_element_seed(self.deeper()?) {
                Ok(Some(item)) => list.push(item),
                Ok(None) => return Ok(Value::Array(list)),
                Err(error) => {
                    self.trail.push(list.len().to_string());
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        self.count(0)?;
        let mut object = Map::new();
        loop {
            let key = Key {
                seed: &mut self,
                taken: &object,
            };
            let Some(key) = entries.next_key_seed(key)? else {
                return Ok(Value::Object(object));
            };
            match entries.next_value_seed(self.deeper()?) {
                Ok(value) => object.insert(key, value),
                Err(error) => {
                    self.trail.push(key);
                    return Err(error);
                }
            };
        }
    }
}

/// Parses a key that an object does not have yet.
struct Key<'a, 'b> {
    seed: &'a mut Seed<'b>,
    taken: &'a Map<String, Value>,
}

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key that is a string")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<String, E> {
        self.seed.count(key.len())?;
        if self.taken.contains_key(key) {
            self.seed.trail.push(key.to_owned());
            return Err(E::custom(format_args!("the key {key:?} is there twice")));
        }
        Ok(key.to_owned())
    }
}

#[cfg(test)]
#[path = "value_tests.rs"]
mod tests;
