//! The rules of this workspace that no compiler and no linter knows. Each rule is a pure function
//! of a list of files; this module runs them all and reports every failure.

use std::io::{self, Write};
use std::path::Path;

use crate::golden;
use crate::terminal::{BAD, GOOD, HEADING};
use crate::workspace::{
    CONTRACT, FAULTS, GOLDEN_CLIENT, GOLDEN_HTTPMOCK, OVERLAY, SourceFile, read, sources,
};

mod contract;
mod faults;
mod files;
mod layers;
mod redaction;
mod tokens;

/// One broken rule: where, what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, from the root of the workspace.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// A Rust file with its tokens: what the rules look at.
struct Parsed<'a> {
    file: &'a SourceFile,
    tokens: proc_macro2::TokenStream,
}

impl Parsed<'_> {
    fn finding(&self, line: usize, what: String, remedy: &'static str) -> Finding {
        Finding {
            path: self.file.path.clone(),
            line,
            what,
            remedy,
        }
    }
}

/// Checks the workspace, prints every failure, and tells whether there was none.
///
/// # Errors
///
/// A file can't be read, or the output can't be written.
pub fn run(root: &Path, output: &mut impl Write) -> io::Result<bool> {
    let text = read(&root.join(CONTRACT))?;
    let mut findings = contract::check(&text, &read(&root.join(OVERLAY))?);
    let golden = [GOLDEN_CLIENT, GOLDEN_HTTPMOCK];
    for path in golden {
        findings.extend(stale_golden(
            &text,
            path,
            &read(&root.join(path)).unwrap_or_default(),
        ));
    }
    findings.extend(rules(&sources(root)?));
    report(&findings, output)?;
    Ok(findings.is_empty())
}

/// Runs every rule about Rust files and the fault table.
#[must_use]
pub fn rules(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut parsed = Vec::new();
    let (pages, sources): (Vec<_>, Vec<_>) = files.iter().partition(|file| file.path == FAULTS);
    for file in sources.into_iter().filter(|file| !is_generated(&file.path)) {
        match tokens::parse(&file.text) {
            Ok(tokens) => parsed.push(Parsed { file, tokens }),
            Err((line, error)) => findings.push(Finding {
                path: file.path.clone(),
                line,
                what: format!("this is not Rust: {error}"),
                remedy: "make it compile, or name it something else than .rs",
            }),
        }
    }
    findings.extend(files::check(&parsed));
    findings.extend(layers::check(&parsed));
    findings.extend(redaction::check(&parsed));
    findings.extend(faults::check(&parsed, pages.first().copied()));
    findings
}

fn is_generated(path: &str) -> bool {
    path.contains("tests/golden/")
}

fn stale_golden(contract: &str, path: &str, text: &str) -> Option<Finding> {
    let finding = |what| Finding {
        path: path.to_owned(),
        line: 1,
        what,
        remedy: "run `cargo xtask golden` and review the difference",
    };
    match golden::generate(contract) {
        Err(error) => Some(finding(format!("openapi.json makes no client: {error}"))),
        Ok(files) => {
            let (_, made) = files.into_iter().find(|(made, _)| *made == path)?;
            (made != text).then(|| finding("the golden copy is not what openapi.json makes".into()))
        }
    }
}

fn report(findings: &[Finding], output: &mut impl Write) -> io::Result<()> {
    for finding in findings {
        let Finding {
            path,
            line,
            what,
            remedy,
        } = finding;
        writeln!(
            output,
            "{HEADING}{path}:{line}{HEADING:#}: {BAD}{what}{BAD:#}"
        )?;
        writeln!(output, "    {remedy}")?;
    }
    match findings.len() {
        0 => writeln!(output, "{GOOD}check: every rule holds{GOOD:#}"),
        1 => writeln!(output, "{BAD}check: one rule is broken{BAD:#}"),
        many => writeln!(output, "{BAD}check: {many} rules are broken{BAD:#}"),
    }
}

#[cfg(test)]
fn tree(files: &[(&str, &str)]) -> Vec<SourceFile> {
    let file = |(path, text): &(&str, &str)| SourceFile {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    };
    files.iter().map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_keeps_its_own_rules() {
        let mut output = Vec::new();
        let clean = run(&crate::workspace::root(), &mut output).unwrap();
        assert!(clean, "{}", String::from_utf8_lossy(&output));
    }

    #[test]
    fn every_failure_is_reported_with_its_place() {
        let files = tree(&[
            ("src/a.rs", "fn a() {\n    dbg!(1);\n}\n"),
            ("src/b.rs", "//! B.\nfn b( {\n"),
        ]);
        let places: Vec<_> = rules(&files)
            .into_iter()
            .map(|finding| format!("{}:{}", finding.path, finding.line))
            .collect();
        assert_eq!(places, ["src/b.rs:2", "src/a.rs:1", "src/a.rs:2"]);
    }

    #[test]
    fn a_stale_golden_copy_is_found() {
        let contract = include_str!("../tests/data/contract.json");
        let finding = stale_golden(contract, GOLDEN_CLIENT, "//! Old.").unwrap();
        assert_eq!(
            finding.what,
            "the golden copy is not what openapi.json makes"
        );
    }

    #[test]
    fn generated_files_follow_no_rule() {
        let files = tree(&[("tests/golden/client.rs", "fn a() { dbg!(1); }")]);
        assert_eq!(rules(&files), []);
    }
}
