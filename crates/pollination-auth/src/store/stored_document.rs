//! A document as a store has it, and the version that a later write is compared with.

use std::fmt;

use crate::foundation::digest::sha256_hex;
use crate::foundation::secret::Secret;

/// A version of a stored document.
///
/// Its text is up to the store: the number of the version, an `ETag`, or a digest of the content.
/// Nobody else reads it. Two different contents of one document never have the same version.
///
/// ```
/// use pollination_auth::Version;
///
/// let version = Version::new("17");
/// assert_eq!(version, Version::new(17.to_string()));
/// assert_eq!(version.as_str(), "17");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Version(String);

impl Version {
    /// Creates a version from the store's own name for it.
    pub fn new(version: impl Into<String>) -> Self {
        Self(version.into())
    }

    /// Returns the store's own name for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Version {
    /// Leaves the text out: a digest of a document with a short secret can be guessed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Version").finish_non_exhaustive()
    }
}

/// A document as it was read from a store.
///
/// ```
/// use pollination_auth::{Secret, StoredDocument, Version};
///
/// let document = StoredDocument::new(Secret::from("{}"), Version::new("17"));
/// assert_eq!(document.text().expose_secret(), "{}");
/// assert_eq!(document.version().as_str(), "17");
/// ```
#[derive(Clone)]
pub struct StoredDocument {
    text: Secret,
    version: Version,
}

impl Version {
    /// Returns the version of a document in a place that counts none: a digest of its bytes.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self::new(sha256_hex(bytes))
    }
}

impl StoredDocument {
    /// Creates a document from bytes of a place that counts no versions.
    pub(super) fn of(bytes: &[u8]) -> Self {
        // What is not UTF-8 is no document. As an empty one it is refused, and can be replaced.
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        Self::new(Secret::from(text), Version::of(bytes))
    }

    /// Creates a document from its text and version.
    #[must_use]
    pub fn new(text: Secret, version: Version) -> Self {
        Self { text, version }
    }

    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> &Secret {
        &self.text
    }

    /// Returns the version.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.version
    }
}

impl fmt::Debug for StoredDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredDocument")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
