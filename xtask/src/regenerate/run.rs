//! The commands `regenerate` and `diff`: they run the stages, print results and write files. The
//! stages themselves know nothing of files.

use std::io::{self, Read, Write};
use std::path::Path;

use serde_json::Value;

use super::compare::{Comparison, Verdict, compare};
use super::pipeline::{Goal, Prepared, prepare, prepare_value};
use super::read::read;
use super::refusal::{Refusal, Stage};
use super::select::{Home, homes};
use super::validate::SECRETS;
use super::{report, source, write};
use crate::document::parts::{entries, operations_of};
use crate::workspace::{CONTRACT, OVERLAY};
use crate::{canonical, golden, workspace};

/// Options of [`regenerate`].
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A file, an address, or `-`.
    pub from: String,
    /// Write nothing; fail if something would be written.
    pub check: bool,
    /// Write nothing; show the difference.
    pub dry_run: bool,
    /// Write a contract that breaks clients.
    pub allow_breaking: bool,
}

/// The output format of a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Error of a command that could not finish.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum Failure {
    /// A document was refused.
    Refused(#[from] Refusal),
    /// The output can't be written, or a file of the workspace can't be read.
    Io(#[from] io::Error),
}

/// Regenerates the contract from a document, and returns `true` if nothing is wrong.
///
/// # Errors
///
/// The document is refused, or a file can't be read or written. The tree is then unchanged.
pub fn regenerate(
    root: &Path,
    options: &Options,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> Result<bool, Failure> {
    let overlay = workspace::read(&root.join(OVERLAY))?;
    let contract = workspace::read(&root.join(CONTRACT))?;
    let current = current(&contract, &overlay)?;
    let bytes = bring(&options.from, input, output)?;
    let homes = homes(&current.document);
    let mut prepared = prepare(&bytes, &overlay, Goal::Contract(&homes))?;
    let mut comparison = compare(&current.document, &prepared.document);
    keep_servers(&current.document, &mut prepared);
    let text = canonical::to_string(&prepared.document);
    tell(&prepared, &bytes, output)?;
    if text != contract {
        comparison = comparison.with_other_text();
    }
    report::stage(output, "compare", "with the contract of this workspace")?;
    report::comparison(output, &comparison)?;
    let generated = golden::generate(&text).map_err(|error| {
        let message = format!("no client can be made of it: {error}");
        Refusal::new(Stage::Write, "", message)
    })?;
    let [(_, client), _] = &generated;
    let open = golden::open_secrets(client, &SECRETS);
    if !open.is_empty() {
        let open = open.join(", ");
        let message = format!("{open} would be printed by Debug; extend xtask/overlay.json");
        return Err(Refusal::new(Stage::Write, "", message).into());
    }
    for (_, code) in &generated {
        let missing = golden::missing_crates(code);
        let note =
            |name| format!("the generated code needs the crate {name}; add it to Cargo.toml");
        report::notes(output, &missing.into_iter().map(note).collect::<Vec<_>>())?;
    }
    let mut files = vec![(CONTRACT, text)];
    files.extend(generated);
    conclude(root, options, &comparison, &files, output)
}

/// Keeps the servers of the contract if the document names none: the host still exists.
fn keep_servers(current: &Value, prepared: &mut Prepared) {
    if let (Some(servers), Value::Object(document)) =
        (current.get("servers"), &mut prepared.document)
        && !document.contains_key("servers")
    {
        document.insert("servers".to_owned(), servers.clone());
        prepared
            .notes
            .push("the servers of the contract are kept".to_owned());
    }
}

/// Runs the same stages on the contract that is checked in.
fn current(contract: &str, overlay: &str) -> Result<Prepared, Refusal> {
    prepare(contract.as_bytes(), overlay, Goal::Side(&[])).map_err(|mut refusal| {
        for problem in &mut refusal.problems {
            problem.message = format!("in {CONTRACT} as it is now: {}", problem.message);
        }
        refusal
    })
}

fn bring(source: &str, input: &mut dyn Read, output: &mut dyn Write) -> Result<Vec<u8>, Failure> {
    if source::is_address(source) {
        report::stage(output, "fetch", source)?;
        output.flush()?;
    }
    Ok(source::bring(source, input)?)
}

fn tell(prepared: &Prepared, bytes: &[u8], output: &mut dyn Write) -> io::Result<()> {
    let (length, version) = (bytes.len(), &prepared.version);
    report::stage(
        output,
        "read",
        &format!("{length} bytes of OpenAPI {version}"),
    )?;
    let operations = operations_of(&prepared.document).len();
    let components: usize = entries(prepared.document.get("components"))
        .filter_map(|(_, section)| section.as_object())
        .map(|section| section.len())
        .sum();
    let found = format!("{operations} operations, {components} components that they reach");
    report::stage(output, "select", &found)?;
    report::stage(output, "lower", "to OpenAPI 3.0")?;
    report::stage(output, "correct", &format!("with {OVERLAY}"))?;
    report::notes(output, &prepared.notes)?;
    report::stage(output, "validate", "well-formed, and what the client needs")
}

fn conclude(
    root: &Path,
    options: &Options,
    comparison: &Comparison,
    files: &[write::NewFile],
    output: &mut dyn Write,
) -> Result<bool, Failure> {
    let stale = write::stale(root, files);
    if stale.is_empty() {
        report::stage(output, "write", "nothing: every file is as it should be")?;
        return Ok(true);
    }
    if options.dry_run {
        for (path, text) in files.iter().filter(|(path, _)| stale.contains(path)) {
            let before = workspace::read(&root.join(path)).unwrap_or_default();
            report::difference(output, path, &before, text)?;
        }
    }
    if comparison.verdict == Verdict::Breaking && !options.allow_breaking {
        let message = "the change breaks clients; nothing was written. With --allow-breaking it is";
        return Err(Refusal::new(Stage::Compare, "", message).into());
    }
    if options.check {
        let message = format!("{} would change", stale.join(", "));
        report::stage(output, "check", &message)?;
        return Ok(false);
    }
    if options.dry_run {
        report::stage(output, "write", "nothing: this was a dry run")?;
        return Ok(true);
    }
    let written = write::replace_all(root, files)?;
    report::stage(output, "write", &written.join(", "))?;
    report::next(output, comparison)?;
    Ok(true)
}

/// Compares two documents, prints the comparison and returns the verdict.
///
/// # Errors
///
/// A document is refused or can't be read.
pub fn diff(
    root: &Path,
    (old, new): (&str, &str),
    format: Format,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> Result<Verdict, Failure> {
    if old == source::STANDARD_INPUT && new == source::STANDARD_INPUT {
        let message = "only one of the two documents can be standard input";
        return Err(Refusal::new(Stage::Read, "", message).into());
    }
    let overlay = workspace::read(&root.join(OVERLAY))?;
    let read = |name: &str, bytes: &[u8]| read(bytes).map_err(|refusal| named(name, refusal));
    let before = read(old, &source::bring(old, input)?)?;
    let after = read(new, &source::bring(new, input)?)?;
    let (old_homes, new_homes) = (homes(&before), homes(&after));
    let prepare = |name: &str, document, homes: &[Home]| {
        prepare_value(document, &overlay, Goal::Side(homes)).map_err(|refusal| named(name, refusal))
    };
    let before = prepare(old, before, &new_homes)?;
    let after = prepare(new, after, &old_homes)?;
    let mut comparison = compare(&before.document, &after.document);
    if canonical::sorted(&before.document) != canonical::sorted(&after.document) {
        comparison = comparison.with_other_text();
    }
    match format {
        Format::Text => {
            report::comparison(output, &comparison)?;
            let new_notes: Vec<_> = after
                .notes
                .iter()
                .filter(|note| !before.notes.contains(note))
                .cloned()
                .collect();
            report::notes(output, &new_notes)?;
        }
        Format::Json => {
            let value = serde_json::to_value(&comparison).unwrap_or(Value::Null);
            output.write_all(canonical::to_string(&value).as_bytes())?;
        }
    }
    Ok(comparison.verdict)
}

/// Adds to a refusal which of two documents it is about.
fn named(source: &str, mut refusal: Refusal) -> Refusal {
    for problem in &mut refusal.problems {
        problem.message = format!("in {source}: {}", problem.message);
    }
    refusal
}
