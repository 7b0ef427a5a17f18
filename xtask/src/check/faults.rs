//! The fault table and the tests point to each other: every row has a test, every test named after
//! a row has one. What a test does is not looked at.

use std::collections::BTreeMap;
use std::fmt;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use super::finding::{Finding, Parsed};
use crate::workspace::{FAULTS, SourceFile};

/// The words that end a row which no test can prove; the reason follows.
const NO_TEST: &str = "no test:";

/// What a number in the fault table names, and how a test begins that proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// `row_24_…`
    Row(u32),
    /// `table_5_6_…`
    Table(u32, u32),
    /// `state_s3b_…`
    State(u32, Option<char>),
    /// `point_5_7_4_…`
    Point(u32, u32, u32),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(row) => write!(f, "row {row}"),
            Self::Table(section, table) => write!(f, "table {section}.{table}"),
            Self::State(state, Some(part)) => write!(f, "state S{state}{part}"),
            Self::State(state, None) => write!(f, "state S{state}"),
            Self::Point(chapter, section, point) => write!(f, "point {chapter}.{section}.{point}"),
        }
    }
}

/// A number of the page: its line, and `true` if it states why it has no test.
struct Entry {
    line: usize,
    is_exempt: bool,
}

pub(super) fn check(files: &[Parsed<'_>], page: Option<&SourceFile>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let entries = entries(page.map_or("", |page| &page.text), &mut findings);
    let mut proven = BTreeMap::new();
    for parsed in files {
        tests(&parsed.tokens, &mut |test| {
            let name = test.to_string();
            for place in places(&name) {
                if !entries.contains_key(&place) {
                    findings.push(parsed.finding(
                        test.span().start().line,
                        format!("the test `{name}` names {place}, which {FAULTS} does not have"),
                        "correct the number, or write the row",
                    ));
                }
                proven.entry(place).or_insert_with(|| name.clone());
            }
        });
    }
    let mut entries: Vec<_> = entries.into_iter().collect();
    entries.sort_by_key(|(_, entry)| entry.line);
    for (place, entry) in entries {
        match proven.get(&place) {
            None if !entry.is_exempt => findings.push(on_page(
                entry.line,
                format!("no test names {place}"),
                "name a test after it, or end the row with \"No test:\" and the reason",
            )),
            Some(test) if entry.is_exempt => findings.push(on_page(
                entry.line,
                format!("{place} says that it has no test, and `{test}` is one"),
                "take \"No test:\" out, or name the test otherwise",
            )),
            _ => {}
        }
    }
    findings
}

fn on_page(line: usize, what: String, remedy: &'static str) -> Finding {
    Finding {
        path: FAULTS.to_owned(),
        line,
        what,
        remedy,
    }
}

/// Returns the numbers of the page: the first cell of a table's row, or a heading of a table.
fn entries(page: &str, findings: &mut Vec<Finding>) -> BTreeMap<Place, Entry> {
    let mut entries = BTreeMap::new();
    for (index, text) in page.lines().enumerate() {
        let line = index + 1;
        let Some(place) = heading(text).or_else(|| first_cell(text).and_then(place_of_cell)) else {
            continue;
        };
        let reason = reason(text);
        if reason.is_some_and(str::is_empty) {
            findings.push(on_page(
                line,
                format!("{place} does not say why it has no test"),
                "write the reason after \"No test:\"",
            ));
        }
        let is_exempt = reason.is_some();
        if entries.insert(place, Entry { line, is_exempt }).is_some() {
            findings.push(on_page(
                line,
                format!("{place} is there twice"),
                "give one of them a number of its own",
            ));
        }
    }
    entries
}

/// Reads `### Table 5.6: …`.
fn heading(line: &str) -> Option<Place> {
    let title = line.trim_start_matches('#');
    let name = title.strip_prefix(" Table ")?.split(':').next()?;
    let (section, table) = name.split_once('.')?;
    Some(Place::Table(section.parse().ok()?, table.parse().ok()?))
}

fn first_cell(line: &str) -> Option<&str> {
    line.strip_prefix('|')?.split('|').next().map(str::trim)
}

/// Reads `24`, `S3b` or `5.7.4`.
fn place_of_cell(cell: &str) -> Option<Place> {
    if let Some(state) = cell.strip_prefix('S') {
        return state_of(state);
    }
    if let Ok(row) = cell.parse() {
        return Some(Place::Row(row));
    }
    let mut numbers = cell.split('.').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(Place::Point(next()?, next()?, next()?))
}

/// Reads `3` or `3b`.
fn state_of(text: &str) -> Option<Place> {
    let digits = text.trim_end_matches(|last: char| last.is_ascii_lowercase());
    let mut part = text.strip_prefix(digits)?.chars();
    let state = Place::State(digits.parse().ok()?, part.next());
    part.next().is_none().then_some(state)
}

/// Returns the reason that a row states for having no test.
fn reason(row: &str) -> Option<&str> {
    let begin = row.to_ascii_lowercase().find(NO_TEST)?;
    let reason = row.get(begin + NO_TEST.len()..)?;
    Some(reason.trim_matches(|mark: char| mark == '|' || mark.is_whitespace()))
}

/// Returns the places that a test's name begins with, as in `row_40_state_s3b_…`.
fn places(name: &str) -> Vec<Place> {
    let mut words = name.split('_').peekable();
    let mut places = Vec::new();
    while let Some(kind) = words.next() {
        let mut number = || {
            words
                .next_if(|word| word.parse::<u32>().is_ok())?
                .parse()
                .ok()
        };
        let place = match kind {
            "row" => number().map(Place::Row),
            "table" => number().zip(number()).map(|(a, b)| Place::Table(a, b)),
            "point" => number()
                .zip(number())
                .zip(number())
                .map(|((a, b), c)| Place::Point(a, b, c)),
            "state" => words
                .next()
                .and_then(|state| state_of(state.strip_prefix('s')?)),
            _ => None,
        };
        match place {
            Some(place) => places.push(place),
            None => break,
        }
    }
    places
}

/// Calls back with the name of every function that has a `#[test]` of any kind, inside macros as
/// well.
fn tests(tokens: &TokenStream, found: &mut impl FnMut(&Ident)) {
    let mut tokens = tokens.clone().into_iter().peekable();
    let mut is_test = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                if group.delimiter() == Delimiter::Brace {
                    is_test = false;
                }
                tests(&group.stream(), found);
            }
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if let Some(TokenTree::Group(attribute)) = tokens.peek() {
                    is_test |= is_test_attribute(&attribute.stream());
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => is_test = false,
            TokenTree::Ident(ident) if is_test && ident == "fn" => {
                if let Some(TokenTree::Ident(name)) = tokens.peek() {
                    found(name);
                }
            }
            _ => {}
        }
    }
}

