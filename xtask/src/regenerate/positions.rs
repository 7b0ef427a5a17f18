//! Which key of which OpenAPI object holds what: the map that every stage walks by, so that data
//! (an example, a default, a property called `$ref`) is never taken for structure.

use serde_json::Value;

use super::refusal::at;

/// What a JSON value is, by the place where it stands.
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

impl Kind {
    /// The section of `components` that holds what can be referred to.
    #[must_use]
    pub fn section(self) -> Option<&'static str> {
        Some(match self {
            Self::Parameter => "parameters",
            Self::RequestBody => "requestBodies",
            Self::Response => "responses",
            Self::Header => "headers",
            Self::Schema => "schemas",
            Self::Example => "examples",
            Self::Link => "links",
            Self::Callback => "callbacks",
            Self::SecurityScheme => "securitySchemes",
            Self::Operation | Self::MediaType | Self::Encoding => return None,
        })
    }

    /// What a section of `components` holds.
    #[must_use]
    pub fn of_section(section: &str) -> Option<Self> {
        const ALL: [Kind; 9] = [
            Kind::Parameter,
            Kind::RequestBody,
            Kind::Response,
            Kind::Header,
            Kind::Schema,
            Kind::Example,
            Kind::Link,
            Kind::Callback,
            Kind::SecurityScheme,
        ];
        ALL.into_iter().find(|kind| kind.section() == Some(section))
    }

    /// The name of such a thing in a message.
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

/// What the key of an object holds, when it holds more structure.
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

/// Calls back with each part of a value that is structure itself, and with its pointer.
pub fn each_child(
    value: &Value,
    kind: Kind,
    pointer: &str,
    visit: &mut impl FnMut(&Value, Kind, &str),
) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let Some((layout, kind)) = child(kind, key) else {
            continue;
        };
        let pointer = at(pointer, key);
        match (layout, value) {
            (Layout::List | Layout::OneOrList, Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    visit(item, kind, &at(&pointer, &index.to_string()));
                }
            }
            (Layout::Map, Value::Object(entries)) => {
                for (name, entry) in entries {
                    visit(entry, kind, &at(&pointer, name));
                }
            }
            // What is laid out otherwise is broken, and the later stages say so.
            (Layout::List | Layout::Map, _) => {}
            (Layout::One | Layout::OneOrList, value) => visit(value, kind, &pointer),
        }
    }
}

/// As [`each_child`], with each part open to change.
pub fn each_child_mut(
    value: &mut Value,
    kind: Kind,
    pointer: &str,
    visit: &mut impl FnMut(&mut Value, Kind, &str),
) {
    for (key, value) in value.as_object_mut().into_iter().flatten() {
        let Some((layout, kind)) = child(kind, key) else {
            continue;
        };
        let pointer = at(pointer, key);
        match (layout, value) {
            (Layout::List | Layout::OneOrList, Value::Array(items)) => {
                for (index, item) in items.iter_mut().enumerate() {
                    visit(item, kind, &at(&pointer, &index.to_string()));
                }
            }
            (Layout::Map, Value::Object(entries)) => {
                for (name, entry) in entries {
                    visit(entry, kind, &at(&pointer, name));
                }
            }
            (Layout::List | Layout::Map, _) => {}
            (Layout::One | Layout::OneOrList, value) => visit(value, kind, &pointer),
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
