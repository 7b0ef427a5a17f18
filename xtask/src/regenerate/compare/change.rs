//! A change and what it means: its class, the verdict over all of them, and the step of the
//! version that they ask of each crate.

use std::fmt;

use serde::Serialize;

/// What a change does to a client that was made for the old document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// It goes on as before.
    Compatible,
    /// It may fail, or lose something that it read.
    Breaking,
}

/// What all changes together mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// There is no change that a client could see.
    Identical,
    /// Clients go on as before.
    Compatible,
    /// Some client may fail.
    Breaking,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identical => "identical",
            Self::Compatible => "compatible",
            Self::Breaking => "breaking",
        })
    }
}

/// What was changed.
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
    /// A mark of what should no longer be used.
    Deprecated,
    /// A list of values became longer, or is no longer there.
    EnumWidened,
    /// A list of values became shorter, or is there now.
    EnumNarrowed,
    /// A field is there that was not.
    FieldAdded,
    /// A field is gone.
    FieldRemoved,
    /// A field may now be left out.
    FieldOptional,
    /// A field must now be there.
    FieldRequired,
    /// A format of values.
    FormatChanged,
    /// A header of a response.
    HeaderChanged,
    /// A media type is taken or sent that was not.
    MediaTypeAdded,
    /// A media type is no longer taken or sent.
    MediaTypeRemoved,
    /// A method.
    MethodChanged,
    /// Null is no longer among the values.
    NullRemoved,
    /// Null is among the values.
    NullAdded,
    /// An operation is there that was not.
    OperationAdded,
    /// An operationId.
    OperationIdChanged,
    /// An operation is gone.
    OperationRemoved,
    /// A parameter is there that was not.
    ParameterAdded,
    /// A parameter is written in another way, or is another.
    ParameterChanged,
    /// A parameter is gone.
    ParameterRemoved,
    /// A path.
    PathChanged,
    /// An operation takes a body that took none.
    RequestBodyAdded,
    /// A body that could be left out, or the other way round.
    RequestBodyChanged,
    /// An operation takes no body any more.
    RequestBodyRemoved,
    /// A response has a body that had none.
    ResponseBodyAdded,
    /// A response has no body any more.
    ResponseBodyRemoved,
    /// A schema of the same structure has another name: a type of Rust is renamed.
    SchemaRenamed,
    /// What has to be shown to be let in.
    SecurityChanged,
    /// The host.
    ServerChanged,
    /// A status is documented that was not.
    StatusAdded,
    /// A status is no longer documented.
    StatusRemoved,
    /// A type of values.
    TypeChanged,
    /// An alternative of a schema is there that was not.
    VariantAdded,
    /// An alternative of a schema is gone.
    VariantRemoved,
}

impl Kind {
    /// Whether the generated types and functions stay as they are.
    fn leaves_rust_alone(self) -> bool {
        matches!(
            self,
            Self::Deprecated
                | Self::HeaderChanged
                | Self::PathChanged
                | Self::MethodChanged
                | Self::SecurityChanged
                | Self::ServerChanged
                | Self::StatusAdded
                | Self::StatusRemoved
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The derived name is the one that the JSON has.
        self.serialize(f)
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The operationId of the contract; nothing for what is said of all operations.
    pub operation: Option<String>,
    /// A JSON pointer into the new document, or into the old one for what is gone.
    pub pointer: String,
    /// What was changed.
    pub kind: Kind,
    /// What it does to a client.
    pub class: Class,
    /// The change in words.
    pub message: String,
}

/// A step of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// No release is needed.
    None,
    /// Nothing that a user's code sees.
    Patch,
    /// Something more to use; before 1.0 it is told by the patch number too.
    Minor,
    /// Code of a user may no longer compile or work; before 1.0 it is the minor number.
    Major,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        })
    }
}

/// The steps that the changes ask of each crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Semver {
    /// Of `pollination-auth-api`, whose types and functions are generated: a field more in a
    /// public struct is a break for who writes that struct out.
    #[serde(rename = "pollination-auth-api")]
    pub api: Step,
    /// Of `pollination-auth`, whose own types stand between: only what breaks on the wire breaks
    /// there.
    #[serde(rename = "pollination-auth")]
    pub auth: Step,
}

/// Every change, and what they mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The verdict.
    pub verdict: Verdict,
    /// The changes, by operation in the order of the contract.
    pub changes: Vec<Change>,
    /// The steps of the versions.
    pub semver: Semver,
}

impl Comparison {
    pub(super) fn new(changes: Vec<Change>) -> Self {
        let worst = changes.iter().map(|change| change.class).max();
        let verdict = match worst {
            None => Verdict::Identical,
            Some(Class::Compatible) => Verdict::Compatible,
            Some(Class::Breaking) => Verdict::Breaking,
        };
        let reshapes = changes
            .iter()
            .any(|change| !change.kind.leaves_rust_alone());
        let (api, auth) = match verdict {
            Verdict::Identical => (Step::None, Step::None),
            Verdict::Breaking => (Step::Major, Step::Major),
            Verdict::Compatible if reshapes => (Step::Major, Step::Patch),
            Verdict::Compatible => (Step::Minor, Step::Patch),
        };
        Self {
            verdict,
            changes,
            semver: Semver { api, auth },
        }
    }

    /// The same when the text of the contract differs: then its documentation is generated anew.
    #[must_use]
    pub fn with_other_text(mut self) -> Self {
        self.semver.api = self.semver.api.max(Step::Patch);
        self
    }
}
