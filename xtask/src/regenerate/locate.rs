//! The place of an error that comes without one, found by leaving out: a part without which the
//! error does not occur is the part that is at fault.

use serde_json::{Value, json};

use crate::document::parts::each_part;
use crate::document::pointer::{at, component, to_component, unescaped};
use crate::document::positions::{Kind, each_child};

/// The most documents that are tried.
///
/// The generator takes some milliseconds for one of the five operations, and the way down to a
/// place is some ten levels with a dozen parts each. Beyond that the place is the last part that
/// was found.
const TRIES: usize = 200;

/// Finds the smallest part of a document without which an error does not occur; `is_there` says
/// whether it occurs in a document.
pub(super) fn place(document: &Value, is_there: impl Fn(&Value) -> bool) -> String {
    let mut tries = TRIES;
    let mut found: Option<(String, Kind)> = None;
    loop {
        let parts = match &found {
            None => top(document),
            Some((pointer, kind)) => below(document, pointer, *kind),
        };
        let at_fault = parts.into_iter().find(|(pointer, kind)| {
            without(document, pointer, *kind)
                .into_iter()
                .any(|document| {
                    tries = tries.saturating_sub(1);
                    tries > 0 && !is_there(&document)
                })
        });
        match at_fault {
            Some(part) => found = Some(part),
            None => break,
        }
    }
    match found {
        Some((pointer, _)) => pointer,
        None => elsewhere(document, tries, is_there),
    }
}

/// As [`place`], outside of the operations and components: in `info`, for example.
fn elsewhere(document: &Value, mut tries: usize, is_there: impl Fn(&Value) -> bool) -> String {
    let mut found = String::new();
    loop {
        let keys: Vec<_> = match document.pointer(&found) {
            Some(Value::Object(entries)) => entries.keys().cloned().collect(),
            Some(Value::Array(items)) => (0..items.len()).map(|index| index.to_string()).collect(),
            _ => Vec::new(),
        };
        let mut below = keys.iter().map(|key| at(&found, key));
        let at_fault = below.find(|pointer| {
            tries = tries.saturating_sub(1);
            tries > 0 && !is_there(&removed(document, pointer))
        });
        match at_fault {
            Some(pointer) => found = pointer,
            None => return found,
        }
    }
}

/// Lists the components, then the operations: a component is the better place where both help.
fn top(document: &Value) -> Vec<(String, Kind)> {
    let (mut components, mut operations) = (Vec::new(), Vec::new());
    each_part(document, &mut |_, kind, pointer| {
        let list = match kind {
            Kind::Operation => &mut operations,
            _ => &mut components,
        };
        list.push((pointer.to_owned(), kind));
    });
    components.extend(operations);
    components
}

fn below(document: &Value, pointer: &str, kind: Kind) -> Vec<(String, Kind)> {
    let mut parts = Vec::new();
    if let Some(value) = document.pointer(pointer) {
        each_child(value, kind, pointer, &mut |_, kind, pointer| {
            parts.push((pointer.to_owned(), kind));
        });
    }
    parts
}

/// Returns the documents in which a part does no harm: it is the plainest of its kind, or its name
/// is another one.
fn without(document: &Value, pointer: &str, kind: Kind) -> Vec<Value> {
    let plain = match kind {
        Kind::Schema => json!({"type": "string"}),
        Kind::Response => json!({"description": ""}),
        Kind::Header => json!({"schema": {"type": "string"}}),
        Kind::RequestBody => {
            json!({"content": {"application/json": {"schema": {"type": "string"}}}})
        }
        Kind::Operation => {
            json!({"operationId": "plain", "responses": {"204": {"description": ""}}})
        }
        _ => return vec![removed(document, pointer)],
    };
    let mut replaced = document.clone();
    if let Some(part) = replaced.pointer_mut(pointer) {
        *part = plain;
    }
    let mut documents = vec![replaced];
    match (kind, component(pointer)) {
        (Kind::Schema, Some((section, name))) => documents.push(renamed(document, &section, &name)),
        (Kind::Schema, None) if is_property(pointer) => documents.push(removed(document, pointer)),
        _ => {}
    }
    documents
}

fn is_property(pointer: &str) -> bool {
    let parent = pointer.rsplit_once('/').map(|(parent, _)| parent);
    parent.is_some_and(|parent| parent.ends_with("/properties"))
}

fn removed(document: &Value, pointer: &str) -> Value {
    let mut document = document.clone();
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return document;
    };
    match document.pointer_mut(parent) {
        Some(Value::Array(items)) => {
            if let Some(index) = key.parse().ok().filter(|index| *index < items.len()) {
                let _: Value = items.remove(index);
            }
        }
        Some(Value::Object(entries)) => {
            entries.remove(&unescaped(key));
        }
        _ => {}
    }
    document
}

/// A name that no component has by chance.
const OTHER_NAME: &str = "NameThatNothingElseHas";

/// Returns the document with a component under another name.
fn renamed(document: &Value, section: &str, name: &str) -> Value {
    let mut document = document.clone();
    let components = document.pointer_mut(&format!("/components/{section}"));
    if let Some(Value::Object(components)) = components
        && let Some(component) = components.remove(name)
    {
        components.insert(OTHER_NAME.to_owned(), component);
    }
    let reference = |name: &str| json!(format!("#{}", to_component(section, name)));
    refer(&mut document, &reference(name), &reference(OTHER_NAME));
    document
}

fn refer(value: &mut Value, old: &Value, new: &Value) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries.iter_mut() {
                if key == "$ref" && value == old {
                    *value = new.clone();
                } else {
                    refer(value, old, new);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, old, new)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document with one operation, whose reply refers to a component.
    fn document() -> Value {
        let reply = json!({"$ref": "#/components/schemas/A"});
        json!({
            "paths": {"/a": {"get": {
                "parameters": [{"name": "p"}, {"name": "q"}],
                "responses": {"200": {"content": {"application/json": {"schema": reply}}}}
            }}},
            "components": {"schemas": {"A": {"properties": {"b": {}, "c": {"items": {"type": "x"}}}}}}
        })
    }

    fn found(text: &str) -> String {
        place(&document(), |document| document.to_string().contains(text))
    }

    #[test]
    fn the_place_is_the_smallest_part_without_which_it_is_gone() {
        assert_eq!(found(r#""x""#), "/components/schemas/A/properties/c/items");
        assert_eq!(found(r#""q""#), "/paths/~1a/get/parameters/1");
        assert_eq!(
            found("application"),
            "/paths/~1a/get/responses/200/content/application~1json"
        );
    }

    #[test]
    fn a_name_is_at_fault_as_well_as_what_it_stands_for() {
        assert_eq!(found(r#""b""#), "/components/schemas/A/properties/b");
        assert_eq!(found(r#""A":"#), "/components/schemas/A");
    }

    #[test]
    fn what_is_outside_of_operations_and_components_has_a_place() {
        let mut document = document();
        document["info"] = json!({"title": "a", "contact": [{}, {"name": "z"}]});
        let found = place(&document, |document| {
            document.to_string().contains(r#""z""#)
        });
        assert_eq!(found, "/info/contact/1/name");
    }

    #[test]
    fn an_error_of_the_whole_document_has_no_place() {
        assert_eq!(place(&document(), |_| true), "");
    }
}
