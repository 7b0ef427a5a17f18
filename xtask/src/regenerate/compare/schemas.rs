//! Compares two schemas in the direction in which their values go: what the client sends must still
//! be accepted, and what it reads must still be what it was made for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::change::{Change, Class, Direction, Kind};
use super::changes::{Changes, Pair};
use super::flow::Flow;
use super::unions::{Alternatives, pair_off};
use super::values;
use super::view::{Node, View};
use crate::document::pointer::at;

/// The most levels that are compared; see the limit of the stage `select` on what is reached.
const DEPTH_LIMIT: usize = 200;

/// Results of comparisons on trial, by the pointers of both schemas.
type Judged = BTreeMap<(String, String), Option<Class>>;

/// A comparison of schemas in one direction.
pub(super) struct Schemas<'a, 'c> {
    pair: Pair<'a>,
    flow: Flow<'c>,
    visited: BTreeSet<(String, String)>,
    judged: Judged,
    depth: usize,
}

impl<'a, 'c> Schemas<'a, 'c> {
    pub(super) fn new(pair: &Pair<'a>, direction: Direction, changes: &'c mut Changes) -> Self {
        Self {
            pair: *pair,
            flow: Flow { direction, changes },
            visited: BTreeSet::new(),
            judged: Judged::new(),
            depth: 0,
        }
    }

    /// Compares on trial: returns the worst change and reports nothing.
    fn judge(&mut self, old: &Node<'_>, new: &Node<'_>) -> Option<Class> {
        let key = (old.pointer.clone(), new.pointer.clone());
        if let Some(judged) = self.judged.get(&key) {
            return *judged;
        }
        // A schema that leads back here is the same if everything else is.
        self.judged.insert(key.clone(), None);
        let mut changes = Changes::default();
        let mut trial = Schemas {
            pair: self.pair,
            flow: Flow {
                direction: self.flow.direction,
                changes: &mut changes,
            },
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

    /// Compares two schemas and reports what changed.
    pub(super) fn compare(&mut self, old: &Node<'_>, new: &Node<'_>) {
        self.compare_value(old, new, false);
    }

    /// As `compare`, for a value that may be missing: the client reads null as missing.
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
            self.flow
                .breaking(Kind::TypeChanged, &after.pointer, message);
            return;
        }
        self.depth += 1;
        self.name(&before, &after);
        self.null(&before, &after, may_be_missing);
        if before.branches.is_empty() && after.branches.is_empty() {
            self.plain(&before, &after);
        } else {
            self.alternatives((&before, old), (&after, new));
        }
        self.depth -= 1;
    }

