//! Pairs of schemas and what each means in a request and in a reply, and of large ones.
//!
//! An entry of `verdicts.json` has a name, both schemas, which may refer to those in `shared`, and
//! the verdict of each direction. Where several things change, it has what is told of each. The schemas
//! are a required field of a body.

use serde_json::{Value, json};
use xtask::regenerate::compare::{Change, Class, Comparison, Direction, Verdict};

use crate::support::{self, CONTRACT, difference};

const VERDICTS: &str = include_str!("../data/verdicts.json");

/// The contract with schemas in the request of `login` and the reply of `get_api_token`.
fn with(schema: &Value, shared: &Value, version: &str) -> Value {
    let mut document = support::json(CONTRACT);
    document["openapi"] = json!(version);
    for (name, schema) in shared.as_object().into_iter().flatten() {
        document["components"]["schemas"][name] = schema.clone();
    }
    let holder = json!({"type": "object", "properties": {"it": schema}, "required": ["it"]});
    let content = json!({"application/json": {"schema": holder}});
    document["paths"]["/auth/login"]["post"]["requestBody"]["content"] = content.clone();
    document["paths"]["/auth/api-token"]["get"]["responses"]["200"]["content"] = content;
    document
}

fn compared(entry: &Value) -> Comparison {
    let version = entry["version"].as_str().unwrap_or("3.0.2");
    let side = |name: &str| {
        // What is shared can be another in the new document.
        let shared = entry
            .get(format!("shared_{name}"))
            .unwrap_or(&entry["shared"]);
        with(&entry[name], shared, version)
    };
    difference(&side("old"), &side("new"))
}

fn verdict(comparison: &Comparison, direction: Direction) -> Verdict {
    let changes = comparison
        .changes
        .iter()
        .filter(|change| change.direction == Some(direction));
    match changes.map(|change| change.class).max() {
        None => Verdict::Identical,
        Some(Class::Compatible) => Verdict::Compatible,
        Some(Class::Breaking) => Verdict::Breaking,
    }
}

/// Returns what is told of a change, and why if it could not be decided.
fn told(change: &Change) -> Value {
    let mut told = vec![
        json!(change.direction),
        json!(change.class),
        json!(change.message),
    ];
    told.extend(change.notes.iter().map(|note| json!(note)));
    told.into()
}

#[test]
fn every_pair_of_schemas_has_its_verdict_in_each_direction() {
    let mut others = Vec::new();
    for entry in support::json(VERDICTS).as_array().unwrap() {
        let comparison = compared(entry);
        let request = verdict(&comparison, Direction::Request);
        let reply = verdict(&comparison, Direction::Reply);
        let told = Value::from_iter(comparison.changes.iter().map(told));
        let is_told = entry.get("told").is_none_or(|expected| *expected == told);
        if json!(request) != entry["request"] || json!(reply) != entry["reply"] || !is_told {
            others.push(json!([entry["name"], request, reply, told]));
        }
    }
    assert!(others.is_empty(), "{:#}", Value::from(others));
}

#[test]
fn a_change_has_its_direction_both_places_and_both_values() {
    let comparison = compared(&json!({
        "old": {"type": "string", "maxLength": 10}, "new": {"type": "string", "maxLength": 0}
    }));
    let change = &comparison.changes[0];
    assert_eq!(change.direction, Some(Direction::Request));
    assert_eq!(change.class, Class::Breaking);
    for (side, value) in [(&change.old, 10), (&change.new, 0)] {
        let side = side.as_ref().unwrap();
        assert_eq!(side.value, Some(json!(value)));
        assert!(
            side.pointer.ends_with("/properties/it/maxLength"),
            "{}",
            side.pointer
        );
    }
}

#[test]
fn what_can_not_be_decided_is_breaking_and_says_why() {
    let comparison = compared(&json!({
        "old": {"type": "string", "pattern": "^a"}, "new": {"type": "string", "pattern": "^b"}
    }));
    assert_eq!(comparison.verdict, Verdict::Breaking);
    let notes: Vec<_> = comparison
        .changes
        .iter()
        .map(|change| change.notes.join(""))
        .collect();
    let why = "could not be decided: different patterns may match the same texts";
    assert_eq!(notes, [why, why]);
}

