//! Random values that come close to what two schemas allow.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::pick::{one, put};
use super::schemas::{NAMES, Schemas};
use crate::regenerate::compare::Direction;

/// How deep values are nested; shared schemas may lead back to themselves.
const DEPTH: usize = 5;

/// Makes values.
pub(super) struct Values<'a> {
    source: &'a Schemas,
    /// The constants of both schemas, and their neighbours.
    constants: Vec<Value>,
}

impl<'a> Values<'a> {
    pub(super) fn new(both: &[&Schemas], source: &'a Schemas) -> Self {
        let mut constants = vec![json!(null), json!(true), json!(false), json!([]), json!({})];
        for schemas in both {
            collect(&schemas.schema, &mut constants);
            schemas
                .shared
                .values()
                .for_each(|shared| collect(shared, &mut constants));
        }
        Self { source, constants }
    }

    /// Returns a value of the source, or something like it.
    pub(super) fn next(&mut self, random: &mut Rng, direction: Direction) -> Value {
        // What a client sends has the named fields only.
        self.value(
            &self.source.schema,
            random,
            DEPTH,
            direction == Direction::Reply,
        )
    }

    fn value(&self, schema: &Value, random: &mut Rng, depth: usize, more: bool) -> Value {
        if depth == 0 || random.usize(0..12) == 0 {
            return one(random, &self.constants);
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or_default();
            let shared = self.source.shared.get(name).unwrap_or(&Value::Null);
            return self.value(shared, random, depth - 1, more);
        }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            let members = schema.get(keyword).and_then(Value::as_array);
            if let Some(members) = members.filter(|members| !members.is_empty()) {
                let mut value = self.value(&one(random, members), random, depth, more);
                let others = match keyword {
                    "allOf" => members.as_slice(),
                    _ => &[],
                };
                for other in others {
                    self.also(&mut value, other, random, depth, more);
                }
                self.also(&mut value, schema, random, depth, more);
                return value;
            }
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            return one(random, values);
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        let named = match schema.get("type") {
            Some(Value::Array(names)) if !names.is_empty() => one(random, names),
            Some(name) => name.clone(),
            None => match schema.get("properties") {
                Some(_) => json!("object"),
                None => return one(random, &self.constants),
            },
        };
        if schema.get("nullable").is_some() && random.usize(0..3) == 0 {
            return Value::Null;
        }
        match named.as_str() {
            Some("object") => {
                let mut object = json!({});
                self.fill(&mut object, schema, random, depth, more);
                object
            }
            Some("array") => {
                let everything = json!({});
                let items = schema.get("items").unwrap_or(&everything);
                let count = random.usize(0..4);
                (0..count)
                    .map(|_| self.value(items, random, depth - 1, more))
                    .collect()
            }
            _ => one(random, &self.constants),
        }
    }

    /// Adds the fields that another schema of the same value has.
    fn also(&self, value: &mut Value, schema: &Value, random: &mut Rng, depth: usize, more: bool) {
        if value.is_object() && schema.get("properties").is_some() {
            self.fill(value, schema, random, depth, more);
        }
    }

    fn fill(&self, object: &mut Value, schema: &Value, random: &mut Rng, depth: usize, more: bool) {
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|names| names.contains(&json!(name)));
        let nothing = Map::new();
        let properties = schema
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&nothing);
        for (name, property) in properties {
            if is_required(name) || random.bool() {
                put(object, name, self.value(property, random, depth - 1, more));
            }
        }
        let rest = schema.get("additionalProperties");
        if more || rest.is_some() {
            let name = one(random, &NAMES);
            if !properties.contains_key(name) && random.usize(0..3) == 0 {
                let everything = json!({});
                put(
                    object,
                    name,
                    self.value(rest.unwrap_or(&everything), random, depth - 1, more),
                );
            }
        }
    }
}

/// Collects the constants of a schema, and for a number what stands beside it: other numbers, and
/// texts of that length.
fn collect(schema: &Value, constants: &mut Vec<Value>) {
    match schema {
        Value::Number(number) => {
            constants.push(schema.clone());
            if let Some(whole) = number.as_i64() {
                constants.extend([whole - 1, whole + 1].map(Value::from));
                constants.extend(f64_of(whole).map(|double| json!(double + 0.5)));
                if let Ok(length) = usize::try_from(whole)
                    && length < 8
                {
                    constants.extend(["a", "b", "c"].map(|letter| json!(letter.repeat(length))));
                    constants.push(json!("a".repeat(length + 1)));
                }
            } else if let Some(double) = number.as_f64() {
                constants.extend([
                    json!(double - 0.25),
                    json!(double + 0.25),
                    json!(double.floor()),
                ]);
            }
        }
        Value::Array(items) => {
            for item in items {
                if !item.is_object() {
                    constants.push(item.clone());
                }
                collect(item, constants);
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("type", Value::String(name)) => constants.push(sample(name)),
                    ("const", _) => constants.push(value.clone()),
                    _ => {}
                }
                collect(value, constants);
            }
        }
        _ => {}
    }
}

/// Returns a small whole number as a double.
fn f64_of(whole: i64) -> Option<f64> {
    i32::try_from(whole).ok().map(f64::from)
}

fn sample(name: &str) -> Value {
    match name {
        "string" => json!("a"),
        "integer" => json!(7),
        "number" => json!(7.5),
        "boolean" => json!(true),
        "array" => json!([1]),
        "object" => json!({"a": "a"}),
        _ => Value::Null,
    }
}
