//! What CI runs: the list of steps, as data, and running them in order. What a step checks is
//! the business of its command.

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use crate::terminal::{BAD, GOOD, HEADING};
use crate::{bench, check, packaging, races};

/// Where the examples lie that each CI run starts once.
const EXAMPLES: &str = "crates/pollination-auth/examples";

/// One step: its arguments to cargo, or a check of our own.
enum Step {
    Cargo(&'static [&'static str]),
    /// With a variable of the environment.
    CargoWith((&'static str, &'static str), &'static [&'static str]),
    Check,
    /// The counts of the benchmarks, against those that are checked in.
    Bench,
    /// A short form of the races.
    Races,
    /// Once for each feature of [`FEATURES`], whose name stands between the two.
    EachFeature(&'static [&'static str], &'static [&'static str]),
    /// Each example by its name, as a user would run it.
    Examples(&'static [&'static str]),
    /// With nothing left of what was packaged before.
    Package(&'static [&'static str]),
}

use Step::{Bench, Cargo, CargoWith, Check, EachFeature, Examples, Package, Races};

/// The optional features of the library: each has to build and pass without the others.
const FEATURES: [&str; 3] = ["blocking", "reqwest-middleware", "tower"];

/// How long the races are here: 4 rounds have a kill, a lost reply, both and neither.
const RACES: races::Options = races::Options {
    rounds: 4,
    seed: 1,
    limit: Duration::from_secs(120),
};

/// Everything that CI runs, in order: the README's test command first.
const STEPS: [Step; 13] = [
    Cargo(&["test", "--locked", "--workspace", "--all-features"]),
    Cargo(&[
        "test",
        "--locked",
        "-p",
        "pollination-auth-api",
        "--no-default-features",
    ]),
    Cargo(&[
        "test",
        "--locked",
        "-p",
        "pollination-auth",
        "--no-default-features",
        "--profile",
        "dev",
        "--test",
        "it",
    ]),
    // The other tests don't know of features, and have passed with all of them.
    EachFeature(
        &[
            "test",
            "--locked",
            "-p",
            "pollination-auth",
            "--profile",
            "dev",
            "--test",
            "it",
            "--features",
        ],
        &["layers"],
    ),
    Cargo(&["fmt", "--all", "--check"]),
    Cargo(&[
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]),
    EachFeature(
        &["clippy", "--locked", "-p", "pollination-auth", "--features"],
        &["--", "-D", "warnings"],
    ),
    CargoWith(
        ("RUSTDOCFLAGS", "-Dwarnings"),
        &[
            "doc",
            "--locked",
            "--workspace",
            "--all-features",
            "--no-deps",
        ],
    ),
    Check,
    Package(&[
        "package",
        "--locked",
        "--workspace",
        "--exclude",
        "xtask",
        "--exclude",
        "pollination-auth-bench",
    ]),
    Bench,
    Races,
    Examples(&[
        "run",
        "--locked",
        "-p",
        "pollination-auth",
        "--all-features",
        "--example",
    ]),
];

/// Runs every step until one fails, and tells whether none did.
///
/// The commands write to this process's own streams.
///
/// # Errors
///
/// A command can't be started, or the output can't be written.
pub fn run(root: &Path, output: &mut impl Write) -> io::Result<bool> {
    let started = Instant::now();
    for step in &STEPS {
        let passed = match step {
            Cargo(arguments) => cargo(root, None, arguments, output)?,
            CargoWith(variable, arguments) => cargo(root, Some(*variable), arguments, output)?,
            Check => {
                announce("cargo xtask check", output)?;
                check::run(root, output)?
            }
            Package(arguments) => {
                packaging::forget_unpacked()?;
                cargo(root, None, arguments, output)?
            }
            Bench => {
                announce("cargo xtask bench --check", output)?;
                bench::run(root, &["--check".to_owned()])?
            }
            Races => {
                announce(
                    &format!("cargo xtask races --rounds {}", RACES.rounds),
                    output,
                )?;
                races::run(root, &RACES, output)?
            }
            EachFeature(before, after) => each(root, before, FEATURES, after, output)?,
            Examples(arguments) => each(
                root,
                arguments,
                example_names(&root.join(EXAMPLES))?,
                &[],
                output,
            )?,
        };
        if !passed {
            return Ok(false);
        }
    }
    let seconds = started.elapsed().as_secs();
    writeln!(
        output,
        "\n{GOOD}ci: every step passed{GOOD:#} ({seconds} s)"
    )?;
    Ok(true)
}

/// Runs a command once for each name, which stands between its other arguments.
fn each(
    root: &Path,
    before: &[&str],
    names: impl IntoIterator<Item = impl AsRef<str>>,
    after: &[&str],
    output: &mut impl Write,
) -> io::Result<bool> {
    for name in names {
        let arguments = [before, &[name.as_ref()], after].concat();
        if !cargo(root, None, &arguments, output)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Lists the examples of a folder in order; no folder, no examples.
fn example_names(folder: &Path) -> io::Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        names.extend(file.strip_suffix(".rs").map(str::to_owned));
    }
    names.sort_unstable();
    Ok(names)
}

fn cargo(
    root: &Path,
    variable: Option<(&str, &str)>,
    arguments: &[&str],
    output: &mut impl Write,
) -> io::Result<bool> {
    let line = command_line(variable, arguments);
    announce(&line, output)?;
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(program)
        .args(arguments)
        .envs(variable)
        .current_dir(root)
        .status()?;
    if !status.success() {
        writeln!(
            output,
            "\n{BAD}ci: this step failed{BAD:#} ({status}):\n    {line}"
        )?;
    }
    Ok(status.success())
}

fn command_line(variable: Option<(&str, &str)>, arguments: &[&str]) -> String {
    let variable = variable.map(|(name, value)| format!("{name}={value} "));
    format!(
        "{}cargo {}",
        variable.unwrap_or_default(),
        arguments.join(" ")
    )
}

/// Prints the step before its own output, which goes past us straight to the stream.
fn announce(line: &str, output: &mut impl Write) -> io::Result<()> {
    writeln!(output, "\n{HEADING}ci: {line}{HEADING:#}")?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn the_first_step_is_the_test_command_of_the_readme() {
        let Cargo(arguments) = &STEPS[0] else {
            panic!("the first step is no plain cargo command")
        };
        let line = command_line(None, arguments);
        assert_eq!(line, "cargo test --locked --workspace --all-features");
    }

    #[test]
    fn every_cargo_step_that_can_is_locked() {
        for step in &STEPS {
            if let Cargo(arguments)
            | CargoWith(_, arguments)
            | EachFeature(arguments, _)
            | Examples(arguments)
            | Package(arguments) = step
            {
                assert!(
                    arguments.contains(&"--locked") || arguments[0] == "fmt",
                    "{arguments:?}"
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
        assert_eq!(names, FEATURES);
    }

    #[test]
    fn a_variable_stands_before_the_command() {
        let line = command_line(Some(("A", "b")), &["doc"]);
        assert_eq!(line, "A=b cargo doc");
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_examples() {
        assert_eq!(example_names(Path::new("no/such/folder")).unwrap(), [""; 0]);
        let own = example_names(&workspace::root().join("xtask/src")).unwrap();
        assert!(own.contains(&"ci".to_owned()), "{own:?}");
    }
}
