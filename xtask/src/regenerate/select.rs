//! Selects the five operations by operationId, and what they reach. The later stages check whether
//! the result is valid.

use serde_json::{Map, Value, json};

use super::gather::Gather;
use super::place::Place;
use super::refusal::{Problems, Refusal, Stage};
use crate::document::parts::OPERATIONS;
use crate::document::pointer::at;
use crate::document::reference;

/// The methods of a path item, in the order in which the specification names them.
pub const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// The fields of `info` that the contract keeps; the others tell a client nothing.
const INFO: [&str; 3] = ["title", "description", "version"];

/// The place where an operation is expected: its place in the current contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The operationId.
    pub id: String,
    /// The path.
    pub path: String,
    /// The method, in lower case.
    pub method: String,
}

/// What happens to an operation whose operationId is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The document is refused.
    Refused,
    /// The operation at its home is taken instead, if there is one, to report what changed.
    Tolerated,
}

/// An operation in its document.
struct Found<'a> {
    pointer: String,
    path: &'a str,
    method: &'static str,
    item: &'a Value,
    operation: &'a Value,
}

/// Finds where a document has the operations of the contract.
#[must_use]
pub fn homes(document: &Value) -> Vec<Home> {
    let found = operations(document).into_iter().filter_map(|found| {
        let id = operation_id(found.operation)?;
        OPERATIONS.contains(&id).then(|| Home {
            id: id.to_owned(),
            path: found.path.to_owned(),
            method: found.method.to_owned(),
        })
    });
    found.collect()
}

/// Lists the places of all operations of a document.
#[must_use]
pub fn places(document: &Value) -> Vec<Place> {
    let places = operations(document).into_iter().map(|found| Place {
        method: found.method.to_owned(),
        path: found.path.to_owned(),
    });
    places.collect()
}

/// Selects the five operations and what they reach; each says its own parameters, its own
/// security and, if they are not the document's, its own servers.
///
/// # Errors
///
/// An operation is missing or duplicated, or something that is reached does not exist.
pub fn select(document: &Value, homes: &[Home], missing: Missing) -> Result<Value, Refusal> {
    let mut problems = Problems::default();
    if !document.get("paths").is_some_and(Value::is_object) {
        return Err(Refusal::new(
            Stage::Select,
            "/paths",
            "there is no object of paths; this is no document of a service",
        ));
    }
    let mut all = operations(document);
    let places = places(document);
    let mut chosen = Vec::new();
    for id in OPERATIONS {
        let mut bearers = Vec::new();
        while let Some(index) = all
            .iter()
            .position(|found| operation_id(found.operation) == Some(id))
        {
            bearers.push(all.swap_remove(index));
        }
        bearers.sort_by(|left, right| left.pointer.cmp(&right.pointer));
        match bearers.as_slice() {
            [] => {
                let home = homes.iter().find(|home| home.id == id);
                let at_home = home.and_then(|home| {
                    let here =
                        |found: &Found<'_>| found.path == home.path && found.method == home.method;
                    all.iter()
                        .position(here)
                        .map(|index| all.swap_remove(index))
                });
                match (missing, at_home) {
                    (Missing::Tolerated, Some(found)) => chosen.push(found),
                    (Missing::Tolerated, None) => {}
                    (Missing::Refused, at_home) => {
                        let (pointer, message) = not_found(id, home, at_home.as_ref(), &places);
                        problems.add(pointer, message);
                    }
                }
            }
            [_] => chosen.extend(bearers),
            [first, others @ ..] => {
                for other in others {
                    let message =
                        format!("the operationId `{id}` is also that of {}", first.pointer);
                    problems.add(&other.pointer, message);
                }
            }
        }
    }
    let selected = assemble(document, &chosen, &mut problems);
    problems.into_result(Stage::Select)?;
    Ok(selected)
}

/// Returns a document without the paths and the components that were not selected.
#[must_use]
pub fn reached(mut document: Value, selected: &Value) -> Value {
    let keep = |from: Option<&mut Value>, kept: Option<&Value>| {
        let is_kept = |key: &str| kept.is_some_and(|kept| kept.get(key).is_some());
        if let Some(Value::Object(fields)) = from {
            fields.retain(|key, _| is_kept(key));
        }
    };
    keep(document.get_mut("paths"), selected.get("paths"));
    if let Some(Value::Object(sections)) = document.get_mut("components") {
        for (section, components) in sections {
            let kept = selected.get("components").and_then(|it| it.get(section));
            keep(Some(components), kept);
        }
    }
    document
}

