//! Where the command keeps its files. The store creates and protects them.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use pollination_auth::{FileStore, NoDefaultDirectory};

use crate::error::CliError;
use crate::variables::{DIRECTORY, RESCUE};

const OWN_NAME: &str = "pollination-auth";

/// Returns the directory of the credentials, in which the library looks for them as well.
pub(crate) fn credentials() -> Result<PathBuf, CliError> {
    FileStore::default_directory().map_err(|problem| match problem {
        NoDefaultDirectory::Empty => empty(DIRECTORY),
        _ => CliError::NoDirectory(DIRECTORY),
    })
}

/// Returns the directory for a new secret that the directory of the credentials can't take: that
/// of the user's data, which may be on another disk.
pub(crate) fn rescue() -> Result<PathBuf, CliError> {
    find(RESCUE, env::var_os, || {
        let data = etcetera::choose_base_strategy().ok()?.data_dir();
        Some(data.join(OWN_NAME).join("rescue"))
    })
}

/// Returns `true` if a directory does not exist.
pub(crate) fn is_missing(directory: &Path) -> bool {
    fs::symlink_metadata(directory).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Returns `true` if a file does not exist, or its directory is no longer one.
pub(crate) fn is_gone(file: &Path) -> bool {
    fs::symlink_metadata(file).is_err_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
        )
    })
}

/// Returns `true` unless both directories exist and are two different ones.
pub(crate) fn may_be_same(one: &Path, other: &Path) -> bool {
    match (identity(one), identity(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => true,
    }
}

/// Returns `true` if a directory is another one or below it, so that both fail together.
///
/// Neither has to exist.
pub(crate) fn is_within(inner: &Path, outer: &Path) -> bool {
    let inner = resolved(inner);
    let is_outer = |above: &Path| matches!((identity(above), identity(outer)), (Ok(one), Ok(other)) if one == other);
    inner.starts_with(resolved(outer)) || inner.ancestors().any(is_outer)
}

/// Returns a path without links as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_empty| path.to_owned());
    let real = path.ancestors().find_map(|above| {
        let rest = path.strip_prefix(above).ok()?;
        let real = fs::canonicalize(above).ok()?;
        // Nothing joined would end it with a separator.
        Some(real.components().chain(rest.components()).collect())
    });
    real.unwrap_or(path)
}

/// Returns what two paths of one directory have in common, also beside bind mounts.
#[cfg(unix)]
fn identity(directory: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let found = fs::metadata(directory)?;
    Ok((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn identity(directory: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(directory)
}

/// An empty variable is a mistake in a script: it does not ask for the default.
fn find(
    variable: &'static str,
    look_up: impl Fn(&'static str) -> Option<OsString>,
    default: impl FnOnce() -> Option<PathBuf>,
) -> Result<PathBuf, CliError> {
    match look_up(variable) {
        Some(path) if path.is_empty() => Err(empty(variable)),
        Some(path) => Ok(PathBuf::from(path)),
        None => default().ok_or(CliError::NoDirectory(variable)),
    }
}

fn empty(variable: &'static str) -> CliError {
    CliError::Variable {
        variable,
        problem: "is empty; set it to a directory, or unset it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_goes_before_the_platform() {
        let found = find("V", |_| Some("x".into()), || Some("y".into()));
        assert_eq!(found.unwrap(), PathBuf::from("x"));
        let found = find("V", |_| None, || Some("y".into()));
        assert_eq!(found.unwrap(), PathBuf::from("y"));
    }

    #[test]
    fn a_directory_is_within_another_one_whether_or_not_they_exist() {
        let home = tempfile::tempdir().unwrap();
        let store = home.path().join("store");
        let is_below = |inner: &str| is_within(&home.path().join(inner), &store);
        let check = || {
            for inner in ["store", "store/", "store/a"] {
                assert!(is_below(inner), "{inner}");
            }
            for inner in ["other", "store2", "", "other/store"] {
                assert!(!is_below(inner), "{inner}");
            }
        };
        check();
        fs::create_dir(&store).unwrap();
        check();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&store, home.path().join("link")).unwrap();
            assert!(is_below("link") && is_below("link/new"));
        }
    }

    #[test]
    fn empty_and_unknown_are_errors_that_name_the_variable() {
        for error in [
            find("V", |_| Some("".into()), || Some("y".into())),
            find("V", |_| None, || None),
        ] {
            assert!(error.unwrap_err().to_string().contains('V'));
        }
    }
}
