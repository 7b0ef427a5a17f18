//! Applies the corrections of the checked-in overlay document. An action that matches nothing is a
//! note, not an error.

use enumset::EnumSet;
use roas_overlay::apply::Apply as _;
use roas_overlay::v1_0::Overlay;
use roas_overlay::validation::Validate as _;
use serde_json::Value;

use super::refusal::{Refusal, Stage};

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
/// The overlay is not a valid Overlay 1.0 document, or one of its actions can't be applied.
pub fn correct(mut document: Value, overlay: &str) -> Result<Corrected, Refusal> {
    let refuse = |message: String| Refusal::new(Stage::Correct, "", message);
    let overlay: Overlay = serde_json::from_str(overlay)
        .map_err(|error| refuse(format!("the overlay is not Overlay 1.0: {error}")))?;
    overlay
        .validate(EnumSet::empty())
        .map_err(|error| refuse(format!("the overlay is not valid: {error}")))?;
    let report = overlay
        .apply(&mut document, EnumSet::empty())
        .map_err(|error| refuse(format!("the overlay: {error}")))?;
    let unmatched = report.actions.iter().filter(|action| action.matched == 0);
    let notes = unmatched.map(|action| {
        let (operation, target) = (action.operation, &action.target);
        format!(
            "the overlay's action {} ({operation} {target}) matches nothing",
            action.index
        )
    });
    Ok(Corrected {
        notes: notes.collect(),
        document,
    })
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
