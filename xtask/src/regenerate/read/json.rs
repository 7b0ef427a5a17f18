//! Parses JSON text; errors have their place. serde_json alone would silently use the last of two
//! equal keys.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::super::refusal::{Refusal, Stage};
use super::limits::DEPTH_LIMIT;
use crate::document::pointer::at;

pub(super) fn parse(text: &str) -> Result<Value, Refusal> {
    let mut trail = Vec::new();
    let seed = Seed {
        depth: 0,
        trail: &mut trail,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let result = seed.deserialize(&mut deserializer);
    let result = result.and_then(|value| deserializer.end().map(|()| value));
    result.map_err(|error| {
        let pointer = trail
            .iter()
            .rev()
            .fold(String::new(), |pointer, key| at(&pointer, key));
        Refusal::new(Stage::Read, pointer, format!("the JSON is broken: {error}"))
    })
}

/// Parses one value; on an error the trail collects the keys that lead to it, from the inside out.
struct Seed<'a> {
    depth: usize,
    trail: &'a mut Vec<String>,
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

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let depth = deeper(self.depth)?;
        let mut list = Vec::new();
        loop {
            let trail = &mut *self.trail;
            match items.next_element_seed(Seed { depth, trail }) {
                Ok(Some(item)) => list.push(item),
                Ok(None) => return Ok(Value::Array(list)),
                Err(error) => {
                    self.trail.push(list.len().to_string());
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let depth = deeper(self.depth)?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let trail = &mut *self.trail;
            match entries.next_value_seed(Seed { depth, trail }) {
                Ok(_) if object.contains_key(&key) => {
                    let message = format!("the key {key:?} is there twice");
                    self.trail.push(key);
                    return Err(A::Error::custom(message));
                }
                Ok(value) => object.insert(key, value),
                Err(error) => {
                    self.trail.push(key);
                    return Err(error);
                }
            };
        }
        Ok(Value::Object(object))
    }
}

fn deeper<E: serde::de::Error>(depth: usize) -> Result<usize, E> {
    if depth >= DEPTH_LIMIT {
        return Err(E::custom(format_args!(
            "nested deeper than {DEPTH_LIMIT} levels"
        )));
    }
    Ok(depth + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn every_kind_of_value_is_as_serde_json_reads_it() {
        let text = r#"{"a":[null,true,-1,18446744073709551615,1.5e3,"é\n\u0041"],"b":{}}"#;
        assert_eq!(
            parse(text).unwrap(),
            serde_json::from_str::<Value>(text).unwrap()
        );
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused_with_its_place() {
        assert_eq!(
            refused(r#"{"a":[0,{"b":1,"c":2,"b":3}]}"#),
            "read at /a/1/b: the JSON is broken: the key \"b\" is there twice at line 1 column 27"
        );
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(parse(&nested(DEPTH_LIMIT)).is_ok());
        for levels in [DEPTH_LIMIT + 1, 1_000_000] {
            let message = refused(&nested(levels));
            assert!(
                message.contains("nested deeper than 100 levels"),
                "{message}"
            );
        }
    }

    #[test]
    fn broken_text_is_refused_with_its_place() {
        assert_eq!(
            refused("{\"a\": {\"b\": tru}}"),
            "read at /a/b: the JSON is broken: expected ident at line 1 column 16"
        );
        assert_eq!(
            refused("{\"a\": 1"),
            "read: the JSON is broken: EOF while parsing an object at line 1 column 7"
        );
        assert_eq!(
            refused("{} x"),
            "read: the JSON is broken: trailing characters at line 1 column 4"
        );
        assert_eq!(
            refused("{\"a\": NaN}"),
            "read at /a: the JSON is broken: expected value at line 1 column 7"
        );
    }
}
