//! A secret text in JSON: wiped on drop, and written only into a body that is wiped.

use std::fmt;

use pollination_auth::Secret;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A secret text that can be a field of a JSON object.
#[derive(Clone)]
pub(crate) struct Text(Secret);

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<&Secret> for Text {
    fn from(secret: &Secret) -> Self {
        Self(secret.clone())
    }
}

impl From<Text> for Secret {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::from(text)))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text([REDACTED])")
    }
}
