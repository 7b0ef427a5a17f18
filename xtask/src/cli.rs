//! The command line: which tasks and options there are, and which module runs them.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use clap::{Parser, Subcommand};

use crate::distribute::{archive, wheel, windows};
use crate::regenerate::compare::Verdict;
use crate::regenerate::run::{self, Failure, Format, Options};
use crate::terminal::{BAD, MayClose};
use crate::{bench, check, ci, golden, races, workspace};

/// The stack of the thread that works.
///
/// The stages and the generator walk documents by recursion, within limits that need far
/// less: a few hundred levels of the largest frames.
const STACK: usize = 256 * 1024 * 1024;

/// The exit code of a comparison that found a breaking change.
const BREAKING: u8 = 2;

/// The tasks of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version = None)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Regenerate openapi.json and the client from what upstream publishes
    ///
    /// Exits with 0 on success, and with 1 if the document is refused or, with --check, if a file
    /// would change. After an error the tree is unchanged.
    Regenerate {
        /// A file, an address, or - for standard input; JSON or YAML, OpenAPI 3.0 or 3.1
        #[arg(long, value_name = "FILE|URL|-")]
        from: String,
        /// Write nothing; exit with 1 if a file would change
        #[arg(long)]
        check: bool,
        /// Write nothing; show the difference
        #[arg(long)]
        dry_run: bool,
        /// Write a contract even if it breaks clients of the current one
        #[arg(long)]
        allow_breaking: bool,
    },
    /// Report what the change from one document to another means for a client
    ///
    /// Exits with 0 if the documents are identical or compatible, with 2 if the change is breaking,
    /// and with 1 on an error.
    Diff {
        /// The old document: a file, an address, or -
        old: String,
        /// The new document: a file, an address, or -
        new: String,
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Check the contract, the golden copy, the layers and the fault table
    Check,
    /// Run everything that CI runs, in its order
    Ci,
    /// Rewrite the golden copy of the generated client from openapi.json
    Golden,
    /// Run many tasks against the client while faults are injected, and report the result
    ///
    /// Exits with 1 on an error that no injected fault explains, a call that hangs, or too many
    /// logins.
    Soak {
        /// Duration in seconds
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3600))]
        seconds: u32,
    },
    /// Run commands concurrently, kill some, and check that no credential is lost
    ///
    /// Exits with 1 if a stored credential is no longer valid, or if a command hangs.
    Races(races::Options),
    /// Build the wheels, install them into a fresh environment and run what docs/python.md shows
    Wheel {
        /// Build what is uploaded: optimised, for machines other than this one
        #[arg(long)]
        release: bool,
    },
    /// Build the command and pack it with its pages, completions and checksums into target/dist
    Dist {
        /// The target to build for; `rustup target add` installs it
        #[arg(long, default_value = "x86_64-unknown-linux-musl")]
        target: String,
    },
    /// Build for Windows and run the tests under Wine
    Windows,
    /// Measure the client and its peers; `-- --help` lists the options
    Bench {
        /// Arguments of the benchmarks
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "ARGUMENTS"
        )]
        arguments: Vec<String>,
    },
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help is not an error, and a wrong argument must not look like a breaking change.
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    let work = move || {
        let mut output = MayClose::new(anstream::stdout());
        let result = run(
            &arguments.task,
            &workspace::root(),
            &mut io::stdin(),
            &mut output,
        );
        let flushed = output.flush();
        result.and_then(|code| Ok(flushed.map(|()| code)?))
    };
    let worker = thread::Builder::new().stack_size(STACK).spawn(work);
    let result = match worker {
        Ok(worker) => worker
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("this is a bug in xtask").into())),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            // Nothing is left to do if standard error is closed too.
            let _ = writeln!(anstream::stderr(), "{BAD}error{BAD:#}: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command line in a workspace and returns its exit code, as [`main`] does for its own.
///
/// # Errors
///
/// The arguments are not valid, or the task could not finish.
pub fn execute<'a>(
    arguments: impl IntoIterator<Item = &'a str>,
    root: &Path,
    input: &mut impl Read,
    output: &mut impl Write,
) -> Result<u8, Failure> {
    let arguments = std::iter::once("cargo xtask").chain(arguments);
    let arguments = Arguments::try_parse_from(arguments).map_err(io::Error::other)?;
    run(&arguments.task, root, input, output)
}

/// Runs a task and returns its exit code.
fn run(
    task: &Task,
    root: &Path,
    input: &mut impl Read,
    output: &mut impl Write,
) -> Result<u8, Failure> {
    let well = match task {
        Task::Regenerate {
            from,
            check,
            dry_run,
            allow_breaking,
        } => {
            let options = Options {
                from: from.clone(),
                check: *check,
                dry_run: *dry_run,
                allow_breaking: *allow_breaking,
            };
            run::regenerate(root, &options, input, output)?
        }
        Task::Diff { old, new, format } => {
            let verdict = run::diff(root, (old, new), *format, input, output)?;
            return Ok(if verdict == Verdict::Breaking {
                BREAKING
            } else {
                0
            });
        }
        Task::Check => check::run(root, output)?,
        Task::Ci => ci::run(root, output)?,
        Task::Wheel { release } => {
            wheel::build(root, *release, output)?;
            true
        }
        Task::Dist { target } => {
            archive::build(root, target, output)?;
            true
        }
        Task::Windows => {
            windows::test(root, output)?;
            true
        }
        Task::Bench { arguments } => bench::run(root, arguments)?,
        Task::Soak { seconds } => bench::soak(root, *seconds)?,
        Task::Races(options) => races::run(root, options, output)?,
        Task::Golden => {
            let changed = golden::rewrite(root)?;
            for path in &changed {
                writeln!(output, "rewrote {path}; review the difference")?;
            }
            if changed.is_empty() {
                writeln!(output, "the golden copy is fresh")?;
            }
            true
        }
    };
    Ok(u8::from(!well))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
