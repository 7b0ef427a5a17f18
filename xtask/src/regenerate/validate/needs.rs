//! Checks what the handwritten crate needs of the five operations: the bodies it reads and sends,
//! the credential it has, and secrets that are generated as secrets. When upstream changes one of
//! these, the crate has to change first, and the list in `document/parts.rs` with it.

use serde_json::Value;

use super::super::refusal::Problems;
use crate::document::parts::{NEEDS, Need, Operation, each_part, entries, operations_of};
use crate::document::pointer::{at, to_component};
use crate::document::positions::{Kind, each_child};
use crate::document::reference;

/// Fields that hold a secret wherever they stand; the overlay marks them.
pub const SECRETS: [&str; 2] = ["access_token", "secret"];

pub(super) fn check(document: &Value, problems: &mut Problems) {
    for found in operations_of(document) {
        if let Some(need) = NEEDS.iter().find(|need| need.id == found.id) {
            bodies(document, &found, need, problems);
            security(document, &found, need, problems);
        }
    }
    each_part(document, &mut |value, kind, pointer| {
        secrets(value, kind, pointer, problems)
    });
}

/// Checks that every secret is marked: otherwise its type would print it.
fn secrets(value: &Value, kind: Kind, pointer: &str, problems: &mut Problems) {
    for secret in SECRETS {
        let place = at("/properties", secret);
        let field = value.pointer(&place).filter(|_| kind == Kind::Schema);
        if field.is_some_and(|field| field.get("format").is_none_or(|it| it != "password")) {
            problems.add(
                format!("{pointer}{place}"),
                "this is a secret and not marked as one; extend xtask/overlay.json",
            );
        }
    }
    each_child(value, kind, pointer, &mut |child, kind, pointer| {
        secrets(child, kind, pointer, problems);
    });
}

fn bodies(document: &Value, found: &Operation<'_>, need: &Need, problems: &mut Problems) {
    if need.request && found.value.get("requestBody").is_none() {
        problems.add(&found.pointer, "the client sends a body, and none is taken");
    }
    for (status, response) in entries(found.value.get("responses")) {
        if !need.reply || !status.starts_with('2') {
            continue;
        }
        let place = at(&at(&found.pointer, "responses"), status);
        let (response, place) = reference::follow(document, response, place);
        let json = response.pointer("/content/application~1json/schema");
        if json.is_none() {
            problems.add(
                place,
                "the client reads JSON from this reply, and it has none",
            );
        }
    }
}

/// Checks that the operation requires a bearer token or nothing.
fn security(document: &Value, found: &Operation<'_>, need: &Need, problems: &mut Problems) {
    let alternatives = found.value.get("security").and_then(Value::as_array);
    let alternatives = alternatives.map(Vec::as_slice).unwrap_or_default();
    let can_give = |alternative: &Value| {
        entries(Some(alternative)).all(|(name, _)| need.bearer && is_bearer(document, name))
    };
    if !alternatives.is_empty() && !alternatives.iter().any(can_give) {
        let message = if need.bearer {
            "the client has a bearer to show, and something else is asked for"
        } else {
            "the client has nothing to show here yet, and something is asked for"
        };
        problems.add(at(&found.pointer, "security"), message);
    }
}

fn is_bearer(document: &Value, name: &str) -> bool {
    let target = to_component("securitySchemes", name);
    let Some(scheme) = document.pointer(&target) else {
        return false;
    };
    let (scheme, _) = reference::follow(document, scheme, target);
    let says = |field: &str, expected: &str| {
        scheme
            .get(field)
            .and_then(Value::as_str)
            .is_some_and(|it| it.eq_ignore_ascii_case(expected))
    };
    // OAuth and OpenID use bearer tokens too.
    says("type", "http") && says("scheme", "bearer")
        || says("type", "oauth2")
        || says("type", "openIdConnect")
}
