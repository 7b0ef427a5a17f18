//! Replays the guides in a copy of the workspace: does what each says to do by hand, takes in its
//! document with the copy's own xtask, and runs the tests of what has changed.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::terminal::{BAD, GOOD, HEADING};
use crate::workspace::{cargo, read};

/// The document that each change is a patch of.
const UPSTREAM: &str = "xtask/tests/data/fastapi-3.1.0.json";

/// The page of the guides.
const PAGE: &str = "docs/regenerating.md";

/// A part of the page that follows one change of upstream's document.
struct Guide {
    name: &'static str,
    /// The change, as a JSON patch.
    change: &'static str,
    /// The heading of the part. What is to be done by hand is in its blocks of the language `diff`.
    heading: &'static str,
}

const GUIDES: [Guide; 2] = [
    Guide {
        name: "a change of the five operations",
        change: "xtask/tests/data/walkthrough.json",
        heading: "## From there to the release\n",
    },
    Guide {
        name: "a sixth operation",
        change: "xtask/tests/data/sixth-operation.json",
        heading: "## A sixth operation\n",
    },
];

/// The folder of the copy.
const COPY: &str = "target/replay/copy";

/// What cargo makes of the copy. Cargo tells two copies of a workspace apart by nothing but their
/// target folders: in the usual one, it would take the copy's crates for those of this workspace.
const TARGET: &str = "target/replay/target";

/// Takes in the document that lies in the copy, as the page has it.
const REGENERATE: &str =
    "run --offline --locked --quiet --package xtask -- regenerate --from upstream.json";

/// The packages whose tests are run: the generated one and those that are built on it.
const PACKAGES: [&str; 5] = [
    "pollination-auth-api",
    "pollination-auth",
    "pollination-auth-fake",
    "pollination-auth-vault",
    "pollination-auth-cli",
];

/// Replays the guides, and returns `true` if all tests pass after each.
///
/// # Errors
///
/// The copy can't be made, or a program can't be started.
pub(crate) fn run(root: &Path, output: &mut impl Write) -> io::Result<bool> {
    let copy = root.join(COPY);
    let page = read(&root.join(PAGE))?;
    for guide in GUIDES {
        writeln!(output, "{HEADING}replay: {}{HEADING:#}", guide.name)?;
        copied(root, &copy)?;
        fs::write(
            copy.join("upstream.json"),
            changed(root, guide.change)?.to_string(),
        )?;
        for change in by_hand(&page, guide.heading) {
            if !applied(&copy, change)? {
                writeln!(
                    output,
                    "{BAD}a change of the guide does not fit{BAD:#}\n{change}"
                )?;
                return Ok(false);
            }
        }
        if !passed(root, &copy, REGENERATE, &[])? || !passed(root, &copy, TEST, &PACKAGES)? {
            writeln!(output, "{BAD}{} fails{BAD:#}", guide.name)?;
            return Ok(false);
        }
        writeln!(output, "{GOOD}after {} all tests pass{GOOD:#}", guide.name)?;
    }
    Ok(true)
}

/// Tests packages with every feature.
const TEST: &str = "test --offline --locked --all-features";

/// Runs cargo in the copy.
fn passed(root: &Path, copy: &Path, command: &str, packages: &[&str]) -> io::Result<bool> {
    let mut command = cargo(copy, command);
    command.env("CARGO_TARGET_DIR", root.join(TARGET));
    for package in packages {
        command.args(["--package", package]);
    }
    Ok(command.status()?.success())
}

/// Copies every file that git does not ignore, as it is now.
pub(crate) fn copied(root: &Path, to: &Path) -> io::Result<()> {
    let _ = fs::remove_dir_all(to);
    let mut list = Command::new("git");
    list.current_dir(root);
    let listed = list
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
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

/// Returns the upstream document with a change.
fn changed(root: &Path, change: &str) -> io::Result<Value> {
    let parsed =
        |name: &str| serde_json::from_str(&read(&root.join(name))?).map_err(io::Error::other);
    let mut document: Value = parsed(UPSTREAM)?;
    let patch = serde_json::from_value(parsed(change)?).map_err(io::Error::other)?;
    let patch: json_patch::Patch = patch;
    json_patch::patch(&mut document, &patch).map_err(io::Error::other)?;
    Ok(document)
}

/// Lists the changes that a part of the page makes by hand.
fn by_hand<'a>(page: &'a str, heading: &str) -> impl Iterator<Item = &'a str> {
    let part = page.split_once(heading).map_or("", |(_, part)| part);
    let part = part.split("\n## ").next().unwrap_or_default();
    let blocks = part.split("```diff\n").skip(1);
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
