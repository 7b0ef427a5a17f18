//! A schema in its document, and several that must all hold.

use std::ptr;
use std::rc::Rc;

use serde_json::Value;

use crate::document::parts::entries;
use crate::document::pointer::{at, component};
use crate::document::reference::{follow, trail};

/// Keywords of a schema that don't change which values it allows, or only wrap another schema.
const WRAPPING: [&str; 9] = [
    "allOf",
    "deprecated",
    "description",
    "example",
    "externalDocs",
    "nullable",
    "readOnly",
    "title",
    "writeOnly",
];

/// A schema whose reference was followed.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub(super) document: &'a Value,
    pub(super) value: &'a Value,
    pub(super) pointer: Rc<str>,
    /// The name under which `components` has it.
    pub(super) name: Option<Rc<str>>,
}

/// The identity of a schema: the same place of the same document.
pub(super) type Id = usize;

impl<'a> Node<'a> {
    pub(super) fn new(document: &'a Value, value: &'a Value, pointer: String) -> Self {
        let last = trail(document, value).pop();
        let name = last.and_then(|pointer| Some(component(&pointer)?.1));
        let (value, pointer) = follow(document, value, pointer);
        Self {
            document,
            value,
            pointer: pointer.into(),
            name: name.map(Into::into),
        }
    }

    pub(super) fn id(&self) -> Id {
        ptr::from_ref(self.value).addr()
    }

    /// Returns the schema under a keyword.
    pub(super) fn under(&self, keyword: &str) -> Option<Self> {
        let value = self.value.get(keyword)?;
        Some(Self::new(self.document, value, at(&self.pointer, keyword)))
    }

    /// Returns the schemas in the list under a keyword.
    pub(super) fn members(&self, keyword: &str) -> Vec<Self> {
        let members = self.value.get(keyword).and_then(Value::as_array);
        let pointer = at(&self.pointer, keyword);
        let members = members.into_iter().flatten().enumerate();
        members
            .map(|(index, member)| {
                Self::new(self.document, member, at(&pointer, &index.to_string()))
            })
            .collect()
    }

    /// Returns the schemas under the names of a keyword.
    pub(super) fn named(&self, keyword: &str) -> impl Iterator<Item = (&'a str, Self)> {
        let pointer = at(&self.pointer, keyword);
        let document = self.document;
        entries(self.value.get(keyword)).map(move |(name, value)| {
            (
                name.as_str(),
                Self::new(document, value, at(&pointer, name)),
            )
        })
    }

    /// Returns the name of the schema that this one is, or that it only wraps.
    pub(super) fn wrapped_name(&self) -> Option<Rc<str>> {
        if self.name.is_some() {
            return self.name.clone();
        }
        let only_wraps = entries(Some(self.value))
            .all(|(key, _)| WRAPPING.contains(&key.as_str()) || key.starts_with("x-"));
        match self.members("allOf").as_slice() {
            [only] if only_wraps => only.wrapped_name(),
            _ => None,
        }
    }

    /// Returns `true` if it allows no value, seen by itself.
    pub(super) fn is_nothing(&self) -> bool {
        *self.value == Value::Bool(false)
            || self.value.get("not").is_some_and(|not| {
                *not == Value::Bool(true) || not.as_object().is_some_and(serde_json::Map::is_empty)
            })
    }
}

/// Schemas that must all hold; none for everything that there is.
#[derive(Clone, Debug, Default)]
pub(super) struct All<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    /// Where they would be, if there are none.
    place: Rc<str>,
}

/// The identity of several schemas that must all hold.
pub(super) type Key = Vec<Id>;

impl<'a> All<'a> {
    pub(super) fn one(node: Node<'a>) -> Self {
        Self {
            nodes: vec![node],
            ..Self::default()
        }
    }

    /// Returns no schemas, for a place that says nothing.
    pub(super) fn anything(place: String) -> Self {
        Self {
            nodes: Vec::new(),
            place: place.into(),
        }
    }

    pub(super) fn push(&mut self, node: Node<'a>) {
        if !self.nodes.iter().any(|other| other.id() == node.id()) {
            self.nodes.push(node);
        }
    }

    pub(super) fn key(&self) -> Key {
        let mut key: Vec<_> = self.nodes.iter().map(Node::id).collect();
        key.sort_unstable();
        key
    }

    pub(super) fn pointer(&self) -> &str {
        self.nodes.first().map_or(&self.place, |node| &node.pointer)
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.nodes.iter().any(Node::is_nothing)
    }
}
