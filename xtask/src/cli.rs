//! The command line: which tasks and options there are, and which module runs them.

use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use clap::{Parser, Subcommand};

use crate::distribute::{archive, wheel, windows};
use crate::regenerate::compare::Verdict;
use crate::regenerate::plan::Outcome;
use crate::regenerate::refusal::Failure;
use crate::regenerate::run::{Format, Mode, Options, diff, regenerate, rewrite_golden};
use crate::terminal::{BAD, MayClose};
use crate::{
    bench, check, ci, compiles, engines, mutants, oracle, proof, races, replay, workspace,
};

/// The stack of the thread that works.
///
/// The stages and the generator walk documents by recursion, within limits that need far
/// less: a few hundred levels of the largest frames.
const STACK: usize = 256 * 1024 * 1024;

/// The exit code of a change that breaks clients, and was found or withheld.
const BREAKING: u8 = 2;

/// The exit code of a check that found a compatible change.
const COMPATIBLE: u8 = 3;

/// The exit code of a check that found another wording, which no client sees.
const WORDING: u8 = 4;

/// The exit code of a document that can't become the contract.
const REFUSED: u8 = 5;

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
    /// Exits with 0 on success, with 1 on an error (such as a document that can't be fetched), with
    /// 2 if the change breaks clients and is not allowed, and with 5 if the document is refused.
    /// After an error the tree is unchanged.
    ///
    /// With --check, exits with 0 if no file would change, with 2 for a breaking change, with 3 for
    /// a compatible one, with 4 if only the wording would change, and with 5 if the document is
    /// refused.
    Regenerate {
        /// A file, an address, or - for standard input; JSON or YAML, OpenAPI 3.0 or 3.1
        #[arg(long, value_name = "FILE|URL|-")]
        from: String,
        /// Write nothing; report by the exit code what would change
        #[arg(long, conflicts_with = "dry_run")]
        check: bool,
        /// Write nothing; show the difference
        #[arg(long)]
        dry_run: bool,
        /// Write a contract even if it breaks clients of the current one
        #[arg(long)]
        allow_breaking: bool,
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        format: Format,
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
    /// Compile the client of every document in xtask/tests/data that is accepted
    ///
    /// Exits with 1 if one does not compile. With --mutations, also exits with 1 if a stage panics or
    /// a document is refused without a place.
    Compiles(compiles::Options),
    /// Follow the guides of docs/regenerating.md in a copy of the workspace, and test the result
    ///
    /// Exits with 1 if a test fails.
    Replay,
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
    /// Run the tests that need a real OpenBao server, which is fetched first, or a real keyring
    Engines(engines::Options),
    /// Prove what a release needs beyond CI: old versions, features, licences, the API, fuzzing
    ///
    /// Installs the compilers and the cargo subcommands that it needs. Exits with 1 if a part does not
    /// hold.
    Proof(proof::Options),
    /// Change one expression at a time, and list the changes that no test notices
    ///
    /// Installs cargo-mutants if it is missing. Exits with 1 if a change is not noticed. All areas take
    /// some hours.
    Mutants(mutants::Options),
    /// Try the comparison of documents on random pairs of schemas
    ///
    /// Exits with 1 if a value breaks a client and no breaking change was reported.
    Oracle {
        /// How many pairs to try
        #[arg(long, default_value_t = 3000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        pairs: u32,
        /// Seed of the schemas and the values
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Use `oneOf` in the schemas as well
        #[arg(long)]
        one_of: bool,
    },
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
    let is_regenerate = matches!(arguments.task, Task::Regenerate { .. });
    let work = move || {
        let mut output = MayClose::new(anstream::stdout());
        let result = workspace::current_root().map_err(Failure::from);
        let result =
            result.and_then(|root| run(&arguments.task, &root, &mut io::stdin(), &mut output));
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
            exit_code(is_regenerate, &failure)
        }
    }
}

/// Returns the exit code of a task that could not finish.
fn exit_code(is_regenerate: bool, failure: &Failure) -> ExitCode {
    match failure {
        Failure::Refused(_) if is_regenerate => ExitCode::from(REFUSED),
        Failure::Withheld => ExitCode::from(BREAKING),
        Failure::Refused(_) | Failure::Io(_) => ExitCode::FAILURE,
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

/// Checks that a command line is one of this program, without running it.
///
/// # Errors
///
/// Why not.
pub fn check<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<(), clap::Error> {
    let arguments = std::iter::once("cargo xtask").chain(arguments);
    Arguments::try_parse_from(arguments).map(drop)
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
            format,
        } => {
            let mode = match (check, dry_run) {
                (true, _) => Mode::Check,
                (false, true) => Mode::DryRun,
                (false, false) => Mode::Write,
            };
            let options = Options {
                from: from.clone(),
                mode,
                allow_breaking: *allow_breaking,
                format: *format,
            };
            let outcome = regenerate(root, &options, input, output)?;
            return Ok(match outcome {
                _ if mode != Mode::Check => 0,
                Outcome::Nothing => 0,
                Outcome::Wording => WORDING,
                Outcome::Compatible => COMPATIBLE,
                Outcome::Breaking => BREAKING,
            });
        }
        Task::Diff { old, new, format } => {
            let verdict = diff(root, (old, new), *format, input, output)?;
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
        Task::Engines(options) => {
            engines::test(root, options, output)?;
            true
        }
        Task::Proof(options) => proof::prove(root, options, output)?,
        Task::Mutants(options) => mutants::run(root, options, output)?,
        Task::Compiles(options) => compiles::run(root, options, output)?,
        Task::Replay => replay::run(root, output)?,
        Task::Bench { arguments } => bench::run(root, arguments)?,
        Task::Soak { seconds } => bench::soak(root, *seconds)?,
        Task::Races(options) => races::run(root, options, output)?,
        Task::Oracle {
            pairs,
            seed,
            one_of,
        } => {
            let options = oracle::Options {
                pairs: *pairs,
                seed: *seed,
                one_of: *one_of,
            };
            oracle::run(&options, output)?
        }
        Task::Golden => {
            let changed = rewrite_golden(root)?;
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
