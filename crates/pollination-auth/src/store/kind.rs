//! The two documents of a profile, by name.

/// The longest document that is read: 64 KiB.
///
/// A journal with the longest access token and six candidates of the longest kind stays below.
pub(crate) const DOCUMENT_LIMIT: usize = 64 * 1024;

/// Names one of the two documents that a store keeps for a profile.
///
/// Both hold secrets, and deserve the same protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Document {
    /// The credential: id, secret, and how often it was rotated.
    Credential,
    /// The journal of a rotation: an access token, and secrets not yet proven.
    Journal,
}

impl Document {
    /// Gives a name that can be part of a key or of a file's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Journal => "journal",
        }
    }
}
