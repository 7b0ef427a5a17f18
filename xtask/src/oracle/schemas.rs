//! Random schemas, with a few shared ones that may lead back to themselves, and random edits.

use fastrand::Rng;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::pick::{one, put};

/// How deep random schemas are nested.
const DEPTH: usize = 3;

/// The most edits between the two schemas of a pair.
const EDITS: usize = 3;

/// The names of fields; few, so that schemas share them.
pub(super) const NAMES: [&str; 4] = ["a", "b", "c", "d"];

const SHARED: [&str; 2] = ["SharedOne", "SharedTwo"];
const TEXTS: [&str; 4] = ["", "a", "ab", "abc"];
const PATTERNS: [&str; 3] = ["^a", "^b+$", "c"];

/// The release of OpenAPI that a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// 3.0: `nullable`, and bounds that are exclusive by a flag.
    Older,
    /// 3.1: JSON Schema.
    Newer,
}

impl Dialect {
    pub(super) fn version(self) -> &'static str {
        match self {
            Self::Older => "3.0.3",
            Self::Newer => "3.1.0",
        }
    }
}

/// A schema, and those it may refer to.
#[derive(Clone, Debug)]
pub(super) struct Schemas {
    pub(super) dialect: Dialect,
    one_of: bool,
    pub(super) schema: Value,
    pub(super) shared: Map<String, Value>,
}

impl Schemas {
    pub(super) fn random(random: &mut Rng, dialect: Dialect, one_of: bool) -> Self {
        let mut schemas = Self {
            dialect,
            one_of,
            schema: Value::Null,
            shared: Map::new(),
        };
        for name in SHARED {
            // A shared schema is no reference itself, so that none leads back to itself at once.
            let shared = schemas.typed(random, DEPTH - 1);
            schemas.shared.insert(name.to_owned(), shared);
        }
        schemas.schema = schemas.any(random, DEPTH);
        schemas
    }

    /// Returns both as one line.
    pub(super) fn shown(&self) -> String {
        let (schema, shared) = (&self.schema, Value::Object(self.shared.clone()));
        match schema.to_string().contains("$ref") {
            true => format!("{schema} with {shared}"),
            false => schema.to_string(),
        }
    }

    /// Returns the judge of values.
    pub(super) fn validator(&self) -> Option<Validator> {
        self.validator_of(&self.schema)
    }

    /// Returns the judge of values of a schema that may refer to the shared ones.
    pub(super) fn validator_of(&self, schema: &Value) -> Option<Validator> {
        let mut shared = Value::Object(self.shared.clone());
        let mut schema = schema.clone();
        if self.dialect == Dialect::Older {
            each(&mut schema, &mut to_newer);
            for (_, shared) in shared.as_object_mut()? {
                each(shared, &mut to_newer);
            }
        }
        let whole = json!({"allOf": [schema], "components": {"schemas": shared}});
        jsonschema::draft202012::new(&whole).ok()
    }

    fn any(&self, random: &mut Rng, depth: usize) -> Value {
        let last = if depth == 0 { 2 } else { 12 };
        match random.usize(0..last) {
            2 => reference(random),
            3 => self.union(random, depth),
            4 => {
                let members = [self.typed(random, depth - 1), self.typed(random, depth - 1)];
                json!({"allOf": members})
            }
            5 => {
                let mut frame = self.typed(random, depth - 1);
                merge(&mut frame, self.union(random, depth));
                frame
            }
            6 if random.usize(0..3) == 0 => json!({"not": self.typed(random, 0)}),
            7 if random.usize(0..3) == 0 => json!({}),
            _ => self.typed(random, depth),
        }
    }

    fn union(&self, random: &mut Rng, depth: usize) -> Value {
        let keyword = match self.one_of && random.bool() {
            true => "oneOf",
            false => "anyOf",
        };
        let count = random.usize(1..4);
        let mut members: Vec<_> = (0..count).map(|_| self.typed(random, depth - 1)).collect();
        if self.dialect == Dialect::Newer && random.usize(0..4) == 0 {
            members.push(json!({"type": "null"}));
        }
        json!({keyword: members})
    }

