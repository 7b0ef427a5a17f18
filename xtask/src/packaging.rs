//! Removes what cargo kept of an earlier packaging, which would be tested instead of the new one.
//!
//! `cargo package` builds each archive against the other archives, which it puts into a registry
//! in the target folder and unpacks below cargo's own home like any dependency. That copy is named
//! after the folder of the registry and the version: as long as both stay the same, cargo
//! uses the copy, whatever the new archive holds, even with a new target folder.

use std::path::Path;
use std::{fs, io};

/// How the names of the workspace's packages begin.
const PREFIX: &str = "pollination-auth";

/// Removes the unpacked copies of our packages that came out of a registry in a folder.
///
/// Those of other checkouts are removed too, since nothing shows whose they are. Cargo unpacks them
/// again the next time it packages there.
///
/// # Errors
///
/// Cargo's home can't be found, or a copy can't be removed.
pub(crate) fn forget_unpacked() -> io::Result<()> {
    forget_below(&home::cargo_home()?.join("registry/src"))
}

fn forget_below(sources: &Path) -> io::Result<()> {
    if !sources.is_dir() {
        return Ok(());
    }
    for registry in fs::read_dir(sources)? {
        let registry = registry?;
        // The folder is called host, dash, hash; a registry in a folder has no host.
        if !registry.file_name().to_string_lossy().starts_with('-') {
            continue;
        }
        for package in fs::read_dir(registry.path())? {
            let package = package?;
            if package.file_name().to_string_lossy().starts_with(PREFIX) {
                fs::remove_dir_all(package.path())?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_copies_from_a_folder_are_forgotten() {
        let sources = tempfile::tempdir().unwrap();
        let folder = |name: &str| sources.path().join(name);
        for name in [
            "-0123456789abcdef/pollination-auth-0.1.0/src",
            "-0123456789abcdef/pollination-auth-api-0.1.0",
            "-0123456789abcdef/serde-1.0.0",
            "registry.example-0123456789abcdef/pollination-auth-0.1.0",
        ] {
            fs::create_dir_all(folder(name)).unwrap();
        }

        forget_below(sources.path()).unwrap();

        assert!(!folder("-0123456789abcdef/pollination-auth-0.1.0").exists());
        assert!(!folder("-0123456789abcdef/pollination-auth-api-0.1.0").exists());
        assert!(folder("-0123456789abcdef/serde-1.0.0").exists());
        assert!(folder("registry.example-0123456789abcdef/pollination-auth-0.1.0").exists());
    }

    #[test]
    fn a_cargo_that_never_unpacked_anything_has_nothing_to_forget() {
        let nothing = tempfile::tempdir().unwrap();
        forget_below(&nothing.path().join("src")).unwrap();
    }
}
