//! A change and what it means: its class, and the verdict on all changes.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// What a change does to a client that was made for the old document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// It works as before.
    Compatible,
    /// It may fail, or lose data that it read.
    Breaking,
}

/// The verdict on all changes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No client sees a change.
    Identical,
    /// Clients work as before.
    Compatible,
    /// Some client may fail.
    Breaking,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// `additionalProperties` of an object.
    AdditionalPropertiesChanged,
    /// A bound, a length, a pattern or another limit of values.
    ConstraintChanged,
    /// A default.
    DefaultChanged,
    /// A deprecation.
    Deprecated,
    /// The field that tells alternatives apart, or its values.
    DiscriminatorChanged,
    /// A list of allowed values became longer, or was removed.
    EnumWidened,
    /// A list of allowed values became shorter, or was added.
    EnumNarrowed,
    /// A field was added.
    FieldAdded,
    /// A field was removed.
    FieldRemoved,
    /// A field became optional.
    FieldOptional,
    /// A field became required.
    FieldRequired,
    /// A format of values.
    FormatChanged,
    /// A header of a response.
    HeaderChanged,
    /// A media type was added.
    MediaTypeAdded,
    /// A media type is now a range, or a range is now one of its media types.
    MediaTypeChanged,
    /// A media type was removed.
    MediaTypeRemoved,
    /// A method.
    MethodChanged,
    /// Null is no longer allowed.
    NullRemoved,
    /// Null is allowed.
    NullAdded,
    /// An operation was added.
    OperationAdded,
    /// An operationId.
    OperationIdChanged,
    /// An operation was removed.
    OperationRemoved,
    /// A parameter was added.
    ParameterAdded,
    /// A parameter is serialized differently, or replaced.
    ParameterChanged,
    /// A parameter was removed.
    ParameterRemoved,
    /// A path.
    PathChanged,
    /// A request body was added.
    RequestBodyAdded,
    /// A request body became required or optional.
    RequestBodyChanged,
    /// A request body was removed.
    RequestBodyRemoved,
    /// A response body was added.
    ResponseBodyAdded,
    /// A response body was removed.
    ResponseBodyRemoved,
    /// The values of a schema, in a way that no other kind names.
    SchemaChanged,
    /// A schema of the same structure has another name: a type of Rust is renamed.
    SchemaRenamed,
    /// The required authentication.
    SecurityChanged,
    /// The host.
    ServerChanged,
    /// A status code was added.
    StatusAdded,
    /// A range of status codes is now one of them.
    StatusChanged,
    /// A status code was removed.
    StatusRemoved,
    /// A type of values.
    TypeChanged,
    /// An alternative of a schema was added.
    VariantAdded,
    /// An alternative of a schema was removed.
    VariantRemoved,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The derived name is the one in JSON.
        self.serialize(f)
    }
}

/// Which way the changed values go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the client to the service, which may accept more values than before, not fewer.
    Request,
    /// From the service to the client. The service may send fewer values than before, not more.
    Reply,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What a change is about in one of the two documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    /// A JSON pointer into that document.
    pub pointer: String,
    /// What the document says there; `None` if it says nothing, or if it is a whole part of the
    /// document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The operationId of the contract; `None` for a change of all operations.
    pub operation: Option<String>,
    /// The direction; `None` for a change of the operation itself.
    pub direction: Option<Direction>,
    /// What was changed.
    pub kind: Kind,
    /// What it does to a client.
    pub class: Class,
    /// The change in words.
    pub message: String,
    /// The place in the old document; `None` for what is new.
    pub old: Option<Side>,
    /// The place in the new document; `None` for what is gone.
    pub new: Option<Side>,
    /// What else there is to know, such as why a change could not be decided.
    pub notes: Vec<String>,
}

impl Change {
    /// Returns a JSON pointer into the new document, or into the old one for what is gone.
    #[must_use]
    pub fn pointer(&self) -> &str {
        let side = self.new.as_ref().or(self.old.as_ref());
        side.map_or("", |side| &side.pointer)
    }
}

/// Every change, and what they mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The verdict.
    pub verdict: Verdict,
    /// The changes, by operation in the order of the contract.
    pub changes: Vec<Change>,
}

impl Comparison {
    pub(super) fn new(changes: Vec<Change>) -> Self {
        let worst = changes.iter().map(|change| change.class).max();
        let verdict = match worst {
            None => Verdict::Identical,
            Some(Class::Compatible) => Verdict::Compatible,
            Some(Class::Breaking) => Verdict::Breaking,
        };
        Self { verdict, changes }
    }

    /// Moves each pointer to the closest place that the document has as it was written: the stages
    /// before wrote some things in another way, or into another place.
    pub fn locate(&mut self, old: &Value, new: &Value) {
        for change in &mut self.changes {
            for (side, document) in [(&mut change.old, old), (&mut change.new, new)] {
                if let Some(side) = side {
                    let length = existing(document, &side.pointer).len();
                    side.pointer.truncate(length);
                }
            }
        }
    }
}

/// Returns as much of a pointer as leads to something.
fn existing<'p>(document: &Value, pointer: &'p str) -> &'p str {
    let mut pointer = pointer;
    while document.pointer(pointer).is_none() {
        pointer = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    pointer
}
