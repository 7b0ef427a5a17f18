//! The secret type of the public interface: held, wiped on drop, shown to nobody by itself.

use std::fmt;

pub(crate) use pollination_auth_api::Bearer;
/// Bytes of a reply as a secret: wiped on drop, shown by nothing but `expose_secret`.
pub use pollination_auth_api::SecretBytes;
use secrecy::{ExposeSecret as _, SecretString};

/// Holds a secret text; it leaves only through [`expose_secret`](Self::expose_secret).
///
/// `Debug` shows nothing of it, there is no `Display`, no `Serialize` and no `PartialEq`, and the
/// memory is wiped on drop.
///
/// ```
/// use pollination_auth::Secret;
///
/// let secret = Secret::from("planted".to_owned());
/// assert_eq!(format!("{secret:?}"), "Secret([REDACTED])");
/// assert_eq!(secret.expose_secret(), "planted");
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Gives the text.
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

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([REDACTED])")
    }
}
