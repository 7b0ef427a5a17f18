//! Checks that an operation is well-formed.

use serde_json::Value;

use super::super::refusal::Problems;
use crate::document::parts::{Operation, entries};
use crate::document::pointer::at;
use crate::document::reference;

/// Checks what OpenAPI requires of every operation.
pub(super) fn well_formed(document: &Value, operation: &Operation<'_>, problems: &mut Problems) {
    let Operation {
        path,
        value,
        pointer,
        ..
    } = operation;
    if operation.id.is_empty() {
        problems.add(pointer, "there is no operationId");
    }
    if !path.starts_with('/') {
        problems.add(
            pointer,
            format!("the path {path:?} must begin with a slash"),
        );
    }
    for (index, tag) in value
        .get("tags")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        if !tag.is_string() {
            let place = at(&at(pointer, "tags"), &index.to_string());
            problems.add(place, "a tag must be a text");
        }
    }
    let parameters = value.get("parameters");
    if parameters.is_some_and(|parameters| !parameters.is_array()) {
        problems.add(at(pointer, "parameters"), "parameters must be a list");
    }
    parameters_of(document, operation, problems);
    if let Some(body) = value.get("requestBody") {
        let (body, place) = reference::follow(document, body, at(pointer, "requestBody"));
        if entries(body.get("content")).count() == 0 {
            problems.add(place, "a request body without content is none");
        } else {
            content(body, &place, problems);
        }
    }
    let mut responses = entries(value.get("responses")).peekable();
    if responses.peek().is_none() {
        problems.add(at(pointer, "responses"), "there is no response");
    }
    for (status, response) in responses {
        let place = at(&at(pointer, "responses"), status);
        if !is_status(status) {
            problems.add(
                &place,
                "a status is three digits, 2XX and the like, or default",
            );
        }
        let (response, place) = reference::follow(document, response, place);
        if !response.get("description").is_some_and(Value::is_string) {
            problems.add(
                at(&place, "description"),
                "a response must have a description",
            );
        }
        content(response, &place, problems);
    }
}

fn is_status(status: &str) -> bool {
    match status.as_bytes() {
        [b'1'..=b'5', b'X', b'X'] => true,
        [b'1'..=b'5', second, third] => second.is_ascii_digit() && third.is_ascii_digit(),
        other => other == b"default",
    }
}

fn content(value: &Value, pointer: &str, problems: &mut Problems) {
    let Some(content) = value.get("content") else {
        return;
    };
    let pointer = at(pointer, "content");
    if !content.is_object() {
        problems.add(&pointer, "content must be an object");
    }
    for (media_type, _) in entries(Some(content)) {
        if media_type
            .split('/')
            .filter(|part| !part.trim().is_empty())
            .count()
            != 2
        {
            problems.add(at(&pointer, media_type), "this is no media type");
        }
    }
}

fn parameters_of(document: &Value, operation: &Operation<'_>, problems: &mut Problems) {
    let parameters = operation.value.get("parameters").and_then(Value::as_array);
    let mut seen = Vec::new();
    for (index, parameter) in parameters.into_iter().flatten().enumerate() {
        let place = at(&at(&operation.pointer, "parameters"), &index.to_string());
        let (parameter, place) = reference::follow(document, parameter, place);
        let text = |name: &str| parameter.get(name).and_then(Value::as_str);
        let (Some(name), Some(location)) = (text("name"), text("in")) else {
            problems.add(place, "a parameter must have `name` and `in`");
            continue;
        };
        if !["cookie", "header", "path", "query"].contains(&location) {
            problems.add(at(&place, "in"), format!("no parameter is in {location:?}"));
        }
        if parameter.get("schema").is_none() && parameter.get("content").is_none() {
            problems.add(&place, "a parameter must have a schema");
        }
        if location == "path" {
            if parameter.get("required") != Some(&Value::Bool(true)) {
                problems.add(&place, "a parameter of the path must be required");
            }
            if !operation.path.contains(&format!("{{{name}}}")) {
                problems.add(&place, format!("the path has no {{{name}}}"));
            }
        }
        if seen.contains(&(name, location)) {
            problems.add(&place, format!("the parameter {name} is there twice"));
        }
        seen.push((name, location));
    }
    for (_, rest) in operation.path.split('{').skip(1).map(|part| ((), part)) {
        let name = rest.split('}').next().unwrap_or_default();
        if !rest.contains('}') || !seen.contains(&(name, "path")) {
            let message = format!("the path has {{{name}}}, and there is no such parameter");
            problems.add(&operation.pointer, message);
        }
    }
}
