//! What a client makes of a value: it takes null in a field that may be missing as missing, and
//! sends the fields that its type names.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::schemas::Schemas;

/// The most ways to choose alternatives that are tried for one value.
const WAYS: usize = 200;

/// How deep a value is followed.
const DEPTH: usize = 12;

/// Returns a value with null removed from fields that may be missing somewhere in a schema: from
/// all of them, from the outermost alone, and from all but those.
pub(super) fn without_optional_nulls(schemas: &Schemas, value: &Value) -> [Value; 3] {
    let mut optional = BTreeSet::new();
    collect(&schemas.schema, &mut optional);
    schemas
        .shared
        .values()
        .for_each(|shared| collect(shared, &mut optional));
    [(true, true), (true, false), (false, true)]
        .map(|(outer, inner)| removed(value, &optional, outer, inner))
}

fn collect(schema: &Value, optional: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            let required = fields.get("required").and_then(Value::as_array);
            let required: Vec<_> = required
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let properties = fields.get("properties").and_then(Value::as_object);
            let names = properties.into_iter().flatten().map(|(name, _)| name);
            optional.extend(
                names
                    .filter(|name| !required.contains(&name.as_str()))
                    .cloned(),
            );
            fields.values().for_each(|value| collect(value, optional));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, optional)),
        _ => {}
    }
}

fn removed(value: &Value, optional: &BTreeSet<String>, outer: bool, inner: bool) -> Value {
    match value {
        Value::Object(fields) => {
            let goes = |(name, value): &(&String, &Value)| {
                outer && value.is_null() && optional.contains(*name)
            };
            let kept = fields.iter().filter(|field| !goes(field));
            let kept =
                kept.map(|(name, value)| (name.clone(), removed(value, optional, inner, inner)));
            Value::Object(kept.collect())
        }
        Value::Array(items) => {
            let items = items
                .iter()
                .map(|item| removed(item, optional, outer, inner));
            items.collect()
        }
        other => other.clone(),
    }
}

/// Returns `true` if a client's type can have a value: for some choice of alternatives, no field
/// is beside the named ones, and each is something that can be sent.
pub(super) fn is_sent(schemas: &Schemas, value: &Value) -> bool {
    sent(schemas, &[&schemas.schema], value, DEPTH)
}

fn sent(schemas: &Schemas, all: &[&Value], value: &Value, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    let mut ways = vec![Vec::new()];
    for schema in all {
        let others = ways_of(schemas, schema, depth);
        let both = ways.iter().flat_map(|way| {
            others
                .iter()
                .map(move |other| [way.as_slice(), other].concat())
        });
        ways = both.take(WAYS).collect();
    }
    ways.iter().any(|way: &Vec<&Value>| {
        way.iter().all(|part| holds(schemas, part, value))
            && fields_are_sent(schemas, way, value, depth)
    })
}

/// Returns each choice of alternatives, as the schemas that must hold.
fn ways_of<'a>(schemas: &'a Schemas, schema: &'a Value, depth: usize) -> Vec<Vec<&'a Value>> {
    if depth == 0 {
        return Vec::new();
    }
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        let shared = schemas.shared.get(name);
        return shared
            .map(|shared| ways_of(schemas, shared, depth - 1))
            .unwrap_or_default();
    }
    let mut ways = vec![vec![schema]];
    let members = |keyword: &str| schema.get(keyword).and_then(Value::as_array);
    let and = |ways: Vec<Vec<&'a Value>>, others: Vec<Vec<&'a Value>>| -> Vec<Vec<&'a Value>> {
        let both = ways.iter().flat_map(|way| {
            others
                .iter()
                .map(move |other| [way.as_slice(), other].concat())
        });
        both.take(WAYS).collect()
    };
    for member in members("allOf").into_iter().flatten() {
        ways = and(ways, ways_of(schemas, member, depth - 1));
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(members) = members(keyword) {
            let members = members
                .iter()
                .flat_map(|member| ways_of(schemas, member, depth - 1));
            ways = and(ways, members.collect());
        }
    }
    ways
}

/// Returns `true` if a value is one of a schema, whose alternatives were looked at.
fn holds(schemas: &Schemas, part: &Value, value: &Value) -> bool {
    let mut part = part.clone();
    if let Value::Object(fields) = &mut part {
        for keyword in ["allOf", "anyOf", "oneOf"] {
            fields.remove(keyword);
        }
    }
    schemas
        .validator_of(&part)
        .is_some_and(|validator| validator.is_valid(value))
}

fn fields_are_sent(schemas: &Schemas, way: &[&Value], value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => {
            let all: Vec<_> = way.iter().filter_map(|part| part.get("items")).collect();
            items
                .iter()
                .all(|item| sent(schemas, &all, item, depth - 1))
        }
        Value::Object(fields) => {
            let named = |name: &str| {
                way.iter()
                    .any(|part| part.pointer(&format!("/properties/{name}")).is_some())
            };
            let any_named = way.iter().any(|part| {
                part.get("properties")
                    .and_then(Value::as_object)
                    .is_some_and(|named| !named.is_empty())
            });
            let everything = json!(true);
            let is_open = way.iter().any(|part| {
                part.get("additionalProperties")
                    .is_some_and(|rest| *rest != everything && *rest != json!({}))
            });
            fields.iter().all(|(name, field)| {
                if !named(name) && any_named && !is_open {
                    return false;
                }
                let all: Vec<_> = way
                    .iter()
                    .filter_map(|part| {
                        let own = part.pointer(&format!("/properties/{name}"));
                        own.or_else(|| part.get("additionalProperties"))
                    })
                    .filter(|schema| !schema.is_boolean())
                    .collect();
                sent(schemas, &all, field, depth - 1)
            })
        }
        _ => true,
    }
}
