//! Tells how the field changed that tells alternatives apart. The alternatives themselves are
//! compared as values: one that only comes or goes changes nothing here.

use serde_json::{Value, json};

use super::change::Kind;
use super::changes::Sides;
use super::node::{All, Node};
use super::piece::Piece;
use super::schemas::Schemas;
use crate::document::parts::entries;
use crate::document::pointer::{at, to_component};
use crate::document::reference::target;

const KEYWORD: &str = "discriminator";

pub(super) fn compare<'a>(walk: &mut Schemas<'a, '_>, old: &Piece<'a>, new: &Piece<'a>) {
    let said = |piece: &Piece<'a>| {
        let said = piece.said(KEYWORD).into_iter().next();
        said.map(|(node, value)| (node.clone(), value))
    };
    let kind = Kind::DiscriminatorChanged;
    let ((old_node, before), (new_node, after)) = match (said(old), said(new)) {
        (Some(old), Some(new)) if old.1 != new.1 => (old, new),
        (Some(_), Some(_)) | (None, None) => return,
        (None, Some((node, _))) => {
            let sides = Sides::both(old.pointer(), &at(&node.pointer, KEYWORD));
            return walk.remark(kind, sides, "a field tells the alternatives apart");
        }
        (Some((node, _)), None) => {
            let sides = Sides::both(&at(&node.pointer, KEYWORD), new.pointer());
            return walk.remark(kind, sides, "no field tells the alternatives apart");
        }
    };
    let places = (
        at(&old_node.pointer, KEYWORD),
        at(&new_node.pointer, KEYWORD),
    );
    let field = |value: &Value| value.get("propertyName").cloned();
    let sides = Sides::both(&places.0, &places.1).with(field(before), field(after));
    if field(before) != field(after) {
        let field = field(after).unwrap_or_default();
        let message = format!("the field {field} tells the alternatives apart now");
        walk.insist(kind, sides, message);
    }
    let mapping = |value: &'a Value| entries(value.get("mapping"));
    for (key, name) in mapping(before) {
        let Some((_, other)) = mapping(after).find(|(other, _)| *other == key) else {
            let sides = Sides::both(&places.0, &places.1);
            walk.remark(
                kind,
                sides,
                format!("the value `{key}` names no alternative any more"),
            );
            continue;
        };
        let (old, new) = (named(&old_node, name), named(&new_node, other));
        if !walk.forward(&old, &new, false).is_yes() && name != other {
            let sides =
                Sides::both(&places.0, &places.1).with(Some(name.clone()), Some(other.clone()));
            walk.insist(
                kind,
                sides,
                format!("the value `{key}` names another alternative"),
            );
        }
    }
    for (key, _) in mapping(after) {
        if !mapping(before).any(|(other, _)| other == key) {
            let sides = Sides::both(&places.0, &places.1);
            walk.remark(
                kind,
                sides,
                format!("the value `{key}` names an alternative"),
            );
        }
    }
}

/// Returns the schema that a mapping names: by a reference, or by its name alone.
fn named<'a>(node: &Node<'a>, name: &Value) -> All<'a> {
    let text = name.as_str().unwrap_or_default();
    let pointer = target(&json!({"$ref": text})).unwrap_or_else(|| to_component("schemas", text));
    let found = node.document.pointer(&pointer);
    let node = found.map(|value| Node::new(node.document, value, pointer));
    node.map(All::one).unwrap_or_default()
}
