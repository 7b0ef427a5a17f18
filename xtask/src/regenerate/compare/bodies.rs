//! Compares the request body, and the response for each status code.

use serde_json::{Map, Value};

use super::change::{Class, Direction, Kind};
use super::changes::{Changes, Pair};
use super::parameters::headers;
use super::schemas::Schemas;
use super::view::Node;
use crate::document::parts::{Operation, entries};
use crate::document::pointer::at;
use crate::document::reference::follow;

/// The media type that the client sends and accepts.
const JSON: &str = "application/json";

pub(super) fn request(
    pair: &Pair<'_>,
    old: &Operation<'_>,
    new: &Operation<'_>,
    changes: &mut Changes,
) {
    let body = |document, operation: &Operation<'_>| {
        let body = operation.value.get("requestBody")?;
        let (body, place) = follow(document, body, at(&operation.pointer, "requestBody"));
        let required = body.get("required") == Some(&Value::Bool(true));
        Some((body.clone(), place, required))
    };
    match (body(pair.old, old), body(pair.new, new)) {
        (None, None) => {}
        (None, Some((_, place, required))) => {
            let (class, must) = if required {
                (Class::Breaking, "must be sent")
            } else {
                (Class::Compatible, "can be sent")
            };
            changes.add(
                Kind::RequestBodyAdded,
                class,
                &place,
                format!("a body {must}"),
            );
        }
        (Some((_, place, _)), None) => {
            let message = "no body is taken any more".to_owned();
            changes.breaking(Kind::RequestBodyRemoved, &place, message);
        }
        (Some((old, old_place, was_required)), Some((new, new_place, is_required))) => {
            if !was_required && is_required {
                let message = "a body must now be sent".to_owned();
                changes.breaking(Kind::RequestBodyChanged, &new_place, message);
            }
            if was_required && !is_required {
                let message = "the body can now be left out".to_owned();
                changes.compatible(Kind::RequestBodyChanged, &new_place, message);
            }
            let (old, new) = ((&old, old_place.as_str()), (&new, new_place.as_str()));
            content(pair, Direction::Request, old, new, changes);
        }
    }
}

pub(super) fn responses(
    pair: &Pair<'_>,
    old: &Operation<'_>,
    new: &Operation<'_>,
    changes: &mut Changes,
) {
    let (before, after) = (statuses(old), statuses(new));
    for (status, old_response, old_place) in &before {
        let found = after.iter().find(|(other, _, _)| other == status);
        if let Some((_, new_response, new_place)) = found {
            response(
                pair,
                status,
                (old_response, old_place),
                (new_response, new_place),
                changes,
            );
        } else if is_success(status) {
            let successes: Vec<_> = after
                .iter()
                .map(|(status, _, _)| *status)
                .filter(|status| is_success(status))
                .collect();
            let message = match successes.as_slice() {
                [] => format!("the success {status} is gone"),
                _ => format!("the success {status} is now {}", successes.join(" or ")),
            };
            changes.breaking(Kind::StatusRemoved, old_place, message);
        } else {
            let message = format!("the status {status} is no longer documented");
            changes.compatible(Kind::StatusRemoved, old_place, message);
        }
    }
    for (status, _, new_place) in &after {
        if before.iter().any(|(other, _, _)| other == status) {
            continue;
        }
        if is_success(status) {
            // The client was made for the other one, and this is an unknown reply to it.
            let message = format!("the success {status} is new");
            changes.breaking(Kind::StatusAdded, new_place, message);
        } else {
            let message = format!("the status {status} is documented");
            changes.compatible(Kind::StatusAdded, new_place, message);
        }
    }
}

/// Returns the status codes of an operation with their responses, in order.
fn statuses<'a>(operation: &Operation<'a>) -> Vec<(&'a str, &'a Value, String)> {
    let pointer = at(&operation.pointer, "responses");
    let responses = entries(operation.value.get("responses"));
    let mut statuses: Vec<_> = responses
        .map(|(status, response)| (status.as_str(), response, at(&pointer, status)))
        .collect();
    statuses.sort_unstable_by_key(|(status, _, _)| *status);
    statuses
}

fn is_success(status: &str) -> bool {
    status.starts_with('2')
}

fn response(
    pair: &Pair<'_>,
    status: &str,
    (old, old_place): (&Value, &str),
    (new, new_place): (&Value, &str),
    changes: &mut Changes,
) {
    let (old, old_place) = follow(pair.old, old, old_place.to_owned());
    let (new, new_place) = follow(pair.new, new, new_place.to_owned());
    let (old, new) = ((old, old_place.as_str()), (new, new_place.as_str()));
    headers(pair, old, new, changes);
    let has_body = |response: &Value| entries(response.get("content")).next().is_some();
    match (has_body(old.0), has_body(new.0)) {
        (false, false) => {}
        (true, true) => content(pair, Direction::Reply, old, new, changes),
        (false, true) => {
            // A client that expects no body reads none.
            let message = format!("the response {status} has a body");
            changes.compatible(Kind::ResponseBodyAdded, new.1, message);
        }
        (true, false) => {
            let message = format!("the response {status} has no body any more");
            changes.breaking(Kind::ResponseBodyRemoved, old.1, message);
        }
    }
}

/// Compares each media type; the client uses JSON where it can.
fn content(
    pair: &Pair<'_>,
    direction: Direction,
    (old, old_place): (&Value, &str),
    (new, new_place): (&Value, &str),
    changes: &mut Changes,
) {
    let (before, after) = (media_types(old), media_types(new));
    let spoken = before
        .iter()
        .find(|(name, _, _)| name == JSON)
        .or_else(|| before.first());
    let spoken = spoken.map(|(name, _, _)| name.clone());
    for (name, old_key, old_media_type) in &before {
        let old_place = at(&at(old_place, "content"), old_key);
        let Some((_, new_key, new_media_type)) = after.iter().find(|(other, _, _)| other == name)
        else {
            let others: Vec<_> = after.iter().map(|(name, _, _)| name.as_str()).collect();
            let message = format!("{name} is now {}", others.join(" or "));
            let class = if spoken.as_ref() == Some(name) {
                Class::Breaking
            } else {
                Class::Compatible
            };
            changes.add(Kind::MediaTypeRemoved, class, &old_place, message);
            continue;
        };
        let new_place = at(&at(new_place, "content"), new_key);
        let everything = Value::Object(Map::new());
        let schema = |media_type: &Value| media_type.get("schema").cloned();
        let before = schema(old_media_type).unwrap_or_else(|| everything.clone());
        let after = schema(new_media_type).unwrap_or(everything);
        let before = Node::new(&before, at(&old_place, "schema"));
        let after = Node::new(&after, at(&new_place, "schema"));
        Schemas::new(pair, direction, changes).compare(&before, &after);
    }
    for (name, key, _) in &after {
        if !before.iter().any(|(other, _, _)| other == name) {
            let place = at(&at(new_place, "content"), key);
            let message = format!("{name} is possible");
            changes.compatible(Kind::MediaTypeAdded, &place, message);
        }
    }
}

/// Returns the media types: the name without parameters, the key, and the description.
fn media_types(value: &Value) -> Vec<(String, String, Value)> {
    let media_types = entries(value.get("content")).map(|(key, media_type)| {
        let name = key.split(';').next().unwrap_or(key).trim().to_lowercase();
        (name, key.clone(), media_type.clone())
    });
    media_types.collect()
}
