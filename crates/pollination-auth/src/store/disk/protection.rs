//! How a file or directory has to be protected, and the error of one that is not.

use std::path::Path;

use crate::store::error::StoreError;

/// How a file has to be protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Protection {
    /// Nobody else may read it.
    Private,
    /// Others may read it, and none may change it.
    Readable,
}

pub(super) fn unsafe_path(path: &Path, problem: &'static str) -> StoreError {
    StoreError::Unsafe {
        what: path.display().to_string(),
        problem,
    }
}