    /// A schema's name is not on the wire, but it names a type in Rust.
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
        self.flow
            .compatible(Kind::SchemaRenamed, &new.pointer, message);
    }

    fn null(&mut self, old: &View<'_>, new: &View<'_>, may_be_missing: bool) {
        match (old.nullable, new.nullable) {
            (false, true) if may_be_missing => {
                let message = "the value may be null instead of missing".to_owned();
                self.flow.compatible(Kind::NullAdded, &new.pointer, message);
            }
            (false, true) => {
                let message = "the value may be null";
                self.flow.wider(Kind::NullAdded, &new.pointer, message);
            }
            (true, false) => {
                let message = "the value is no longer null".to_owned();
                self.flow.narrower(Kind::NullRemoved, &new.pointer, message);
            }
            _ => {}
        }
    }

    /// Compares two schemas, at least one of which has alternatives. A schema without any counts as
    /// its own only alternative.
    fn alternatives(
        &mut self,
        (old, old_node): (&View<'_>, &Node<'_>),
        (new, new_node): (&View<'_>, &Node<'_>),
    ) {
        if !old.branches.is_empty() && !new.branches.is_empty() {
            // Keywords beside the alternatives hold for all of them.
            self.plain(&old.without_branches(), &new.without_branches());
        }
        let (before, after) = (old.alternatives(old_node), new.alternatives(new_node));
        let Alternatives {
            same,
            changed,
            gone,
            come,
        } = pair_off(&before, &after, &mut |old, new| self.judge(old, new));
        for (old, new) in same.into_iter().chain(changed) {
            self.compare(old, new);
        }
        for (old, is_taken) in gone {
            let message = "an alternative is gone";
            if is_taken {
                self.flow
                    .compatible(Kind::VariantRemoved, &old.pointer, message);
            } else {
                self.flow
                    .narrower(Kind::VariantRemoved, &old.pointer, message);
            }
        }
        for (new, is_known) in come {
            let message = "an alternative is new";
            if is_known {
                self.flow
                    .compatible(Kind::VariantAdded, &new.pointer, message);
            } else {
                self.flow.wider(Kind::VariantAdded, &new.pointer, message);
            }
        }
    }

    /// Compares schemas without alternatives.
    fn plain(&mut self, old: &View<'_>, new: &View<'_>) {
        if !self.kind(old, new) {
            return;
        }
        values::compare(&mut self.flow, old, new);
        if old.besides != new.besides {
            let message = "the schema combines others in another way".to_owned();
            self.flow.breaking(Kind::TypeChanged, &new.pointer, message);
        }
        if old.kind() == Some("array") && new.kind() == Some("array") {
            let everything = json!({});
            let items = |view: &View<'_>| {
                let items = view.keywords.get("items").copied().unwrap_or(&everything);
                (items.clone(), at(&view.pointer, "items"))
            };
            let ((old, old_place), (new, new_place)) = (items(old), items(new));
            self.compare(&Node::new(&old, old_place), &Node::new(&new, new_place));
        }
        self.fields(old, new);
        self.rest(old, new);
    }

    /// Compares the types, and returns `true` if the rest can be compared.
    fn kind(&mut self, old: &View<'_>, new: &View<'_>) -> bool {
        let (before, after) = (old.kind(), new.kind());
        if before == after {
            return true;
        }
        let words = |kind: Option<&str>| kind.unwrap_or("anything").to_owned();
        let message = format!("{} is now {}", words(before), words(after));
        match (before, after) {
            (None, _) | (Some("number"), Some("integer")) => {
                self.flow.narrower(Kind::TypeChanged, &new.pointer, message);
            }
            (_, None) | (Some("integer"), Some("number")) => {
                self.flow.wider(Kind::TypeChanged, &new.pointer, message);
            }
            _ => self.flow.breaking(Kind::TypeChanged, &new.pointer, message),
        }
        matches!(
            (before, after),
            (Some("number" | "integer"), Some("number" | "integer"))
        )
    }

    fn fields(&mut self, old: &View<'_>, new: &View<'_>) {
        for (name, before) in &old.properties {
            let Some(after) = new.properties.get(name) else {
                // A client that reads an optional field loses it as well.
                let message = format!("the field `{name}` is gone");
                self.flow
                    .breaking(Kind::FieldRemoved, &before.pointer, message);
                continue;
            };
            self.required(name, old, new, &after.pointer);
            self.compare_value(before, after, !old.required.contains(name));
        }
        for (name, after) in &new.properties {
            if old.properties.contains_key(name) {
                continue;
            }
            let must = new.required.contains(name);
            let closed = old.keywords.get("additionalProperties") == Some(&&Value::Bool(false));
            let (class, message) = match self.flow.direction {
                Direction::Request if must => (Class::Breaking, "must be sent"),
                Direction::Request => (Class::Compatible, "can be sent"),
                // The generated type refuses what it doesn't know.
                Direction::Reply if closed => (Class::Breaking, "is new, and was ruled out"),
                Direction::Reply => (Class::Compatible, "is new"),
            };
            let message = format!("the field `{name}` {message}");
            self.flow
                .add(Kind::FieldAdded, class, &after.pointer, message);
        }
        // A required name may have no property.
        for name in new.required.symmetric_difference(&old.required) {
            if !old.properties.contains_key(name) && !new.properties.contains_key(name) {
                self.required(name, old, new, &new.pointer);
            }
        }
    }

    fn required(&mut self, name: &str, old: &View<'_>, new: &View<'_>, pointer: &str) {
        match (old.required.contains(name), new.required.contains(name)) {
            (false, true) => {
                let message = format!("the field `{name}` must be there");
                self.flow.narrower(Kind::FieldRequired, pointer, message);
            }
            (true, false) => {
                let message = format!("the field `{name}` may be left out");
                self.flow.wider(Kind::FieldOptional, pointer, message);
            }
            _ => {}
        }
    }

    /// Compares what objects hold beside the fields that are named.
    fn rest(&mut self, old: &View<'_>, new: &View<'_>) {
        let rest = |view: &View<'_>| {
            let rest = view.keywords.get("additionalProperties");
            rest.map(|rest| (*rest).clone())
        };
        let (before, after) = (rest(old), rest(new));
        let place = |view: &View<'_>| at(&view.pointer, "additionalProperties");
        let pointer = place(new);
        // The client sends the named fields and nothing else, unless no field is named.
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
                self.flow
                    .wider(Kind::AdditionalPropertiesChanged, &pointer, message);
            }
            (_, after) => {
                let only = after.as_ref() == Some(&closed);
                let message = if only {
                    "no other field may be there"
                } else {
                    "other fields are limited"
                };
                let kind = Kind::AdditionalPropertiesChanged;
                if self.flow.direction == Direction::Request && !sends_rest {
                    self.flow.compatible(kind, &pointer, message.to_owned());
                } else {
                    self.flow.narrower(kind, &pointer, message.to_owned());
                }
            }
        }
    }
}
