//! Replays a guide in a copy of the workspace: takes in the changed document, does what the guide
//! says to do by hand, and runs the tests of what has changed.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::regenerate::refusal::Failure;
use crate::regenerate::run::{Options, regenerate};
use crate::terminal::{BAD, GOOD};
use crate::workspace::{cargo, read};

/// The document that the guide's change is a patch of.
const UPSTREAM: &str = "xtask/tests/data/fastapi-3.1.0.json";

/// The change of the guide.
const CHANGE: &str = "xtask/tests/data/walkthrough.json";

/// The guide. What is to be done by hand is in its blocks of the language `diff`.
const GUIDE: &str = "docs/regenerating.md";

/// The folder of the copy.
const FOLDER: &str = "target/replay";

/// The packages whose tests are run: the generated one and those that are built on it.
const PACKAGES: [&str; 4] = [
    "pollination-auth-api",
    "pollination-auth",
    "pollination-auth-fake",
    "pollination-auth-cli",
];

/// Replays the guide, and returns `true` if all tests pass afterwards.
///
/// # Errors
///
/// The copy can't be made, the document is refused, or a program can't be started.
pub(crate) fn run(root: &Path, output: &mut impl Write) -> Result<bool, Failure> {
    let copy = root.join(FOLDER);
    copied(root, &copy)?;
    let upstream = changed(root)?.to_string();
    let options = Options {
        from: "-".to_owned(),
        ..Options::default()
    };
    regenerate(&copy, &options, &mut upstream.as_bytes(), output)?;
    for change in by_hand(&read(&root.join(GUIDE))?) {
        if !applied(&copy, change)? {
            writeln!(
                output,
                "{BAD}a change of the guide does not fit{BAD:#}\n{change}"
            )?;
            return Ok(false);
        }
    }
    let mut test = cargo(&copy, "test --offline --locked --all-features");
    // What does not lie in the copy is built already.
    test.env("CARGO_TARGET_DIR", root.join("target"));
    for package in PACKAGES {
        test.args(["--package", package]);
    }
    let passed = test.status()?.success();
    if passed {
        writeln!(output, "{GOOD}after the guide all tests pass{GOOD:#}")?;
    }
    Ok(passed)
}

/// Copies every file that git knows, as it is now.
pub(crate) fn copied(root: &Path, to: &Path) -> io::Result<()> {
    let _ = fs::remove_dir_all(to);
    let mut list = Command::new("git");
    list.current_dir(root);
    let listed = list
        .args(["ls-files", "-z"])
        .stderr(Stdio::inherit())
        .output()?;
    let names = String::from_utf8(listed.stdout).map_err(io::Error::other)?;
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (root.join(name), to.join(name));
        // One that was removed and is not committed.
        if from.is_file() {
            fs::create_dir_all(to.parent().unwrap_or(&to))?;
            fs::copy(from, to)?;
        }
    }
    Ok(())
}

/// Returns the upstream document with the change of the guide.
fn changed(root: &Path) -> io::Result<Value> {
    let parsed =
        |name: &str| serde_json::from_str(&read(&root.join(name))?).map_err(io::Error::other);
    let mut document: Value = parsed(UPSTREAM)?;
    let patch = serde_json::from_value(parsed(CHANGE)?).map_err(io::Error::other)?;
    let patch: json_patch::Patch = patch;
    json_patch::patch(&mut document, &patch).map_err(io::Error::other)?;
    Ok(document)
}

/// Lists the changes of a guide that are made by hand.
fn by_hand(guide: &str) -> impl Iterator<Item = &str> {
    let blocks = guide.split("```diff\n").skip(1);
    blocks.filter_map(|block| block.split("```").next())
}

fn applied(copy: &Path, change: &str) -> io::Result<bool> {
    let mut apply = Command::new("git");
    // The copy is no repository, and lies in one that must not be touched.
    apply.current_dir(copy).env("GIT_CEILING_DIRECTORIES", copy);
    let mut apply = apply.args(["apply", "-"]).stdin(Stdio::piped()).spawn()?;
    if let Some(mut input) = apply.stdin.take() {
        input.write_all(change.as_bytes())?;
    }
    Ok(apply.wait()?.success())
}
