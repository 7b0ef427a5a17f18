//! The content of each key of each OpenAPI object. Every stage walks documents by this map, so data
//! (an example, a default, a property called `$ref`) is never mistaken for structure.

use serde_json::Value;

use super::pointer::at;

/// The kind of a JSON value, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An operation.
    Operation,
    /// A parameter.
    Parameter,
    /// A request body.
    RequestBody,
    /// A response.
    Response,
    /// A response header.
    Header,
    /// What `content` has for a media type.
    MediaType,
    /// How a part of a form is encoded.
    Encoding,
    /// A schema.
    Schema,
    /// A named example.
    Example,
    /// A link to another operation.
    Link,
    /// A request that the service makes.
    Callback,
    /// A security scheme.
    SecurityScheme,
}

/// What can be referred to, and the section of `components` that has it.
const SECTIONS: [(Kind, &str); 9] = [
    (Kind::Parameter, "parameters"),
    (Kind::RequestBody, "requestBodies"),
    (Kind::Response, "responses"),
    (Kind::Header, "headers"),
    (Kind::Schema, "schemas"),
    (Kind::Example, "examples"),
    (Kind::Link, "links"),
    (Kind::Callback, "callbacks"),
    (Kind::SecurityScheme, "securitySchemes"),
];

impl Kind {
    /// Returns the section of `components` that has it, if it can be referred to.
    #[must_use]
    pub fn section(self) -> Option<&'static str> {
        let found = SECTIONS.iter().find(|(kind, _)| *kind == self);
        found.map(|(_, section)| *section)
    }

    /// Returns what a section of `components` has in it.
    #[must_use]
    pub fn of_section(section: &str) -> Option<Self> {
        let found = SECTIONS.iter().find(|(_, name)| *name == section);
        found.map(|(kind, _)| *kind)
    }

    /// Returns its name for a message.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Operation => "an operation",
            Self::Parameter => "a parameter",
            Self::RequestBody => "a request body",
            Self::Response => "a response",
            Self::Header => "a header",
            Self::MediaType => "a media type",
            Self::Encoding => "an encoding",
            Self::Schema => "a schema",
            Self::Example => "an example",
            Self::Link => "a link",
            Self::Callback => "a callback",
            Self::SecurityScheme => "a security scheme",
        }
    }
}

/// How the values under a key are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    One,
    List,
    Map,
    /// One schema, or a list of them in an older dialect.
    OneOrList,
}

/// Returns what the key of an object has in it, if that is more structure.
fn child(kind: Kind, key: &str) -> Option<(Layout, Kind)> {
    use Layout::{List, Map, One, OneOrList};
    Some(match (kind, key) {
        (Kind::Operation, "parameters") => (List, Kind::Parameter),
        (Kind::Operation, "requestBody") => (One, Kind::RequestBody),
        (Kind::Operation, "responses") => (Map, Kind::Response),
        (Kind::Operation, "callbacks") => (Map, Kind::Callback),
        (Kind::Parameter | Kind::Header, "schema") => (One, Kind::Schema),
        (Kind::Parameter | Kind::Header, "content") => (Map, Kind::MediaType),
        (Kind::Parameter | Kind::Header, "examples") => (Map, Kind::Example),
        (Kind::RequestBody | Kind::Response, "content") => (Map, Kind::MediaType),
        (Kind::Response | Kind::Encoding, "headers") => (Map, Kind::Header),
        (Kind::Response, "links") => (Map, Kind::Link),
        (Kind::MediaType, "schema") => (One, Kind::Schema),
        (Kind::MediaType, "encoding") => (Map, Kind::Encoding),
        (Kind::MediaType, "examples") => (Map, Kind::Example),
        (Kind::Schema, "items") => (OneOrList, Kind::Schema),
        (
            Kind::Schema,
            "additionalItems"
            | "additionalProperties"
            | "contains"
            | "contentSchema"
            | "else"
            | "if"
            | "not"
            | "propertyNames"
            | "then"
            | "unevaluatedItems"
            | "unevaluatedProperties",
        ) => (One, Kind::Schema),
        (Kind::Schema, "allOf" | "anyOf" | "oneOf" | "prefixItems") => (List, Kind::Schema),
        (
            Kind::Schema,
            "$defs" | "definitions" | "dependentSchemas" | "patternProperties" | "properties",
        ) => (Map, Kind::Schema),
        _ => return None,
    })
}

/// Lists the parts of a value that are structure themselves: the pointer below the value, and the
/// kind.
fn children(value: &Value, kind: Kind) -> Vec<(String, Kind)> {
    let mut children = Vec::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        let Some((layout, kind)) = child(kind, key) else {
            continue;
        };
        let place = at("", key);
        match (layout, value) {
            (Layout::List | Layout::OneOrList, Value::Array(items)) => {
                children.extend((0..items.len()).map(|index| (format!("{place}/{index}"), kind)));
            }
            (Layout::Map, Value::Object(entries)) => {
                children.extend(entries.keys().map(|name| (at(&place, name), kind)));
            }
            // Anything else is broken, and the later stages report it.
            (Layout::List | Layout::Map, _) => {}
            (Layout::One | Layout::OneOrList, _) => children.push((place, kind)),
        }
    }
    children
}

/// Calls back with each part of a value that is structure itself, and with its pointer.
pub fn each_child(
    value: &Value,
    kind: Kind,
    pointer: &str,
    visit: &mut impl FnMut(&Value, Kind, &str),
) {
    for (place, kind) in children(value, kind) {
        if let Some(child) = value.pointer(&place) {
            visit(child, kind, &format!("{pointer}{place}"));
        }
    }
}

/// As [`each_child`], with mutable parts.
pub fn each_child_mut(
    value: &mut Value,
    kind: Kind,
    pointer: &str,
    visit: &mut impl FnMut(&mut Value, Kind, &str),
) {
    for (place, kind) in children(value, kind) {
        if let Some(child) = value.pointer_mut(&place) {
            visit(child, kind, &format!("{pointer}{place}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn structure_is_told_from_data() {
        let schema = json!({
            "properties": {"items": {}, "$ref": {}},
            "default": {"properties": {"no": {}}},
            "items": [{}, {}],
            "allOf": [{}],
            "additionalProperties": false
        });
        let mut found = Vec::new();
        each_child(&schema, Kind::Schema, "", &mut |_, kind, pointer| {
            assert_eq!(kind, Kind::Schema);
            found.push(pointer.to_owned());
        });
        found.sort_unstable();
        assert_eq!(
            found,
            [
                "/additionalProperties",
                "/allOf/0",
                "/items/0",
                "/items/1",
                "/properties/$ref",
                "/properties/items"
            ]
        );
    }

    #[test]
    fn both_walks_go_the_same_way() {
        let mut response = json!({
            "content": {"a/b": {"schema": {}}}, "headers": {"X": {}}, "links": {"l": {}}
        });
        let mut read = Vec::new();
        each_child(&response, Kind::Response, "/r", &mut |_, kind, pointer| {
            read.push((kind, pointer.to_owned()));
        });
        let mut written = Vec::new();
        each_child_mut(
            &mut response,
            Kind::Response,
            "/r",
            &mut |_, kind, pointer| {
                written.push((kind, pointer.to_owned()));
            },
        );
        assert_eq!(read, written);
        assert!(
            read.contains(&(Kind::MediaType, "/r/content/a~1b".to_owned())),
            "{read:?}"
        );
    }
}
