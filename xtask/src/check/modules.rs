//! The modules of a crate as files: which file declares which, and which names an item of which.
//! Tests and modules that only tests declare are left out.

use syn::Item;

use super::finding::Parsed;
use super::tokens;

/// The most imports that lead from a name to the file that has it: re-exports of re-exports.
const HOPS: usize = 8;

/// A module that is a file.
pub(super) struct Module<'a> {
    pub(super) parsed: &'a Parsed<'a>,
    /// The names that lead to it from the root of the crate.
    path: Vec<String>,
    declares: Vec<String>,
    /// Each imported name, with the path that it stands for.
    imports: Vec<(String, Vec<String>)>,
    /// Each path that is named, with its text and line.
    names: Vec<(Vec<String>, String, usize)>,
    has_code: bool,
}

/// A file that names an item of another file.
pub(super) struct Arrow<'m, 'a> {
    pub(super) from: &'m Module<'a>,
    pub(super) to: &'m Module<'a>,
    /// The path as it is written.
    pub(super) name: &'m str,
    pub(super) line: usize,
}

impl<'a> Module<'a> {
    fn new(parsed: &'a Parsed<'a>, path: Vec<String>) -> Self {
        let mut module = Self {
            parsed,
            declares: Vec::new(),
            imports: Vec::new(),
            names: Vec::new(),
            has_code: false,
            path,
        };
        let base = module.path.clone();
        module.read(&parsed.items, &base);
        module
    }

    fn read(&mut self, items: &[Item], base: &[String]) {
        for item in items.iter().filter(|item| !tokens::is_test(item)) {
            match item {
                Item::Use(item) => {
                    let mut imports = Vec::new();
                    tokens::imports(&item.tree, &[], &mut imports);
                    for import in imports {
                        let path = self.name(&import.path, base);
                        let name = import.name.filter(|_| base == self.path);
                        self.imports
                            .extend(name.map(|name| (name.to_string(), path)));
                    }
                }
                Item::Mod(item) => match &item.content {
                    Some((_, items)) => {
                        self.read(items, &[base, &[item.ident.to_string()]].concat());
                    }
                    None => self.declares.push(item.ident.to_string()),
                },
                // Generated code is not checked.
                Item::Macro(item) if item.mac.path.is_ident("include") => {}
                other => {
                    self.has_code = true;
                    let tokens = quote::ToTokens::to_token_stream(other);
                    tokens::paths(&tokens, &mut |path| {
                        self.name(path, base);
                    });
                }
            }
        }
    }

    /// Records a path that a module of this file names, and returns it from the crate's root.
    fn name(&mut self, path: &[proc_macro2::Ident], base: &[String]) -> Vec<String> {
        let names: Vec<_> = path.iter().map(ToString::to_string).collect();
        let mut absolute = base.to_vec();
        for name in &names {
            match name.as_str() {
                "crate" => absolute.clear(),
                "self" => {}
                "super" => drop(absolute.pop()),
                _ => absolute.push(name.clone()),
            }
        }
        let line = path.first().map_or(1, |first| first.span().start().line);
        self.names.push((absolute.clone(), names.join("::"), line));
        absolute
    }

    /// Returns `true` if the file only declares and re-exports modules, and has no code of its own.
    fn is_facade(&self) -> bool {
        !self.has_code && !self.declares.is_empty()
    }

    /// Returns the folders of the file, and the file. The root file of a folder belongs to it.
    pub(super) fn place(&self) -> Vec<&str> {
        let mut place: Vec<_> = self.path.iter().map(String::as_str).collect();
        if place.is_empty() || !self.declares.is_empty() {
            place.push(self.parsed.file.path.rsplit('/').next().unwrap_or_default());
        }
        place
    }
}

/// The modules of a crate, without tests.
pub(super) struct Modules<'a>(Vec<Module<'a>>);

impl<'a> Modules<'a> {
    /// Reads the crate in a source folder, from its `lib.rs` and its `main.rs`.
    pub(super) fn new(files: &'a [Parsed<'a>], folder: &str) -> Self {
        let find = |path: String| files.iter().find(|parsed| parsed.file.path == path);
        let roots = ["lib", "main"].map(|root| find(format!("{folder}/{root}.rs")));
        let mut modules: Vec<_> = roots
            .into_iter()
            .flatten()
            .map(|parsed| Module::new(parsed, Vec::new()))
            .collect();
        let mut next = 0;
        while let Some(module) = modules.get(next) {
            next += 1;
            let children: Vec<_> = module
                .declares
                .iter()
                .filter_map(|name| {
                    let path = [&module.path[..], std::slice::from_ref(name)].concat();
                    let stem = format!("{folder}/{}", path.join("/"));
                    let parsed =
                        find(format!("{stem}.rs")).or_else(|| find(format!("{stem}/mod.rs")))?;
                    Some(Module::new(parsed, path))
                })
                .collect();
            modules.extend(children);
        }
        Self(modules)
    }

    /// Returns every module.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Module<'a>> {
        self.0.iter()
    }

    /// Returns every arrow from one file to another, looking through facades.
    pub(super) fn arrows(&self) -> impl Iterator<Item = Arrow<'_, 'a>> {
        let from_code = self.iter().filter(|module| !module.is_facade());
        from_code.flat_map(move |from| {
            from.names.iter().filter_map(move |(path, name, line)| {
                let to = self.locate(path, HOPS)?;
                let arrow = Arrow {
                    from,
                    to,
                    name,
                    line: *line,
                };
                (!std::ptr::eq(from, to) && !to.is_facade()).then_some(arrow)
            })
        })
    }

    /// Finds the file of the item that a path names: through modules, then through imports. A name
    /// that leads no further is an item of the last file, or of another crate.
    fn locate(&self, path: &[String], hops: usize) -> Option<&Module<'a>> {
        let mut here = self.0.first()?;
        for (index, name) in path.iter().enumerate() {
            let (before, rest) = path.split_at(index + 1);
            if let Some(module) = self.iter().skip(1).find(|module| module.path == before) {
                here = module;
                continue;
            }
            let import = here.imports.iter().find(|(import, _)| import == name);
            return match import.filter(|_| hops > 0) {
                Some((_, target)) => self.locate(&[target, rest].concat(), hops - 1),
                None => Some(here),
            };
        }
        Some(here)
    }
}
