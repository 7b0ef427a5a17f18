//! The rules of this workspace that neither the compiler nor clippy checks. Each rule is a pure
//! function of a list of files; this module runs them all and reports every failure.

use std::io::{self, Write};
use std::path::Path;

use crate::regenerate::plan::Outcome;
use crate::regenerate::run::{Mode, Options, regenerate};
use crate::terminal::{BAD, GOOD, HEADING};
use crate::workspace::{CONTRACT, FAULTS, SourceFile, read, sources};

mod arrows;
mod faults;
mod files;
mod finding;
mod hidden;
mod layers;
mod modules;
mod redaction;
mod tokens;

pub use finding::Finding;
use finding::Parsed;

/// Checks the workspace, prints every failure, and returns `true` if there is none.
///
/// # Errors
///
/// A file can't be read, or the output can't be written.
pub fn run(root: &Path, output: &mut impl Write) -> io::Result<bool> {
    let mut findings = Vec::from_iter(contract(root));
    findings.extend(layers::shown(&read(&root.join(layers::SHOWN))?));
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
        match Parsed::read(file) {
            Ok(file) => parsed.push(file),
            Err(error) => findings.push(Finding {
                path: file.path.clone(),
                line: error.span().start().line,
                what: format!("this is not Rust: {error}"),
                remedy: "make it compile, or rename it to something other than .rs",
            }),
        }
    }
    findings.extend(files::check(&parsed));
    findings.extend(arrows::check(&parsed));
    findings.extend(hidden::check(&parsed));
    findings.extend(redaction::check(&parsed));
    findings.extend(faults::check(&parsed, pages.first().copied()));
    findings
}

fn is_generated(path: &str) -> bool {
    path.contains("tests/golden/")
}

/// Checks that regenerating the contract from itself changes neither it nor the golden copy.
fn contract(root: &Path) -> Option<Finding> {
    let options = Options {
        from: root.join(CONTRACT).display().to_string(),
        mode: Mode::Check,
        ..Options::default()
    };
    let mut told = Vec::new();
    let what = match regenerate(root, &options, &mut io::empty(), &mut told) {
        Ok(Outcome::Nothing) => return None,
        Ok(_) => String::from_utf8_lossy(&told).lines().last()?.to_owned(),
        Err(failure) => failure.to_string(),
    };
    Some(Finding {
        path: CONTRACT.to_owned(),
        line: 1,
        what: format!("regenerating it from itself changes something: {what}"),
        remedy: "don't edit it by hand: run `cargo xtask regenerate --from …`, or `cargo xtask \
                 golden` if only the copy is stale",
    })
}

fn report(findings: &[Finding], output: &mut impl Write) -> io::Result<()> {
    for finding in findings {
        let place = format!("{}:{}", finding.path, finding.line);
        let Finding { what, remedy, .. } = finding;
        writeln!(output, "{HEADING}{place}{HEADING:#}: {BAD}{what}{BAD:#}")?;
        writeln!(output, "    {remedy}")?;
    }
    match findings.len() {
        0 => writeln!(output, "{GOOD}check: every rule holds{GOOD:#}"),
        1 => writeln!(output, "{BAD}check: one rule is broken{BAD:#}"),
        many => writeln!(output, "{BAD}check: {many} rules are broken{BAD:#}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::finding::tree;
    use super::*;
    use crate::workspace::{GOLDEN_CLIENT, GOLDEN_HTTPMOCK, OVERLAY};

    #[test]
    fn this_workspace_keeps_its_own_rules() {
        let mut output = Vec::new();
        let clean = run(&crate::workspace::root(), &mut output).unwrap();
        assert!(clean, "{}", String::from_utf8_lossy(&output));
    }

    #[test]
    fn every_failure_is_reported_with_its_place() {
        let files = tree(&[
            ("build/a.rs", "fn a() {}\n"),
            ("build/b.rs", "//! B.\nfn b( {\n"),
        ]);
        let places: Vec<_> = rules(&files)
            .into_iter()
            .map(|finding| format!("{}:{}", finding.path, finding.line))
            .collect();
        assert_eq!(places, ["build/b.rs:2", "build/a.rs:1"]);
    }

    #[test]
    fn the_contract_and_its_golden_copy_are_what_they_would_be_made_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let target = folder.path().join(path);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(target, text).unwrap();
        };
        let text = |path: &str| read(&crate::workspace::root().join(path)).unwrap();
        for path in [CONTRACT, OVERLAY, GOLDEN_CLIENT, GOLDEN_HTTPMOCK] {
            write(path, &text(path));
        }
        assert_eq!(contract(folder.path()), None);

        for (path, from, to, told) in [
            // Another form of the same document.
            (CONTRACT, "\n", "\r\n", "openapi.json would change"),
            (
                CONTRACT,
                "    \"schemas\"",
                "\t\"schemas\"",
                "openapi.json would change",
            ),
            // A lost correction.
            (
                CONTRACT,
                "\"format\": \"password\",",
                "",
                "openapi.json would change",
            ),
            (
                CONTRACT,
                "\"password\"",
                "\"byte\"",
                "would replace \"byte\" with \"password\"",
            ),
            (
                CONTRACT,
                "\"schemas\":",
                "\"schemas\"",
                "the JSON is broken",
            ),
            (
                CONTRACT,
                "\"3.0.2\"",
                "\"3.0.3\"",
                "openapi.json would change",
            ),
            (
                CONTRACT,
                "\"login\"",
                "\"sign_in\"",
                "no operation has the operationId `login`",
            ),
            (
                GOLDEN_CLIENT,
                "\n",
                "\n\n",
                "tests/golden/client.rs would change",
            ),
            (
                GOLDEN_HTTPMOCK,
                "\n",
                "\n\n",
                "tests/golden/httpmock.rs would change",
            ),
        ] {
            let before = text(path);
            let after = before.replace(from, to);
            assert_ne!(before, after, "{from}");
            write(path, &after);
            let what = contract(folder.path()).unwrap().what;
            assert!(what.contains(told), "{what}");
            write(path, &before);
        }
    }

    #[test]
    fn generated_files_follow_no_rule() {
        let files = tree(&[("tests/golden/client.rs", "fn a() {}")]);
        assert_eq!(rules(&files), []);
    }
}
