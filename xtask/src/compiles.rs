//! Compiles what the pipeline accepts, with every feature: each document becomes a copy of the
//! generated crate, and one run of cargo checks them all.
//!
//! Cargo builds in a folder of its own, so that a second run has nothing to do but the copies.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::canonical;
use crate::golden::Generated;
use crate::mutations::{self, EMITTERS};
use crate::regenerate::generate::generate;
use crate::regenerate::pipeline::{Goal, prepare_value};
use crate::regenerate::refusal::Refusal;
use crate::regenerate::select::homes;
use crate::terminal::{BAD, GOOD};
use crate::workspace::{CONTRACT, OVERLAY, cargo, read};

/// The document that the entries are patches of.
const UPSTREAM: &str = "xtask/tests/data/fastapi-3.1.0.json";

/// The lists of patches; an entry with `base` has its own old document.
const LISTS: [&str; 2] = [
    "xtask/tests/data/documents.json",
    "xtask/tests/data/evolutions.json",
];

/// The documents of the short form: at least one for each way in which the generator is helped.
/// What is refused instead, as lists and cookies in parameters, needs no compiler.
const SHORT: [&str; 11] = [
    "fields of every kind",
    "schemas with names of Rust",
    "parameters of every kind",
    "two ranges of errors have one body",
    "a default response beside an error with the same body",
    "an error with an example alone",
    "a reply of JSON with a charset",
    "a request that is a form",
    "a request of JSON and text",
    "a shared error beside one without a body",
    "errors whose bodies differ in words alone",
];

/// Where the copies lie, and what cargo makes of them.
const FOLDER: &str = "target/compiles";

/// Checks every copy with every feature.
const CHECK: &str = "check --offline --quiet --workspace --keep-going --features httpmock,schemars";

/// The code that a build script would have put elsewhere: `include!` in `src/lib.rs`.
const INCLUDED: [(&str, &str); 2] = [
    (
        r#"concat!(env!("OUT_DIR"), "/client.rs")"#,
        r#""../tests/golden/client.rs""#,
    ),
    (
        r#"concat!(env!("OUT_DIR"), "/httpmock.rs")"#,
        r#""../tests/golden/httpmock.rs""#,
    ),
];

/// Options of [`run`].
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Options {
    /// Documents to take instead, as JSON
    pub files: Vec<String>,
    /// Take only a few documents, as CI does
    #[arg(long, conflicts_with_all = ["files", "mutations"])]
    pub short: bool,
    /// Take this many documents with random damage instead
    #[arg(long, value_name = "NUMBER", conflicts_with = "files")]
    pub mutations: Option<u32>,
    /// Seed of the damage
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Compiles the clients of the accepted documents. Returns `true` if all of them compile.
///
/// # Errors
///
/// A file can't be read or written, or cargo can't be started.
pub fn run(root: &Path, options: &Options, output: &mut impl Write) -> io::Result<bool> {
    let mut copies = Copies::new(root)?;
    let mut passed = true;
    if let Some(number) = options.mutations {
        for tried in mutations::tried(root, number, options.seed)? {
            if let Some(fault) = &tried.fault {
                passed = false;
                let document = copies.folder.join(format!("{}.json", tried.number));
                fs::write(&document, tried.document.to_string())?;
                writeln!(output, "{BAD}{}{BAD:#}: {fault}", tried.name)?;
                writeln!(output, "    {}", document.display())?;
            }
            copies.take(&tried.name, tried.made, output)?;
        }
    } else {
        let documents = if options.files.is_empty() {
            listed(root, options.short)?
        } else {
            let bring = |file: &String| Ok((file.clone(), parsed(Path::new(file))?));
            options.files.iter().map(bring).collect::<io::Result<_>>()?
        };
        for (name, document) in documents {
            copies.take(&name, made(root, document)?, output)?;
        }
    }
    Ok(copies.compile(output)? && passed)
}

/// The copies of the generated crate, in a workspace of their own.
struct Copies<'a> {
    root: &'a Path,
    folder: PathBuf,
    /// The code of each copy: what two documents have in common is compiled once.
    codes: BTreeSet<String>,
    accepted: u32,
    refused: u32,
}

impl<'a> Copies<'a> {
    fn new(root: &'a Path) -> io::Result<Self> {
        let folder = root.join(FOLDER);
        let _ = fs::remove_dir_all(folder.join("members"));
        fs::create_dir_all(&folder)?;
        Ok(Self {
            root,
            folder,
            codes: BTreeSet::new(),
            accepted: 0,
            refused: 0,
        })
    }

    /// Makes a copy for an accepted document.
    fn take(
        &mut self,
        name: &str,
        made: Result<(Generated, Value), Refusal>,
        output: &mut impl Write,
    ) -> io::Result<()> {
        let (generated, contract) = match made {
            Ok(made) => made,
            Err(refusal) => {
                self.refused += 1;
                return writeln!(output, "refused: {name}\n    {refusal}");
            }
        };
        self.accepted += 1;
        let member = format!("accepted-{}", self.codes.len());
        let mut files = Vec::from(generated.into_files());
        let code: String = files.iter().map(|(_, text)| text.as_str()).collect();
        if !self.codes.insert(code) {
            return writeln!(output, "accepted, with the code of another one: {name}");
        }
        writeln!(output, "{member}: {name}")?;
        files.push((CONTRACT, canonical::to_string(&contract)));
        let to = self.folder.join("members").join(&member);
        copy(self.root, &to, &member, &files)
    }

