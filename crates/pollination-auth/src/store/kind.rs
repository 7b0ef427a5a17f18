//! The two documents of a profile, by name.

/// The longest document that is read: 64 KiB.
///
/// A journal with the longest access token and six of the longest secrets is shorter.
pub(crate) const DOCUMENT_LIMIT: usize = 64 * 1024;

/// One of the two documents that a store keeps for a profile.
///
/// Both contain secrets and need the same protection.
#[expect(
    clippy::exhaustive_enums,
    reason = "a store has to keep every document"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Document {
    /// The credential: id, secret, and how often it was rotated.
    Credential,
    /// The journal of a rotation: an access token, and secrets not yet proven.
    Journal,
}

impl Document {
    /// Returns a name that can be part of a key or of a file name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Journal => "journal",
        }
    }
}
