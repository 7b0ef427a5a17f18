//! What a release proves beyond CI: the oldest compiler and dependencies, combinations of features,
//! licences, the public API, and the fuzz targets.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, ValueEnum};

use crate::distribute::program::{output as output_of, run};
use crate::replay::copied;
use crate::terminal::{BAD, GOOD, HEADING};
use crate::workspace::{cargo, published};

/// The oldest supported compiler; `rust-version` in Cargo.toml says the same.
const MSRV: &str = "1.88.0";

/// The compiler with the options that are not stable: minimal versions, rustdoc as JSON, fuzzing.
const NIGHTLY: &str = "nightly";

/// What is published and what is built on it alone. The others may need a newer compiler.
const SUPPORTED: &str = "check --locked --workspace --all-features --exclude xtask \
                         --exclude pollination-auth-bench";

/// Every feature alone and every pair: of the library beside the TLS backend that it has by default,
/// since it needs one, and of the packages that need none. The other backends are in CI, and here alone
/// with the store in Vault.
const FEATURE_PAIRS: [&str; 3] = [
    "hack check --locked -p pollination-auth --feature-powerset --depth 2 --exclude-features default \
     --features rustls-aws-lc",
    "hack check --locked -p pollination-auth-api -p pollination-auth-cli -p pollination-auth-fake \
     --feature-powerset --depth 2",
    "hack check --locked -p pollination-auth-vault --each-feature --exclude-no-default-features",
];

/// Advisories are a matter of the day, not of a release, and need a database from the network.
const LICENCES: &str = "deny --workspace check bans licenses sources";

/// The folder of the copy with the oldest dependencies, and what cargo makes of it.
const OLDEST: &str = "target/proof/oldest";
const OLDEST_TARGET: &str = "target/proof/target";

/// The folder of the texts with the public API of each published package.
const API: &str = "docs/public-api";

/// What cargo-public-api leaves out: implementations that the compiler or a derive adds.
const API_TEXT: &str =
    "public-api --all-features --omit blanket-impls,auto-trait-impls,auto-derived-impls -p";

/// The fuzz targets, as `fuzz/Cargo.toml` lists them.
const FUZZ_TARGETS: [&str; 4] = ["reply", "retry_after", "base_url", "regenerate"];

/// What is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// The workspace on the oldest supported compiler
    Msrv,
    /// The workspace with the oldest dependencies that Cargo.toml allows
    Oldest,
    /// Every feature alone, and every pair of features
    Features,
    /// Licences and sources of all dependencies
    Licences,
    /// The public API of each published package, compared with docs/public-api
    Api,
    /// The changes of the public API since the last tag, compared with the version
    Semver,
    /// The fuzz targets
    Fuzz,
}

/// What is run, as options of the command line.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Prove this alone; may be repeated
    #[arg(long, value_enum, default_values_t = Part::value_variants().to_vec(), hide_default_value = true)]
    only: Vec<Part>,
    /// Write docs/public-api instead of comparing it
    #[arg(long)]
    write_api: bool,
    /// How long each fuzz target runs, in seconds; 0 only builds them
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(0..=86_400))]
    fuzz_seconds: u32,
}

/// Proves each part, and returns `true` if all hold. A part that fails does not end the others.
///
/// # Errors
///
/// The output can't be written.
pub(crate) fn prove(root: &Path, options: &Options, output: &mut impl Write) -> io::Result<bool> {
    let mut all_hold = true;
    for part in &options.only {
        writeln!(output, "\n{HEADING}proof: {part:?}{HEADING:#}")?;
        output.flush()?;
        match hold(*part, root, options) {
            Ok(()) => writeln!(output, "{GOOD}holds{GOOD:#}")?,
            Err(error) => {
                all_hold = false;
                writeln!(output, "{BAD}does not hold{BAD:#}: {error}")?;
            }
        }
    }
    Ok(all_hold)
}

fn hold(part: Part, root: &Path, options: &Options) -> io::Result<()> {
    match part {
        Part::Msrv => {
            installed_toolchain(MSRV)?;
            run(&mut with_toolchain(root, MSRV, SUPPORTED))
        }
        Part::Oldest => oldest(root),
        Part::Features => {
            installed(root, "hack")?;
            FEATURE_PAIRS
                .iter()
                .try_for_each(|pairs| run(&mut cargo(root, pairs)))
        }
        Part::Licences => {
            installed(root, "deny")?;
            run(&mut cargo(root, LICENCES))
        }
        Part::Api => {
            installed_toolchain(NIGHTLY)?;
            installed(root, "public-api")?;
            api(root, options.write_api)
        }
        Part::Semver => {
            installed(root, "semver-checks")?;
            let mut check = cargo(root, "semver-checks --workspace --baseline-rev");
            run(check.arg(baseline(root)?))
        }
        Part::Fuzz => fuzz(root, options.fuzz_seconds),
    }
}

