//! Rules that each Rust file keeps by itself: its length, its first line, and what may not be
//! left in it. What a file may name is a rule of the layers.

use super::{Finding, Parsed, tokens};

/// The most lines of a Rust file.
///
/// A module with one job, its tests included, is about 300; past this it is two modules.
const LINE_LIMIT: usize = 450;

/// The one file with `#[allow]`: it includes what `build.rs` generates, whose lints differ.
const ALLOWED_TO_ALLOW: &str = "src/lib.rs";

/// Words of a comment that promise a change instead of making it.
const PROMISES: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

pub(super) fn check(files: &[Parsed<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for parsed in files {
        length(parsed, &mut findings);
        first_line(parsed, &mut findings);
        leftovers(parsed, &mut findings);
        forbidden_attributes(parsed, &mut findings);
    }
    findings
}

fn length(parsed: &Parsed<'_>, findings: &mut Vec<Finding>) {
    let lines = parsed.file.text.lines().count();
    if lines > LINE_LIMIT {
        findings.push(parsed.finding(
            LINE_LIMIT + 1,
            format!("{lines} lines are more than {LINE_LIMIT}"),
            "make two modules of it, each with one job",
        ));
    }
}

fn first_line(parsed: &Parsed<'_>, findings: &mut Vec<Finding>) {
    if !parsed.file.text.starts_with("//!") {
        findings.push(parsed.finding(
            1,
            "the module does not say what it is for".to_owned(),
            "open it with a `//!` line: its job, and what is not its job",
        ));
    }
}

fn leftovers(parsed: &Parsed<'_>, findings: &mut Vec<Finding>) {
    for (index, line) in tokens::comments(&parsed.file.text, &parsed.tokens)
        .iter()
        .enumerate()
    {
        for promise in PROMISES {
            if line.contains(promise) {
                findings.push(parsed.finding(
                    index + 1,
                    format!("a comment says {promise}"),
                    "do it now, or file an issue and take the comment out",
                ));
            }
        }
    }
    tokens::macros(&parsed.tokens, &mut |name, line| {
        if name == "dbg" {
            let what = "dbg! prints to every user".to_owned();
            findings.push(parsed.finding(line, what, "take it out"));
        }
    });
}

fn forbidden_attributes(parsed: &Parsed<'_>, findings: &mut Vec<Finding>) {
    tokens::attributes(&parsed.tokens, &mut |content, line| {
        let mut names = Vec::new();
        tokens::identifiers(content, &mut |ident| names.push(ident.to_string()));
        let first = names.first().map(String::as_str);
        let says = |name: &str| {
            first == Some(name) || (first == Some("cfg_attr") && names.iter().any(|n| n == name))
        };
        if says("ignore") {
            findings.push(parsed.finding(
                line,
                "an ignored test proves nothing".to_owned(),
                "repair it or take it out",
            ));
        }
        if says("allow") && parsed.file.path != ALLOWED_TO_ALLOW {
            findings.push(parsed.finding(
                line,
                "#[allow] stays when its reason has gone".to_owned(),
                "use #[expect(lint, reason = \"…\")], or follow the lint",
            ));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::{rules, tree};
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
        assert_eq!(found("src/a.rs", &text), []);
        let what = "451 lines are more than 450".to_owned();
        assert_eq!(found("src/a.rs", &format!("{text}\n")), [(451, what)]);
    }

    #[test]
    fn a_module_opens_with_its_job() {
        let what = "the module does not say what it is for".to_owned();
        assert_eq!(found("build/a.rs", "// A.\n"), [(1, what)]);
    }

    #[test]
    fn promises_are_found_in_comments_and_not_in_strings() {
        let text = "//! A.\nconst A: &str = \"TODO\"; // TODO later\n/// FIXME\nconst B: u8 = 0;\n";
        let expected = [
            (2, "a comment says TODO".into()),
            (3, "a comment says FIXME".into()),
        ];
        assert_eq!(found("src/a.rs", text), expected);
    }

    #[test]
    fn dbg_is_found_and_a_doc_that_names_it_is_not() {
        let text = "//! No dbg!() here.\nfn a() {\n    dbg!(\"dbg!\");\n}\n";
        assert_eq!(
            found("src/a.rs", text),
            [(3, "dbg! prints to every user".into())]
        );
    }

    #[test]
    fn ignored_tests_are_found_in_every_form() {
        let text = "//! A.\n#[ignore]\nfn a() {}\n#[cfg_attr(b, ignore = \"c\")]\nfn d() {}\n";
        let what = || "an ignored test proves nothing".to_owned();
        assert_eq!(found("src/a.rs", text), [(2, what()), (4, what())]);
    }

    #[test]
    fn allow_is_for_the_include_only() {
        let text = "//! A.\n#![allow(a)]\n#[expect(b, reason = \"allow\")]\nfn c() {}\n";
        let what = "#[allow] stays when its reason has gone".to_owned();
        assert_eq!(found("src/a.rs", text), [(2, what)]);
        assert_eq!(found(ALLOWED_TO_ALLOW, text), []);
    }
}
