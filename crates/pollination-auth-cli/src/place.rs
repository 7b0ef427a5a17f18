//! Where a profile's credential is: in a file, or in the system's keyring.

use std::path::Path;

use pollination_auth::{Document, FileStore, ProfileId};
use serde::Serialize;

use crate::paths;

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
        if FileStore::belongs_in_keyring(directory, profile) && paths::is_gone(&file) {
            Self::Keyring
        } else {
            Self::File
        }
    }
}
