//! Facts about the judge: what it takes for answered, and what an answer costs.

use serde_json::json;

use super::*;

/// Returns the schema of a name in a document.
fn all<'a>(document: &'a Value, name: &str) -> All<'a> {
    let pointer = format!("/components/schemas/{name}");
    All::one(Node::new(
        document,
        document.pointer(&pointer).unwrap(),
        pointer,
    ))
}

fn document(schemas: &Value) -> Value {
    json!({"components": {"schemas": schemas}})
}

/// Trees whose nodes are reached through another schema, and have something after it.
fn trees(last: &Value) -> Value {
    let to = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    document(&json!({
        "Tree": {
            "type": "object", "required": ["left", "value"],
            "properties": {"left": to("Pair"), "value": last}
        },
        "Pair": {"type": "object", "required": ["tree"], "properties": {"tree": to("Tree")}}
    }))
}

#[test]
fn schemas_that_lead_back_to_themselves_are_within_each_other() {
    let (old, new) = (
        trees(&json!({"type": "string"})),
        trees(&json!({"type": "string"})),
    );
    let mut judge = Judge::new(Direction::Reply);
    for name in ["Tree", "Pair"] {
        let answer = judge.within(&all(&new, name), &all(&old, name), Sight::Forward, false);
        assert_eq!(answer, Answer::Yes, "{name}");
    }
    assert!(judge.conditional.is_empty());
}

#[test]
fn an_answer_that_relied_on_an_open_question_falls_with_it() {
    let (old, new) = (
        trees(&json!({"type": "string"})),
        trees(&json!({"type": "integer"})),
    );
    let mut judge = Judge::new(Direction::Reply);
    for name in ["Tree", "Pair"] {
        // `Pair` is asked for within `Tree`, before the values are looked at.
        let answer = judge.within(&all(&new, name), &all(&old, name), Sight::Forward, false);
        assert_eq!(answer, Answer::No, "{name}");
    }
}

#[test]
fn an_answer_that_relied_on_a_closed_question_relies_on_what_that_one_did() {
    let object = |fields: Value| {
        let names: Vec<_> = fields.as_object().unwrap().keys().cloned().collect();
        json!({"type": "object", "required": names, "properties": fields})
    };
    let to = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let schemas = |last: &str| {
        document(&json!({
            "Tree": object(json!({"a": to("B"), "c": to("D"), "z": {"type": last}})),
            "B": object(json!({"x": to("C"), "y": to("Tree")})),
            "C": object(json!({"b": to("B")})),
            "D": object(json!({"c": to("C")})),
        }))
    };
    let (old, new) = (schemas("string"), schemas("integer"));
    let mut judge = Judge::new(Direction::Reply);
    // `C` relies on `B`, which relies on `Tree`; `D` asks for `C` when `B` is closed.
    for name in ["Tree", "D", "C", "B"] {
        let answer = judge.within(&all(&new, name), &all(&old, name), Sight::Forward, false);
        assert_eq!(answer, Answer::No, "{name}");
    }
}

#[test]
fn the_effort_for_a_union_is_that_of_its_pairs() {
    const MEMBERS: usize = 100;
    let union = |least: usize| {
        let mut schemas = json!({});
        let mut members = Vec::new();
        for member in 0..MEMBERS {
            let name = format!("M{member}");
            let next = json!({"$ref": "#/components/schemas/Union"});
            schemas[&name] = json!({
                "type": "object",
                "required": ["kind", "next"],
                "properties": {
                    "kind": {"type": "string", "enum": [name]},
                    "next": next,
                    "size": {"type": "integer", "minimum": if member == 0 { least } else { 9 }}
                }
            });
            members.push(json!({"$ref": format!("#/components/schemas/{name}")}));
        }
        schemas["Union"] = json!({"oneOf": members});
        document(&schemas)
    };
    let (old, new) = (union(1), union(0));
    let mut judge = Judge::new(Direction::Reply);
    for (sub, sup) in [(&new, &old), (&old, &new), (&old, &old)] {
        judge.within(
            &all(sub, "Union"),
            &all(sup, "Union"),
            Sight::Forward,
            false,
        );
    }
    // Each member with each of the others, three times, and little for what is in them.
    assert!(judge.effort < 4 * MEMBERS * MEMBERS, "{}", judge.effort);
}

#[test]
fn the_client_sends_the_named_fields_only() {
    let schemas = |name: &str| {
        let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
        document(&json!({"S": schema, "Closed": {
            "type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false
        }, name: {}}))
    };
    let (old, new) = (schemas("Old"), schemas("New"));
    for (sight, expected) in [(Sight::Forward, Answer::Yes), (Sight::Plain, Answer::No)] {
        let mut judge = Judge::new(Direction::Request);
        let answer = judge.within(&all(&old, "S"), &all(&new, "Closed"), sight, false);
        assert_eq!(answer, expected, "{sight:?}");
    }
}

#[test]
fn what_is_nested_too_deep_is_not_known() {
    let deep = |innermost: &Value| {
        let mut schemas = json!({"S0": innermost});
        for level in 1..=DEPTH_LIMIT {
            let inner = format!("#/components/schemas/S{}", level - 1);
            schemas[format!("S{level}")] = json!({"type": "array", "items": {"$ref": inner}});
        }
        document(&schemas)
    };
    let (old, new) = (
        deep(&json!({"type": "string"})),
        deep(&json!({"type": "string"})),
    );
    let asked = |levels: usize| {
        let mut judge = Judge::new(Direction::Reply);
        let name = format!("S{levels}");
        judge.within(&all(&new, &name), &all(&old, &name), Sight::Forward, false)
    };
    // As deep as this it needs a stack of its own, as a comparison has.
    let asked = |levels| {
        let thread = std::thread::Builder::new().stack_size(256 * 1024 * 1024);
        std::thread::scope(|scope| {
            thread
                .spawn_scoped(scope, || asked(levels))
                .unwrap()
                .join()
                .unwrap()
        })
    };
    assert_eq!(asked(DEPTH_LIMIT), Answer::Unknown(Reason::TooLarge));
    assert_eq!(asked(DEPTH_LIMIT - 1), Answer::Yes);
}
