//! What is written: the result on stdout, and everything else on stderr.
//!
//! A reader that has left is not an error, and is told nothing.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde::Serialize;

use crate::error::CliError;
use crate::exit::Exit;
use crate::text::{self, WIDTH};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// How a result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people, and for `$(...)`
    Text,
    /// One line of JSON
    Json,
}

/// An error as JSON has it.
#[derive(Serialize)]
struct ErrorText<'a> {
    error: ErrorFields<'a>,
}

#[derive(Serialize)]
struct ErrorFields<'a> {
    kind: Exit,
    exit_code: u8,
    message: &'a str,
    notes: Vec<String>,
}

/// Writes what a program reads, as it is: its `Display` and a newline, or one line of JSON.
pub(crate) fn answer(
    format: Format,
    answer: &(impl Serialize + fmt::Display),
) -> Result<(), CliError> {
    result(format, answer, None)
}

/// Writes what people read: as [`answer`], but text is wrapped between words on a terminal.
pub(crate) fn report(
    format: Format,
    answer: &(impl Serialize + fmt::Display),
) -> Result<(), CliError> {
    result(format, answer, io::stdout().is_terminal().then(width))
}

fn result(
    format: Format,
    answer: &(impl Serialize + fmt::Display),
    columns: Option<usize>,
) -> Result<(), CliError> {
    let written = match format {
        Format::Text => match columns {
            Some(columns) => text::wrap(&answer.to_string(), columns),
            None => answer.to_string(),
        },
        Format::Json => serde_json::to_string(answer).map_err(|_error| CliError::Json)?,
    };
    let written = zeroize::Zeroizing::new(written);
    let visible = match format {
        Format::Text => text::visible(&written),
        Format::Json => text::visible_json(&written),
    };
    write_to(&mut io::stdout().lock(), format_args!("{visible}\n"))
}

/// Writes a whole document to stdout, such as a manual page.
pub(crate) fn document(bytes: &[u8]) -> Result<(), CliError> {
    let mut stdout = io::stdout().lock();
    heard(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// Writes the help, with color if stdout is a terminal.
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
            doing: "the result can't be written",
            source,
        }),
        _ => Ok(()),
    }
}

/// Writes a note to stderr.
pub(crate) fn note(text: impl fmt::Display) {
    say(format_args!("{text}\n"));
}

/// Writes a warning.
pub(crate) fn warning(text: impl fmt::Display) {
    say(format_args!("{WARNING}warning:{WARNING:#} {text}\n"));
}

/// Writes the error of a command in the format of its result; the host is that of the command line.
pub(crate) fn error(format: Format, error: &CliError, host: &str) {
    let notes = error.notes(host);
    match format {
        Format::Text => {
            say(format_args!("{ERROR}error:{ERROR:#} {error}\n"));
            for note in notes {
                say(format_args!("  {note}\n"));
            }
        }
        Format::Json => error_json(error.exit(), &error.to_string(), notes),
    }
}

/// Writes an error as one line of JSON.
pub(crate) fn error_json(exit: Exit, message: &str, notes: Vec<String>) {
    let fields = ErrorFields {
        kind: exit,
        exit_code: exit as u8,
        message,
        notes,
    };
    // Texts and a number are always JSON.
    if let Ok(json) = serde_json::to_string(&ErrorText { error: fields }) {
        tell(format_args!("{}\n", text::visible_json(&json)));
    }
}

/// Writes to stderr, wrapped between words if that is a terminal.
pub(crate) fn say(text: impl fmt::Display) {
    match columns() {
        Some(columns) => tell(text::wrap(&text.to_string(), columns)),
        None => tell(text),
    }
}

/// Writes to stderr as it is, without a newline; color only on a terminal.
pub(crate) fn tell(text: impl fmt::Display) {
    let text = text.to_string();
    let mut stderr = anstream::AutoStream::auto(io::stderr());
    // There is nobody left to tell about it.
    let _unheard = write!(stderr, "{}", text::visible(&text)).and_then(|()| stderr.flush());
}

/// Returns the width that text on stderr has, if that is a terminal.
fn columns() -> Option<usize> {
    if !is_watched() {
        return None;
    }
    Some(width_of(terminal_size::terminal_size_of(io::stderr())))
}

/// Returns the width that text on stdout has.
fn width() -> usize {
    width_of(terminal_size::terminal_size_of(io::stdout()))
}

/// Returns the width of a terminal, or of one that nobody has resized: some do not know their size.
fn width_of(size: Option<(terminal_size::Width, terminal_size::Height)>) -> usize {
    size.map_or(WIDTH, |(width, _height)| usize::from(width.0).min(WIDTH))
}

/// Returns `true` if a line on stderr can be rewritten: a terminal with escape sequences.
pub(crate) fn can_wipe() -> bool {
    is_watched() && anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

/// Returns `true` if a person sees what is written to stderr.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}
