//! Removes what cargo kept of an earlier packaging, which would be tested instead of the new one.
//!
//! `cargo package` builds each archive against the other archives, which it puts into a registry
//! in the target folder and unpacks below cargo's own home like any dependency. That copy is named
//! after the folder of the registry and the version: as long as both stay the same, cargo
//! uses the copy, whatever the new archive holds, even with a new target folder. What it compiled of
//! the copy is used again for the same reason, as long as the target folder is there.

use std::path::Path;
use std::{fs, io};

/// How the names of the workspace's packages begin.
const PREFIX: &str = "pollination-auth";

/// Removes the unpacked copies of our packages that came out of a registry in a folder, and what an
/// earlier packaging in this workspace compiled of them.
///
/// The copies of other checkouts are removed too, since nothing shows whose they are. Cargo unpacks
/// them again the next time it packages there.
///
/// # Errors
///
/// Cargo's home can't be found, or a folder can't be removed.
pub(crate) fn forget(root: &Path) -> io::Result<()> {
    forget_unpacked(&home::cargo_home()?.join("registry/src"))?;
    forget_compiled(&root.join("target"))
}

/// Makes cargo compile our packages anew if there was a packaging before; nothing shows which of them
/// came from its registry.
fn forget_compiled(target: &Path) -> io::Result<()> {
    let packaged = target.join("package");
    let fingerprints = target.join("debug/.fingerprint");
    if !packaged.is_dir() {
        return Ok(());
    }
    if fingerprints.is_dir() {
        remove_ours(&fingerprints)?;
    }
    fs::remove_dir_all(packaged)
}

/// Removes what lies in a folder under the name of one of our packages.
fn remove_ours(folder: &Path) -> io::Result<()> {
    for package in fs::read_dir(folder)? {
        let package = package?;
        if package.file_name().to_string_lossy().starts_with(PREFIX) {
            fs::remove_dir_all(package.path())?;
        }
    }
    Ok(())
}

fn forget_unpacked(sources: &Path) -> io::Result<()> {
    if !sources.is_dir() {
        return Ok(());
    }
    for registry in fs::read_dir(sources)? {
        let registry = registry?;
        // The folder is called host, dash, hash; a registry in a folder has no host.
        if !registry.file_name().to_string_lossy().starts_with('-') {
            continue;
        }
        remove_ours(&registry.path())?;
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

        forget_unpacked(sources.path()).unwrap();

        assert!(!folder("-0123456789abcdef/pollination-auth-0.1.0").exists());
        assert!(!folder("-0123456789abcdef/pollination-auth-api-0.1.0").exists());
        assert!(folder("-0123456789abcdef/serde-1.0.0").exists());
        assert!(folder("registry.example-0123456789abcdef/pollination-auth-0.1.0").exists());
    }

    #[test]
    fn a_cargo_that_never_unpacked_anything_has_nothing_to_forget() {
        let nothing = tempfile::tempdir().unwrap();
        forget_unpacked(&nothing.path().join("src")).unwrap();
        forget_compiled(nothing.path()).unwrap();
    }

    #[test]
    fn what_was_compiled_is_forgotten_after_an_earlier_packaging_alone() {
        let target = tempfile::tempdir().unwrap();
        let folder = |name: &str| target.path().join(name);
        let [ours, other] = [
            "pollination-auth-0123456789abcdef",
            "serde-0123456789abcdef",
        ]
        .map(|name| folder("debug/.fingerprint").join(name));
        fs::create_dir_all(&ours).unwrap();
        fs::create_dir_all(&other).unwrap();

        forget_compiled(target.path()).unwrap();
        assert!(ours.exists());

        fs::create_dir_all(folder("package/tmp-registry")).unwrap();
        forget_compiled(target.path()).unwrap();
        assert!(!ours.exists() && !folder("package").exists());
        assert!(other.exists());
    }
}
