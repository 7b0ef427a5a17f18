//! A broken rule, and the parsed file that rules look at.

use proc_macro2::TokenStream;

use crate::workspace::SourceFile;

/// One broken rule: where, what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, from the root of the workspace.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// A Rust file with its tokens and its items: what the rules look at.
pub(super) struct Parsed<'a> {
    pub(super) file: &'a SourceFile,
    pub(super) tokens: TokenStream,
    pub(super) items: Vec<syn::Item>,
}

impl<'a> Parsed<'a> {
    pub(super) fn read(file: &'a SourceFile) -> syn::Result<Self> {
        let tokens: TokenStream = file.text.parse()?;
        let items = syn::parse2::<syn::File>(tokens.clone())?.items;
        Ok(Self {
            file,
            tokens,
            items,
        })
    }

    pub(super) fn finding(&self, line: usize, what: String, remedy: &'static str) -> Finding {
        Finding {
            path: self.file.path.clone(),
            line,
            what,
            remedy,
        }
    }
}

#[cfg(test)]
pub(super) fn tree(files: &[(&str, &str)]) -> Vec<SourceFile> {
    let file = |(path, text): &(&str, &str)| SourceFile {
        path: (*path).to_owned(),
        text: (*text).to_owned(),
    };
    files.iter().map(file).collect()
}
