//! Compares the body of a request, and that of a response.

use serde_json::Value;

use super::change::{Class, Direction, Kind};
use super::changes::Sides;
use super::comparer::Comparer;
use super::{content, headers};
use crate::document::parts::{Operation, entries};
use crate::document::pointer::at;
use crate::document::reference::follow;

pub(super) fn request<'a>(comparer: &mut Comparer<'a>, old: &Operation<'a>, new: &Operation<'a>) {
    let outer = comparer.changes.direction.replace(Direction::Request);
    let body = |document, operation: &Operation<'a>| {
        let body = operation.value.get("requestBody")?;
        let (body, place) = follow(document, body, at(&operation.pointer, "requestBody"));
        Some((
            body,
            place,
            body.get("required") == Some(&Value::Bool(true)),
        ))
    };
    let changes = &mut comparer.changes;
    match (body(comparer.pair.old, old), body(comparer.pair.new, new)) {
        (None, None) => {}
        (None, Some((_, place, required))) => {
            let (class, must) = match required {
                true => (Class::Breaking, "must be sent"),
                false => (Class::Compatible, "can be sent"),
            };
            let message = format!("a body {must}");
            changes.add(Kind::RequestBodyAdded, class, Sides::new(&place), message);
        }
        (Some((_, place, _)), None) => {
            let message = "no body is taken any more";
            changes.breaking(Kind::RequestBodyRemoved, Sides::old(&place), message);
        }
        (Some((old, old_place, was_required)), Some((new, new_place, is_required))) => {
            let sides = Sides::both(&old_place, &new_place);
            let kind = Kind::RequestBodyChanged;
            match (was_required, is_required) {
                (false, true) => changes.breaking(kind, sides, "a body must now be sent"),
                (true, false) => changes.compatible(kind, sides, "the body can now be left out"),
                _ => {}
            }
            content::compare(
                comparer,
                Direction::Request,
                (old, &old_place),
                (new, &new_place),
            );
        }
    }
    comparer.changes.direction = outer;
}

/// Compares two responses: their headers and their bodies.
pub(super) fn response<'a>(
    comparer: &mut Comparer<'a>,
    status: &str,
    (old, old_place): (&'a Value, &str),
    (new, new_place): (&'a Value, &str),
) {
    let (old, old_place) = follow(comparer.pair.old, old, old_place.to_owned());
    let (new, new_place) = follow(comparer.pair.new, new, new_place.to_owned());
    let (old, new) = ((old, old_place.as_str()), (new, new_place.as_str()));
    headers::compare(comparer, old, new);
    // Content that says nothing is gone by now.
    let has_body = |response: &Value| entries(response.get("content")).next().is_some();
    match (has_body(old.0), has_body(new.0)) {
        (false, false) => {}
        (true, true) => content::compare(comparer, Direction::Reply, old, new),
        (false, true) => {
            // A client that expects no body reads none.
            let message = format!("the response {status} has a body");
            let sides = Sides::both(old.1, new.1);
            comparer
                .changes
                .compatible(Kind::ResponseBodyAdded, sides, message);
        }
        (true, false) => {
            let message = format!("the response {status} has no body any more");
            let sides = Sides::both(old.1, new.1);
            comparer
                .changes
                .breaking(Kind::ResponseBodyRemoved, sides, message);
        }
    }
}
