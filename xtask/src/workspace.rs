//! Where the workspace lies, how cargo is run there, and which of its files are checked.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// The contract, from the root of the workspace.
pub const CONTRACT: &str = "openapi.json";
/// The overlay document with the corrections of the contract, from the root.
pub const OVERLAY: &str = "xtask/overlay.json";
/// The golden copy of the generated client, from the root.
pub const GOLDEN_CLIENT: &str = "tests/golden/client.rs";
/// The golden copy of the generated httpmock helpers, from the root.
pub const GOLDEN_HTTPMOCK: &str = "tests/golden/httpmock.rs";

/// The manifest of a package.
const MANIFEST: &str = "Cargo.toml";

/// The folder of all packages but the one at the root and this one.
const CRATES: &str = "crates";

/// The page with all faults, from the root; names of tests point to its numbers.
pub const FAULTS: &str = "docs/faults.md";

/// Where the files lie that are checked, from the root; a name that isn't there is skipped.
const SOURCES: [&str; 8] = [
    "build.rs", "build", "src", "tests", "crates", "xtask", "fuzz", FAULTS,
];

/// A file that is checked: its path from the root, with `/`, and its text.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The path from the root of the workspace, with `/` on every system.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// Returns the root of the workspace that this crate was compiled in, which its tests check.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Creates a cargo command with its arguments as they are typed, one space between them.
#[must_use]
pub fn cargo(root: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments.split(' ')).current_dir(root);
    command
}

/// Finds the root of the workspace that a command is run in: around the current folder, or around
/// the package that cargo was told to run.
///
/// It need not be [`root`]: the program may lie in the target folder of another checkout.
///
/// # Errors
///
/// The current folder is not known, or neither folder is in a workspace with an overlay.
pub fn current_root() -> io::Result<PathBuf> {
    let current = env::current_dir()?;
    let told = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let roots = [Some(current.clone()), told].into_iter().flatten();
    let mut roots = roots.filter_map(|folder| {
        let is_root = |folder: &&Path| folder.join(OVERLAY).is_file();
        folder.ancestors().find(is_root).map(Path::to_path_buf)
    });
    roots.next().ok_or_else(|| {
        let current = current.display();
        let message = format!("{current} is not in the workspace: no folder above has {OVERLAY}");
        io::Error::new(io::ErrorKind::NotFound, message)
    })
}

/// Lists the names of the packages that are published, in order.
///
/// # Errors
///
/// Any error of the file system, with the path that it is about.
pub fn published(root: &Path) -> io::Result<Vec<String>> {
    let mut manifests = vec![root.join(MANIFEST)];
    let crates = root.join(CRATES);
    if crates.is_dir() {
        for entry in fs::read_dir(&crates).map_err(|error| about(&crates, &error))? {
            manifests.push(
                entry
                    .map_err(|error| about(&crates, &error))?
                    .path()
                    .join(MANIFEST),
            );
        }
    }
    let mut names = Vec::new();
    for manifest in manifests.iter().filter(|manifest| manifest.is_file()) {
        let manifest = read(manifest)?;
        let package = manifest.split("[package]").nth(1).unwrap_or_default();
        // The package's own table ends where the next one begins.
        let package = package.split("\n[").next().unwrap_or_default();
        let name = package
            .lines()
            .find_map(|line| line.strip_prefix("name = "));
        if !package.lines().any(|line| line == "publish = false") {
            names.extend(name.map(|name| name.trim_matches('"').to_owned()));
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Reads every Rust file of the workspace and the fault table, in the order of their paths.
///
/// # Errors
///
/// Any error of the file system, with the path that it is about.
pub fn sources(root: &Path) -> io::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    for name in SOURCES {
        collect(&root.join(name), name, &mut files)?;
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(files)
}

fn collect(path: &Path, name: &str, files: &mut Vec<SourceFile>) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(|error| about(path, &error))? {
            let entry = entry.map_err(|error| about(path, &error))?;
            let file = entry.file_name();
            let file = file.to_string_lossy();
            if file != "target" && !file.starts_with('.') {
                collect(&entry.path(), &format!("{name}/{file}"), files)?;
            }
        }
    } else if (name.ends_with(".rs") || name == FAULTS) && path.is_file() {
        files.push(SourceFile {
            path: name.to_owned(),
            text: read(path)?,
        });
    }
    Ok(())
}

/// Reads a text file; the error names it.
///
/// # Errors
///
/// Any error of the file system.
pub fn read(path: &Path) -> io::Result<String> {
    fs::read_to_string(path).map_err(|error| about(path, &error))
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_hold_this_file_once_and_nothing_of_target() {
        let files = sources(&root()).unwrap();
        let here = files
            .iter()
            .filter(|file| file.path == "xtask/src/workspace.rs");
        assert_eq!(here.count(), 1);
        assert!(files.iter().all(|file| !file.path.contains("target/")));
    }
}
