//! Names of generated code that are there twice, so that it does not compile.

use std::collections::BTreeSet;

use quote::ToTokens as _;
use syn::{FnArg, ImplItem, Item, Pat, Signature, TraitItem};

/// Returns a name that two items of a file share, if there is one.
pub(crate) fn clash(code: &str) -> Option<String> {
    clash_of(&syn::parse_file(code).ok()?.items)
}

fn clash_of(items: &[Item]) -> Option<String> {
    let mut names = BTreeSet::new();
    let mut members = BTreeSet::new();
    items.iter().find_map(|item| {
        let own = match item {
            Item::Struct(found) => Some(&found.ident),
            Item::Enum(found) => Some(&found.ident),
            Item::Trait(found) => Some(&found.ident),
            Item::Type(found) => Some(&found.ident),
            Item::Mod(found) => Some(&found.ident),
            _ => None,
        };
        if let Some(name) = own.map(ToString::to_string)
            && !names.insert(name.clone())
        {
            return Some(name);
        }
        match item {
            Item::Struct(found) => twice(found.fields.iter().filter_map(|it| it.ident.as_ref())),
            Item::Enum(found) => twice(found.variants.iter().map(|it| &it.ident)),
            Item::Mod(found) => clash_of(&found.content.as_ref()?.1),
            Item::Trait(found) => twice(found.items.iter().filter_map(|item| match item {
                TraitItem::Fn(method) => Some(&method.sig.ident),
                _ => None,
            })),
            Item::Impl(found) => {
                // Several blocks of one type are one list of names, and a trait's is its own.
                let of = found.self_ty.to_token_stream().to_string();
                let of_trait = found
                    .trait_
                    .as_ref()
                    .map(|(_, path, _)| path.to_token_stream());
                let of = format!("{of} {}", of_trait.unwrap_or_default());
                found.items.iter().find_map(|item| match item {
                    ImplItem::Fn(method) => {
                        let name = &method.sig.ident;
                        let again = !members.insert((of.clone(), name.to_string()));
                        if again {
                            Some(name.to_string())
                        } else {
                            parameters(&method.sig)
                        }
                    }
                    _ => None,
                })
            }
            _ => None,
        }
    })
}

fn parameters(signature: &Signature) -> Option<String> {
    twice(signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => match &*input.pat {
            Pat::Ident(name) => Some(&name.ident),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    }))
}

fn twice<'a>(names: impl Iterator<Item = &'a syn::Ident>) -> Option<String> {
    let mut seen = BTreeSet::new();
    let mut names = names.map(ToString::to_string);
    names.find(|name| !seen.insert(name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_there_twice_is_found_wherever_it_stands() {
        for (code, name) in [
            ("mod a { struct B; enum B {} }", "B"),
            ("struct A { b: u8, b: u8 }", "b"),
            ("enum A { B, B }", "B"),
            ("impl A { fn b() {} } impl A { fn b() {} }", "b"),
            ("impl A { fn b(c: u8, c: u8) {} }", "c"),
            ("trait A { fn b(); fn b(); }", "b"),
        ] {
            assert_eq!(clash(code).as_deref(), Some(name), "{code}");
        }
    }

    #[test]
    fn names_of_different_places_do_not_clash() {
        let code = "struct A { b: u8 } impl A { fn b(&self, c: u8) {} } impl B for A { fn b() {} } \
                    impl From<u8> for A { fn from(_: u8) {} } \
                    impl From<u16> for A { fn from(_: u16) {} } mod a { struct A; }";
        assert_eq!(clash(code), None);
    }
}
