//! Finds every secret in an untrusted reply, so that none of them is lost.
//!
//! Only a login shows which of them is right.

use std::fmt;

use pollination_auth_api::SecretText;
use serde::Deserialize;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};

use super::bytes::without_byte_order_mark;
use crate::foundation::secret::{Secret, SecretBytes};

/// The most secrets that are read from one reply: 4; an honest reply has one.
const LIMIT: usize = 4;

/// Returns all values of the field `secret` of a JSON object, duplicates included.
pub(crate) fn secrets_in(raw: &SecretBytes) -> Vec<Secret> {
    let body = without_byte_order_mark(raw.expose_secret());
    let mut json = serde_json::Deserializer::from_slice(body);
    json.deserialize_map(SecretsVisitor).unwrap_or_default()
}

struct SecretsVisitor;

impl<'de> Visitor<'de> for SecretsVisitor {
    type Value = Vec<Secret>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Secret>, A::Error> {
        let mut secrets = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == "secret" {
                if let Untrusted::Text(text) = map.next_value()?
                    && secrets.len() < LIMIT
                {
                    secrets.push(Secret::of(text));
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(secrets)
    }
}

/// A text, or any other value, which is no secret.
#[derive(Deserialize)]
#[serde(untagged)]
enum Untrusted {
    Text(SecretText),
    Other(IgnoredAny),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(body: &str) -> Vec<String> {
        let secrets = secrets_in(&SecretBytes::from(body.as_bytes().to_vec()));
        let texts = secrets
            .iter()
            .map(|secret| secret.expose_secret().to_owned());
        texts.collect()
    }

    #[test]
    fn row_20_both_secrets_of_a_field_that_comes_twice_are_found() {
        assert_eq!(found(r#"{"id":"i","secret":"a","secret":"b"}"#), ["a", "b"]);
        assert_eq!(found("\u{feff}{\"secret\":\"a\",\"id\":\"other\"}"), ["a"]);
    }

    #[test]
    fn where_there_is_no_secret_none_is_found() {
        for body in [r#"{"secret":null}"#, r#"{"secret":{"a":1}}"#, "[]", "{", ""] {
            assert_eq!(found(body), [""; 0], "{body}");
        }
    }
}
