//! The command line: what can be said, and which module does it. Nothing is decided here.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::terminal::{BAD, MayClose};
use crate::{check, ci, golden, workspace};

/// The tasks of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version = None)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check the contract, the golden copy and the rules of the layers
    Check,
    /// Run everything that CI runs, in its order
    Ci,
    /// Rewrite the golden copy of the generated client from openapi.json
    Golden,
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut output = MayClose::new(anstream::stdout());
    match run(&arguments.task, &workspace::root(), &mut output) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nothing is left to do if standard error is closed too.
            let _ = writeln!(anstream::stderr(), "{BAD}error{BAD:#}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task, root: &Path, output: &mut impl Write) -> io::Result<bool> {
    match task {
        Task::Check => check::run(root, output),
        Task::Ci => ci::run(root, output),
        Task::Golden => {
            let changed = golden::rewrite(root)?;
            for path in &changed {
                writeln!(output, "rewrote {path}; review the difference")?;
            }
            if changed.is_empty() {
                writeln!(output, "the golden copy is fresh")?;
            }
            Ok(true)
        }
    }
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
