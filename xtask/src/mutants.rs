//! Mutation testing, of the code in which a mistake loses a secret or gives a wrong verdict: changes one
//! expression at a time, and lists the changes that no test notices.
//!
//! `.cargo/mutants.toml` has the changes that need no test, with the reasons.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::proof::installed;
use crate::terminal::{BAD, GOOD, HEADING};
use crate::workspace::cargo;

/// Where the results go, and what cargo makes of the copies.
const FOLDER: &str = "target/mutants";

/// The options of every run. Each change is compiled anew, so nothing is optimised.
const MUTANTS: &str = "mutants --no-shuffle --all-features --minimum-test-timeout=120 \
                       --cargo-arg=--locked \
                       --cargo-arg=--config=profile.dev.package.pollination-auth.opt-level=0";

/// The stack of a test, in bytes: unoptimised, the walks through all states need more than the usual
/// 2 MiB.
const STACK: &str = "67108864";

/// What cargo-mutants exits with if a change was not noticed.
const UNNOTICED: i32 = 2;

/// What it exits with if every change was noticed, some of them by a test that hung.
const HUNG: i32 = 3;

/// Code that is tried, with the tests that try it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Area {
    /// The cached access token
    Cache,
    /// Retries, and what a failure means
    Call,
    /// What a rotation does next
    Rotation,
    /// What a reply means
    Wire,
    /// The comparison of documents
    Comparison,
}

impl Area {
    fn package(self) -> &'static str {
        match self {
            Self::Cache | Self::Call | Self::Rotation | Self::Wire => "pollination-auth",
            Self::Comparison => "xtask",
        }
    }

    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Cache => &["**/src/cache/*.rs"],
            Self::Call => &["**/src/call.rs", "**/src/call/*.rs", "**/error/classify.rs"],
            Self::Rotation => &["**/rotation/protocol.rs", "**/rotation/protocol/*.rs"],
            Self::Wire => &["**/wire/decode.rs", "**/wire/fields.rs", "**/wire/login.rs"],
            Self::Comparison => &["**/regenerate/compare.rs", "**/regenerate/compare/**/*.rs"],
        }
    }

    /// The test programs; building one that is not needed costs seconds for each change.
    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Call | Self::Rotation => &["--lib"],
            Self::Wire => &["--test=it"],
            Self::Cache | Self::Comparison => &["--lib", "--test=it"],
        }
    }

    /// The tests, as the arguments of a test program; the others cost minutes for each change.
    fn tests(self) -> &'static [&'static str] {
        match self {
            Self::Cache => &["cache::", "allocations::", "lifecycle_fake::"],
            Self::Call => &["call::", "error::", "wire::", "client::"],
            // A child that is aborted goes through the same steps as the walks through all states.
            Self::Rotation => &["rotation::tests", "--skip", "crash::"],
            Self::Wire => &[
                "replies",
                "statuses",
                "redirects",
                "redaction",
                "believed",
                "network::",
            ],
            Self::Comparison => &[
                "regenerate::compare",
                "verdicts::",
                "oracle::",
                "evolutions::",
                "walkthrough::",
            ],
        }
    }
}

/// What is tried, as options of the command line.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Try this area alone; may be repeated
    #[arg(long, value_enum, default_values_t = Area::value_variants().to_vec(), hide_default_value = true)]
    only: Vec<Area>,
    /// Try only lines that a file with a diff changes
    #[arg(long, value_name = "FILE")]
    in_diff: Option<PathBuf>,
}

/// Tries the areas, and returns `true` if a test notices each change.
///
/// # Errors
///
/// cargo-mutants can't be installed or started, or the output can't be written.
pub(crate) fn run(root: &Path, options: &Options, output: &mut impl Write) -> io::Result<bool> {
    installed(root, "mutants")?;
    let mut all_noticed = true;
    for area in &options.only {
        writeln!(output, "\n{HEADING}mutants: {area:?}{HEADING:#}")?;
        output.flush()?;
        let noticed = attempt(root, *area, options.in_diff.as_deref())?;
        all_noticed &= noticed;
        if noticed {
            writeln!(output, "{GOOD}every change is noticed{GOOD:#}")?;
        } else {
            writeln!(output, "{BAD}changes are left that no test notices{BAD:#}")?;
        }
    }
    Ok(all_noticed)
}

fn attempt(root: &Path, area: Area, diff: Option<&Path>) -> io::Result<bool> {
    let folder = root.join(FOLDER);
    let mut mutants = cargo(root, MUTANTS);
    mutants.env("RUST_MIN_STACK", STACK);
    // cargo-mutants copies the tree for each run; what the dependencies compile to is the same.
    mutants.env("CARGO_TARGET_DIR", folder.join("target"));
    let results = folder.join(format!("{area:?}").to_lowercase());
    fs::create_dir_all(&results)?;
    mutants
        .args(["--package", area.package(), "--output"])
        .arg(results);
    for file in area.files() {
        mutants.args(["--file", file]);
    }
    for program in area.programs() {
        mutants.arg(format!("--cargo-arg={program}"));
    }
    if let Some(diff) = diff {
        mutants.arg("--in-diff").arg(std::path::absolute(diff)?);
    }
    mutants.args(["--", "--"]).args(area.tests());
    let status = mutants.status()?;
    match status.code() {
        Some(0 | HUNG) => Ok(true),
        Some(UNNOTICED) => Ok(false),
        _ => Err(io::Error::other(format!("cargo mutants ({status})"))),
    }
}
