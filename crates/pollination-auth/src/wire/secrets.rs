//! Takes every secret out of a reply that is not to be trusted, so that none of them is lost.
//!
//! Which of them is right only a login can tell.

use std::fmt;

use pollination_auth_api::SecretText;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::bytes::without_byte_order_mark;
use crate::foundation::secret::{Secret, SecretBytes};

/// The most secrets that are taken from one reply: 4; an honest one has one.
const LIMIT: usize = 4;

/// Gives all values of `secret` in a JSON object, if it comes twice as well.
pub(crate) fn secrets_in(raw: &SecretBytes) -> Vec<Secret> {
    let body = without_byte_order_mark(raw.expose_secret());
    let Ok(Secrets(secrets)) = serde_json::from_slice(body) else {
        return Vec::new();
    };
    secrets
}

struct Secrets(Vec<Secret>);

impl<'de> Deserialize<'de> for Secrets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SecretsVisitor).map(Self)
    }
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
                let Maybe(secret) = map.next_value()?;
                secrets.extend(secret.filter(|_| secrets.len() < LIMIT));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(secrets)
    }
}

/// A text that is a secret, or anything else.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Untrusted {
    Text(SecretText),
    Other(IgnoredAny),
}

struct Maybe(Option<Secret>);

impl<'de> Deserialize<'de> for Maybe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Untrusted::deserialize(deserializer)? {
            Untrusted::Text(text) => Some(Secret::from(text.expose_secret().to_owned())),
            Untrusted::Other(IgnoredAny) => None,
        }))
    }
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
