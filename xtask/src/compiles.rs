//! Compiles what the pipeline accepts, with every feature: each document becomes a copy of the
//! generated crate, and one run of cargo checks them all.
//!
//! Cargo builds in a folder of its own, so that a second run has nothing to do but the copies.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::canonical;
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

/// Compiles the accepted ones of the given documents, or those of the lists if none is given.
/// Returns `true` if all of them compile.
///
/// # Errors
///
/// A file can't be read or written, or cargo can't be started.
pub(crate) fn run(root: &Path, files: &[String], output: &mut impl Write) -> io::Result<bool> {
    let documents = if files.is_empty() {
        listed(root)?
    } else {
        let bring = |file: &String| Ok((file.clone(), parsed(Path::new(file))?));
        files.iter().map(bring).collect::<io::Result<_>>()?
    };
    let folder = root.join(FOLDER);
    let _ = fs::remove_dir_all(folder.join("members"));
    let mut members = Vec::new();
    for (name, document) in documents {
        match accepted(root, document)? {
            Ok(files) => {
                let member = format!("accepted-{}", members.len());
                copy(root, &folder.join("members").join(&member), &member, &files)?;
                writeln!(output, "{member}: {name}")?;
                members.push(member);
            }
            Err(refusal) => writeln!(output, "refused: {name}\n    {refusal}")?,
        }
    }
    manifest(root, &folder)?;
    let mut check = cargo(&folder, CHECK);
    let passed = check.status()?.success();
    let (style, what) = if passed {
        (GOOD, "compile")
    } else {
        (BAD, "don't compile")
    };
    writeln!(
        output,
        "{style}{} accepted documents {what}{style:#}",
        members.len()
    )?;
    Ok(passed)
}

/// Reads the documents of the lists.
fn listed(root: &Path) -> io::Result<Vec<(String, Value)>> {
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
    Ok(documents)
}

fn parsed(path: &Path) -> io::Result<Value> {
    serde_json::from_str(&read(path)?).map_err(io::Error::other)
}

/// Returns the files of an accepted document: the golden copy and the contract.
fn accepted(
    root: &Path,
    document: Value,
) -> io::Result<Result<Vec<(&'static str, String)>, Refusal>> {
    let overlay = read(&root.join(OVERLAY))?;
    let contract = parsed(&root.join(CONTRACT))?;
    let homes = homes(&contract);
    let made = prepare_value(document, &overlay, Goal::Contract(&homes)).and_then(|prepared| {
        let mut files = Vec::from(generate(&prepared.document)?.into_files());
        files.push((CONTRACT, canonical::to_string(&prepared.document)));
        Ok(files)
    });
    Ok(made)
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
        write(
            to.join("src").join(path.file_name().unwrap_or_default()),
            &text,
        )?;
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
