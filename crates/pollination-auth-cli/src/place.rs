//! Where a profile's credential is: in a file, or in the system's keyring.

use std::path::{Path, PathBuf};

use pollination_auth::{Document, FileStore, ProfileId};
use serde::Serialize;

use crate::paths;

/// The subdirectory with a mark for each profile whose credential is in the system's keyring.
pub(crate) const KEYRING_MARKS: &str = "keyring";

/// Where a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    File,
    Keyring,
}

impl Place {
    /// What people call it.
    pub(crate) const KEYRING: &str = "the system's keyring";

    /// Returns where a profile's credential is; it need not exist.
    pub(crate) fn of(directory: &Path, profile: &ProfileId) -> Self {
        let file = directory.join(FileStore::file_name(profile, Document::Credential));
        // A file that is still there is the valid one.
        if is_marked(directory, profile) && paths::is_gone(&file) {
            Self::Keyring
        } else {
            Self::File
        }
    }
}

/// Returns `true` if a profile's credential belongs in the system's keyring.
///
/// A build without a keyring asks as well: it must not take the profile for an empty one.
pub(crate) fn is_marked(directory: &Path, profile: &ProfileId) -> bool {
    !paths::is_gone(&mark(directory, profile))
}

/// Returns the file whose existence says that.
fn mark(directory: &Path, profile: &ProfileId) -> PathBuf {
    let name = FileStore::file_name(profile, Document::Credential);
    directory.join(KEYRING_MARKS).join(name)
}
