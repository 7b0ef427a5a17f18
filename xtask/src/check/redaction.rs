//! Checks that every public type of `crates/pollination-auth` is on the list of its redaction test.
//! Public is what `lib.rs` re-exports or a public module contains. The test itself is not checked.

use syn::{Item, ItemEnum, ItemStruct, Visibility};

use super::finding::{Finding, Parsed};
use super::tokens::{self, Import};

/// The root of the library.
const LIBRARY_ROOT: &str = "crates/pollination-auth/src/lib.rs";
/// The folder of the library's modules.
const LIBRARY: &str = "crates/pollination-auth/src/";
/// The tests that plant a secret in every public type: a file of this name, in any folder of these.
const TESTS: &str = "crates/pollination-auth/tests/it/";
const TEST: &str = "redaction.rs";

const REMEDY: &str =
    "add it to a redaction.rs in crates/pollination-auth/tests/it, a secret in each field";
const GLOB_REMEDY: &str = "name each item: this rule and every reader need the list";

pub(super) fn check(files: &[Parsed<'_>]) -> Vec<Finding> {
    let is_test = |path: &str| path.starts_with(TESTS) && path.rsplit('/').next() == Some(TEST);
    let listed = names_after(files, is_test, None);
    let traits = names_after(files, |path| path.starts_with(LIBRARY), Some("trait"));
    let finding = |(parsed, Import { path, name }): (&Parsed<'_>, Import)| {
        let line = path.last()?.span().start().line;
        let Some(name) = name else {
            let what = "a glob re-export hides what is public".to_owned();
            return Some(parsed.finding(line, what, GLOB_REMEDY));
        };
        let original = path.last()?.to_string();
        let is_type = original.starts_with(char::is_uppercase)
            && (original.len() == 1 || original.contains(char::is_lowercase))
            && !traits.contains(&original);
        let what = format!("the public type `{name}` is not in the redaction test");
        let is_missing = is_type && !listed.contains(&name.to_string());
        is_missing.then(|| parsed.finding(line, what, REMEDY))
    };
    let mut public = Vec::new();
    exports_of(files, LIBRARY_ROOT, &mut public);
    public.into_iter().filter_map(finding).collect()
}

/// Lists the names in some files: all of them, or those that follow a word.
fn names_after(
    files: &[Parsed<'_>],
    is_meant: impl Fn(&str) -> bool,
    word: Option<&str>,
) -> Vec<String> {
    let mut names = Vec::new();
    let mut before = String::new();
    for parsed in files.iter().filter(|parsed| is_meant(&parsed.file.path)) {
        tokens::identifiers(&parsed.tokens, &mut |ident| {
            let name = ident.to_string();
            if word.is_none_or(|word| before == word) {
                names.push(name.clone());
            }
            before = name;
        });
    }
    names
}

/// What a user of the library can name, with the file that exports it.
type Exports<'a> = Vec<(&'a Parsed<'a>, Import)>;

/// Lists what a file exports, if there is one of this path.
fn exports_of<'a>(files: &'a [Parsed<'a>], path: &str, found: &mut Exports<'a>) {
    if let Some(parsed) = files.iter().find(|parsed| parsed.file.path == path) {
        exports(files, parsed, &parsed.items, found);
    }
}

fn exports<'a>(
    files: &'a [Parsed<'a>],
    parsed: &'a Parsed<'a>,
    items: &[Item],
    found: &mut Exports<'a>,
) {
    for item in items {
        match item {
            Item::Use(item) if is_public(&item.vis) => {
                let mut imports = Vec::new();
                tokens::imports(&item.tree, &[], &mut imports);
                found.extend(imports.into_iter().map(|import| (parsed, import)));
            }
            Item::Struct(ItemStruct { vis, ident, .. })
            | Item::Enum(ItemEnum { vis, ident, .. })
                if is_public(vis) =>
            {
                let (path, name) = (vec![ident.clone()], Some(ident.clone()));
                found.push((parsed, Import { path, name }));
            }
            Item::Mod(item) if is_public(&item.vis) => match &item.content {
                Some((_, items)) => exports(files, parsed, items, found),
                None => {
                    let stem = parsed.file.path.trim_end_matches(".rs");
                    let folder = stem.trim_end_matches("/lib");
                    exports_of(files, &format!("{folder}/{}.rs", item.ident), found);
                }
            },
            _ => {}
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

#[cfg(test)]
mod tests {
    use super::super::finding::tree;
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files = tree(files);
        let parsed: Vec<_> = files
            .iter()
            .map(|file| Parsed::read(file).unwrap())
            .collect();
        check(&parsed)
            .into_iter()
            .map(|found| format!("{}:{} {}", found.path, found.line, found.what))
            .collect()
    }

    fn missing(line: usize, name: &str) -> String {
        format!("{LIBRARY_ROOT}:{line} the public type `{name}` is not in the redaction test")
    }

    const MODULE: (&str, &str) = (
        "crates/pollination-auth/src/client.rs",
        "//! C.\npub struct Client;\npub trait Source {}\npub fn new() {}\npub const MAX: u8 = 0;\n",
    );

    #[test]
    fn without_the_test_every_type_is_missing() {
        let root = "//! A.\nmod client;\npub use client::{Client, MAX, Source, new};\n";
        assert_eq!(
            found(&[(LIBRARY_ROOT, root), MODULE]),
            [missing(3, "Client")]
        );
    }

    #[test]
    fn a_library_without_public_types_needs_no_test() {
        assert_eq!(
            found(&[(LIBRARY_ROOT, "//! A.\nmod client;\n"), MODULE]),
            [""; 0]
        );
    }

    #[test]
    fn a_type_in_the_list_passes_and_one_in_a_comment_does_not() {
        let root =
            "//! A.\nmod client;\npub use client::Client;\npub use client::Client as Other;\n";
        let test = "//! R. Other\nfn a() { list(Client); }\n";
        assert_eq!(
            found(&[
                (LIBRARY_ROOT, root),
                MODULE,
                (&format!("{TESTS}{TEST}"), test)
            ]),
            [missing(4, "Other")]
        );
    }

    #[test]
    fn types_of_public_modules_count() {
        let root =
            "//! A.\npub mod client;\npub mod inner {\n    pub enum Kind {}\n    enum Own {}\n}\n";
        assert_eq!(
            found(&[(LIBRARY_ROOT, root), MODULE]),
            [
                "crates/pollination-auth/src/client.rs:2 the public type `Client` is not in the \
                 redaction test",
                &missing(4, "Kind"),
            ]
        );
    }

    #[test]
    fn types_of_another_crate_count_and_globs_are_refused() {
        let root =
            "//! A.\npub use other::Secret;\npub use other::types::*;\npub(crate) use a::B;\n";
        assert_eq!(
            found(&[(LIBRARY_ROOT, root)]),
            [
                missing(2, "Secret"),
                format!("{LIBRARY_ROOT}:3 a glob re-export hides what is public"),
            ]
        );
    }
}
