//! The steps of CI, as data, and a function that runs them in order. What a step checks is up to
//! its command.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use crate::distribute::wheel;
use crate::terminal::{BAD, GOOD, HEADING};
use crate::{bench, check, compiles, engines, packaging, races, readme, workspace};

/// The folder of the examples; CI runs each once.
const EXAMPLES: &str = "crates/pollination-auth-examples/examples";

/// A step: the arguments of cargo as they are typed, or a check of our own.
enum Step {
    Cargo(&'static str),
    Check,
    /// The counts of the benchmarks, against those that are checked in.
    Bench,
    /// The clients of a few documents.
    Compiles,
    /// A short form of the races.
    Races,
    /// Once for each of these features, whose name takes the place of `{}`.
    Each(&'static [&'static str], &'static str),
    /// Once for each example, whose name takes the place of `{}`.
    Examples(&'static str),
    /// The archives of what is published, built against one another.
    Package,
    /// The tests of the Vault store on a real server.
    Engines,
    /// The README's programs, in packages of their own.
    Readme,
    /// The wheels, built and used as docs/python.md shows.
    Wheel,
}

use Step::{Bench, Cargo, Check, Compiles, Each, Engines, Examples, Package, Races, Readme, Wheel};

/// The optional features of the library: each has to build without the others, and without a warning.
/// Their tests have passed with all of them.
const FEATURES: [&str; 6] = [
    "socks",
    "blocking",
    "reqwest-middleware",
    "tower",
    "keyring",
    "testing",
];

/// The TLS backends, the default one first; each has to work alone.
const BACKENDS: [&str; 3] = ["rustls-aws-lc", "rustls-no-provider", "native-tls"];

/// The length of the races here: 4 rounds have a kill, a lost reply, both and neither.
const RACES: races::Options = races::Options {
    rounds: 4,
    seed: 1,
    seconds: 120,
};

/// One round of the fleet test takes about a minute.
const ENGINES: engines::Options = engines::Options {
    bao: None,
    fetch: false,
    rounds: 1,
    seed: 1,
};

/// Everything that CI runs, in order: the README's test command first.
const STEPS: [Step; 17] = [
    Cargo("test --locked --workspace --all-features"),
    Cargo("test --locked -p pollination-auth-api --no-default-features"),
    // All tests have passed with all features. Unoptimised, these few are built in a third of the time.
    Each(
        &BACKENDS,
        "test --locked -p pollination-auth --test it --no-default-features --features {} \
         --config=profile.dev.package.pollination-auth.opt-level=0 -- network::tls row_77",
    ),
    Cargo("fmt --all --check"),
    Cargo("clippy --locked --workspace --all-targets --all-features -- -D warnings"),
    Each(
        &FEATURES,
        "clippy --locked -p pollination-auth --features {} -- -D warnings",
    ),
    Each(
        &BACKENDS,
        "clippy --locked -p pollination-auth -p pollination-auth-vault --no-default-features \
         --features {} -- -D warnings",
    ),
    Cargo(
        "doc --locked --workspace --all-features --no-deps --config=build.rustdocflags=['-Dwarnings']",
    ),
    Check,
    Package,
    Bench,
    Compiles,
    Races,
    Engines,
    Examples("run --locked -p pollination-auth-examples --all-features --example {}"),
    Readme,
    Wheel,
];

/// Runs every step until one fails, and returns `true` if none does.
///
/// The commands write to this process's own streams.
///
/// # Errors
///
/// A command can't be started, or the output can't be written.
pub fn run(root: &Path, output: &mut impl Write) -> io::Result<bool> {
    let started = Instant::now();
    for step in &STEPS {
        let before = started.elapsed();
        let passed = match step {
            Cargo(command) => cargo(root, command, output)?,
            Check => {
                announce("cargo xtask check", output)?;
                check::run(root, output)?
            }
            Package => {
                announce("cargo package, and what the archives compile to", output)?;
                packaging::test(root)?;
                true
            }
            Readme => {
                announce("the programs of README.md", output)?;
                readme::run(root)?
            }
            Wheel => {
                announce("cargo xtask wheel", output)?;
                wheel::build(root, false, output)?;
                true
            }
            Bench => {
                announce("cargo xtask bench --check", output)?;
                bench::run(root, &["--check".to_owned()])?
            }
            Compiles => {
                announce("cargo xtask compiles --short", output)?;
                let options = compiles::Options {
                    short: true,
                    ..compiles::Options::default()
                };
                compiles::run(root, &options, output)?
            }
            Races => {
                let line = format!("cargo xtask races --rounds {}", RACES.rounds);
                announce(&line, output)?;
                races::run(root, &RACES, output)?
            }
            Engines => {
                announce("cargo xtask engines", output)?;
                engines::test(root, &ENGINES, output)?;
                true
            }
            Each(features, command) => each(root, command, *features, output)?,
            Examples(command) => each(root, command, example_names(&root.join(EXAMPLES))?, output)?,
        };
        if !passed {
            return Ok(false);
        }
        let took = started.elapsed().saturating_sub(before);
        writeln!(output, "{GOOD}passed{GOOD:#} ({} s)", took.as_secs())?;
    }
    let seconds = started.elapsed().as_secs();
    writeln!(
        output,
        "\n{GOOD}ci: every step passed{GOOD:#} ({seconds} s)"
    )?;
    Ok(true)
}

/// Runs a command once for each name.
fn each(
    root: &Path,
    command: &str,
    names: impl IntoIterator<Item = impl AsRef<str>>,
    output: &mut impl Write,
) -> io::Result<bool> {
    for name in names {
        if !cargo(root, &command.replace("{}", name.as_ref()), output)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Lists the examples of a folder in order.
fn example_names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        names.extend(file.strip_suffix(".rs").map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names)
}

fn cargo(root: &Path, command: &str, output: &mut impl Write) -> io::Result<bool> {
    announce(&format!("cargo {command}"), output)?;
    let status = workspace::cargo(root, command).status()?;
    if !status.success() {
        writeln!(
            output,
            "\n{BAD}ci: this step failed{BAD:#} ({status}):\n    cargo {command}"
        )?;
    }
    Ok(status.success())
}

/// Prints the step before its own output, which goes directly to the stream.
fn announce(line: &str, output: &mut impl Write) -> io::Result<()> {
    writeln!(output, "\n{HEADING}ci: {line}{HEADING:#}")?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_is_the_test_command_of_the_readme() {
        let first = |step: &Step| matches!(step, Cargo("test --locked --workspace --all-features"));
        assert!(first(&STEPS[0]));
    }

    #[test]
    fn every_cargo_step_that_can_is_locked() {
        for step in &STEPS {
            if let Cargo(command) | Each(_, command) | Examples(command) = step {
                assert!(
                    command.contains(" --locked ") || command.starts_with("fmt "),
                    "{command}"
                );
            }
        }
    }

    #[test]
    fn every_optional_feature_of_the_library_is_in_the_list() {
        let manifest = workspace::root().join("crates/pollination-auth/Cargo.toml");
        let text = fs::read_to_string(manifest).unwrap();
        let (_, features) = text.split_once("[features]\n").unwrap();
        let (features, _) = features.split_once("\n[").unwrap();
        let names: Vec<_> = features
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| Some(line.split_once(" = ")?.0))
            .filter(|name| !["default", "codegen"].contains(name))
            .collect();
        assert_eq!(names, [&BACKENDS[..], &FEATURES].concat());
    }

    #[test]
    fn the_examples_are_the_rust_files_of_a_folder() {
        let own = example_names(&workspace::root().join("xtask/src")).unwrap();
        assert!(own.contains(&"ci".to_owned()), "{own:?}");
    }
}
