//! The public surface of generated code: what a user's code can name, without documentation and
//! bodies, and how two surfaces differ.
//!
//! An entry is something that can be added without breaking anybody: a type, a method, an
//! implementation. What breaks users if only a part of it is added is one entry as a whole: a
//! struct that can be written out, an enum that can be matched, a trait that can be implemented.

use std::collections::BTreeMap;
use std::fmt;

use quote::ToTokens;
use serde::Serialize;
use syn::{
    Attribute, Fields, FnArg, ImplItem, Item, ItemImpl, Signature, TraitItem, UseTree, Visibility,
};

/// The public items of some code: how each is named, and what users rely on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Surface(BTreeMap<String, String>);

/// A difference of two surfaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The item, by its path in the crate.
    pub item: String,
    /// What happened to it.
    pub change: Happened,
}

/// What happened to an item of a surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Happened {
    /// It is new.
    Added,
    /// It is another one.
    Changed,
    /// It is gone.
    Removed,
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl Surface {
    /// Adds the public items of a file, whose module is given.
    ///
    /// # Errors
    ///
    /// The text is no Rust.
    pub fn add(&mut self, module: &str, text: &str) -> syn::Result<()> {
        self.items(module, &syn::parse_file(text)?.items);
        Ok(())
    }

    /// Lists what is different in a newer surface, in the order of the items.
    #[must_use]
    pub fn differences(&self, newer: &Self) -> Vec<Difference> {
        let mut items: Vec<_> = self.0.keys().chain(newer.0.keys()).collect();
        items.sort_unstable();
        items.dedup();
        let differences = items.into_iter().filter_map(|item| {
            let change = match (self.0.get(item), newer.0.get(item)) {
                (None, _) => Happened::Added,
                (_, None) => Happened::Removed,
                (old, new) if old == new => return None,
                _ => Happened::Changed,
            };
            let item = item.clone();
            Some(Difference { item, change })
        });
        differences.collect()
    }

    fn insert(&mut self, item: String, relied_on: String) {
        self.0.insert(item, relied_on);
    }

    fn items(&mut self, module: &str, items: &[Item]) {
        for item in items {
            self.item(module, item);
        }
    }

    fn item(&mut self, module: &str, item: &Item) {
        match item {
            Item::Mod(found) if is_public(&found.vis) => {
                let inner = path(module, &found.ident);
                if let Some((_, items)) = &found.content {
                    self.items(&inner, items);
                }
                self.insert(inner, "mod".to_owned());
            }
            Item::Struct(found) if is_public(&found.vis) => {
                let name = path(module, &found.ident);
                self.derives(&name, &found.attrs);
                let generics = text(&found.generics);
                let fields = self.fields(&name, &found.attrs, &found.fields);
                self.insert(name, format!("struct {generics} {fields}"));
            }
            Item::Enum(found) if is_public(&found.vis) => {
                let name = path(module, &found.ident);
                self.derives(&name, &found.attrs);
                let mut variants = Vec::new();
                for variant in &found.variants {
                    let fields = variant.fields.iter().map(field).collect::<Vec<_>>();
                    let fields = format!("{{{}}}", fields.join(", "));
                    if is_non_exhaustive(&found.attrs) {
                        self.insert(path(&name, &variant.ident), fields);
                    } else {
                        variants.push(format!("{} {fields}", variant.ident));
                    }
                }
                // The order is nobody's concern: there is no number to see.
                variants.sort_unstable();
                let generics = text(&found.generics);
                self.insert(name, format!("enum {generics} {}", variants.join(", ")));
            }
            Item::Trait(found) if is_public(&found.vis) => {
                let name = path(module, &found.ident);
                let mut required = Vec::new();
                for item in &found.items {
                    match item {
                        TraitItem::Fn(method) if method.default.is_some() => {
                            let method = &method.sig;
                            self.insert(path(&name, &method.ident), signature(method));
                        }
                        TraitItem::Fn(method) => required.push(signature(&method.sig)),
                        other => required.push(text(other)),
                    }
                }
                required.sort_unstable();
                let (generics, bounds) = (text(&found.generics), text(&found.supertraits));
                let required = required.join("; ");
                self.insert(name, format!("trait {generics} : {bounds} {{{required}}}"));
            }
            Item::Fn(found) if is_public(&found.vis) => {
                self.insert(path(module, &found.sig.ident), signature(&found.sig));
            }
            Item::Type(found) if is_public(&found.vis) => {
                let aliased = format!("type {} = {}", text(&found.generics), text(&found.ty));
                self.insert(path(module, &found.ident), aliased);
            }
            Item::Const(found) if is_public(&found.vis) => {
                self.insert(path(module, &found.ident), text(&found.ty));
            }
            Item::Static(found) if is_public(&found.vis) => {
                self.insert(path(module, &found.ident), text(&found.ty));
            }
            Item::Use(found) if is_public(&found.vis) => self.reexport(module, "", &found.tree),
            Item::Impl(found) => self.implementation(module, found),
            _ => {}
        }
    }

    /// Returns the fields that users rely on as a whole: those of a struct that they can write out.
    fn fields(&mut self, name: &str, attributes: &[Attribute], fields: &Fields) -> String {
        let is_open = fields.iter().all(|field| is_public(&field.vis));
        if is_open && !is_non_exhaustive(attributes) {
            let mut all: Vec<_> = fields.iter().map(field).collect();
            if matches!(fields, Fields::Named(_)) {
                all.sort_unstable();
            }
            return format!("{{{}}}", all.join(", "));
        }
        for (index, found) in fields.iter().enumerate() {
            if is_public(&found.vis) {
                let own = found.ident.as_ref().map(ToString::to_string);
                let own = own.unwrap_or_else(|| index.to_string());
                self.insert(format!("{name}.{own}"), text(&found.ty));
            }
        }
        "{..}".to_owned()
    }

    fn derives(&mut self, name: &str, attributes: &[Attribute]) {
        for attribute in attributes {
            let condition = match &attribute.meta {
                syn::Meta::List(list) if list.path.is_ident("cfg_attr") => text(&list.tokens),
                _ => String::new(),
            };
            let _ = attribute.parse_nested_meta(|meta| {
                if attribute.path().is_ident("derive") {
                    self.insert(
                        format!("impl {} for {name}", last(&meta.path)),
                        String::new(),
                    );
                }
                Ok(())
            });
            if condition.contains("derive") {
                self.insert(format!("impl #[{condition}] for {name}"), String::new());
            }
        }
    }

    fn implementation(&mut self, module: &str, found: &ItemImpl) {
        let of = text(&found.self_ty);
        // A path from the root has no module before it.
        let name = if of.starts_with("::") {
            of
        } else {
            path(module, &of)
        };
        let generics = text(&found.generics);
        let Some((_, implemented, _)) = &found.trait_ else {
            for item in &found.items {
                match item {
                    ImplItem::Fn(method) if is_public(&method.vis) => {
                        let item = path(&name, &method.sig.ident);
                        self.insert(item, format!("{generics} {}", signature(&method.sig)));
                    }
                    ImplItem::Const(constant) if is_public(&constant.vis) => {
                        self.insert(path(&name, &constant.ident), text(&constant.ty));
                    }
                    _ => {}
                }
            }
            return;
        };
        let types: Vec<_> = found
            .items
            .iter()
            .filter(|item| matches!(item, ImplItem::Type(_)))
            .map(text)
            .collect();
        let item = format!("impl {} for {name}", last(implemented));
        self.insert(item, format!("{generics}{}", types.join(" ")));
    }

    fn reexport(&mut self, module: &str, from: &str, tree: &UseTree) {
        match tree {
            UseTree::Path(found) => {
                self.reexport(module, &path(from, &found.ident), &found.tree);
            }
            UseTree::Name(found) => {
                self.insert(path(module, &found.ident), path(from, &found.ident));
            }
            UseTree::Rename(found) => {
                self.insert(path(module, &found.rename), path(from, &found.ident));
            }
            UseTree::Glob(_) => self.insert(path(module, &path(from, &"*")), String::new()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.reexport(module, from, tree);
                }
            }
        }
    }
}

