//! Which profiles the credential store has: their hosts and names, as the documents name them.
//! Which documents name none, and why.
//!
//! A document's secret is not looked at, and nothing here is trusted: it is shown, and what is used
//! is read by the store, with its checks.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use pollination_auth::{Document, FileStore, ProfileId, StoreError};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::paths;
use crate::unusable;

/// The most bytes of a document, as the store has it: 64 KiB.
const DOCUMENT_LIMIT: usize = 64 * 1024;

/// The subdirectory with a document for each profile whose credential is in the system's keyring.
pub(crate) const KEYRING_MARKS: &str = "keyring";

/// The subdirectory with the newest access token of each profile.
pub(crate) const ACCESS_TOKENS: &str = "access-tokens";

/// The subdirectory with what is known of creations that have not come to their end.
pub(crate) const CREATIONS: &str = "creations";

/// How the names of the documents end.
const DOCUMENTS: [(&str, Document); 2] = [
    (".credential.json", Document::Credential),
    (".journal.json", Document::Journal),
];

/// The version of the documents, as the store has it.
const VERSION: u64 = 1;

/// A profile that something is stored for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub(crate) host: String,
    pub(crate) name: String,
}

/// What a document says about whose it is.
#[derive(Deserialize)]
struct Owner {
    base_url: String,
    profile: String,
}

/// What a document of every version says.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

/// Returns the profiles of the command's own store, also those with a creation alone; none if it can't
/// be read.
pub(crate) fn stored() -> Vec<Found> {
    let Ok(directory) = paths::credentials() else {
        return Vec::new();
    };
    let mut found = find(&directory);
    found.extend(find(&directory.join(CREATIONS)));
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns the profiles that have a document in a directory or in the system's keyring, in order.
pub(crate) fn find(directory: &Path) -> Vec<Found> {
    let found = documents(directory);
    let mut found: Vec<_> = found.iter().filter_map(|path| read(path).ok()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns the errors of the documents of the command's own store that don't say whose they are,
/// in order.
///
/// Left out is what the error of a profile is about: of the one with this key, and of one whose
/// other document says whose it is.
pub(crate) fn unusable(used: &str) -> Vec<CliError> {
    let documents = paths::credentials().map_or_else(|_none| Vec::new(), |path| documents(&path));
    let known = documents.iter().filter(|path| read(path).is_ok());
    let known: Vec<_> = known.filter_map(|path| key(path)).chain([used]).collect();
    let mut unusable: Vec<_> = documents
        .iter()
        .filter(|path| key(path).is_none_or(|key| !known.contains(&key)))
        .collect();
    unusable.sort_unstable();
    unusable
        .into_iter()
        .filter_map(|path| error(path, read(path).err()?))
        .collect()
}

/// Returns the error of the document of a profile that this user can't read, if there is one.
pub(crate) fn unreadable(directory: &Path, profile: &ProfileId) -> Option<CliError> {
    DOCUMENTS.into_iter().find_map(|(_, document)| {
        let file = directory.join(FileStore::file_name(profile, document));
        let is_file = fs::symlink_metadata(&file).is_ok_and(|found| found.is_file());
        let problem = fs::File::open(&file).err().filter(|_error| is_file)?;
        error(&file, StoreError::failed("read it", problem))
    })
}

fn error(path: &Path, problem: StoreError) -> Option<CliError> {
    let place = path.display().to_string();
    Some(unusable::error(place, kind(path)?.1, problem, None))
}

/// Returns the key of the profile that a document is named after.
fn key(document: &Path) -> Option<&str> {
    let name = document.file_name()?.to_str()?;
    name.strip_suffix(kind(document)?.0)
}

/// Returns which document a path is of, and how its name ends.
fn kind(path: &Path) -> Option<(&'static str, Document)> {
    let name = path.file_name()?.to_string_lossy();
    DOCUMENTS.into_iter().find(|(end, _)| name.ends_with(end))
}

fn documents(directory: &Path) -> Vec<PathBuf> {
    let marks = directory.join(KEYRING_MARKS);
    [directory, &marks]
        .into_iter()
        .filter_map(|directory| fs::read_dir(directory).ok())
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.path())
        .filter(|path| kind(path).is_some())
        .collect()
}

fn read(document: &Path) -> Result<Found, StoreError> {
    let failed = |error| StoreError::failed("read it", error);
    // Of the full size at once, or growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(DOCUMENT_LIMIT));
    let most = u64::try_from(DOCUMENT_LIMIT).unwrap_or(u64::MAX);
    let file = fs::File::open(document).map_err(failed)?;
    file.take(most).read_to_end(&mut bytes).map_err(failed)?;
    let Ok(Owner { base_url, profile }) = serde_json::from_slice(&bytes) else {
        return Err(nobodys(document, &bytes));
    };
    // What is shown must not control the terminal; the store never writes such a name.
    if [&base_url, &profile]
        .iter()
        .any(|text| text.chars().any(char::is_control))
    {
        return Err(nobodys(document, &bytes));
    }
    Ok(Found {
        host: base_url,
        name: profile,
    })
}

/// Returns the error of a document that does not say whose it is.
fn nobodys(path: &Path, bytes: &[u8]) -> StoreError {
    let document = kind(path).map_or(Document::Credential, |(_, document)| document);
    match serde_json::from_slice(bytes) {
        Ok(Versioned { version }) if version > VERSION => StoreError::Newer { document, version },
        _ => StoreError::Corrupt {
            document,
            problem: "it does not say which host and profile it is for",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_found_by_either_document_and_what_is_none_is_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        let text = |name: &str| format!(r#"{{"base_url":"https://h","profile":"{name}","x":1}}"#);
        write("b-1.credential.json", &text("b"));
        write("b-1.journal.json", &text("b"));
        write("a-1.journal.json", &text("a"));
        write("c-1.credential.json", "{planted");
        write("f-1.credential.json", &text(r"\u001b[31m"));
        write("d-1.credential.json.tmp", &text("d"));
        fs::create_dir(directory.path().join("e.credential.json")).unwrap();
        fs::create_dir(directory.path().join(KEYRING_MARKS)).unwrap();
        write("keyring/f-1.credential.json", &text("f"));
        let names: Vec<_> = find(directory.path())
            .into_iter()
            .map(|found| found.name)
            .collect();
        assert_eq!(names, ["a", "b", "f"]);
        assert!(find(&directory.path().join("none")).is_empty());
    }
}
