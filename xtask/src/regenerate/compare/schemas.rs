//! Two schemas at the same place, in the direction in which their values go: what the client
//! sends must still be taken, what it reads must still be what it was made for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::refusal::at;
use super::view::{Node, View};
use super::{Change, Changes, Class, Kind, Pair, unions, values};

/// The most levels that are compared; see the limit of the stage `select` on what is reached.
const DEPTH_LIMIT: usize = 200;

/// Which way values go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// From the client to the service: the service may take more, not less.
    Request,
    /// From the service to the client: the service may send less, not more.
    Response,
}

impl Direction {
    /// What it means that fewer values are possible.
    pub(super) fn narrower(self) -> Class {
        match self {
            Self::Request => Class::Breaking,
            Self::Response => Class::Compatible,
        }
    }

    /// What it means that more values are possible.
    pub(super) fn wider(self) -> Class {
        match self {
            Self::Request => Class::Compatible,
            Self::Response => Class::Breaking,
        }
    }
}

/// What is known of two schemas that were held against each other on trial.
pub(super) type Judged = BTreeMap<(String, String), Option<Class>>;

/// A comparison of schemas in one direction.
pub(super) struct Schemas<'a, 'c> {
    pub(super) pair: Pair<'a>,
    pub(super) direction: Direction,
    pub(super) changes: &'c mut Changes,
    visited: BTreeSet<(String, String)>,
    judged: Judged,
    depth: usize,
}

impl<'a, 'c> Schemas<'a, 'c> {
    pub(super) fn new(pair: &Pair<'a>, direction: Direction, changes: &'c mut Changes) -> Self {
        Self {
            pair: *pair,
            direction,
            changes,
            visited: BTreeSet::new(),
            judged: Judged::new(),
            depth: 0,
        }
    }

    pub(super) fn narrower(&mut self, kind: Kind, pointer: &str, message: String) {
        self.changes
            .add(kind, self.direction.narrower(), pointer, message);
    }

    pub(super) fn wider(&mut self, kind: Kind, pointer: &str, message: String) {
        self.changes
            .add(kind, self.direction.wider(), pointer, message);
    }

    /// Compares on trial: the worst change, and nothing is told.
    pub(super) fn judge(&mut self, old: &Node<'_>, new: &Node<'_>) -> Option<Class> {
        let key = (old.pointer.clone(), new.pointer.clone());
        if let Some(judged) = self.judged.get(&key) {
            return *judged;
        }
        // What leads back here on the way is the same if all else is.
        self.judged.insert(key.clone(), None);
        let mut changes = Changes::default();
        let mut trial = Schemas {
            pair: self.pair,
            direction: self.direction,
            changes: &mut changes,
            visited: BTreeSet::new(),
            judged: std::mem::take(&mut self.judged),
            depth: self.depth,
        };
        trial.compare(old, new);
        self.judged = std::mem::take(&mut trial.judged);
        let is_seen = |change: &&Change| change.kind != Kind::SchemaRenamed;
        let worst = changes
            .found
            .iter()
            .filter(is_seen)
            .map(|change| change.class)
            .max();
        self.judged.insert(key, worst);
        worst
    }

    /// Compares two schemas and tells what changed.
    pub(super) fn compare(&mut self, old: &Node<'_>, new: &Node<'_>) {
        self.compare_value(old, new, false);
    }

    /// The same for a value that may be missing as far as the client knows: it reads null as that.
    fn compare_value(&mut self, old: &Node<'_>, new: &Node<'_>, may_be_missing: bool) {
        let (before, after) = (View::new(self.pair.old, old), View::new(self.pair.new, new));
        if !self
            .visited
            .insert((before.pointer.clone(), after.pointer.clone()))
        {
            return;
        }
        if self.depth > DEPTH_LIMIT {
            let message = "the schema is nested too deep to be compared".to_owned();
            self.changes
                .breaking(Kind::TypeChanged, &after.pointer, message);
            return;
        }
        self.depth += 1;
        self.name(&before, &after);
        self.null(&before, &after, may_be_missing);
        if before.branches.is_empty() && after.branches.is_empty() {
            self.plain(&before, &after);
        } else {
            unions::compare(self, (&before, old), (&after, new));
        }
        self.depth -= 1;
    }

    /// A name is not on the wire; it is that of a type in Rust.
    fn name(&mut self, old: &View<'_>, new: &View<'_>) {
        let (before, after) = (old.names.last(), new.names.last());
        if before == after || !(old.has_a_type_of_its_own() || new.has_a_type_of_its_own()) {
            return;
        }
        let message = match (before, after) {
            (Some(before), Some(after)) => format!("the schema {before} is now {after}"),
            (Some(before), None) => format!("the schema {before} is written out in this place"),
            (None, Some(after)) => format!("the schema is now called {after}"),
            (None, None) => return,
        };
        self.changes
            .compatible(Kind::SchemaRenamed, &new.pointer, message);
    }

    fn null(&mut self, old: &View<'_>, new: &View<'_>, may_be_missing: bool) {
        match (old.nullable, new.nullable) {
            (false, true) if may_be_missing => {
                let message = "the value may be null instead of missing".to_owned();
                self.changes
                    .compatible(Kind::NullAdded, &new.pointer, message);
            }
            (false, true) => {
                self.wider(
                    Kind::NullAdded,
                    &new.pointer,
                    "the value may be null".to_owned(),
                );
            }
            (true, false) => {
                let message = "the value is no longer null".to_owned();
                self.narrower(Kind::NullRemoved, &new.pointer, message);
            }
            _ => {}
        }
    }

