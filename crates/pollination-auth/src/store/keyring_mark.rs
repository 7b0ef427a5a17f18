//! The marks of the profiles whose credential belongs in the system's keyring.
//!
//! Every build knows them, so that none takes such a profile for an empty one.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::file::FileStore;
use super::kind::Document;
use crate::credential::profile_id::ProfileId;

/// The subdirectory with a file for each of them. It contains the host and the profile, and no secret.
pub(super) const KEYRING_MARKS: &str = "keyring";

impl FileStore {
    /// Returns `true` if the credential of a profile belongs in the system's keyring, as
    /// `pollination-auth login --keyring` has it.
    ///
    /// It asks nothing of the keyring. `KeyringStore` (feature `keyring`) reads such a credential.
    ///
    /// ```
    /// use pollination_auth::{DEFAULT_BASE_URL, FileStore, MemoryStore, Profile};
    ///
    /// let profile = Profile::new(MemoryStore::new(), DEFAULT_BASE_URL, "work")?;
    /// # let directory = std::path::Path::new("/nonexistent");
    /// assert!(!FileStore::belongs_in_keyring(directory, profile.id()));
    /// # Ok::<(), pollination_auth::BaseUrlError>(())
    /// ```
    #[must_use]
    pub fn belongs_in_keyring(directory: &Path, profile: &ProfileId) -> bool {
        let name = Self::file_name(profile, Document::Credential);
        let mark = directory.join(KEYRING_MARKS).join(name);
        // What can't be looked at may be there: reading the credential says why.
        !fs::symlink_metadata(mark).is_err_and(|error| {
            matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
        })
    }
}
