//! Every public type of `crates/pollination-auth` is in the list of its redaction test. Public is
//! what `lib.rs` re-exports or a public module holds. What that test does is not looked at.

use std::collections::BTreeMap;

use proc_macro2::Ident;
use syn::{Item, UseTree, Visibility};

use super::{Finding, Parsed, tokens};

/// The root of the library.
const LIBRARY_ROOT: &str = "crates/pollination-auth/src/lib.rs";
/// The folder of the library's modules.
const LIBRARY: &str = "crates/pollination-auth/src/";
/// The tests that plant a secret in every public type: a file of this name, in any folder of these.
const TESTS: &str = "crates/pollination-auth/tests/it/";
const TEST: &str = "redaction.rs";

const REMEDY: &str =
    "add it to a redaction.rs in crates/pollination-auth/tests/it, a secret in each field";

pub(super) fn check(files: &[Parsed<'_>]) -> Vec<Finding> {
    let library = Library::new(files);
    let Some(root) = files.iter().find(|parsed| parsed.file.path == LIBRARY_ROOT) else {
        return Vec::new();
    };
    let mut public = Vec::new();
    let mut findings = Vec::new();
    library.public_types(root, &mut public, &mut findings);
    let mut listed = Vec::new();
    for test in files.iter().filter(|parsed| is_test(&parsed.file.path)) {
        tokens::identifiers(&test.tokens, &mut |ident| listed.push(ident.to_string()));
    }
    for (path, ident) in public {
        if !listed.contains(&ident.to_string()) {
            findings.push(Finding {
                path,
                line: ident.span().start().line,
                what: format!("the public type `{ident}` is not in the redaction test"),
                remedy: REMEDY,
            });
        }
    }
    findings
}

fn is_test(path: &str) -> bool {
    path.strip_prefix(TESTS)
        .is_some_and(|below| below.rsplit('/').next() == Some(TEST))
}

/// The items of the library, by file and by name.
struct Library<'a> {
    files: BTreeMap<&'a str, (&'a Parsed<'a>, syn::File)>,
    /// Names that a file of the library defines as something else than a type.
    no_types: Vec<String>,
}

impl<'a> Library<'a> {
    fn new(files: &'a [Parsed<'a>]) -> Self {
        let mut library = Self {
            files: BTreeMap::new(),
            no_types: Vec::new(),
        };
        for parsed in files
            .iter()
            .filter(|parsed| parsed.file.path.starts_with(LIBRARY))
        {
            if let Ok(syntax) = syn::parse2::<syn::File>(parsed.tokens.clone()) {
                for item in &syntax.items {
                    library
                        .no_types
                        .extend(other_than_type(item).map(Ident::to_string));
                }
                library.files.insert(&parsed.file.path, (parsed, syntax));
            }
        }
        library
    }

    fn public_types(
        &self,
        parsed: &Parsed<'_>,
        public: &mut Vec<(String, Ident)>,
        findings: &mut Vec<Finding>,
    ) {
        if let Some((_, syntax)) = self.files.get(parsed.file.path.as_str()) {
            self.items(parsed, &syntax.items, public, findings);
        }
    }

    fn items(
        &self,
        parsed: &Parsed<'_>,
        items: &[Item],
        public: &mut Vec<(String, Ident)>,
        findings: &mut Vec<Finding>,
    ) {
        for item in items {
            match item {
                Item::Use(item) if is_public(&item.vis) => {
                    self.exports(parsed, &item.tree, public, findings);
                }
                Item::Struct(item) if is_public(&item.vis) => {
                    public.push((parsed.file.path.clone(), item.ident.clone()));
                }
                Item::Enum(item) if is_public(&item.vis) => {
                    public.push((parsed.file.path.clone(), item.ident.clone()));
                }
                Item::Union(item) if is_public(&item.vis) => {
                    public.push((parsed.file.path.clone(), item.ident.clone()));
                }
                Item::Mod(item) if is_public(&item.vis) => match &item.content {
                    Some((_, items)) => self.items(parsed, items, public, findings),
                    None => {
                        if let Some(module) = self.module(&parsed.file.path, &item.ident) {
                            self.public_types(module, public, findings);
                        }
                    }
                },
                _ => {}
            }
        }
    }

    /// Finds the file of `mod name;`.
    fn module(&self, path: &str, name: &Ident) -> Option<&Parsed<'a>> {
        let stem = path.strip_suffix(".rs").unwrap_or(path);
        let folder = stem
            .strip_suffix("/lib")
            .or_else(|| stem.strip_suffix("/mod"));
        let folder = folder.unwrap_or(stem);
        let file = |path: String| self.files.get(path.as_str()).map(|(parsed, _)| *parsed);
        file(format!("{folder}/{name}.rs")).or_else(|| file(format!("{folder}/{name}/mod.rs")))
    }

    fn exports(
        &self,
        parsed: &Parsed<'_>,
        tree: &UseTree,
        public: &mut Vec<(String, Ident)>,
        findings: &mut Vec<Finding>,
    ) {
        match tree {
            UseTree::Path(tree) => self.exports(parsed, &tree.tree, public, findings),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.exports(parsed, tree, public, findings);
                }
            }
            UseTree::Name(tree) => self.export(parsed, &tree.ident, &tree.ident, public),
            UseTree::Rename(tree) => self.export(parsed, &tree.ident, &tree.rename, public),
            UseTree::Glob(tree) => findings.push(parsed.finding(
                tree.star_token.span.start().line,
                "a glob re-export hides what is public".to_owned(),
                "name each item: this rule and every reader need the list",
            )),
        }
    }

    fn export(
        &self,
        parsed: &Parsed<'_>,
        original: &Ident,
        name: &Ident,
        public: &mut Vec<(String, Ident)>,
    ) {
        let text = original.to_string();
        let like_a_type = text.starts_with(char::is_uppercase)
            && (text.len() == 1 || text.contains(char::is_lowercase));
        if like_a_type && !self.no_types.contains(&text) {
            public.push((parsed.file.path.clone(), name.clone()));
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Gives the name of a trait: the only other thing that is named as types are.
fn other_than_type(item: &Item) -> Option<&Ident> {
    match item {
        Item::Trait(item) => Some(&item.ident),
        Item::TraitAlias(item) => Some(&item.ident),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{rules, tree};
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let findings = rules(&tree(files));
        findings
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
                format!("{LIBRARY_ROOT}:3 a glob re-export hides what is public"),
                missing(2, "Secret"),
            ]
        );
    }
}
