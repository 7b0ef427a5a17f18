//! The keywords of a schema in OpenAPI 3.0: their form, and the types they apply to.

/// What the value of a keyword must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Anything, or checked elsewhere.
    Any,
    /// `true` or `false`; without the keyword it is `false`.
    Boolean,
    /// A whole number, not below zero.
    Count,
    /// A number.
    Number,
    /// An object.
    Object,
    /// A list of schemas with something in it.
    Schemas,
    /// A string.
    Text,
    /// A list of distinct strings.
    Texts,
    /// One of the [`TYPES`].
    Type,
    /// A list of values with something in it.
    Values,
}

/// The types of values.
pub const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

const ARRAY: &[&str] = &["array"];
const NUMBERS: &[&str] = &["integer", "number"];
const OBJECT: &[&str] = &["object"];
const STRING: &[&str] = &["string"];
const FORMATTED: &[&str] = &["integer", "number", "string"];

/// Each keyword with its form and the types it applies to; no type means the whole schema.
pub const KEYWORDS: [(&str, Form, &[&str]); 36] = [
    ("$ref", Form::Any, &[]),
    ("additionalProperties", Form::Any, OBJECT),
    ("allOf", Form::Schemas, &[]),
    ("anyOf", Form::Schemas, &[]),
    ("default", Form::Any, &[]),
    ("deprecated", Form::Boolean, &[]),
    ("description", Form::Text, &[]),
    ("discriminator", Form::Object, OBJECT),
    ("enum", Form::Values, &TYPES),
    ("example", Form::Any, &[]),
    ("exclusiveMaximum", Form::Boolean, NUMBERS),
    ("exclusiveMinimum", Form::Boolean, NUMBERS),
    ("externalDocs", Form::Object, &[]),
    ("format", Form::Text, FORMATTED),
    ("items", Form::Object, ARRAY),
    ("maxItems", Form::Count, ARRAY),
    ("maxLength", Form::Count, STRING),
    ("maxProperties", Form::Count, OBJECT),
    ("maximum", Form::Number, NUMBERS),
    ("minItems", Form::Count, ARRAY),
    ("minLength", Form::Count, STRING),
    ("minProperties", Form::Count, OBJECT),
    ("minimum", Form::Number, NUMBERS),
    ("multipleOf", Form::Number, NUMBERS),
    ("not", Form::Object, &[]),
    ("nullable", Form::Boolean, &[]),
    ("oneOf", Form::Schemas, &[]),
    ("pattern", Form::Text, STRING),
    ("properties", Form::Object, OBJECT),
    ("readOnly", Form::Boolean, &[]),
    ("required", Form::Texts, OBJECT),
    ("title", Form::Text, &[]),
    ("type", Form::Type, &[]),
    ("uniqueItems", Form::Boolean, ARRAY),
    ("writeOnly", Form::Boolean, &[]),
    ("xml", Form::Any, &[]),
];

/// Lists the keywords of some forms.
pub fn of_form(forms: &[Form]) -> impl Iterator<Item = &'static str> {
    let of_form = KEYWORDS.iter().filter(|(_, form, _)| forms.contains(form));
    of_form.map(|(name, ..)| *name)
}
