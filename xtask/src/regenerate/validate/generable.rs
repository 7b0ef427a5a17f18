//! Checks that progenitor has a way to write an operation. What it refuses itself, or fails at, is
//! found later; here it is said in the words of the document, with what to write instead.

use serde_json::Value;

use super::super::refusal::Problems;
use crate::document::parts::{Operation, entries};
use crate::document::pointer::at;
use crate::document::positions::{Kind, each_child};
use crate::document::reference::follow;

/// The media type of the generated client.
const JSON: &str = "application/json";

/// The media types of a request that the generator can send.
const REQUESTS: [&str; 4] = [
    JSON,
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "text/plain",
];

pub(super) fn check(document: &Value, operation: &Operation<'_>, problems: &mut Problems) {
    let Operation { value, pointer, .. } = operation;
    if value.get("servers").is_some() {
        let message = "this operation has servers of its own, and the client has one for all five; \
                       name the server once, for the document";
        problems.add(at(pointer, "servers"), message);
    }
    parameters(document, operation, problems);
    if let Some(body) = value.get("requestBody") {
        let (body, place) = follow(document, body, at(pointer, "requestBody"));
        request(body, &at(&place, "content"), problems);
    }
    responses(document, value, &at(pointer, "responses"), problems);
}

/// The most choices that one schema combines, and the most ways to combine them.
///
/// The generator tries what is left of every alternative beside every other one: for two choices of
/// four it takes a second or two, and for three of two it comes to no end.
const CHOICES_LIMIT: usize = 2;
const WAYS_LIMIT: usize = 16;

/// Checks the schemas for what the generator panics at, or comes to no end with.
pub(super) fn schemas(
    document: &Value,
    value: &Value,
    kind: Kind,
    pointer: &str,
    problems: &mut Problems,
) {
    if kind == Kind::Schema {
        let mut choices = Vec::new();
        each_choice(document, value, &mut Vec::new(), &mut choices);
        let ways = choices.iter().copied().fold(1, usize::saturating_mul);
        if choices.len() > CHOICES_LIMIT || choices.len() > 1 && ways > WAYS_LIMIT {
            let message = format!(
                "the generator can't combine {} choices that must all hold; write one `anyOf` of \
                 the combinations that there are",
                choices.len()
            );
            problems.add(pointer, message);
        }
        let combined = ["$ref", "allOf", "anyOf", "oneOf"];
        let is_plain = combined.iter().all(|keyword| value.get(keyword).is_none());
        let is_text = value.get("type").is_some_and(|it| it == "string");
        if is_plain && !is_text && value.get("format").is_some_and(|it| it == "password") {
            let message = "a secret must be a text; write `type: string`";
            problems.add(pointer, message);
        }
        let values = value.get("enum").and_then(Value::as_array);
        let values = values.into_iter().flatten().filter(|it| !it.is_null());
        let mut kinds: Vec<_> = values.map(std::mem::discriminant).collect();
        kinds.dedup();
        if kinds.len() > 1 && value.get("type").is_none() {
            let message = "the generator has no type for values of several kinds; write `anyOf`, \
                           with an `enum` for each";
            problems.add(at(pointer, "enum"), message);
        }
    }
    each_child(value, kind, pointer, &mut |value, kind, pointer| {
        schemas(document, value, kind, pointer, problems);
    });
}

/// Collects how many alternatives each choice has that must hold in a schema.
fn each_choice<'a>(
    document: &'a Value,
    schema: &'a Value,
    seen: &mut Vec<&'a Value>,
    choices: &mut Vec<usize>,
) {
    let (schema, _) = follow(document, schema, String::new());
    if seen.iter().any(|other| std::ptr::eq(*other, schema)) {
        return;
    }
    seen.push(schema);
    let members = |keyword: &str| schema.get(keyword).and_then(Value::as_array);
    let counts = ["anyOf", "oneOf"].map(|keyword| members(keyword).map_or(0, Vec::len));
    choices.extend(counts.into_iter().filter(|count| *count > 1));
    for member in members("allOf").into_iter().flatten() {
        each_choice(document, member, seen, choices);
    }
}

