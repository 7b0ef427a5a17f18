//! Applies the corrections of the checked-in overlay document. An action that matches nothing is a
//! note, not an error. One that would replace what upstream says is refused: the comparison never
//! sees what was replaced, and would call two documents identical that differ in it.

use enumset::EnumSet;
use roas_overlay::apply::Apply as _;
use roas_overlay::v1_0::Overlay;
use roas_overlay::validation::Validate as _;
use serde_json::Value;

use super::refusal::{Problems, Refusal, Stage};
use crate::document::pointer::at;

/// What is for people only, and may be replaced.
const SAID_TO_PEOPLE: [&str; 3] = ["bearerFormat", "description", "summary"];

/// A corrected document, and the actions that matched nothing.
#[derive(Debug)]
pub struct Corrected {
    /// The document.
    pub document: Value,
    /// A line for each action that matched nothing.
    pub notes: Vec<String>,
}

/// Applies the text of an overlay document.
///
/// # Errors
///
/// The overlay is not a valid Overlay 1.0 document, or one of its actions can't be applied, or
/// would replace what the document says.
pub fn correct(mut document: Value, overlay: &str) -> Result<Corrected, Refusal> {
    let refuse = |message: String| Refusal::new(Stage::Correct, "", message);
    let overlay: Overlay = serde_json::from_str(overlay)
        .map_err(|error| refuse(format!("the overlay is not Overlay 1.0: {error}")))?;
    overlay
        .validate(EnumSet::empty())
        .map_err(|error| refuse(format!("the overlay is not valid: {error}")))?;
    let (mut notes, mut problems) = (Vec::new(), Problems::default());
    for (index, action) in overlay.actions.iter().enumerate() {
        // One at a time: what an earlier action removed, a later one does not replace.
        let alone = Overlay {
            actions: vec![action.clone()],
            ..overlay.clone()
        };
        let before = document.clone();
        let report = alone
            .apply(&mut document, EnumSet::empty())
            .map_err(|mut error| {
                error.action_index = index;
                refuse(format!("the overlay: {error}"))
            })?;
        for outcome in report.actions.iter().filter(|it| it.matched == 0) {
            let (operation, target) = (outcome.operation, &outcome.target);
            notes.push(format!(
                "the overlay's action {index} ({operation} {target}) matches nothing"
            ));
        }
        replaced(&before, &document, String::new(), index, &mut problems);
    }
    problems.into_result(Stage::Correct)?;
    Ok(Corrected { document, notes })
}

/// Collects where an action replaced a value with another one.
fn replaced(before: &Value, after: &Value, pointer: String, action: usize, into: &mut Problems) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                let other = after.get(key);
                if let Some(other) = other.filter(|_| !SAID_TO_PEOPLE.contains(&key.as_str())) {
                    replaced(value, other, at(&pointer, key), action, into);
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for (index, (value, other)) in before.iter().zip(after).enumerate() {
                replaced(value, other, at(&pointer, &index.to_string()), action, into);
            }
        }
        _ => {
            let message = format!(
                "the overlay's action {action} would replace {before} with {after}, and hide it from \
                 the comparison; change xtask/overlay.json"
            );
            into.add(pointer, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn overlay(actions: &Value) -> String {
        let info = json!({"title": "t", "version": "1"});
        json!({"overlay": "1.0.0", "info": info, "actions": actions}).to_string()
    }

    #[test]
    fn an_action_that_matches_nothing_is_told() {
        let actions = json!([
            {"target": "$.a", "update": {"c": 2}},
            {"target": "$.b", "remove": true}
        ]);
        let corrected = correct(json!({"a": {"b": 1}}), &overlay(&actions)).unwrap();
        assert_eq!(corrected.document, json!({"a": {"b": 1, "c": 2}}));
        assert_eq!(
            corrected.notes,
            ["the overlay's action 1 (remove $.b) matches nothing"]
        );
    }

    #[test]
    fn what_upstream_says_is_never_replaced() {
        let document = json!({"a": {"format": "uuid", "list": [1], "description": "d"}});
        let format = json!([{"target": "$.a", "update": {"format": "password"}}]);
        let refusal = correct(document.clone(), &overlay(&format)).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "correct at /a/format: the overlay's action 0 would replace \"uuid\" with \"password\", \
             and hide it from the comparison; change xtask/overlay.json"
        );
        // Words may be, and what was removed on purpose.
        let others = json!([
            {"target": "$.a", "update": {"description": "e", "more": 3}},
            {"target": "$.a.list", "remove": true},
            {"target": "$.a", "update": {"list": {"b": 2}}},
            {"target": "$.a", "update": {"list": {"c": 3}}}
        ]);
        let corrected = correct(document, &overlay(&others)).unwrap();
        let expected = json!({"a": {
            "format": "uuid", "list": {"b": 2, "c": 3}, "description": "e", "more": 3
        }});
        assert_eq!(corrected.document, expected);
    }

    #[test]
    fn an_overlay_that_is_none_is_refused() {
        for (text, message) in [
            ("{", "correct: the overlay is not Overlay 1.0: "),
            (
                overlay(&json!([])).as_str(),
                "correct: the overlay is not valid: ",
            ),
            (
                overlay(&json!([{"target": "$.a.b", "remove": true}])).as_str(),
                "correct: the overlay: actions[0] ",
            ),
        ] {
            let refusal = correct(json!({"a": {"b": 1}}), text).unwrap_err();
            assert!(refusal.to_string().starts_with(message), "{refusal}");
        }
    }
}
