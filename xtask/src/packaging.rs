//! Packs what is published, and builds the archives against one another.
//!
//! `cargo package` could build them itself, one after the other with dependencies of their own. That
//! takes half as long again, and cargo unpacks our crates in its own home and keeps them there: as
//! long as the version is the same, a later run would build the old sources. `cargo publish` still
//! builds each archive alone.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

use crate::distribute::program::run;
use crate::workspace::{cargo, published};

/// Packs the packages that follow, each with a `--package`.
const PACKAGE: &str = "package --locked --no-verify";

/// Where cargo puts the archives, from the root.
const ARCHIVES: &str = "target/package";

/// The workspace of the unpacked archives, from the root.
const UNPACKED: &str = "target/packaged";

/// Compiles the archives. A lock file with packages that are not there can't be `--locked`; the
/// versions are still those of the file, since nothing is fetched.
const BUILD: &str = "check --offline --workspace";

/// Packs every published package, and compiles the archives as a workspace of their own.
///
/// # Errors
///
/// A package can't be packed, an archive does not compile, or a file can't be written.
pub(crate) fn test(root: &Path) -> io::Result<()> {
    let names = published(root)?;
    let archives = root.join(ARCHIVES);
    let unpacked = root.join(UNPACKED);
    // Archives of other versions would be taken for these.
    for folder in [&archives, &unpacked] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
    }
    let mut package = cargo(root, PACKAGE);
    for name in &names {
        package.args(["--package", name]);
    }
    run(&mut package)?;

    fs::create_dir_all(&unpacked)?;
    for entry in fs::read_dir(&archives)? {
        let archive = entry?.path();
        if archive.extension().is_some_and(|suffix| suffix == "crate") {
            let mut tar = Command::new("tar");
            // Every archive has the same times, by which cargo would take a changed file for the old one.
            tar.arg("-xmzf").arg(archive).arg("-C").arg(&unpacked);
            run(&mut tar)?;
        }
    }
    let mut folders = Vec::new();
    for entry in fs::read_dir(&unpacked)? {
        folders.push(entry?.file_name().to_string_lossy().into_owned());
    }
    fs::write(unpacked.join("Cargo.toml"), manifest(&names, &folders)?)?;
    fs::copy(root.join("Cargo.lock"), unpacked.join("Cargo.lock"))?;
    run(cargo(&unpacked, BUILD).env("CARGO_TARGET_DIR", root.join("target")))
}

/// Returns the manifest of a workspace in which each package takes the others from their folders,
/// `NAME-VERSION`, instead of from the registry.
fn manifest(names: &[String], folders: &[String]) -> io::Result<String> {
    let mut manifest =
        "[workspace]\nresolver = \"3\"\nmembers = [\"*-*\"]\n\n[patch.crates-io]\n".to_owned();
    for name in names {
        let is_version = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
        let is_its_own = |folder: &&String| {
            let version = folder.strip_prefix(name.as_str());
            let version = version.and_then(|rest| rest.strip_prefix('-'));
            version.is_some_and(is_version)
        };
        let folder = folders.iter().find(is_its_own);
        let folder = folder.ok_or_else(|| io::Error::other(format!("{name} was not packed")))?;
        // Writing to a text can't fail.
        let _ = writeln!(manifest, "{name} = {{ path = {folder:?} }}");
    }
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_package_is_taken_from_its_own_folder() {
        let names = ["pollination-auth", "pollination-auth-api"].map(str::to_owned);
        let folders = ["pollination-auth-api-0.1.0", "pollination-auth-0.1.0"].map(str::to_owned);

        let manifest = manifest(&names, &folders).unwrap();

        assert!(manifest.contains("\npollination-auth = { path = \"pollination-auth-0.1.0\" }\n"));
        assert!(
            manifest
                .contains("\npollination-auth-api = { path = \"pollination-auth-api-0.1.0\" }\n")
        );
    }

    #[test]
    fn a_package_without_an_archive_is_named() {
        let names = ["pollination-auth".to_owned()];
        let folders = ["pollination-auth-api-0.1.0".to_owned()];

        let error = manifest(&names, &folders).unwrap_err();

        assert_eq!(error.to_string(), "pollination-auth was not packed");
    }
}