/// Checks a copy whose lock file has the oldest versions that the manifests allow.
fn oldest(root: &Path) -> io::Result<()> {
    installed_toolchain(NIGHTLY)?;
    let copy = root.join(OLDEST);
    copied(root, &copy)?;
    run(&mut with_toolchain(
        &copy,
        NIGHTLY,
        "update --quiet -Z direct-minimal-versions",
    ))?;
    let mut check = cargo(&copy, SUPPORTED);
    run(check.env("CARGO_TARGET_DIR", root.join(OLDEST_TARGET)))
}

/// Compares the public API of each published package with its text, or writes the text.
fn api(root: &Path, write: bool) -> io::Result<()> {
    let folder = root.join(API);
    fs::create_dir_all(&folder)?;
    let mut changed = Vec::new();
    for package in published(root)? {
        // The command has no library for others.
        if package == "pollination-auth-cli" {
            continue;
        }
        let mut list = with_toolchain(root, NIGHTLY, API_TEXT);
        let text = String::from_utf8(output_of(list.arg(&package))?.stdout);
        let text = text.map_err(io::Error::other)?;
        let file = folder.join(format!("{package}.txt"));
        if write {
            fs::write(&file, text)?;
        } else if fs::read_to_string(&file)? != text {
            changed.push(package);
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    let changed = changed.join(", ");
    Err(io::Error::other(format!(
        "the public API of {changed} has changed; if it should, write it anew with `cargo xtask proof \
         --only api --write-api`"
    )))
}

/// Runs each fuzz target for a while, from its corpus; what it finds goes to a folder of its own.
fn fuzz(root: &Path, seconds: u32) -> io::Result<()> {
    installed_toolchain(NIGHTLY)?;
    installed(root, "fuzz")?;
    run(&mut with_toolchain(root, NIGHTLY, "fuzz build"))?;
    for target in FUZZ_TARGETS.into_iter().filter(|_| seconds > 0) {
        let found = root.join("target/fuzz-corpus").join(target);
        fs::create_dir_all(&found)?;
        let mut fuzz = with_toolchain(root, NIGHTLY, "fuzz run");
        fuzz.arg(target).arg(found);
        let corpus = PathBuf::from("fuzz/corpus").join(target);
        if root.join(&corpus).is_dir() {
            fuzz.arg(corpus);
        }
        run(fuzz.args(["--", &format!("-max_total_time={seconds}")]))?;
    }
    Ok(())
}

/// Returns the last tag, or the commit before this one.
fn baseline(root: &Path) -> io::Result<String> {
    let mut describe = Command::new("git");
    describe
        .current_dir(root)
        .args(["describe", "--tags", "--abbrev=0"]);
    let tag = output_of(&mut describe).map(|described| described.stdout);
    Ok(tag.map_or_else(
        |_untagged| "HEAD~1".to_owned(),
        |tag| String::from_utf8_lossy(&tag).trim().to_owned(),
    ))
}

fn with_toolchain(root: &Path, toolchain: &str, arguments: &str) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", toolchain, "cargo"]);
    command.args(arguments.split_whitespace()).current_dir(root);
    command
}

fn installed_toolchain(name: &str) -> io::Result<()> {
    let mut install = Command::new("rustup");
    run(install.args(["toolchain", "install", name, "--profile", "minimal"]))
}

/// Installs a subcommand of cargo unless it is there.
pub(crate) fn installed(root: &Path, name: &str) -> io::Result<()> {
    if cargo(root, name)
        .arg("--version")
        .output()?
        .status
        .success()
    {
        return Ok(());
    }
    run(cargo(root, "install --locked").arg(format!("cargo-{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn the_oldest_compiler_and_the_fuzz_targets_are_those_of_the_manifests() {
        let read = |path: &str| fs::read_to_string(workspace::root().join(path)).unwrap();
        let version = MSRV.strip_suffix(".0").unwrap();
        assert!(read("Cargo.toml").contains(&format!("rust-version = \"{version}\"")));
        let fuzz = read("fuzz/Cargo.toml");
        let targets: Vec<_> = fuzz
            .split("[[bin]]\nname = \"")
            .skip(1)
            .filter_map(|bin| bin.split('"').next())
            .collect();
        assert_eq!(targets, FUZZ_TARGETS);
    }
}
