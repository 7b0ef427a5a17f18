//! The commands `regenerate` and `diff`: they carry out a plan, or show what was found.

use std::io::{self, Read, Write};
use std::path::Path;

use super::compare::Verdict;
use super::difference::difference;
use super::plan::{Outcome, Plan, plan};
use super::refusal::Failure;
use super::{report, source, write};
use crate::workspace::CONTRACT;
use crate::{golden, workspace};

/// Options of [`regenerate`].
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A file, an address, or `-`.
    pub from: String,
    /// What happens to the files.
    pub mode: Mode,
    /// Write a contract that breaks clients.
    pub allow_breaking: bool,
    /// The output format.
    pub format: Format,
}

/// What happens to the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They are written.
    #[default]
    Write,
    /// Nothing is written; the outcome is reported.
    Check,
    /// Nothing is written; the difference is shown.
    DryRun,
}

/// The output format of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Regenerates the contract and the golden copy from a document.
///
/// # Errors
///
/// The document is refused, or a file can't be read or written. The tree is then unchanged.
pub fn regenerate(
    root: &Path,
    options: &Options,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> Result<Outcome, Failure> {
    // Taken first: another run must not change what this one compares with.
    let lock = match options.mode {
        Mode::Write => Some(write::lock(root)?),
        Mode::Check | Mode::DryRun => None,
    };
    let ended = carry_out(root, options, input, output);
    drop(lock);
    tell_refusal(&ended, options.format, output)?;
    ended
}

/// Rewrites the golden copy from the contract of the workspace, and lists the files that changed.
///
/// # Errors
///
/// The contract can't be read, the generator can't take it, or a file can't be written.
pub fn rewrite_golden(root: &Path) -> Result<Vec<&'static str>, Failure> {
    let _lock = write::lock(root)?;
    let contract = workspace::read(&root.join(CONTRACT))?;
    let generated = golden::generate(&contract).map_err(io::Error::other)?;
    Ok(write::replace_all(root, &generated.into_files())?)
}

fn carry_out(
    root: &Path,
    options: &Options,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> Result<Outcome, Failure> {
    let is_text = options.format == Format::Text;
    if is_text && source::is_address(&options.from) {
        report::stage(output, "fetch", &options.from)?;
        output.flush()?;
    }
    let bytes = source::bring(&options.from, input)?;
    let plan = plan(root, &bytes)?;
    if is_text {
        report::plan(output, bytes.len(), &plan)?;
        if options.mode == Mode::DryRun {
            let mut files: Vec<_> = plan.files.iter().collect();
            files.sort_unstable();
            for (path, text) in files {
                if plan.stale.contains(path) {
                    let before = workspace::read(&root.join(path)).unwrap_or_default();
                    report::difference(output, path, &before, text)?;
                }
            }
        }
    }
    let withheld = plan.outcome == Outcome::Breaking && !options.allow_breaking;
    let written = match options.mode {
        Mode::Write if !withheld => write::replace_all(root, &plan.files)?,
        _ => Vec::new(),
    };
    if is_text {
        conclude(options.mode, withheld, &plan, &written, output)?;
    } else {
        report::json::write(output, &report::json::plan(&plan, &written))?;
    }
    if withheld && options.mode != Mode::Check {
        return Err(Failure::Withheld);
    }
    Ok(plan.outcome)
}

/// Prints what was done with the files, and what remains to be done.
fn conclude(
    mode: Mode,
    withheld: bool,
    plan: &Plan,
    written: &[&str],
    output: &mut dyn Write,
) -> io::Result<()> {
    if plan.stale.is_empty() {
        return report::stage(output, "write", "nothing: every file is as it should be");
    }
    match mode {
        Mode::Check => {
            let message = format!("{} would change", plan.stale.join(", "));
            report::stage(output, "check", &message)
        }
        Mode::DryRun => report::stage(output, "write", "nothing: this was a dry run"),
        Mode::Write if withheld => Ok(()),
        Mode::Write => {
            report::stage(output, "write", &written.join(", "))?;
            report::next(output, plan)
        }
    }
}

/// Compares two documents, prints the comparison and returns the verdict.
///
/// # Errors
///
/// A document is refused or can't be read.
pub fn diff(
    root: &Path,
    documents: (&str, &str),
    format: Format,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> Result<Verdict, Failure> {
    let found = difference(root, documents, input);
    tell_refusal(&found, format, output)?;
    let found = found?;
    match format {
        Format::Text => report::diff(output, &found)?,
        Format::Json => report::json::write(output, &report::json::diff(&found))?,
    }
    Ok(found.comparison.verdict)
}

/// Writes a refusal for a program; for people it goes to standard error.
fn tell_refusal<T>(
    result: &Result<T, Failure>,
    format: Format,
    output: &mut dyn Write,
) -> io::Result<()> {
    match (format, result) {
        (Format::Json, Err(Failure::Refused(refusal))) => {
            report::json::write(output, &report::json::refused(refusal))
        }
        _ => Ok(()),
    }
}
