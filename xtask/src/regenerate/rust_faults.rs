//! What the generator writes though it does not compile: names that are there twice, and some types
//! and variables that it does not expect.

use std::collections::BTreeSet;

use quote::ToTokens as _;
use syn::{FnArg, ImplItem, ImplItemFn, Item, ItemMod as Mod, Pat, Signature, TraitItem, Type};

/// Returns what is wrong with generated code, and what to write instead.
pub(super) fn find(code: &str) -> Option<String> {
    let items = syn::parse_file(code).ok()?.items;
    if let Some(name) = clash_of(&items) {
        let message = "two items of the generated code would have the name";
        return Some(format!("{message} `{name}`; rename one of them"));
    }
    methods(&items).find_map(fault_of)
}

/// Lists the methods of all types of a file.
fn methods(items: &[Item]) -> Box<dyn Iterator<Item = &ImplItemFn> + '_> {
    Box::new(items.iter().flat_map(|item| match item {
        Item::Mod(Mod {
            content: Some((_, items)),
            ..
        }) => methods(items),
        Item::Impl(found) => Box::new(found.items.iter().filter_map(|item| match item {
            ImplItem::Fn(method) => Some(method),
            _ => None,
        })),
        _ => Box::new(std::iter::empty()),
    }))
}

/// A variable of the generator's own in each operation; the others give way to parameters.
const HEADER_MAP: &str = "header_map";

fn fault_of(method: &ImplItemFn) -> Option<String> {
    let mut inputs = method.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(input),
        FnArg::Receiver(_) => None,
    });
    let body = method.block.to_token_stream().to_string();
    inputs.find_map(|input| {
        let name = input.pat.to_token_stream().to_string();
        if name == HEADER_MAP && method.sig.asyncness.is_some() {
            return Some(format!(
                "the generator uses the name `{name}` itself; rename this"
            ));
        }
        let by_value = !matches!(&*input.ty, Type::Reference(_));
        if by_value && body.contains(&format!("json_body_obj ({name})")) {
            let message = "the mocks can't write a body that is a number, a fixed list of values, \
                           or null; write an object or a list";
            return Some(message.to_owned());
        }
        None
    })
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
            let items = syn::parse_file(code).unwrap().items;
            assert_eq!(clash_of(&items).as_deref(), Some(name), "{code}");
        }
    }

    #[test]
    fn names_of_different_places_do_not_clash() {
        let code = "struct A { b: u8 } impl A { fn b(&self, c: u8) {} } impl B for A { fn b() {} } \
                    impl From<u8> for A { fn from(_: u8) {} } \
                    impl From<u16> for A { fn from(_: u16) {} } mod a { struct A; }";
        assert_eq!(find(code), None);
    }

    #[test]
    fn what_does_not_compile_is_told_with_what_to_write_instead() {
        for (code, start) in [
            (
                "impl A { fn b(c: u8, c: u8) {} }",
                "two items of the generated code would",
            ),
            (
                "impl A { async fn b(&self, header_map: &str) {} }",
                "the generator uses the name `header_map` itself",
            ),
            (
                "mod a { impl B { fn ok(self, value: i64) { self.0.json_body_obj(value) } } }",
                "the mocks can't write a body that is a number",
            ),
        ] {
            let fault = find(code).unwrap();
            assert!(fault.starts_with(start), "{fault}");
        }
        let fine = "impl B { fn ok(self, value: &C) { self.0.json_body_obj(value) } }";
        assert_eq!(find(fine), None);
    }
}
