//! What is written: the answer on stdout, and everything else on stderr.
//!
//! A reader that has left is no error, and is told nothing.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde::Serialize;

use crate::error::CliError;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, and for `$(...)`
    Text,
    /// One line of JSON
    Json,
}

/// Writes an answer: its `Display` and a newline, or one line of JSON.
pub(crate) fn answer(
    format: Format,
    answer: &(impl Serialize + fmt::Display),
) -> Result<(), CliError> {
    let text = match format {
        Format::Text => answer.to_string(),
        Format::Json => serde_json::to_string(answer).map_err(|_error| CliError::Json)?,
    };
    let text = zeroize::Zeroizing::new(text);
    write_to(
        &mut io::stdout().lock(),
        format_args!("{}\n", text.as_str()),
    )
}

/// Writes a whole document to stdout, such as a manual page.
pub(crate) fn document(bytes: &[u8]) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    heard(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// Writes the help, with colour where stdout is a terminal.
pub(crate) fn help(text: &clap::builder::StyledStr) -> Result<(), CliError> {
    write_to(
        &mut anstream::AutoStream::auto(io::stdout()),
        format_args!("{}", text.ansi()),
    )
}

fn write_to(stdout: &mut impl Write, text: fmt::Arguments<'_>) -> Result<(), CliError> {
    heard(stdout.write_fmt(text).and_then(|()| stdout.flush()))
}

/// Whoever closed the pipe has read what it wanted.
fn heard(written: io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(CliError::Io {
            doing: "the answer can't be written",
            source,
        }),
        _ => Ok(()),
    }
}

/// Writes a note to stderr.
pub(crate) fn note(text: impl fmt::Display) {
    tell(format_args!("{text}\n"));
}

/// Writes a warning.
pub(crate) fn warning(text: impl fmt::Display) {
    tell(format_args!("{WARNING}warning:{WARNING:#} {text}\n"));
}

/// Writes the error of a command; the host is that of the command line.
pub(crate) fn error(error: &CliError, host: &str) {
    tell(format_args!("{ERROR}error:{ERROR:#} {error}\n"));
    for note in error.notes(host) {
        tell(format_args!("  {note}\n"));
    }
}

/// Writes to stderr as it is, without a newline; colour only where it is a terminal.
pub(crate) fn tell(text: impl fmt::Display) {
    let mut stderr = anstream::AutoStream::auto(io::stderr());
    // There is nobody left to tell about it.
    let _unheard = write!(stderr, "{text}").and_then(|()| stderr.flush());
}

/// Returns `true` if a line on stderr can be rewritten: a terminal with escape sequences.
pub(crate) fn can_wipe() -> bool {
    is_watched() && anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

/// Returns `true` if a person sees what is written to stderr.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}
