//! Finds names and paths in the tokens of Rust code, and imports and tests among its items.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Item, UseTree};

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

/// A name that a `use` item imports, and the whole path that it stands for.
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

/// Returns `true` for an item under `cfg(test)`, also with more conditions.
pub(super) fn is_test(item: &Item) -> bool {
    let attributes = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<TokenStream>()?;
        Ok(attributes)
    };
    let attributes = attributes.parse2(item.to_token_stream());
    attributes.into_iter().flatten().any(|attribute| {
        let condition = attribute.meta.to_token_stream().to_string();
        condition == "cfg (test)" || condition.starts_with("cfg (all (test")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_in_code_and_in_macros() {
        let text = "pub(in q::r) fn a(b: &c::d) -> e { vec![f::g::<h::i>(), j.k, ::l::m, 'n: o] }";
        let mut found = Vec::new();
        paths(&text.parse().unwrap(), &mut |path| {
            let names: Vec<_> = path.iter().map(ToString::to_string).collect();
            found.push(names.join("::"));
        });
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
    fn an_item_is_a_test_only_where_nothing_else_compiles_it() {
        let is_test = |text: &str| is_test(&syn::parse_str(text).unwrap());
        for text in [
            "#[cfg(test)] use a::{b, c};",
            "/// D.\n#[cfg(all(test, unix))] fn f() {}",
            "#[cfg(test)] #[path = \"h\"] mod h;",
        ] {
            assert!(is_test(text), "{text}");
        }
        for text in [
            "use d;",
            "#[cfg(any(test, i))] fn j() {}",
            "#[cfg(not(test))] fn k() {}",
            "impl E { #[cfg(test)] fn f() {} }",
        ] {
            assert!(!is_test(text), "{text}");
        }
    }
}
