//! The secret type of the public interface: wiped on drop, shown only on request.

use std::fmt;

pub(crate) use pollination_auth_api::Bearer;
pub use pollination_auth_api::SecretBytes;
use pollination_auth_api::SecretText;

/// A secret text; it leaves only through [`expose_secret`](Self::expose_secret).
///
/// `Debug` does not show it, there is no `Display`, no `Serialize` and no `PartialEq`, and the
/// memory is wiped on drop.
///
/// ```
/// use pollination_auth::Secret;
///
/// let secret = Secret::from("planted");
/// assert_eq!(format!("{secret:?}"), "Secret([REDACTED])");
/// assert_eq!(secret.expose_secret(), "planted");
/// ```
#[derive(Clone)]
pub struct Secret(SecretText);

// The text type of the generated models has to be `Serialize` and `Deserialize`. It is wrapped and
// not re-exported, so that no user's `derive` can write a secret to a file or a log.
impl Secret {
    /// Takes a text out of a generated model, without a copy.
    pub(crate) fn of(text: SecretText) -> Self {
        Self(text)
    }

    /// Returns the text.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// Copies the text. Whoever owns it can't be made to wipe it; a `String` is taken over instead.
impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([REDACTED])")
    }
}