/// Describes what is now where the operation was.
fn not_found(
    id: &str,
    home: Option<&Home>,
    at_home: Option<&Found<'_>>,
    places: &[Place],
) -> (String, String) {
    let start = format!("no operation has the operationId `{id}`");
    match (home, at_home) {
        (_, Some(found)) => {
            let other = match operation_id(found.operation) {
                Some(other) => format!("the operationId `{other}`"),
                None => "no operationId".to_owned(),
            };
            let (method, path) = (found.method.to_uppercase(), found.path);
            (
                found.pointer.clone(),
                format!("{start}; {method} {path} has {other}"),
            )
        }
        (Some(home), None) => {
            let (method, path) = (home.method.clone(), home.path.clone());
            let gone = Place { method, path }.is_gone(places);
            ("/paths".to_owned(), format!("{id}: {gone}"))
        }
        (None, None) => ("/paths".to_owned(), start),
    }
}

fn operation_id(operation: &Value) -> Option<&str> {
    operation.get("operationId").and_then(Value::as_str)
}

/// Lists every operation, and skips what is not shaped like one.
fn operations(document: &Value) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let paths = document.get("paths").and_then(Value::as_object);
    for (path, item) in paths.into_iter().flatten() {
        let (item, pointer) = reference::follow(document, item, at("/paths", path));
        for method in METHODS {
            if let Some(operation) = item.get(method).filter(|value| value.is_object()) {
                found.push(Found {
                    pointer: at(&pointer, method),
                    path,
                    method,
                    item,
                    operation,
                });
            }
        }
    }
    found
}

/// Assembles the selected document.
fn assemble(document: &Value, chosen: &[Found<'_>], problems: &mut Problems) -> Value {
    let mut gather = Gather::new(document);
    let mut paths = Map::new();
    let mut tags: Vec<Value> = Vec::new();
    for found in chosen {
        let operation = self_contained(document, found);
        let operation = gather.operation(operation, &found.pointer, problems);
        for tag in operation
            .get("tags")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if !tags.contains(tag) {
                tags.push(tag.clone());
            }
        }
        if let Value::Object(item) = paths.entry(found.path).or_insert_with(|| json!({})) {
            item.insert(found.method.to_owned(), operation);
        }
    }
    let mut selected = Map::new();
    for key in ["jsonSchemaDialect", "openapi", "servers"] {
        if let Some(value) = document.get(key).filter(|value| **value != json!([])) {
            selected.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(Value::Object(info)) = document.get("info") {
        let kept = info.iter().filter(|(key, _)| INFO.contains(&key.as_str()));
        let kept: Map<_, _> = kept
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        selected.insert("info".to_owned(), Value::Object(kept));
    }
    tags.sort_by_key(|tag| tag.as_str().map(str::to_owned));
    let tags: Vec<_> = tags.iter().map(|tag| described(document, tag)).collect();
    selected.insert("tags".to_owned(), Value::Array(tags));
    selected.insert("paths".to_owned(), Value::Object(paths));
    selected.insert("components".to_owned(), gather.components(problems));
    Value::Object(selected)
}

/// Returns the document's description of a tag, or one with its name alone.
fn described(document: &Value, tag: &Value) -> Value {
    let known = document.get("tags").and_then(Value::as_array);
    let known = known
        .into_iter()
        .flatten()
        .find(|known| known.get("name") == Some(tag));
    known.cloned().unwrap_or_else(|| json!({"name": tag}))
}

/// Writes into an operation what the path and the document say for it.
fn self_contained(document: &Value, found: &Found<'_>) -> Value {
    let mut operation = found.operation.clone();
    let Value::Object(fields) = &mut operation else {
        return operation;
    };
    let shared = found.item.get("parameters").and_then(Value::as_array);
    if let Some(shared) = shared.filter(|shared| !shared.is_empty()) {
        let own = fields.entry("parameters").or_insert_with(|| json!([]));
        if let Value::Array(own) = own {
            let name = |parameter: &Value| {
                let (parameter, _) = reference::follow(document, parameter, String::new());
                (parameter.get("in").cloned(), parameter.get("name").cloned())
            };
            let overridden: Vec<_> = own.iter().map(name).collect();
            own.extend(
                shared
                    .iter()
                    .filter(|other| !overridden.contains(&name(other)))
                    .cloned(),
            );
        }
    }
    if !fields.contains_key("security") {
        let effective = document.get("security").cloned();
        fields.insert(
            "security".to_owned(),
            effective.unwrap_or_else(|| json!([])),
        );
    }
    let of_document = document.get("servers");
    let servers = fields
        .remove("servers")
        .or_else(|| found.item.get("servers").cloned());
    if let Some(servers) = servers.filter(|servers| Some(servers) != of_document) {
        fields.insert("servers".to_owned(), servers);
    }
    operation
}

#[cfg(test)]
#[path = "select_tests.rs"]
mod tests;
