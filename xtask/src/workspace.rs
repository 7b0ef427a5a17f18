//! Where the workspace lies, how cargo is run there, and which of its files are checked.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, io};

use serde_json::Value;

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

/// A program that cargo has built: one to be run, or one with integration tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The folder of its package.
    pub folder: PathBuf,
    /// The kind of its target, such as `bin` or `test`.
    pub kind: String,
    /// Where it lies.
    pub program: PathBuf,
}

/// Runs a command of cargo that builds programs, shows what the compiler says, and lists the programs.
///
/// # Errors
///
/// Cargo can't be started, or a program can't be built.
pub fn build(mut build: Command) -> io::Result<Vec<Built>> {
    build.arg("--message-format=json-render-diagnostics");
    let output = build.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(io::Error::other("the programs can't be built"));
    }
    Ok(listed(&String::from_utf8_lossy(&output.stdout)))
}

/// Lists the programs in what cargo wrote, one JSON object in each line.
fn listed(messages: &str) -> Vec<Built> {
    let messages = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let manifest = Path::new(message.get("manifest_path")?.as_str()?);
        let built = Built {
            folder: manifest.parent()?.to_path_buf(),
            kind: message.pointer("/target/kind/0")?.as_str()?.to_owned(),
            program: message.get("executable")?.as_str()?.into(),
        };
        let has_tests = message.pointer("/profile/test")?.as_bool()?;
        (has_tests == (built.kind == "test")).then_some(built)
    });
    messages.collect()
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
    fn programs_are_listed_among_the_other_messages_of_cargo() {
        let messages = r#"{"reason": "compiler-artifact", "manifest_path": "/a/Cargo.toml", "target": {"kind": ["lib"]}, "profile": {"test": false}, "executable": null}
{"reason": "compiler-artifact", "manifest_path": "/a/Cargo.toml", "target": {"kind": ["bin"]}, "profile": {"test": true}, "executable": "/target/a-1"}
{"reason": "compiler-artifact", "manifest_path": "/a/Cargo.toml", "target": {"kind": ["test"]}, "profile": {"test": true}, "executable": "/target/it-1"}
{"reason": "build-finished", "success": true}
what a program writes"#;
        let built = Built {
            folder: "/a".into(),
            kind: "test".to_owned(),
            program: "/target/it-1".into(),
        };
        assert_eq!(listed(messages), [built]);
    }

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