    /// Returns a schema of one type, or without a type.
    fn typed(&self, random: &mut Rng, depth: usize) -> Value {
        let kinds = if depth == 0 { 5 } else { 8 };
        let (name, mut schema) = match random.usize(0..kinds) {
            0 => ("string", text(random)),
            1 => ("integer", self.number(random)),
            2 => ("number", self.number(random)),
            3 => ("boolean", json!({})),
            4 => return self.listed(random),
            5 => {
                let mut list = json!({"items": self.any(random, depth - 1)});
                count(&mut list, random, "minItems", "maxItems");
                if random.usize(0..4) == 0 {
                    put(&mut list, "uniqueItems", json!(true));
                }
                ("array", list)
            }
            _ => ("object", self.object(random, depth)),
        };
        if name == "array" || random.usize(0..8) > 0 {
            put(&mut schema, "type", json!(name));
            if random.usize(0..5) == 0 {
                match self.dialect {
                    Dialect::Newer => put(&mut schema, "type", json!([name, "null"])),
                    Dialect::Older => put(&mut schema, "nullable", json!(true)),
                }
            }
        }
        schema
    }

    fn number(&self, random: &mut Rng) -> Value {
        let mut schema = json!({});
        let bounds = [
            json!(0),
            json!(1),
            json!(2),
            json!(2.5),
            json!(9_007_199_254_740_993_u64),
        ];
        for (bound, exclusive) in [
            ("minimum", "exclusiveMinimum"),
            ("maximum", "exclusiveMaximum"),
        ] {
            if random.usize(0..3) > 0 {
                continue;
            }
            let limit = one(random, &bounds);
            match (self.dialect, random.usize(0..4) == 0) {
                (Dialect::Newer, true) => put(&mut schema, exclusive, limit),
                (Dialect::Older, true) => {
                    put(&mut schema, bound, limit);
                    put(&mut schema, exclusive, json!(true));
                }
                _ => put(&mut schema, bound, limit),
            }
        }
        if random.usize(0..5) == 0 {
            let units = [json!(1), json!(2), json!(3), json!(0.5)];
            put(&mut schema, "multipleOf", one(random, &units));
        }
        schema
    }

    fn object(&self, random: &mut Rng, depth: usize) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for name in NAMES {
            if random.usize(0..3) == 0 {
                continue;
            }
            properties.insert(name.to_owned(), self.any(random, depth - 1));
            if random.bool() {
                required.push(name);
            }
        }
        let mut object = json!({"properties": properties});
        if !required.is_empty() {
            put(&mut object, "required", json!(required));
        }
        match random.usize(0..6) {
            0 => put(&mut object, "additionalProperties", json!(false)),
            1 => put(
                &mut object,
                "additionalProperties",
                self.any(random, depth - 1),
            ),
            _ => {}
        }
        if random.usize(0..8) == 0 {
            count(&mut object, random, "minProperties", "maxProperties");
        }
        object
    }

    /// Returns a list of values.
    fn listed(&self, random: &mut Rng) -> Value {
        let values = [
            json!("a"),
            json!("b"),
            json!(1),
            json!(1.5),
            json!(true),
            json!(null),
            json!(2),
        ];
        if self.dialect == Dialect::Newer && random.usize(0..4) == 0 {
            return json!({"const": one(random, &values)});
        }
        let mut listed: Vec<_> = values
            .into_iter()
            .filter(|_| random.usize(0..3) == 0)
            .collect();
        if listed.is_empty() {
            listed.push(json!("a"));
        }
        json!({"enum": listed})
    }
}