fn parameters(document: &Value, operation: &Operation<'_>, problems: &mut Problems) {
    let parameters = operation.value.get("parameters").and_then(Value::as_array);
    for (index, parameter) in parameters.into_iter().flatten().enumerate() {
        let place = at(&at(&operation.pointer, "parameters"), &index.to_string());
        let (parameter, place) = follow(document, parameter, place);
        let location = parameter.get("in").and_then(Value::as_str);
        if location == Some("cookie") {
            let message = "the generator sends no cookies; make it a header or a query parameter, \
                           or leave it out with xtask/overlay.json";
            problems.add(place, message);
            continue;
        }
        if parameter.get("content").is_some() {
            let message = "the generator needs `schema` in place of `content`; write a text";
            problems.add(at(&place, "content"), message);
            continue;
        }
        let usual = if location == Some("query") {
            "form"
        } else {
            "simple"
        };
        if parameter.get("style").is_some_and(|style| style != usual) {
            let message = format!("the generator knows no style but `{usual}`; leave `style` out");
            problems.add(at(&place, "style"), message);
        }
        if let Some(schema) = parameter.get("schema")
            && is_composite(document, schema, &mut Vec::new())
        {
            let message = "the generator sends no list and no object in a parameter; write a \
                           text, or send a body";
            problems.add(at(&place, "schema"), message);
        }
    }
}

/// Returns `true` if a schema allows a list or an object by name.
fn is_composite<'a>(document: &'a Value, schema: &'a Value, seen: &mut Vec<&'a Value>) -> bool {
    let (schema, _) = follow(document, schema, String::new());
    if seen.iter().any(|other| std::ptr::eq(*other, schema)) {
        return false;
    }
    seen.push(schema);
    let kind = schema.get("type").and_then(Value::as_str);
    let keywords = ["additionalProperties", "items", "properties"];
    matches!(kind, Some("array" | "object"))
        || kind.is_none() && keywords.iter().any(|keyword| schema.get(keyword).is_some())
        || ["allOf", "anyOf", "oneOf"].iter().any(|keyword| {
            let members = schema.get(keyword).and_then(Value::as_array);
            let mut members = members.into_iter().flatten();
            members.any(|member| is_composite(document, member, seen))
        })
}

fn request(body: &Value, pointer: &str, problems: &mut Problems) {
    let content: Vec<_> = entries(body.get("content")).collect();
    // If JSON is among them, the others are ignored, see `build/codegen.rs`.
    let json = content.iter().find(|(name, _)| *name == JSON);
    let sent = match (json, content.as_slice()) {
        (Some(json), _) => json,
        (None, [only]) => only,
        (None, _) => {
            let message =
                "the generator takes one media type for a request; offer application/json";
            problems.add(pointer, message);
            return;
        }
    };
    let (name, media_type) = sent;
    let place = at(pointer, name);
    if !REQUESTS.contains(&name.as_str()) {
        let message = format!("the generator can't send {name}; offer application/json");
        problems.add(place, message);
    } else if media_type.get("schema").is_none() {
        let message = "the generator needs a schema here; `{}` is one that allows anything";
        problems.add(place, message);
    }
}

/// What a response has for a body, as the generator sees it.
#[derive(Clone, Copy, PartialEq)]
enum Body<'a> {
    Nothing,
    Json(&'a Value),
    /// Bytes, whatever their media type and schema.
    Other,
}

fn responses(document: &Value, operation: &Value, pointer: &str, problems: &mut Problems) {
    let (mut successes, mut errors) = (Vec::new(), Vec::new());
    for (status, response) in entries(operation.get("responses")) {
        let (response, place) = follow(document, response, at(pointer, status));
        let content = response.get("content");
        let body = match content.and_then(|content| content.get(JSON)) {
            Some(media_type) => media_type.get("schema").map_or(Body::Nothing, Body::Json),
            None if entries(content).next().is_some() => Body::Other,
            None => Body::Nothing,
        };
        match status.as_bytes() {
            [b'2', ..] => successes.push((status, body, place)),
            // One without content is left to the exchange, see `build/codegen.rs`.
            [b'4' | b'5', ..] | b"default" if body != Body::Nothing => {
                errors.push((status, body, place));
            }
            _ => {}
        }
    }
    if successes.is_empty() {
        let message = "no response says what success is; name its status";
        problems.add(pointer, message);
    }
    for (what, responses) in [("success", &successes), ("error", &errors)] {
        let Some((first, body, _)) = responses.first() else {
            continue;
        };
        for (status, other, place) in responses.iter().skip(1) {
            if other != body {
                let message = format!(
                    "the {what} {status} has another body than the {what} {first}, and the \
                     generator takes one for all; use one schema, or leave the body out with \
                     xtask/overlay.json"
                );
                problems.add(place, message);
            }
        }
    }
}
