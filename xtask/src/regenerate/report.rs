//! Output of the commands: changes in words, the difference of texts, and what to do next. It
//! decides nothing.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::Style;
use similar::{ChangeTag, TextDiff};

use super::compare::{Change, Class, Comparison, Semver, Verdict};
use crate::terminal::{BAD, GOOD, HEADING, NOTE};

/// Lines around a difference, as `diff -u` has them.
const CONTEXT: usize = 3;

/// The style of a verdict.
fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Identical | Verdict::Compatible => GOOD,
        Verdict::Breaking => BAD,
    }
}

/// Prints a stage that succeeded, and its result.
///
/// # Errors
///
/// The output can't be written.
pub fn stage(output: &mut dyn Write, name: &str, result: &str) -> io::Result<()> {
    writeln!(output, "{HEADING}{name:<9}{HEADING:#} {result}")
}

/// Prints notes.
///
/// # Errors
///
/// The output can't be written.
pub fn notes(output: &mut dyn Write, notes: &[String]) -> io::Result<()> {
    for note in notes {
        writeln!(output, "{:<9} {NOTE}note{NOTE:#}: {note}", "")?;
    }
    Ok(())
}

/// Prints every change, and the verdict.
///
/// # Errors
///
/// The output can't be written.
pub fn comparison(output: &mut dyn Write, comparison: &Comparison) -> io::Result<()> {
    for change in &comparison.changes {
        let Change {
            operation,
            kind,
            class,
            message,
            ..
        } = change;
        let (name, style) = match class {
            Class::Compatible => ("compatible", GOOD),
            Class::Breaking => ("breaking", BAD),
        };
        let operation = operation.as_deref().unwrap_or("all operations");
        writeln!(output, "{style}{name:<10}{style:#} {operation}: {message}")?;
        writeln!(output, "           {kind} at {}", change.pointer())?;
    }
    let (verdict, style) = (comparison.verdict, style(comparison.verdict));
    let changes = match comparison.changes.len() {
        0 => "no change".to_owned(),
        1 => "1 change".to_owned(),
        many => format!("{many} changes"),
    };
    writeln!(
        output,
        "{HEADING}verdict{HEADING:#}   {style}{verdict}{style:#} ({changes})"
    )?;
    let Semver { api, auth } = comparison.semver;
    writeln!(
        output,
        "{HEADING}semver{HEADING:#}    pollination-auth-api: {api}, pollination-auth: {auth}"
    )
}

/// Prints the difference of two texts as `diff -u` does.
///
/// # Errors
///
/// The output can't be written.
pub fn difference(output: &mut dyn Write, path: &str, old: &str, new: &str) -> io::Result<()> {
    let diff = TextDiff::from_lines(old, new);
    writeln!(output, "{HEADING}--- a/{path}\n+++ b/{path}{HEADING:#}")?;
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        writeln!(output, "{}", hunk.header())?;
        for change in hunk.iter_changes() {
            let (sign, style) = match change.tag() {
                ChangeTag::Equal => (' ', Style::new()),
                ChangeTag::Delete => ('-', BAD),
                ChangeTag::Insert => ('+', GOOD),
            };
            let line = change.to_string_lossy();
            writeln!(
                output,
                "{style}{sign}{}{style:#}",
                line.trim_end_matches('\n')
            )?;
        }
    }
    Ok(())
}

/// Returns the lines for the changelog: each change once, with the operations it affects.
#[must_use]
pub fn changelog(comparison: &Comparison) -> Vec<String> {
    let mut operations: BTreeMap<(Class, &str), Vec<&str>> = BTreeMap::new();
    for change in &comparison.changes {
        let names = operations
            .entry((change.class, &change.message))
            .or_default();
        let name = change.operation.as_deref().unwrap_or("all operations");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if operations.is_empty() {
        return vec!["- The documentation of the generated client follows upstream.".to_owned()];
    }
    // Breaking changes first.
    let lines = operations
        .into_iter()
        .rev()
        .map(|((class, message), names)| {
            let breaking = if class == Class::Breaking {
                "**Breaking:** "
            } else {
                ""
            };
            format!(
                "- {breaking}Follow upstream in {}: {message}.",
                names.join(", ")
            )
        });
    lines.collect()
}

/// Prints the remaining steps.
///
/// # Errors
///
/// The output can't be written.
pub fn next(output: &mut dyn Write, comparison: &Comparison) -> io::Result<()> {
    writeln!(output, "\n{HEADING}next{HEADING:#}")?;
    writeln!(
        output,
        "  1. review the difference of openapi.json and tests/golden"
    )?;
    writeln!(
        output,
        "  2. run `cargo xtask ci`; where a handwritten crate no longer fits, change it"
    )?;
    writeln!(output, "  3. put into CHANGELOG.md:")?;
    for line in changelog(comparison) {
        writeln!(output, "       {line}")?;
    }
    let Semver { api, auth } = comparison.semver;
    writeln!(
        output,
        "  4. release: pollination-auth-api {api}, pollination-auth {auth}"
    )
}
