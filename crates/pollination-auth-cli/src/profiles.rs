//! Which profiles the credential store has: their hosts and names, as the documents name them.
//!
//! A document's secret is not looked at, and nothing here is trusted: it is shown, and what is used
//! is read by the store, with its checks.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::paths;

/// The most bytes of a document, as the store has it: 64 KiB.
const DOCUMENT_LIMIT: usize = 64 * 1024;

/// The subdirectory with a document for each profile whose credential is in the system's keyring.
const KEYRING_MARKS: &str = "keyring";

/// How the names of the documents end.
const DOCUMENTS: [&str; 2] = [".credential.json", ".journal.json"];

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

/// Returns the profiles of the command's own store, none if it can't be read.
pub(crate) fn stored() -> Vec<Found> {
    paths::credentials().map_or_else(|_none| Vec::new(), |directory| find(&directory))
}

/// Returns the profiles that have a document in a directory or in the system's keyring, in order.
pub(crate) fn find(directory: &Path) -> Vec<Found> {
    let found = documents(directory);
    let mut found: Vec<_> = found.iter().filter_map(|path| read(path)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns the documents of the command's own store that don't say whose they are, in order.
pub(crate) fn damaged() -> Vec<PathBuf> {
    let documents = paths::credentials().map_or_else(|_none| Vec::new(), |path| documents(&path));
    let mut damaged: Vec<_> = documents
        .into_iter()
        .filter(|path| read(path).is_none())
        .collect();
    damaged.sort_unstable();
    damaged
}

fn documents(directory: &Path) -> Vec<PathBuf> {
    let marks = directory.join(KEYRING_MARKS);
    [directory, &marks]
        .into_iter()
        .filter_map(|directory| fs::read_dir(directory).ok())
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter(|entry| {
            let name = entry.file_name();
            DOCUMENTS
                .iter()
                .any(|end| name.to_string_lossy().ends_with(end))
        })
        .map(|entry| entry.path())
        .collect()
}

fn read(document: &Path) -> Option<Found> {
    // Of the full size at once, or growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(DOCUMENT_LIMIT));
    let most = u64::try_from(DOCUMENT_LIMIT).ok()?;
    let file = fs::File::open(document).ok()?;
    file.take(most).read_to_end(&mut bytes).ok()?;
    let Owner { base_url, profile } = serde_json::from_slice(&bytes).ok()?;
    // What is shown must not control the terminal; the store never writes such a name.
    if [&base_url, &profile]
        .iter()
        .any(|text| text.chars().any(char::is_control))
    {
        return None;
    }
    Some(Found {
        host: base_url,
        name: profile,
    })
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
