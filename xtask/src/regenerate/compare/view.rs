//! A schema as a comparison sees it: references followed, `allOf` merged, alternatives as a list.
//! Two schemas that mean the same look the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::document::parts::entries;
use crate::document::pointer::{at, component};
use crate::document::reference::{follow, trail};

/// A schema and its pointer.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    pub(super) pointer: String,
}

impl<'a> Node<'a> {
    pub(super) fn new(value: &'a Value, pointer: String) -> Self {
        Self { value, pointer }
    }
}

/// Everything that a schema says.
#[derive(Default)]
pub(super) struct View<'a> {
    /// The pointer of the schema that says it.
    pub(super) pointer: String,
    /// The names under which `components` has it, the outermost first.
    pub(super) names: Vec<String>,
    /// Each keyword that has no place of its own here.
    pub(super) keywords: BTreeMap<&'a str, &'a Value>,
    pub(super) properties: BTreeMap<&'a str, Node<'a>>,
    pub(super) required: BTreeSet<&'a str>,
    pub(super) nullable: bool,
    /// The alternatives; none for a schema that has no alternatives.
    pub(super) branches: Vec<Node<'a>>,
    /// Keywords that occur twice with different values, so that both must hold.
    pub(super) besides: BTreeSet<String>,
}

/// The most schemas that are merged into one.
///
/// FastAPI nests one at most; the limit only stops endless nesting.
const DEPTH_LIMIT: usize = 100;

/// Keywords that mean nothing to a client.
const UNSEEN: [&str; 9] = [
    "$ref",
    "allOf",
    "description",
    "example",
    "externalDocs",
    "nullable",
    "readOnly",
    "title",
    "writeOnly",
];

impl<'a> View<'a> {
    /// Reads a schema of a document.
    pub(super) fn new(document: &'a Value, node: &Node<'a>) -> Self {
        let mut view = Self {
            pointer: node.pointer.clone(),
            ..Self::default()
        };
        view.put(document, node, true, &mut Vec::new());
        view
    }

    fn put(&mut self, document: &'a Value, node: &Node<'a>, only: bool, within: &mut Vec<String>) {
        if within.len() > DEPTH_LIMIT {
            self.besides
                .insert(format!("{}: nested too deep to be looked at", node.pointer));
            return;
        }
        if only {
            let trail = trail(document, node.value);
            self.names.extend(
                trail
                    .iter()
                    .filter_map(|pointer| Some(component(pointer)?.1)),
            );
        }
        let (value, pointer) = follow(document, node.value, node.pointer.clone());
        if within.contains(&pointer) {
            return;
        }
        within.push(pointer.clone());
        if only {
            self.pointer.clone_from(&pointer);
        }
        let members = value.get("allOf").and_then(Value::as_array);
        let members = members.map(Vec::as_slice).unwrap_or_default();
        let says_null = value.get("nullable") == Some(&Value::Bool(true));
        // A wrapper that allows null allows it for what it wraps; members alone have to agree.
        self.nullable |= only && says_null;
        for (key, keyword) in entries(Some(value)) {
            self.keyword(key, keyword, &pointer);
        }
        let sole =
            only && members.len() == 1 && entries(Some(value)).all(|(key, _)| is_unseen(key));
        for (index, member) in members.iter().enumerate() {
            let place = at(&at(&pointer, "allOf"), &index.to_string());
            self.put(document, &Node::new(member, place), sole, within);
        }
    }

    fn keyword(&mut self, key: &'a str, value: &'a Value, pointer: &str) {
        match key {
            "properties" => {
                for (name, property) in entries(Some(value)) {
                    let place = at(&at(pointer, "properties"), name);
                    let before = self.properties.get(name.as_str());
                    if before.is_some_and(|before| before.value != property) {
                        self.besides.insert(format!("{name}: {property}"));
                    } else {
                        self.properties
                            .entry(name)
                            .or_insert_with(|| Node::new(property, place));
                    }
                }
            }
            "required" => {
                let names = value.as_array().into_iter().flatten();
                self.required.extend(names.filter_map(Value::as_str));
            }
            "anyOf" | "oneOf" if self.branches.is_empty() => {
                let place = at(pointer, key);
                let members = value.as_array().into_iter().flatten().enumerate();
                let node = |(index, member): (usize, &'a Value)| {
                    Node::new(member, at(&place, &index.to_string()))
                };
                self.branches = members.map(node).collect();
            }
            _ if is_unseen(key) || key.starts_with("x-") => {}
            _ => match self.keywords.get(key) {
                Some(before) if *before != value => {
                    self.besides.insert(format!("{key}: {value}"));
                }
                _ => {
                    self.keywords.insert(key, value);
                }
            },
        }
    }

    /// Returns the alternatives; a schema without any is its own only alternative.
    pub(super) fn alternatives(&self, node: &Node<'a>) -> Vec<Node<'a>> {
        match self.branches.is_empty() {
            true => vec![node.clone()],
            false => self.branches.clone(),
        }
    }

    /// Returns the schema without its alternatives.
    pub(super) fn without_branches(&self) -> Self {
        Self {
            pointer: self.pointer.clone(),
            keywords: self.keywords.clone(),
            properties: self.properties.clone(),
            required: self.required.clone(),
            besides: self.besides.clone(),
            ..Self::default()
        }
    }

    /// Returns the type: the stated one, or the one that other keywords imply.
    pub(super) fn kind(&self) -> Option<&'a str> {
        let said = self.keywords.get("type").and_then(|kind| kind.as_str());
        let object = || (!self.properties.is_empty()).then_some("object");
        said.or_else(object)
            .or_else(|| self.keywords.contains_key("items").then_some("array"))
    }

    /// Returns `true` if the generator makes a named type of it.
    pub(super) fn has_a_type_of_its_own(&self) -> bool {
        !self.properties.is_empty()
            || !self.branches.is_empty()
            || self.keywords.contains_key("enum")
    }
}

fn is_unseen(key: &str) -> bool {
    UNSEEN.contains(&key)
}
