//! Schemas with alternatives: which alternative came, which went, which one changed.

use serde_json::Value;

use super::schemas::Schemas;
use super::view::{Node, View};
use super::{Class, Kind};

/// Compares two schemas of which one at least has alternatives; the other one is its only
/// alternative then.
pub(super) fn compare(
    schemas: &mut Schemas<'_, '_>,
    (old, old_node): (&View<'_>, &Node<'_>),
    (new, new_node): (&View<'_>, &Node<'_>),
) {
    if !old.branches.is_empty() && !new.branches.is_empty() {
        // What is said beside the alternatives holds for all of them.
        let (old_frame, new_frame) = (frame(old), frame(new));
        schemas.plain(&old_frame, &new_frame);
    }
    let alternatives = |view: &View<'_>, node: &Node<'_>| -> Vec<(String, Value)> {
        if view.branches.is_empty() {
            return vec![(node.pointer.clone(), node.value.clone())];
        }
        view.branches
            .iter()
            .map(|node| (node.pointer.clone(), node.value.clone()))
            .collect()
    };
    let (mut before, mut after) = (alternatives(old, old_node), alternatives(new, new_node));
    let (all_before, all_after) = (before.clone(), after.clone());
    // First what is as it was.
    before.retain(|(old_pointer, old_value)| {
        let old = Node::new(old_value, old_pointer.clone());
        let same = after.iter().position(|(pointer, value)| {
            schemas
                .judge(&old, &Node::new(value, pointer.clone()))
                .is_none()
        });
        match same {
            Some(index) => {
                let (pointer, value) = after.remove(index);
                schemas.compare(&old, &Node::new(&value, pointer));
                false
            }
            None => true,
        }
    });
    if let ([(old_pointer, old_value)], [(new_pointer, new_value)]) =
        (before.as_slice(), after.as_slice())
    {
        // One is left on each side: it changed.
        let old = Node::new(old_value, old_pointer.clone());
        let new = Node::new(new_value, new_pointer.clone());
        schemas.compare(&old, &new);
        return;
    }
    for (pointer, value) in &before {
        let old = Node::new(value, pointer.clone());
        let taken = all_after.iter().any(|(pointer, value)| {
            schemas.judge(&old, &Node::new(value, pointer.clone())) != Some(Class::Breaking)
        });
        let message = "an alternative is gone".to_owned();
        if taken {
            schemas
                .changes
                .compatible(Kind::VariantRemoved, pointer, message);
        } else {
            schemas.narrower(Kind::VariantRemoved, pointer, message);
        }
    }
    for (pointer, value) in &after {
        let new = Node::new(value, pointer.clone());
        let known = all_before.iter().any(|(pointer, value)| {
            schemas.judge(&Node::new(value, pointer.clone()), &new) != Some(Class::Breaking)
        });
        let message = "an alternative is new".to_owned();
        if known {
            schemas
                .changes
                .compatible(Kind::VariantAdded, pointer, message);
        } else {
            schemas.wider(Kind::VariantAdded, pointer, message);
        }
    }
}

/// A schema without its alternatives.
fn frame<'a>(view: &View<'a>) -> View<'a> {
    View {
        pointer: view.pointer.clone(),
        keywords: view.keywords.clone(),
        properties: view.properties.clone(),
        required: view.required.clone(),
        besides: view.besides.clone(),
        ..View::default()
    }
}