    /// Runs the compiler, and returns `true` if it has nothing to say.
    fn compile(self, output: &mut impl Write) -> io::Result<bool> {
        manifest(self.root, &self.folder)?;
        let passed = cargo(&self.folder, CHECK).status()?.success();
        let (style, what) = if passed {
            (GOOD, "compile")
        } else {
            (BAD, "don't compile")
        };
        writeln!(
            output,
            "{style}{} accepted documents {what}{style:#} ({} different clients; {} documents were \
             refused)",
            self.accepted,
            self.codes.len(),
            self.refused
        )?;
        Ok(passed)
    }
}

/// Reads the documents of the lists and of the emitters.
fn listed(root: &Path, short: bool) -> io::Result<Vec<(String, Value)>> {
    let upstream = parsed(&root.join(UPSTREAM))?;
    let mut documents = Vec::new();
    for list in LISTS {
        let list = parsed(&root.join(list))?;
        for entry in list.as_array().into_iter().flatten() {
            let mut document = upstream.clone();
            for patch in [entry.get("base"), entry.get("patch")]
                .into_iter()
                .flatten()
            {
                let patch: json_patch::Patch =
                    serde_json::from_value(patch.clone()).map_err(io::Error::other)?;
                json_patch::patch(&mut document, &patch).map_err(io::Error::other)?;
            }
            let name = entry.get("name").and_then(Value::as_str);
            documents.push((name.unwrap_or_default().to_owned(), document));
        }
    }
    if short {
        documents.retain(|(name, _)| SHORT.contains(&name.as_str()));
    } else {
        documents.extend(mutations::documents_of(&root.join(EMITTERS))?);
    }
    Ok(documents)
}

fn parsed(path: &Path) -> io::Result<Value> {
    serde_json::from_str(&read(path)?).map_err(io::Error::other)
}

/// Returns the client of an accepted document, and its contract.
fn made(root: &Path, document: Value) -> io::Result<Result<(Generated, Value), Refusal>> {
    let overlay = read(&root.join(OVERLAY))?;
    let contract = parsed(&root.join(CONTRACT))?;
    let homes = homes(&contract);
    let prepared = prepare_value(document, &overlay, Goal::Contract(&homes));
    Ok(prepared.and_then(|prepared| Ok((generate(&prepared.document)?, prepared.document))))
}

/// Copies the generated crate with other generated code.
fn copy(root: &Path, to: &Path, name: &str, files: &[(&str, String)]) -> io::Result<()> {
    let write = |path: PathBuf, text: &str| {
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(path, text)
    };
    for entry in fs::read_dir(root.join("src"))? {
        let path = entry?.path();
        let mut text = read(&path)?;
        for (included, instead) in INCLUDED {
            text = text.replace(included, instead);
        }
        let name = path.file_name().unwrap_or_default();
        if name == "lib.rs" {
            // A warning would fail the step of CI that runs clippy.
            text.insert_str(0, "#![deny(warnings)]\n");
        }
        write(to.join("src").join(name), &text)?;
    }
    for (path, text) in files {
        write(to.join(path), text)?;
    }
    let manifest = read(&root.join("Cargo.toml"))?;
    let package = manifest
        .split_once("\n[package]")
        .map(|(_, package)| package);
    let package = package.unwrap_or_default();
    let mut kept = String::from("[package]");
    for line in package.lines() {
        let line = match line.split_once(" = ").map(|(key, _)| key) {
            Some("name") => format!("name = \"{name}\""),
            Some("build") => "build = false".to_owned(),
            Some("readme" | "description") => continue,
            Some("default") => "default = []".to_owned(),
            _ => line.to_owned(),
        };
        kept.push_str(&line);
        kept.push('\n');
    }
    write(to.join("Cargo.toml"), &kept)
}

/// Makes a workspace of the copies, with the settings and the locked versions of this one.
fn manifest(root: &Path, folder: &Path) -> io::Result<()> {
    let manifest = read(&root.join("Cargo.toml"))?;
    let settings = manifest
        .split_once("[workspace.package]")
        .map(|(_, settings)| settings);
    let settings = settings.and_then(|settings| settings.split_once("\n[package]"));
    let settings = settings.map_or("", |(settings, _)| settings);
    let members = "[workspace]\nresolver = \"3\"\nmembers = [\"members/*\"]\n\n[workspace.package]";
    fs::write(folder.join("Cargo.toml"), format!("{members}{settings}"))?;
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_of_the_short_form_is_listed() {
        let documents = listed(&crate::workspace::root(), true).unwrap();
        assert_eq!(documents.len(), SHORT.len());
    }
}