fn path(module: &str, name: &impl fmt::Display) -> String {
    if module.is_empty() {
        return name.to_string();
    }
    format!("{module}::{name}")
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_non_exhaustive(attributes: &[Attribute]) -> bool {
    let is_one = |attribute: &Attribute| attribute.path().is_ident("non_exhaustive");
    attributes.iter().any(is_one)
}

/// Returns a field by its name and its type.
fn field(field: &syn::Field) -> String {
    let name = field.ident.as_ref().map(ToString::to_string);
    format!("{}: {}", name.unwrap_or_default(), text(&field.ty))
}

/// Returns a signature without the names of its parameters, which no caller writes.
fn signature(signature: &Signature) -> String {
    let mut signature = signature.clone();
    for input in &mut signature.inputs {
        if let FnArg::Typed(input) = input {
            *input.pat = syn::parse_quote!(_);
            input.attrs.clear();
        }
    }
    text(&signature)
}

/// Returns the last part of a path: a derived `Default` and `::std::default::Default` are one.
fn last(path: &syn::Path) -> String {
    path.segments.last().map(text).unwrap_or_default()
}

fn text(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences(old: &str, new: &str) -> Vec<(String, Happened)> {
        let surface = |text| {
            let mut surface = Surface::default();
            surface.add("", text).unwrap();
            surface
        };
        let differences = surface(old).differences(&surface(new));
        let pairs = differences.into_iter().map(|it| (it.item, it.change));
        pairs.collect()
    }

    fn one(item: &str, change: Happened) -> Vec<(String, Happened)> {
        vec![(item.to_owned(), change)]
    }

    #[test]
    fn docs_bodies_and_private_items_are_no_surface() {
        let old = "/// Old.\npub struct A { pub b: u8 }\n\
                   impl A { pub fn c(&self, d: u8) -> u8 { 1 } fn own() {} }\nfn e() {} mod f {}";
        let new = "/// New.\n#[serde(rename = \"x\")]\npub struct A { /** B. */ pub b: u8 }\n\
                   impl A { pub fn c(&self, other: u8) -> u8 { 2 } }\nstruct G;";
        assert_eq!(differences(old, new), []);
    }

    #[test]
    fn a_field_more_changes_a_struct_that_can_be_written_out() {
        let old = "pub struct A { pub b: u8 }";
        let new = "pub struct A { pub b: u8, pub c: Option<u8> }";
        assert_eq!(differences(old, new), one("A", Happened::Changed));
        assert_eq!(differences(new, old), one("A", Happened::Changed));
    }

    #[test]
    fn a_field_more_is_an_addition_where_nobody_can_write_the_struct_out() {
        for (old, new) in [
            (
                "pub struct A { b: u8 }",
                "pub struct A { b: u8, pub c: u8 }",
            ),
            (
                "#[non_exhaustive] pub struct A { pub b: u8 }",
                "#[non_exhaustive] pub struct A { pub b: u8, pub c: u8 }",
            ),
        ] {
            assert_eq!(differences(old, new), one("A.c", Happened::Added));
            assert_eq!(differences(new, old), one("A.c", Happened::Removed));
        }
    }

    #[test]
    fn a_variant_more_changes_an_enum_that_can_be_matched() {
        let new = "pub enum A { B, C(u8) }";
        assert_eq!(
            differences("pub enum A { B }", new),
            one("A", Happened::Changed)
        );
        let old = format!("#[non_exhaustive] {}", "pub enum A { B }");
        let new = format!("#[non_exhaustive] {new}");
        assert_eq!(differences(&old, &new), one("A::C", Happened::Added));
    }

    #[test]
    fn a_method_is_an_entry_and_a_required_one_of_a_trait_is_not() {
        assert_eq!(
            differences("impl A {}", "impl A { pub async fn b(&self) {} }"),
            one("A::b", Happened::Added)
        );
        let old = "pub trait A { fn b(&self); }";
        assert_eq!(
            differences(old, "pub trait A { fn b(&self); fn c(&self); }"),
            one("A", Happened::Changed)
        );
        assert_eq!(
            differences(old, "pub trait A { fn b(&self); fn c(&self) {} }"),
            one("A::c", Happened::Added)
        );
    }

    #[test]
    fn another_type_of_a_result_is_a_change() {
        assert_eq!(
            differences(
                "impl A { pub fn b() -> Result<(), Error<()>> {} }",
                "impl A { pub fn b() -> Result<(), Error<types::E>> {} }"
            ),
            one("A::b", Happened::Changed)
        );
    }

    #[test]
    fn a_trait_is_implemented_by_derive_or_by_hand() {
        let derived = "#[derive(Clone, Default)] pub struct A(u8);";
        let by_hand = "#[derive(Clone)] pub struct A(u8); \
                       impl ::std::default::Default for A { fn default() -> Self { Self(0) } }";
        assert_eq!(
            differences("#[derive(Clone)] pub struct A(u8);", derived),
            one("impl Default for A", Happened::Added)
        );
        assert_eq!(differences(derived, by_hand), []);
    }

    #[test]
    fn what_a_trait_is_implemented_with_counts() {
        assert_eq!(
            differences(
                "impl From<u8> for A { fn from(_: u8) -> A {} }",
                "impl From<u16> for A { fn from(_: u16) -> A {} }"
            )
            .len(),
            2
        );
        assert_eq!(
            differences(
                "impl TryFrom<u8> for A { type Error = B; }",
                "impl TryFrom<u8> for A { type Error = C; }"
            )
            .len(),
            1
        );
    }
}