/// Returns `true` for `test` and `tokio::test(…)`, and not for `cfg(test)`.
fn is_test_attribute(content: &TokenStream) -> bool {
    let path = content.clone().into_iter().take_while(|token| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    });
    path.last()
        .is_some_and(|last| matches!(last, TokenTree::Ident(name) if name == "test"))
}

#[cfg(test)]
mod tests {
    use super::super::finding::tree;
    use super::super::rules;
    use super::*;

    const HEAD: &str = "# Faults\n\n| # | Fault |\n|---|---|\n";

    /// The findings for a page with these rows and a file with these tests.
    fn found(rows: &str, tests: &str) -> Vec<String> {
        let page = format!("{HEAD}{rows}");
        let tests = format!("//! A.\n{tests}");
        let findings = rules(&tree(&[(FAULTS, &page), ("src/a.rs", &tests)]));
        findings
            .into_iter()
            .map(|found| format!("{}:{} {}", found.path, found.line, found.what))
            .collect()
    }

    #[test]
    fn rows_and_tests_that_name_each_other_pass() {
        let rows = "| 2 | a |\n| 24 | b |\n\n### Table 5.6: c\n\n| S3 | d |\n| S3b | e |\n| 5.7.10 | f |\n";
        let tests = "#[test]\nfn row_02_a() {}\n#[tokio::test(start_paused = true)]\n\
                     async fn row_24_b() {}\n#[test]\nfn table_5_6_c() {}\n\
                     #[test]\nfn state_s3_state_s3b_d() {}\n\
                     proptest! { #[test] fn point_5_7_10_f(a in 0..1) {} }\n";
        assert_eq!(found(rows, tests), [""; 0]);
    }

    #[test]
    fn a_row_without_a_test_is_found_at_its_line() {
        assert_eq!(
            found(
                "| 1 | a |\n| S0 | b |\n| 5.7.1 | c |\n\n## Table 5.2: d\n",
                ""
            ),
            [
                "docs/faults.md:5 no test names row 1",
                "docs/faults.md:6 no test names state S0",
                "docs/faults.md:7 no test names point 5.7.1",
                "docs/faults.md:9 no test names table 5.2",
            ]
        );
    }

    #[test]
    fn a_test_without_a_row_is_found_at_its_line() {
        let tests = "#[test]\nfn row_1_row_2_a() {}\n#[test]\nfn state_s3c_b() {}\n";
        assert_eq!(
            found("| 1 | a |\n", tests),
            [
                "src/a.rs:3 the test `row_1_row_2_a` names row 2, which docs/faults.md does not \
                 have",
                "src/a.rs:5 the test `state_s3c_b` names state S3c, which docs/faults.md does not \
                 have",
            ]
        );
    }

    #[test]
    fn without_the_page_every_test_that_names_a_row_is_found() {
        let text = "//! A.\n#[test]\nfn row_1_a() {}\n";
        assert_eq!(rules(&tree(&[("src/a.rs", text)])).len(), 1);
    }

    #[test]
    fn only_a_test_proves_a_row() {
        let tests = "fn row_1_a() {}\n#[cfg(test)]\nfn row_1_b() {}\n\
                     #[test]\nfn c() {}\nfn row_1_d() {}\n/// row_1_e\n#[test]\nfn rows_1_to_9() {}\n";
        assert_eq!(
            found("| 1 | a |\n", tests),
            ["docs/faults.md:5 no test names row 1"]
        );
    }

    #[test]
    fn a_row_may_say_why_it_has_no_test_as_long_as_that_is_so() {
        let no_test = "| 1 | a. No test: it takes a year. |\n";
        assert_eq!(found(no_test, ""), [""; 0]);
        assert_eq!(
            found(no_test, "#[test]\nfn row_1_a() {}\n"),
            ["docs/faults.md:5 row 1 says that it has no test, and `row_1_a` is one"]
        );
        assert_eq!(
            found("| 1 | a. No test: |\n", ""),
            ["docs/faults.md:5 row 1 does not say why it has no test"]
        );
    }

    #[test]
    fn a_number_is_there_once() {
        let tests = "#[test]\nfn row_1_a() {}\n";
        assert_eq!(
            found("| 1 | a |\n| 1 | b |\n", tests),
            ["docs/faults.md:6 row 1 is there twice"]
        );
    }
}