    /// Compares schemas without alternatives.
    pub(super) fn plain(&mut self, old: &View<'_>, new: &View<'_>) {
        if !self.kind(old, new) {
            return;
        }
        values::compare(self, old, new);
        if old.besides != new.besides {
            let message = "the schema combines others in another way".to_owned();
            self.changes
                .breaking(Kind::TypeChanged, &new.pointer, message);
        }
        let is_list = |view: &View<'_>| view.kind() == Some("array");
        if is_list(old) && is_list(new) {
            let everything = json!({});
            let items = |view: &View<'_>| {
                let items = view
                    .keywords
                    .get("items")
                    .copied()
                    .unwrap_or(&everything)
                    .clone();
                (items, at(&view.pointer, "items"))
            };
            let ((old, old_place), (new, new_place)) = (items(old), items(new));
            self.compare(&Node::new(&old, old_place), &Node::new(&new, new_place));
        }
        self.fields(old, new);
        self.rest(old, new);
    }

    /// Compares the types; tells whether the rest can be compared.
    fn kind(&mut self, old: &View<'_>, new: &View<'_>) -> bool {
        let (before, after) = (old.kind(), new.kind());
        if before == after {
            return true;
        }
        let words = |kind: Option<&str>| kind.unwrap_or("anything").to_owned();
        let message = format!("{} is now {}", words(before), words(after));
        match (before, after) {
            (None, _) | (Some("number"), Some("integer")) => {
                self.narrower(Kind::TypeChanged, &new.pointer, message);
            }
            (_, None) | (Some("integer"), Some("number")) => {
                self.wider(Kind::TypeChanged, &new.pointer, message);
            }
            _ => self
                .changes
                .breaking(Kind::TypeChanged, &new.pointer, message),
        }
        matches!(
            (before, after),
            (Some("number" | "integer"), Some("number" | "integer"))
        )
    }

    fn fields(&mut self, old: &View<'_>, new: &View<'_>) {
        for (name, before) in &old.properties {
            let Some(after) = new.properties.get(name) else {
                // Who reads an optional field has lost it all the same.
                let message = format!("the field `{name}` is gone");
                self.changes
                    .breaking(Kind::FieldRemoved, &before.pointer, message);
                continue;
            };
            match (old.required.contains(name), new.required.contains(name)) {
                (false, true) => {
                    let message = format!("the field `{name}` must be there");
                    self.narrower(Kind::FieldRequired, &after.pointer, message);
                }
                (true, false) => {
                    let message = format!("the field `{name}` may be left out");
                    self.wider(Kind::FieldOptional, &after.pointer, message);
                }
                _ => {}
            }
            self.compare_value(before, after, !old.required.contains(name));
        }
        for (name, after) in &new.properties {
            if old.properties.contains_key(name) {
                continue;
            }
            let must = new.required.contains(name);
            let closed = old.keywords.get("additionalProperties") == Some(&&Value::Bool(false));
            let (class, message) = match self.direction {
                Direction::Request if must => (Class::Breaking, "must be sent"),
                Direction::Request => (Class::Compatible, "can be sent"),
                // The generated type refuses what it doesn't know.
                Direction::Response if closed => (Class::Breaking, "is new, and was ruled out"),
                Direction::Response => (Class::Compatible, "is new"),
            };
            let message = format!("the field `{name}` {message}");
            self.changes
                .add(Kind::FieldAdded, class, &after.pointer, message);
        }
        // A name may be required that no property describes.
        for name in new.required.difference(&old.required) {
            if !old.properties.contains_key(name) && !new.properties.contains_key(name) {
                let message = format!("the field `{name}` must be there");
                self.narrower(Kind::FieldRequired, &new.pointer, message);
            }
        }
        for name in old.required.difference(&new.required) {
            if !old.properties.contains_key(name) && !new.properties.contains_key(name) {
                let message = format!("the field `{name}` may be left out");
                self.wider(Kind::FieldOptional, &new.pointer, message);
            }
        }
    }

    /// Compares what objects hold beside the fields that are named.
    fn rest(&mut self, old: &View<'_>, new: &View<'_>) {
        let rest = |view: &View<'_>| {
            view.keywords
                .get("additionalProperties")
                .map(|rest| (*rest).clone())
        };
        let (before, after) = (rest(old), rest(new));
        let place = |view: &View<'_>| at(&view.pointer, "additionalProperties");
        let pointer = place(new);
        // The client sends the named fields and nothing else, unless there is none.
        let sends_rest = old.properties.is_empty() || before.is_some();
        let closed = Value::Bool(false);
        match (before, after) {
            (Some(before), Some(after)) if before.is_object() && after.is_object() => {
                self.compare(&Node::new(&before, place(old)), &Node::new(&after, pointer));
            }
            (before, after) if before == after => {}
            (Some(before), after)
                if before == closed || (after.is_none() && before.is_object()) =>
            {
                let message = "other fields may be there".to_owned();
                self.wider(Kind::AdditionalPropertiesChanged, &pointer, message);
            }
            (_, after) => {
                let only = after.as_ref() == Some(&closed);
                let message = if only {
                    "no other field may be there"
                } else {
                    "other fields are limited"
                };
                let kind = Kind::AdditionalPropertiesChanged;
                if self.direction == Direction::Request && !sends_rest {
                    self.changes.compatible(kind, &pointer, message.to_owned());
                } else {
                    self.narrower(kind, &pointer, message.to_owned());
                }
            }
        }
    }
}