/// More fields than a schema may be nested deep: only nesting counts.
#[test]
fn an_object_with_many_fields_is_compared_to_its_last_one() {
    const FIELDS: usize = 5_100;
    let object = |last: usize| {
        let field = |number: usize| {
            let length = if number + 1 == FIELDS { last } else { 9 };
            let schema = json!({"type": "string", "maxLength": length});
            (format!("field{number:04}"), schema)
        };
        let fields: serde_json::Map<_, _> = (0..FIELDS).map(field).collect();
        json!({"type": "object", "properties": fields})
    };
    let comparison = compared(&json!({"old": object(9), "new": object(8)}));
    let messages: Vec<_> = comparison.changes.iter().map(|it| &it.message).collect();
    assert_eq!(messages, ["`maxLength` was 9 and is now 8"; 2]);
}

/// A union of members that all lead back to it.
fn union(members: usize, last: &Value) -> (Value, Value) {
    let mut shared = json!({});
    let mut references = Vec::new();
    for member in 0..members {
        let name = format!("Member{member}");
        let next = json!({"$ref": "#/components/schemas/Union"});
        shared[&name] = json!({
            "type": "object",
            "required": ["kind", "next"],
            "properties": {
                "kind": {"type": "string", "enum": [name]},
                "next": {"type": "array", "items": next},
                "size": {"type": "integer", "minimum": member}
            }
        });
        references.push(json!({"$ref": format!("#/components/schemas/{name}")}));
    }
    shared[format!("Member{}", members - 1)]["properties"]["size"] = last.clone();
    shared["Union"] = json!({"oneOf": references});
    (json!({"$ref": "#/components/schemas/Union"}), shared)
}

#[test]
fn a_union_of_a_hundred_members_that_lead_back_to_it_is_compared() {
    let (old, old_shared) = union(100, &json!({"type": "integer"}));
    let (new, new_shared) = union(100, &json!({"type": "integer", "minimum": 0}));
    let entry = |shared_new: &Value| json!({"old": old, "new": new, "shared_old": old_shared, "shared_new": shared_new});
    assert_eq!(compared(&entry(&old_shared)).verdict, Verdict::Identical);
    let comparison = compared(&entry(&new_shared));
    let told: Vec<_> = comparison
        .changes
        .iter()
        .map(|change| (change.direction, change.class, change.message.as_str()))
        .collect();
    let message = "`minimum` is now 0";
    assert_eq!(
        told,
        [
            (Some(Direction::Request), Class::Breaking, message),
            (Some(Direction::Reply), Class::Compatible, message),
        ]
    );
}

#[test]
fn schemas_that_all_refer_to_each_other_are_identical_to_themselves() {
    /// Close to what the stage `select` allows.
    const SCHEMAS: usize = 450;
    let reference = |number: usize| json!({"$ref": format!("#/components/schemas/S{number}")});
    let mut shared = json!({});
    for number in 0..SCHEMAS {
        let fields = (1..6).map(|field| {
            (
                format!("f{field}"),
                reference((number * 7 + field) % SCHEMAS),
            )
        });
        let fields: serde_json::Map<_, _> = fields.collect();
        shared[format!("S{number}")] = json!({"type": "object", "properties": fields});
    }
    let entry = json!({"old": reference(0), "new": reference(0), "shared": shared});
    assert_eq!(compared(&entry).verdict, Verdict::Identical);
}

#[test]
fn a_long_list_of_values_is_compared() {
    // To look at each value for each other one would take over a minute.
    let values =
        |first: u32| json!({"type": "integer", "enum": (first..20_000).collect::<Vec<_>>()});
    let comparison = compared(&json!({"old": values(0), "new": values(1)}));
    let told: Vec<_> = comparison
        .changes
        .iter()
        .map(|it| (it.direction, it.class, it.message.as_str()))
        .collect();
    let message = "0 is no longer a value";
    assert_eq!(
        told,
        [
            (Some(Direction::Request), Class::Breaking, message),
            (Some(Direction::Reply), Class::Compatible, message),
        ]
    );
}
