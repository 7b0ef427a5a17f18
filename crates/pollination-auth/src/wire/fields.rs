//! Names the field of a reply that can't be decoded. Asked only after decoding has failed.

use std::fmt;

use pollination_auth_api::{SecretText, types};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A document whose fields are known by name.
pub(super) trait Fields: DeserializeOwned {
    const FIELDS: &'static [Field];
}

/// A field of a document.
pub(super) struct Field {
    name: &'static str,
    decodes: fn(Option<&RawValue>) -> bool,
}

impl Field {
    pub(super) const fn required<T: DeserializeOwned>(name: &'static str) -> Self {
        Self {
            name,
            decodes: |value| value.is_some_and(decodes::<T>),
        }
    }

    pub(super) const fn optional<T: DeserializeOwned>(name: &'static str) -> Self {
        Self {
            name,
            decodes: |value| value.is_none_or(decodes::<Option<T>>),
        }
    }
}

fn decodes<T: DeserializeOwned>(value: &RawValue) -> bool {
    serde_json::from_str::<T>(value.get()).is_ok()
}

impl Fields for types::NewToken {
    const FIELDS: &'static [Field] = &[Field::required::<SecretText>("id")];
}

impl Fields for types::Token {
    const FIELDS: &'static [Field] = &[
        Field::required::<SecretText>("id"),
        Field::optional::<SecretText>("secret"),
    ];
}

impl Fields for IgnoredAny {
    const FIELDS: &'static [Field] = &[];
}

/// Returns the first field that is missing, repeated or of the wrong type.
pub(super) fn wrong<T: Fields>(body: &[u8]) -> Option<&'static str> {
    let Found(found) = serde_json::from_slice(body).ok()?;
    let wrong = |field: &&Field| {
        let mut values = found.iter().filter(|(name, _)| *name == field.name);
        let value = values.next().map(|(_, value)| *value);
        values.next().is_some() || !(field.decodes)(value)
    };
    T::FIELDS.iter().find(wrong).map(|field| field.name)
}

/// The fields that a reply has, with the bytes of their values; nothing of them is copied.
struct Found<'a>(Vec<(&'a str, &'a RawValue)>);

impl<'de> Deserialize<'de> for Found<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Found<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found<'de>, A::Error> {
                let mut found = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    found.push(entry);
                }
                Ok(Found(found))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::super::login::LoginFields;
    use super::*;

    fn login(body: &str) -> Option<&'static str> {
        wrong::<LoginFields>(body.as_bytes())
    }

    #[test]
    fn the_first_wrong_field_is_named() {
        for (body, field) in [
            ("{}", Some("access_token")),
            (r#"{"access_token":1}"#, Some("access_token")),
            (r#"{"access_token":"a"}"#, Some("token_type")),
            (
                r#"{"access_token":"a","token_type":{}}"#,
                Some("token_type"),
            ),
            (
                r#"{"access_token":"a","token_type":"b","expires_in":true}"#,
                Some("expires_in"),
            ),
            (
                r#"{"access_token":"a","token_type":"b","expires_in":1,"expires_in":1}"#,
                Some("expires_in"),
            ),
            (
                r#"{"access_token":"a","token_type":"b","expires_in":null}"#,
                None,
            ),
            (r#"{"access_token":"a","token_type":"b"}"#, None),
            ("[]", None),
            ("{", None),
        ] {
            assert_eq!(login(body), field, "{body}");
        }
    }

    #[test]
    fn a_document_that_decodes_has_no_wrong_field() {
        let token = br#"{"id":"i","secret":null,"more":[1]}"#;
        assert!(serde_json::from_slice::<types::Token>(token).is_ok());
        assert_eq!(wrong::<types::Token>(token), None);
        assert_eq!(
            wrong::<types::Token>(br#"{"id":"i","secret":1}"#),
            Some("secret")
        );
        assert_eq!(wrong::<types::NewToken>(br#"{"id":null}"#), Some("id"));
    }
}
