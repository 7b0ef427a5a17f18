//! What holds for every document, tried on many that are made at random.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use xtask::canonical;
use xtask::golden::generate;
use xtask::regenerate::compare::{Verdict, compare};
use xtask::regenerate::lower::lower;
use xtask::regenerate::normalise::normalise;
use xtask::regenerate::pipeline::{Goal, prepare};
use xtask::regenerate::read::read;
use xtask::regenerate::select::{Missing, select};

use crate::support::{self, CONTRACT, NEWER, OVERLAY, difference, to_contract};

/// A schema as 3.0 has it, with names that are keywords elsewhere.
fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({})),
        (0..9_u8, any::<bool>()).prop_map(|(bound, nullable)| json!({
            "type": "integer", "minimum": bound, "exclusiveMinimum": true, "nullable": nullable
        })),
        "[a-z]{1,4}".prop_map(|value| json!({
            "type": "string", "enum": [value], "example": value, "x-own": {"const": 1}
        })),
        Just(json!({"$ref": "#/components/schemas/Token"})),
        Just(json!({"type": "string", "format": "date-time", "default": "const"})),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let name = prop_oneof![
            "[a-z]{1,5}",
            Just("const".to_owned()),
            Just("$ref".to_owned())
        ];
        prop_oneof![
            inner
                .clone()
                .prop_map(|items| json!({"type": "array", "items": items})),
            btree_map(name, inner.clone(), 1..4).prop_map(|properties| {
                let required: Vec<_> = properties.keys().take(1).cloned().collect();
                json!({"type": "object", "properties": properties, "required": required})
            }),
            vec(inner.clone(), 1..3)
                .prop_map(|members| json!({"anyOf": members, "nullable": true})),
            vec(inner.clone(), 1..3).prop_map(|members| json!({"allOf": members})),
            inner.prop_map(|rest| json!({"type": "object", "additionalProperties": rest})),
        ]
    })
}

/// Anything at all, keywords of OpenAPI among it.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z#/$]{0,6}".prop_map(Value::from),
        Just(json!({"$ref": "#/components/schemas/Nowhere"})),
        Just(json!({"type": ["null"], "prefixItems": [true]})),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let key = prop_oneof![
            "[a-z]{1,4}",
            Just("properties".to_owned()),
            Just("operationId".to_owned()),
            Just("responses".to_owned()),
        ];
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(key, inner, 0..4).prop_map(|entries| Map::from_iter(entries).into()),
        ]
    })
}

/// The same value, its keys the other way round wherever the build keeps their order.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let entries = entries
                .iter()
                .rev()
                .map(|(key, value)| (key.clone(), reversed(value)));
            Map::from_iter(entries).into()
        }
        Value::Array(items) => items.iter().map(reversed).collect(),
        other => other.clone(),
    }
}

/// The same value as text with its keys in the other order, whatever the build does.
fn reversed_text(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|left, right| right.0.cmp(left.0));
            let entries = entries.into_iter().map(|(key, value)| {
                format!("{}:{}", Value::from(key.as_str()), reversed_text(value))
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            let items = items.iter().map(reversed_text);
            format!("[{}]", items.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

/// The upstream document, a reply of which is the given schema.
fn with_reply(schema: &Value) -> Value {
    let mut document = support::json(CONTRACT);
    document["components"]["schemas"]["Made"] = schema.clone();
    let reply = &mut document["paths"]["/auth/api-token"]["get"]["responses"]["200"];
    reply["content"]["application/json"]["schema"] = json!({"$ref": "#/components/schemas/Made"});
    document
}

fn selected(document: &Value) -> Value {
    select(document, &[], Missing::Refused).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn select_is_idempotent(schema in schema()) {
        let once = selected(&with_reply(&schema));
        prop_assert_eq!(selected(&once), once);
    }

    #[test]
    fn lower_of_a_3_0_document_is_the_identity(schema in schema()) {
        let document = selected(&with_reply(&schema));
        let lowered = lower(document.clone()).unwrap();
        prop_assert_eq!(lowered.document, document);
        prop_assert_eq!(lowered.notes, Vec::<String>::new());
    }

    #[test]
    fn normalise_is_idempotent(schema in schema()) {
        let once = normalise(with_reply(&schema));
        prop_assert_eq!(normalise(once.clone()), once);
    }

    #[test]
    fn the_order_of_keys_never_matters(schema in schema()) {
        let document = with_reply(&schema);
        let text = reversed_text(&document);
        prop_assert_eq!(&read(text.as_bytes()).unwrap(), &document);
        prop_assert_eq!(canonical::to_string(&reversed(&document)), canonical::to_string(&document));
        if let Ok(prepared) = to_contract(document.to_string().as_bytes()) {
            let again = to_contract(text.as_bytes()).unwrap();
            prop_assert_eq!(again.document, prepared.document);
            prop_assert_eq!(difference(&document, &support::json(&text)).verdict, Verdict::Identical);
        }
    }

    #[test]
    fn a_document_never_differs_from_itself(schema in schema()) {
        let document = with_reply(&schema);
        if to_contract(document.to_string().as_bytes()).is_ok() {
            prop_assert_eq!(difference(&document, &document).changes, vec![]);
        }
    }

    #[test]
    fn a_change_outside_of_what_the_five_reach_is_none(
        odd in anything(), path in "/[a-z]{1,6}", name in "Odd[a-z]{1,6}",
    ) {
        let document = support::json(NEWER);
        let mut other = document.clone();
        other["paths"][path.as_str()] = odd.clone();
        other["components"]["schemas"][name.as_str()] = odd.clone();
        other["components"]["examples"] = odd.clone();
        other["webhooks"] = odd.clone();
        other["info"]["license"] = odd;
        let prepared = to_contract(other.to_string().as_bytes()).unwrap();
        prop_assert_eq!(canonical::to_string(&prepared.document), CONTRACT);
    }

    #[test]
    fn whatever_stands_in_a_document_is_taken_or_refused(odd in anything(), place in 0..9_usize) {
        let mut document = support::json(NEWER);
        let pointer = [
            "/paths/~1auth~1login", "/paths/~1auth~1login/post", "/paths/~1auth~1login/post/requestBody",
            "/paths/~1auth~1login/post/responses/202", "/components/schemas/Token",
            "/components/schemas/Token/properties/secret", "/components/securitySchemes/JWT",
            "/servers", "/components",
        ][place];
        *document.pointer_mut(pointer).unwrap() = odd;
        // Either is right; neither may panic, and what is taken is taken again as it is.
        if let Ok(prepared) = to_contract(document.to_string().as_bytes()) {
            let text = canonical::to_string(&prepared.document);
            let again = to_contract(text.as_bytes()).unwrap();
            prop_assert_eq!(canonical::to_string(&again.document), text.clone());
            let _ = generate(&text);
        }
        let contract = support::json(CONTRACT);
        let goal = Goal::Side(&[]);
        let _ = prepare(document.to_string().as_bytes(), OVERLAY, goal)
            .map(|prepared| compare(&contract, &prepared.document));
    }

    #[test]
    fn bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..64), yaml in "[-a:*&!|>?{}\\[\\], \n\"']{0,40}") {
        let _ = read(&bytes);
        let _ = read(yaml.as_bytes());
    }
}
