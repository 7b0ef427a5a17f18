//! The secret types: text for the models, bytes for a captured reply.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A string that is wiped on drop and never shown by `Debug`.
///
/// It is the type of `format: password` in the generated models. It serializes to its value, because
/// the login request carries the secret.
///
/// ```
/// use pollination_auth_api::SecretText;
///
/// let secret = SecretText::from("hunter2".to_owned());
/// assert_eq!(format!("{secret:?}"), "SecretText([REDACTED])");
/// assert_eq!(secret.expose_secret(), "hunter2");
/// ```
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Returns the text.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(value: String) -> Self {
        Self(Zeroizing::new(value))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText([REDACTED])")
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose_secret())
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_string(TextVisitor)
    }
}

/// Accepts a string; the error for anything else does not show the value, as serde's own would.
struct TextVisitor;

impl serde::de::Visitor<'_> for TextVisitor {
    type Value = SecretText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<SecretText, E> {
        Ok(SecretText::from(value.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<SecretText, E> {
        Ok(SecretText::from(value))
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for SecretText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SecretText".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "password"})
    }
}

/// Bytes that are wiped on drop and never shown by `Debug`.
///
/// Clones share the buffer, which is wiped when the last of them is dropped.
///
/// ```
/// use pollination_auth_api::SecretBytes;
///
/// let reply = SecretBytes::from(b"hunter2".to_vec());
/// assert_eq!(format!("{reply:?}"), "SecretBytes([REDACTED; 7 bytes])");
/// assert_eq!(reply.expose_secret(), b"hunter2");
/// ```
#[derive(Clone, Default)]
pub struct SecretBytes(Bytes);

impl SecretBytes {
    /// Returns the bytes.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }

    /// Returns the same buffer as plain bytes; it is still wiped when the last clone is dropped.
    pub(crate) fn shared(&self) -> Bytes {
        self.0.clone()
    }

    /// Returns the number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns `true` if there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Zeroizing::new(bytes))
    }
}

impl From<Zeroizing<Vec<u8>>> for SecretBytes {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(Bytes::from_owner(bytes))
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBytes([REDACTED; {} bytes])", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_text_nor_bytes() {
        let text = SecretText::from("planted".to_owned());
        let bytes = SecretBytes::from(b"planted".to_vec());
        assert_eq!(format!("{text:?}"), "SecretText([REDACTED])");
        assert_eq!(format!("{bytes:?}"), "SecretBytes([REDACTED; 7 bytes])");
    }

    #[test]
    fn text_round_trips_through_json() {
        let text: SecretText = serde_json::from_str(r#""a\"b""#).unwrap();
        assert_eq!(text.expose_secret(), "a\"b");
        assert_eq!(serde_json::to_string(&text).unwrap(), r#""a\"b""#);
    }

    #[test]
    fn clones_of_bytes_share_one_buffer() {
        let bytes = SecretBytes::from(vec![1, 2, 3]);
        assert_eq!(
            bytes.clone().expose_secret().as_ptr(),
            bytes.expose_secret().as_ptr()
        );
    }
}