fn reference(random: &mut Rng) -> Value {
    let name = one(random, &SHARED);
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn text(random: &mut Rng) -> Value {
    let mut schema = json!({});
    count(&mut schema, random, "minLength", "maxLength");
    if random.usize(0..6) == 0 {
        put(&mut schema, "pattern", json!(one(random, &PATTERNS)));
    }
    if random.usize(0..4) == 0 {
        let texts: Vec<_> = TEXTS.into_iter().filter(|_| random.bool()).collect();
        put(
            &mut schema,
            "enum",
            if texts.is_empty() {
                json!(["a"])
            } else {
                json!(texts)
            },
        );
    }
    schema
}

fn count(schema: &mut Value, random: &mut Rng, low: &str, high: &str) {
    if random.usize(0..4) == 0 {
        put(schema, low, json!(random.usize(0..3)));
    }
    if random.usize(0..4) == 0 {
        put(schema, high, json!(random.usize(0..4)));
    }
}

fn merge(schema: &mut Value, other: Value) {
    if let (Value::Object(schema), Value::Object(other)) = (schema, other) {
        schema.extend(other);
    }
}

/// Returns schemas that differ a little, or now and then altogether.
pub(super) fn edited(old: &Schemas, random: &mut Rng) -> Schemas {
    let mut new = old.clone();
    if random.usize(0..12) == 0 {
        new.schema = new.any(random, DEPTH);
        return new;
    }
    for _ in 0..random.usize(1..=EDITS) {
        let shared = random.usize(0..4) == 0;
        let name = one(random, &SHARED);
        let maker = old.clone();
        let schema = match new.shared.get_mut(name).filter(|_| shared) {
            Some(schema) => schema,
            None => &mut new.schema,
        };
        let mut size = 0;
        each(schema, &mut |_| size += 1);
        let mut chosen = random.usize(0..size.max(1));
        let within = !shared;
        each(schema, &mut |place| {
            if chosen == 0 {
                edit(&maker, place, random, within);
            }
            chosen = chosen.wrapping_sub(1);
        });
    }
    new
}

fn edit(maker: &Schemas, place: &mut Value, random: &mut Rng, may_refer: bool) {
    let refers = place.to_string().contains("$ref");
    let whole = place.clone();
    let Value::Object(schema) = place else {
        return;
    };
    let keys: Vec<_> = schema.keys().cloned().collect();
    let fresh = maker.typed(random, 1);
    match random.usize(0..8) {
        // A keyword goes.
        0 | 1 if !keys.is_empty() => {
            let key = &one(random, &keys);
            schema.remove(key);
            if key == "items" {
                schema.remove("type");
            }
        }
        // Keywords come, or other ones of the same name.
        2 | 3 => {
            if let Value::Object(fresh) = fresh
                && !schema.contains_key("$ref")
            {
                let (key, value) = fresh.into_iter().next_back().unwrap_or_default();
                if !key.is_empty() && key != "items" {
                    schema.insert(key, value);
                }
            }
        }
        4 if may_refer || !refers => {
            *place = json!({"anyOf": [whole, fresh]});
        }
        5 => {
            for keyword in ["anyOf", "oneOf", "enum", "required"] {
                if let Some(Value::Array(members)) = schema.get_mut(keyword)
                    && members.len() > 1
                {
                    members.remove(random.usize(0..members.len()));
                }
            }
        }
        6 => {
            for keyword in [
                "minimum",
                "maximum",
                "minLength",
                "maxLength",
                "minItems",
                "maxItems",
            ] {
                if let Some(number) = schema.get(keyword).and_then(Value::as_u64) {
                    let other = number.saturating_add(1);
                    let other = if random.bool() {
                        other
                    } else {
                        number.saturating_sub(1)
                    };
                    schema.insert(keyword.to_owned(), json!(other));
                }
            }
        }
        _ => *place = fresh,
    }
}

/// Calls back with every schema in one, the outermost first.
fn each(schema: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    visit(schema);
    let Value::Object(fields) = schema else {
        return;
    };
    for (keyword, value) in fields {
        match (keyword.as_str(), value) {
            ("items" | "additionalProperties" | "not", value) => each(value, visit),
            ("properties", Value::Object(entries)) => {
                entries.iter_mut().for_each(|(_, value)| each(value, visit));
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(members)) => {
                members.iter_mut().for_each(|member| each(member, visit));
            }
            _ => {}
        }
    }
}

/// Writes what 3.0 says of null and of exclusive bounds as JSON Schema does.
fn to_newer(schema: &mut Value) {
    let Value::Object(fields) = schema else {
        return;
    };
    if fields.contains_key("$ref") {
        fields.retain(|key, _| key == "$ref");
    }
    if fields.remove("nullable") == Some(json!(true))
        && let Some(named) = fields.get_mut("type")
    {
        *named = json!([named.clone(), "null"]);
    }
    for (bound, exclusive) in [
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ] {
        if fields.remove(exclusive) == Some(json!(true))
            && let Some(limit) = fields.remove(bound)
        {
            fields.insert(exclusive.to_owned(), limit);
        }
    }
}
