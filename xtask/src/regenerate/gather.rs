//! What an operation reaches: follows every reference and every security requirement, and
//! collects the components on the way. It changes nothing but references into the middle of
//! something, which are written out.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::refusal::Problems;
use crate::document::pointer::{at, component, to_component};
use crate::document::positions::{Kind, each_child_mut};
use crate::document::reference;

/// The most components that the five operations may reach.
///
/// They reach six today. The limit stops a document in which one reference too many reaches the
/// whole service, and bounds the work of every later stage.
const REACH_LIMIT: usize = 500;

/// Collects the reached components of one document.
pub(super) struct Gather<'a> {
    document: &'a Value,
    /// Every component that was reached, by section and name.
    reached: BTreeSet<(Kind, String)>,
    /// The reached components that were not read yet.
    waiting: Vec<(Kind, String)>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(document: &'a Value) -> Self {
        Self {
            document,
            reached: BTreeSet::new(),
            waiting: Vec::new(),
        }
    }

    /// Follows the references of an operation, and returns it with those into the middle of
    /// something written out.
    pub(super) fn operation(
        &mut self,
        mut operation: Value,
        pointer: &str,
        problems: &mut Problems,
    ) -> Value {
        self.security(&operation, pointer, problems);
        if let Value::Object(fields) = &mut operation {
            // Requests that the service makes are not part of a client.
            fields.remove("callbacks");
        }
        self.look(
            &mut operation,
            Kind::Operation,
            pointer,
            &mut Vec::new(),
            problems,
        );
        operation
    }

    /// Returns every component that was reached.
    pub(super) fn components(mut self, problems: &mut Problems) -> Value {
        let mut components = Map::new();
        while let Some((kind, name)) = self.waiting.pop() {
            if self.reached.len() > REACH_LIMIT {
                let message = format!("the five operations reach more than {REACH_LIMIT} of them");
                problems.add("/components", message);
                break;
            }
            let Some(section) = kind.section() else {
                continue;
            };
            let pointer = to_component(section, &name);
            // It existed when it was reached.
            let Some(component) = self.document.pointer(&pointer) else {
                continue;
            };
            let mut component = component.clone();
            self.look(&mut component, kind, &pointer, &mut Vec::new(), problems);
            let section = components.entry(section).or_insert_with(|| json!({}));
            if let Value::Object(section) = section {
                section.insert(name, component);
            }
        }
        Value::Object(components)
    }

    fn look(
        &mut self,
        value: &mut Value,
        kind: Kind,
        pointer: &str,
        within: &mut Vec<String>,
        problems: &mut Problems,
    ) {
        let depth = within.len();
        while value.get("$ref").is_some() && kind.section().is_some() {
            match self.refer(value, kind, within) {
                Ok(None) => break,
                Ok(Some(written_out)) => *value = written_out,
                Err(message) => {
                    problems.add(pointer, message);
                    break;
                }
            }
        }
        let is_schema = kind == Kind::Schema;
        if !(value.is_object() || is_schema && value.is_boolean()) {
            problems.add(pointer, format!("{} must be an object", kind.name()));
        }
        if let (Kind::Response, Value::Object(fields)) = (kind, &mut *value) {
            // They name operations, most of which were not selected.
            fields.remove("links");
        }
        if is_schema {
            self.discriminator(value, pointer, problems);
        }
        each_child_mut(value, kind, pointer, &mut |child, kind, pointer| {
            self.look(child, kind, pointer, within, problems);
        });
        within.truncate(depth);
    }

    /// Follows the reference of a value: to a component, which is then reached, or to something
    /// else in the document, which is given to be written out.
    fn refer(
        &mut self,
        value: &Value,
        kind: Kind,
        within: &mut Vec<String>,
    ) -> Result<Option<Value>, String> {
        let text = value.get("$ref").and_then(Value::as_str);
        let text = text.ok_or("the value of `$ref` must be a string")?;
        let target = reference::target(value).ok_or_else(|| {
            format!("`{text}` is not a pointer into this document; bundle the document first")
        })?;
        let found = self.document.pointer(&target);
        let found = found.ok_or_else(|| format!("`{text}` points at nothing"))?;
        let component = component(&target);
        if let Some((section, name)) = component {
            if kind.section() != Some(section.as_str()) {
                return Err(format!(
                    "`{text}` points at one of `{section}`, not at {}",
                    kind.name()
                ));
            }
            self.reach(kind, name);
            return Ok(None);
        }
        if within.contains(&target) {
            return Err(format!(
                "`{text}` leads back to itself, and only a component can do that"
            ));
        }
        within.push(target);
        let mut found = found.clone();
        if let (Value::Object(found), Value::Object(siblings)) = (&mut found, value) {
            for (key, sibling) in siblings.iter().filter(|(key, _)| *key != "$ref") {
                found.insert(key.clone(), sibling.clone());
            }
        }
        Ok(Some(found))
    }

    fn reach(&mut self, kind: Kind, name: String) {
        if self.reached.insert((kind, name.clone())) {
            self.waiting.push((kind, name));
        }
    }

    /// A discriminator names schemas that nothing else may refer to.
    fn discriminator(&mut self, schema: &Value, pointer: &str, problems: &mut Problems) {
        let mapping = schema
            .pointer("/discriminator/mapping")
            .and_then(Value::as_object);
        for (key, value) in mapping.into_iter().flatten() {
            let text = value.as_str().unwrap_or_default();
            let target = reference::target(&json!({"$ref": text}));
            let target = target.unwrap_or_else(|| to_component("schemas", text));
            match component(&target) {
                Some((section, name))
                    if section == "schemas" && self.document.pointer(&target).is_some() =>
                {
                    self.reach(Kind::Schema, name);
                }
                _ => problems.add(
                    at(&at(&at(pointer, "discriminator"), "mapping"), key),
                    format!("`{text}` is no schema of this document"),
                ),
            }
        }
    }

    fn security(&mut self, operation: &Value, pointer: &str, problems: &mut Problems) {
        let pointer = at(pointer, "security");
        let Some(Value::Array(alternatives)) = operation.get("security") else {
            problems.add(pointer, "security must be a list");
            return;
        };
        for (index, alternative) in alternatives.iter().enumerate() {
            let pointer = at(&pointer, &index.to_string());
            let Value::Object(schemes) = alternative else {
                problems.add(pointer, "a security requirement must be an object");
                continue;
            };
            for name in schemes.keys() {
                let target = to_component("securitySchemes", name);
                if self.document.pointer(&target).is_some() {
                    self.reach(Kind::SecurityScheme, name.clone());
                } else {
                    problems.add(
                        at(&pointer, name),
                        "there is no security scheme of this name",
                    );
                }
            }
        }
    }
}
