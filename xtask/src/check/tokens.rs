//! Rust text as tokens with their lines: names without comments, and comments without code.
//! Which name or comment is right is a matter of the rules.

use std::str::FromStr as _;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// Parses a file, or gives the line and the message of what is wrong.
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

/// Calls back with the content of every attribute but documentation, and its line.
pub(super) fn attributes(tokens: &TokenStream, found: &mut impl FnMut(&TokenStream, usize)) {
    let mut after_hash = false;
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) => {
                if after_hash && group.delimiter() == Delimiter::Bracket {
                    found(&group.stream(), group.span_open().start().line);
                }
                after_hash = false;
                attributes(&group.stream(), found);
            }
            TokenTree::Punct(punct) => {
                after_hash = punct.as_char() == '#' || (after_hash && punct.as_char() == '!');
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) => after_hash = false,
        }
    }
}

/// Calls back with every name that a `name!` macro call has, and its line.
pub(super) fn macros(tokens: &TokenStream, found: &mut impl FnMut(&str, usize)) {
    let mut name: Option<Ident> = None;
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(ident) => name = Some(ident),
            TokenTree::Punct(punct) if punct.as_char() == '!' => {
                if let Some(ident) = name.take() {
                    found(&ident.to_string(), ident.span().start().line);
                }
            }
            TokenTree::Group(group) => {
                name = None;
                macros(&group.stream(), found);
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => name = None,
        }
    }
}

/// Gives every line of the text with its code left out: what remains is comments.
pub(super) fn comments(text: &str, tokens: &TokenStream) -> Vec<String> {
    let mut lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
    blank(tokens, &mut lines);
    lines.into_iter().map(String::from_iter).collect()
}

/// Blanks out what the tokens cover; a doc comment is tokens too, and stays.
fn blank(tokens: &TokenStream, lines: &mut [Vec<char>]) {
    for token in tokens.clone() {
        match &token {
            TokenTree::Group(group) => blank(&group.stream(), lines),
            TokenTree::Literal(_) | TokenTree::Ident(_) | TokenTree::Punct(_) => {
                let (start, end) = (token.span().start(), token.span().end());
                for number in start.line..=end.line {
                    let Some(line) = number.checked_sub(1).and_then(|at| lines.get_mut(at)) else {
                        continue;
                    };
                    let from = if number == start.line {
                        start.column
                    } else {
                        0
                    };
                    let to = if number == end.line {
                        end.column
                    } else {
                        line.len()
                    };
                    let covered = line.get_mut(from..to).unwrap_or_default();
                    if !covered.starts_with(&['/', '/']) && !covered.starts_with(&['/', '*']) {
                        covered.fill(' ');
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_left_when_code_and_strings_go() {
        let text = "/// doc\nfn a() { b(\"//é no\") } // yes\n/* multi\nline */\n";
        let lines = comments(text, &parse(text).unwrap());
        let lines: Vec<_> = lines.iter().map(|line| line.trim()).collect();
        assert_eq!(lines[0], "/// doc");
        assert!(lines[1].ends_with("// yes") && !lines[1].contains("no"));
        assert_eq!((lines[2], lines[3]), ("/* multi", "line */"));
    }

    #[test]
    fn macros_are_found_inside_macros() {
        let mut names = Vec::new();
        macros(
            &parse("fn a() { vec![dbg!(1)]; if !b {} }").unwrap(),
            &mut |name, line| {
                names.push((name.to_owned(), line));
            },
        );
        assert_eq!(
            names,
            [
                ("vec".to_owned(), 1),
                ("dbg".to_owned(), 1),
                ("if".to_owned(), 1)
            ]
        );
    }

    #[test]
    fn attributes_have_their_line() {
        let mut lines = Vec::new();
        let text = "#![a]\n\n#[b(c)]\nfn d() {\n    #[e]\n    let f = g[0];\n}\n";
        attributes(&parse(text).unwrap(), &mut |content, line| {
            lines.push((content.to_string().replace(' ', ""), line));
        });
        assert_eq!(
            lines,
            [("a".into(), 1), ("b(c)".into(), 3), ("e".into(), 5)]
        );
    }
}
