//! Rust text as tokens with their lines: names, paths and imports in them, and the tokens without
//! tests.

use std::str::FromStr as _;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::UseTree;

/// Parses a file; an error has its line and its message.
pub(super) fn parse(text: &str) -> Result<TokenStream, (usize, String)> {
    let tokens = TokenStream::from_str(text)
        .map_err(|error| (error.span().start().line, error.to_string()))?;
    syn::parse_file(text).map_err(|error| (error.span().start().line, error.to_string()))?;
    Ok(tokens)
}

/// Calls back with every identifier, inside macros as well, in the order of the text.
pub(super) fn identifiers(tokens: &TokenStream, found: &mut impl FnMut(&Ident)) {
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(ident) => found(&ident),
            TokenTree::Group(group) => identifiers(&group.stream(), found),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Calls back with every path of at least two segments, inside macros as well. The path of a
/// visibility is left out: `pub(in a::b)` names who may look, and takes nothing from there.
pub(super) fn paths(tokens: &TokenStream, found: &mut impl FnMut(&[Ident])) {
    let mut path: Vec<Ident> = Vec::new();
    let mut colons = 0;
    for token in tokens.clone() {
        match &token {
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                colons += 1;
                continue;
            }
            TokenTree::Ident(ident) if colons == 2 && !path.is_empty() => path.push(ident.clone()),
            _ => {
                report(&mut path, found);
                match &token {
                    // What begins with `::` is a path into another crate.
                    TokenTree::Ident(ident) if colons < 2 => path.push(ident.clone()),
                    TokenTree::Group(group) if !is_visibility(&group.stream()) => {
                        paths(&group.stream(), found);
                    }
                    _ => {}
                }
            }
        }
        colons = 0;
    }
    report(&mut path, found);
}

fn is_visibility(tokens: &TokenStream) -> bool {
    let first = tokens.clone().into_iter().next();
    matches!(first, Some(TokenTree::Ident(ident)) if ident == "in")
}

fn report(path: &mut Vec<Ident>, found: &mut impl FnMut(&[Ident])) {
    if path.len() > 1 {
        found(path);
    }
    path.clear();
}

/// A name that a `use` item brings in, and the whole path of what it stands for.
pub(super) struct Import {
    pub(super) path: Vec<Ident>,
    /// The name in the importing module, or nothing for a glob.
    pub(super) name: Option<Ident>,
}

/// Lists what a `use` item imports.
pub(super) fn imports(tree: &UseTree, before: &[Ident], found: &mut Vec<Import>) {
    let below = |ident: &Ident| match ident.to_string().as_str() {
        // In a group it is the path before it; at the start of a path it changes nothing.
        "self" => before.to_vec(),
        _ => [before, std::slice::from_ref(ident)].concat(),
    };
    match tree {
        UseTree::Path(tree) => imports(&tree.tree, &below(&tree.ident), found),
        UseTree::Group(group) => {
            for tree in &group.items {
                imports(tree, before, found);
            }
        }
        UseTree::Name(tree) => {
            let path = below(&tree.ident);
            let name = path.last().cloned();
            found.push(Import { path, name });
        }
        UseTree::Rename(tree) => {
            let path = below(&tree.ident);
            let name = Some(tree.rename.clone());
            found.push(Import { path, name });
        }
        UseTree::Glob(_) => found.push(Import {
            path: before.to_vec(),
            name: None,
        }),
    }
}

/// Leaves out each item under `cfg(test)`, and everything under `#![cfg(test)]`.
pub(super) fn without_tests(tokens: &TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut rest = tokens.clone().into_iter().peekable();
    while let Some(token) = rest.next() {
        let TokenTree::Group(group) = &token else {
            kept.push(token);
            continue;
        };
        if !is_test(group.delimiter(), &group.stream()) {
            let mut inner =
                proc_macro2::Group::new(group.delimiter(), without_tests(&group.stream()));
            inner.set_span(group.span());
            kept.push(inner.into());
            continue;
        }
        if is_punct(kept.pop().as_ref(), '!') {
            return TokenStream::new();
        }
        // The item goes up to its semicolon, or to its braces and a semicolon behind them.
        while let Some(token) = rest.next() {
            let braces =
                matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
            if is_punct(Some(&token), ';') || braces && !is_punct(rest.peek(), ';') {
                break;
            }
        }
    }
    kept.into_iter().collect()
}

fn is_punct(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

/// Returns `true` if a group is the `[cfg(test)]` of an attribute, also with more conditions.
fn is_test(delimiter: Delimiter, content: &TokenStream) -> bool {
    let mut names = Vec::new();
    identifiers(content, &mut |ident| names.push(ident.to_string()));
    let says = |name: &str| names.iter().any(|other| other == name);
    delimiter == Delimiter::Bracket
        && names.first().is_some_and(|first| first == "cfg")
        && says("test")
        && !(says("any") || says("not"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_code_and_in_macros() {
        let text = "pub(in q::r) fn a(b: &c::d) -> e { vec![f::g::<h::i>(), j.k, ::l::m, 'n: o] }";
        let mut found = Vec::new();
        paths(
            &parse(text).unwrap_or_else(|_| TokenStream::from_str(text).unwrap()),
            &mut |path| {
                found.push(
                    path.iter()
                        .map(ToString::to_string)
                        .collect::<Vec<_>>()
                        .join("::"),
                );
            },
        );
        assert_eq!(found, ["c::d", "f::g", "h::i"]);
    }

    #[test]
    fn imports_have_their_paths_and_names() {
        let item: syn::ItemUse = syn::parse_str("use a::{self, b::C as D, e::*};").unwrap();
        let mut found = Vec::new();
        imports(&item.tree, &[], &mut found);
        let text = |import: &Import| {
            let path: Vec<_> = import.path.iter().map(ToString::to_string).collect();
            (
                path.join("::"),
                import.name.as_ref().map(ToString::to_string),
            )
        };
        let expected = [("a", Some("a")), ("a::b::C", Some("D")), ("a::e", None)];
        let expected = expected.map(|(path, name)| (path.to_owned(), name.map(str::to_owned)));
        assert_eq!(found.iter().map(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn tests_are_left_out_and_nothing_else() {
        let text = "#[cfg(test)]\nuse a::{b, c};\nuse d;\nimpl E {\n    #[cfg(all(test, unix))]\n    \
                    fn f() {}\n    fn g() {}\n}\n#[cfg(test)]\n#[path = \"h\"]\nmod h;\n\
                    #[cfg(any(test, i))]\nfn j() {}\n";
        let left = without_tests(&parse(text).unwrap()).to_string();
        let expected = "use d;\nimpl E { fn g() {} }\n#[cfg(any(test, i))] fn j() {}";
        assert_eq!(left, parse(expected).unwrap().to_string());
        let whole = parse("#![cfg(test)]\nfn a() {}\n").unwrap();
        assert!(without_tests(&whole).is_empty());
    }
}
