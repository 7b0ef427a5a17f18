//! Rules for a single Rust file that clippy does not have: its length, its first line, and
//! leftovers.

use super::finding::{Finding, Parsed};

/// The most lines of a Rust file.
///
/// A module with one job, its tests included, is about 300; past this it is two modules.
const LINE_LIMIT: usize = 450;

/// Texts that no line may contain: a promise is not a change, and an ignored test proves nothing.
///
/// They are concatenated here so that this file does not contain them.
const LEFTOVERS: [&str; 3] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("#[ig", "nore"),
];

const REMEDY: &str = "do it now, or file an issue and remove this line";

pub(super) fn check(files: &[Parsed<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for parsed in files {
        let text = &parsed.file.text;
        let lines = text.lines().count();
        if lines > LINE_LIMIT {
            let what = format!("{lines} lines are more than {LINE_LIMIT}");
            let remedy = "split it into two modules, each with one job";
            findings.push(parsed.finding(LINE_LIMIT + 1, what, remedy));
        }
        if !text.starts_with("//!") {
            let what = "the module does not say what it is for".to_owned();
            let remedy = "open it with a `//!` line: its job, and what is not its job";
            findings.push(parsed.finding(1, what, remedy));
        }
        for (index, line) in text.lines().enumerate() {
            for leftover in LEFTOVERS {
                if line.contains(leftover) {
                    let what = format!("`{leftover}` is left over");
                    findings.push(parsed.finding(index + 1, what, REMEDY));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::finding::tree;
    use super::super::rules;
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        let findings = rules(&tree(&[(path, text)]));
        findings
            .into_iter()
            .map(|finding| (finding.line, finding.what))
            .collect()
    }

    #[test]
    fn a_file_at_the_limit_passes_and_one_line_more_does_not() {
        let text = format!("//! A.\n{}", "\n".repeat(LINE_LIMIT - 1));
        assert_eq!(found("build/a.rs", &text), []);
        let what = "451 lines are more than 450".to_owned();
        assert_eq!(found("build/a.rs", &format!("{text}\n")), [(451, what)]);
    }

    #[test]
    fn a_module_opens_with_its_job() {
        let what = "the module does not say what it is for".to_owned();
        assert_eq!(found("build/a.rs", "// A.\n"), [(1, what)]);
    }

    #[test]
    fn promises_and_ignored_tests_are_found() {
        let [promise, other, ignored] = LEFTOVERS;
        let text = format!(
            "//! A.\n// {promise} later\nconst A: u8 = 0; // {other}\n{ignored}]\nfn a() {{}}\n"
        );
        let lines: Vec<_> = found("build/a.rs", &text)
            .into_iter()
            .map(|(line, _)| line)
            .collect();
        assert_eq!(lines, [2, 3, 4]);
    }
}
