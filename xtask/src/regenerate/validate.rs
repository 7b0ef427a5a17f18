//! Checks that a corrected document is valid, and that the generator and the handwritten crate
//! can use it. It changes nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::locate::place;
use super::refusal::{Problems, Refusal, Stage};
use crate::document::parts::{OPERATIONS, each_part, entries, operations_of};
use crate::document::pointer::{at, component, to_component};
use crate::document::positions::{Kind, each_child};
use crate::document::reference;

mod forms;
mod generable;
mod needs;
mod operations;

pub use needs::SECRETS;

/// The purpose of a validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To become the contract: the document must have all that the generator and our crate need.
    Contract,
    /// To be compared: the document must be well-formed.
    Comparison,
}

/// Validates a document.
///
/// # Errors
///
/// The document is not well-formed, or not what the purpose needs.
pub fn validate(document: &Value, purpose: Purpose) -> Result<(), Refusal> {
    let mut problems = Problems::default();
    each_part(document, &mut |value, kind, pointer| {
        part(document, value, kind, pointer, &mut problems);
    });
    names(document, &mut problems);
    cycles(document, &mut problems);
    info(document, &mut problems);
    for found in operations_of(document) {
        operations::well_formed(document, &found, &mut problems);
    }
    // The next checks need a well-formed document.
    problems.into_result(Stage::Validate)?;
    let mut problems = Problems::default();
    parses(document, &mut problems);
    unique(document, &mut problems);
    if purpose == Purpose::Contract {
        each_generable(document, &mut problems);
        five(document, &mut problems);
        needs::check(document, &mut problems);
    }
    problems.into_result(Stage::Validate)
}

/// Checks that the generator can make Rust of a document that is well-formed.
///
/// # Errors
///
/// The generator has no way to write a part of it.
pub fn generable(document: &Value) -> Result<(), Refusal> {
    let mut problems = Problems::default();
    each_generable(document, &mut problems);
    problems.into_result(Stage::Validate)
}

fn each_generable(document: &Value, problems: &mut Problems) {
    each_part(document, &mut |value, kind, pointer| {
        generable::schemas(document, value, kind, pointer, problems);
    });
    for found in operations_of(document) {
        generable::check(document, &found, problems);
    }
}

/// Checks that every reference resolves and every schema has a valid form.
fn part(document: &Value, value: &Value, kind: Kind, pointer: &str, problems: &mut Problems) {
    if kind.section().is_some() && value.get("$ref").is_some() {
        let target = reference::target(value);
        let resolves = target.is_some_and(|target| {
            component(&target).is_some_and(|(section, _)| {
                kind.section() == Some(&section) && document.pointer(&target).is_some()
            })
        });
        if !resolves {
            problems.add(pointer, format!("{} points at nothing", value["$ref"]));
        }
        return;
    }
    if kind == Kind::Schema {
        forms::schema(value, pointer, problems);
    }
    each_child(value, kind, pointer, &mut |child, kind, pointer| {
        if !(child.is_boolean() && pointer.ends_with("/additionalProperties")) {
            part(document, child, kind, pointer, problems);
        }
    });
}

/// Checks that OpenAPI allows the names of components.
fn names(document: &Value, problems: &mut Problems) {
    for (section, components) in entries(document.get("components")) {
        for (name, _) in entries(Some(components)) {
            let fits = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
            if name.is_empty() || !name.chars().all(fits) {
                problems.add(
                    to_component(section, name),
                    "the name of a component has letters, digits, `.`, `_` and `-` only",
                );
            }
        }
    }
}

/// Checks that no schema refers to itself through references and combinations alone.
fn cycles(document: &Value, problems: &mut Problems) {
    let mut edges: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (section, components) in entries(document.get("components")) {
        for (name, component) in entries(Some(components)) {
            let targets = edges.entry(to_component(section, name)).or_default();
            made_of(component, targets);
        }
    }
    // Components whose targets are all removed are removed too; what remains is a cycle.
    loop {
        let names: Vec<_> = edges.keys().cloned().collect();
        edges.retain(|_, targets| {
            targets
                .iter()
                .any(|target| names.binary_search(target).is_ok())
        });
        if edges.len() == names.len() {
            break;
        }
    }
    if let Some((pointer, _)) = edges.first_key_value() {
        let through: Vec<_> = edges.keys().map(String::as_str).collect();
        let message = format!(
            "references lead in a circle with nothing in it: {}",
            through.join(", ")
        );
        problems.add(pointer, message);
    }
}

fn made_of(value: &Value, targets: &mut Vec<String>) {
    targets.extend(reference::target(value));
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let members = value.get(keyword).and_then(Value::as_array);
        members
            .into_iter()
            .flatten()
            .for_each(|member| made_of(member, targets));
    }
    if let Some(member) = value.get("not") {
        made_of(member, targets);
    }
}

fn info(document: &Value, problems: &mut Problems) {
    for field in ["title", "version"] {
        if !document
            .pointer(&at("/info", field))
            .is_some_and(Value::is_string)
        {
            problems.add(at("/info", field), "it must be there, and be a text");
        }
    }
    let servers = document.get("servers").map(|servers| servers.as_array());
    for (index, server) in servers.iter().flatten().copied().flatten().enumerate() {
        if !server.get("url").is_some_and(Value::is_string) {
            problems.add(
                format!("/servers/{index}/url"),
                "it must be there, and be a text",
            );
        }
    }
    if matches!(servers, Some(None)) {
        problems.add("/servers", "it must be a list");
    }
}

/// Checks that the generator's parser accepts the document.
fn parses(document: &Value, problems: &mut Problems) {
    let error = |document: &Value| {
        let parsed = serde_json::from_value::<openapiv3::OpenAPI>(document.clone());
        parsed.err().map(|error| error.to_string())
    };
    if let Some(message) = error(document) {
        let pointer = place(document, |other| error(other).as_ref() == Some(&message));
        problems.add(pointer, format!("this is not OpenAPI 3.0: {message}"));
    }
}

fn unique(document: &Value, problems: &mut Problems) {
    let mut seen = BTreeMap::new();
    for found in operations_of(document) {
        if let Some(first) = seen.insert(found.id.to_owned(), found.pointer.clone()) {
            let message = format!("the operationId `{}` is also that of {first}", found.id);
            problems.add(&found.pointer, message);
        }
    }
}

fn five(document: &Value, problems: &mut Problems) {
    let found = operations_of(document);
    for id in OPERATIONS {
        if !found.iter().any(|found| found.id == id) {
            problems.add("/paths", format!("the operation `{id}` is missing"));
        }
    }
    for found in &found {
        if !OPERATIONS.contains(&found.id) {
            problems.add(
                &found.pointer,
                format!("`{}` is none of the five operations", found.id),
            );
        }
    }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
