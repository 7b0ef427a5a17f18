//! What is said of a stored document that can't be used: what is wrong with it, and what to do.
//!
//! It may be the only copy of a key, so the advice never removes it.

use pollination_auth::{Document, StoreError};

use crate::error::CliError;

/// Why nobody is told to remove a document.
const ONLY_KEY: &str = "it can hold the only key, so";

/// What to do with a document after it was copied, if no command replaces it.
const MOVE: &str = "move it away";

/// Returns the error of a document in a place, which is a file or the keyring.
///
/// `instead` is what else there is to do once a copy was made.
pub(crate) fn error(
    place: String,
    document: Document,
    problem: StoreError,
    instead: Option<&str>,
) -> CliError {
    let instead = instead.unwrap_or(MOVE);
    let remedy = match problem {
        StoreError::Failed { .. } => {
            format!("{ONLY_KEY} do not remove it; let this user read it")
        }
        StoreError::Newer { .. } => {
            format!("{ONLY_KEY} keep a copy; update pollination-auth, or {instead}")
        }
        StoreError::Corrupt { .. } => format!("{ONLY_KEY} keep a copy; {instead}"),
        _ if document == Document::Credential => {
            format!("{ONLY_KEY} keep a copy; {MOVE}, or choose another --profile")
        }
        _ => format!("{ONLY_KEY} keep a copy; {instead}"),
    };
    CliError::Damaged {
        place,
        problem,
        remedy,
    }
}
