//! Runs another program and reports its failure by the line that failed.

use std::io;
use std::process::{Command, Output};

/// Runs a program on this process's own streams.
pub(crate) fn run(command: &mut Command) -> io::Result<()> {
    let status = command.status().map_err(|error| about(command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("{} ({status})", line(command))))
    }
}

/// Runs a program and returns what it wrote.
pub(crate) fn output(command: &mut Command) -> io::Result<Output> {
    let output = command.output().map_err(|error| about(command, &error))?;
    if output.status.success() {
        Ok(output)
    } else {
        let words = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!(
            "{} ({}): {}",
            line(command),
            output.status,
            words.trim()
        )))
    }
}

fn about(command: &Command, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", line(command)))
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}
