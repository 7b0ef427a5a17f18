//! Output of the commands: changes in words, the difference of texts, and what to do next. It
//! decides nothing.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::Style;
use similar::{ChangeTag, TextDiff};

use super::compare::{Change, Class, Comparison, Verdict};
use super::difference::Difference;
use super::plan::{Outcome, Plan};
use super::semver::surface::{self, Happened};
use super::semver::{BEFORE_1_0, Release, Semver, Step};
use crate::terminal::{BAD, GOOD, HEADING, NOTE};
use crate::workspace::OVERLAY;

pub mod json;

/// How many items of the public surface are shown that decide on a step: enough to see why.
const SHOWN: usize = 5;

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

/// Prints the stages of a plan, and what it means.
///
/// # Errors
///
/// The output can't be written.
pub fn plan(output: &mut dyn Write, bytes: usize, plan: &Plan) -> io::Result<()> {
    let version = &plan.version;
    stage(
        output,
        "read",
        &format!("{bytes} bytes of OpenAPI {version}"),
    )?;
    let (operations, components) = (plan.operations, plan.components);
    let found = format!("{operations} operations, {components} components that they reach");
    stage(output, "select", &found)?;
    stage(output, "lower", "to OpenAPI 3.0")?;
    stage(output, "correct", &format!("with {OVERLAY}"))?;
    notes(output, &plan.notes)?;
    stage(output, "validate", "well-formed, and what the client needs")?;
    stage(output, "generate", "the client and its mocks")?;
    stage(output, "compare", "with the contract of this workspace")?;
    changes(output, &plan.comparison)?;
    verdict(output, &plan.comparison, plan.outcome == Outcome::Wording)?;
    release(output, &plan.release)
}

/// Prints what is between two documents.
///
/// # Errors
///
/// The output can't be written.
pub fn diff(output: &mut dyn Write, difference: &Difference) -> io::Result<()> {
    let comparison = &difference.comparison;
    changes(output, comparison)?;
    verdict(output, comparison, difference.wording)?;
    match &difference.release {
        Ok(found) => release(output, found)?,
        Err(refusal) => {
            writeln!(
                output,
                "{HEADING}semver{HEADING:#}    not known, for no client can be made:"
            )?;
            for line in refusal.to_string().lines() {
                writeln!(output, "          {line}")?;
            }
        }
    }
    notes(output, &difference.notes)
}

fn changes(output: &mut dyn Write, comparison: &Comparison) -> io::Result<()> {
    for change in &comparison.changes {
        let Change { kind, class, .. } = change;
        let (name, style) = match class {
            Class::Compatible => ("compatible", GOOD),
            Class::Breaking => ("breaking", BAD),
        };
        let (place, message) = (place(change), &change.message);
        writeln!(output, "{style}{name:<10}{style:#} {place}: {message}")?;
        writeln!(output, "           {kind} at {}", change.pointer())?;
        for note in &change.notes {
            writeln!(output, "           {note}")?;
        }
    }
    Ok(())
}

/// Returns the operation of a change, and which way its values go.
fn place(change: &Change) -> String {
    let operation = change.operation.as_deref().unwrap_or("all operations");
    match change.direction {
        Some(direction) => format!("{operation} ({direction})"),
        None => operation.to_owned(),
    }
}

/// Prints the verdict; `wording` is of documents whose texts differ.
fn verdict(output: &mut dyn Write, comparison: &Comparison, wording: bool) -> io::Result<()> {
    let (verdict, style) = (comparison.verdict, style(comparison.verdict));
    let (verdict, changes) = match comparison.changes.len() {
        0 if wording => (
            "wording".to_owned(),
            "nothing that a client sees".to_owned(),
        ),
        0 => (verdict.to_string(), "no change".to_owned()),
        1 => (verdict.to_string(), "1 change".to_owned()),
        many => (verdict.to_string(), format!("{many} changes")),
    };
    writeln!(
        output,
        "{HEADING}verdict{HEADING:#}   {style}{verdict}{style:#} ({changes})"
    )
}

fn release(output: &mut dyn Write, release: &Release) -> io::Result<()> {
    let Semver { generated, others } = release.semver;
    writeln!(
        output,
        "{HEADING}semver{HEADING:#}    pollination-auth-api: {generated}, pollination-auth: {others}"
    )?;
    if generated.max(others) > Step::None {
        writeln!(
            output,
            "          the other published crates as pollination-auth;"
        )?;
        writeln!(output, "          {BEFORE_1_0}")?;
    }
    let decides = |difference: &&surface::Difference| match generated {
        Step::Major => difference.change != Happened::Added,
        _ => true,
    };
    let deciding: Vec<_> = release.surface.iter().filter(decides).collect();
    let mut heading = "because";
    for surface::Difference { item, change } in deciding.iter().take(SHOWN) {
        writeln!(
            output,
            "{HEADING}{heading:<9}{HEADING:#} {item} is {change}"
        )?;
        heading = "";
    }
    match deciding.len().checked_sub(SHOWN) {
        None | Some(0) => Ok(()),
        Some(more) => writeln!(output, "          and {more} more; --format json lists all"),
    }
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
pub fn next(output: &mut dyn Write, plan: &Plan) -> io::Result<()> {
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
    for line in changelog(&plan.comparison) {
        writeln!(output, "       {line}")?;
    }
    let Semver { generated, others } = plan.release.semver;
    let greatest = generated.max(others);
    writeln!(
        output,
        "  4. release: a {greatest} step, for the crates share one version"
    )
}
