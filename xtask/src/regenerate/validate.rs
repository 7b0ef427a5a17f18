//! Whether a corrected document makes sense, and whether the generator and the handwritten crate
//! can live with it. It changes nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::OPERATIONS;
use super::positions::{Kind, each_child};
use super::reference::{self, to_component};
use super::refusal::{Problems, Refusal, Stage, at};

mod forms;
mod needs;
mod operations;

pub use needs::SECRETS;

/// What a document is validated for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To become the contract: it has to be all that the generator and our crate need.
    Contract,
    /// To be compared: it has to be well-formed.
    Comparison,
}

/// Validates a document.
///
/// # Errors
///
/// It is not well-formed, or not what the purpose needs.
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
    // What follows reads a document that is well-formed.
    problems.into_result(Stage::Validate)?;
    let mut problems = Problems::default();
    parses(document, &mut problems);
    unique(document, &mut problems);
    if purpose == Purpose::Contract {
        for found in operations_of(document) {
            operations::generable(document, &found, &mut problems);
        }
        five(document, &mut problems);
        needs::check(document, &mut problems);
    }
    problems.into_result(Stage::Validate)
}

/// An operation of a selected document.
pub struct Operation<'a> {
    /// The path.
    pub path: &'a str,
    /// The method, in lower case.
    pub method: &'a str,
    /// The operationId, or nothing.
    pub id: &'a str,
    /// The operation itself.
    pub value: &'a Value,
    /// Its JSON pointer.
    pub pointer: String,
}

/// Lists the operations of a selected document.
#[must_use]
pub fn operations_of(document: &Value) -> Vec<Operation<'_>> {
    let mut operations = Vec::new();
    for (path, item) in entries(document.get("paths")) {
        for (method, value) in entries(Some(item)) {
            operations.push(Operation {
                path,
                method,
                id: value
                    .get("operationId")
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
                value,
                pointer: at(&at("/paths", path), method),
            });
        }
    }
    operations.sort_by(|left, right| left.pointer.cmp(&right.pointer));
    operations
}

/// The entries of a value that should be an object; anything else has none.
pub fn entries(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn each_part(document: &Value, visit: &mut impl FnMut(&Value, Kind, &str)) {
    for operation in operations_of(document) {
        visit(operation.value, Kind::Operation, &operation.pointer);
    }
    for (section, components) in entries(document.get("components")) {
        if let Some(kind) = Kind::of_section(section) {
            for (name, component) in entries(Some(components)) {
                visit(component, kind, &to_component(section, name));
            }
        }
    }
}

/// Every reference resolves, and every schema has the form of one.
fn part(document: &Value, value: &Value, kind: Kind, pointer: &str, problems: &mut Problems) {
    if kind.section().is_some() && value.get("$ref").is_some() {
        let target = reference::target(value);
        let resolves = target.is_some_and(|target| {
            reference::component(&target).is_some_and(|(section, _)| {
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

/// The names of components are those that OpenAPI allows.
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

/// No schema is made of itself before it is made of anything else.
fn cycles(document: &Value, problems: &mut Problems) {
    let mut edges: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (section, components) in entries(document.get("components")) {
        for (name, component) in entries(Some(components)) {
            let mut targets = Vec::new();
            made_of(component, &mut targets);
            edges.insert(to_component(section, name), targets);
        }
    }
    // Whatever can't be taken away, one component without open edges after the other, is a cycle.
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, targets) in &mut edges {
        targets.sort_unstable();
        targets.dedup();
        for target in targets.iter() {
            users.entry(target.clone()).or_default().push(name.clone());
        }
    }
    let is_done =
        |(name, targets): (&String, &Vec<String>)| targets.is_empty().then(|| name.clone());
    let mut done: Vec<_> = edges.iter().filter_map(is_done).collect();
    while let Some(name) = done.pop() {
        edges.remove(&name);
        for user in users.remove(&name).unwrap_or_default() {
            if let Some(targets) = edges.get_mut(&user) {
                targets.retain(|target| *target != name);
                if targets.is_empty() {
                    done.push(user);
                }
            }
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

/// The parser that the generator uses takes the document; the finer checks went before, because
/// it gives no place.
fn parses(document: &Value, problems: &mut Problems) {
    if let Err(error) = serde_json::from_value::<openapiv3::OpenAPI>(document.clone()) {
        problems.add("", format!("this is not OpenAPI 3.0: {error}"));
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
