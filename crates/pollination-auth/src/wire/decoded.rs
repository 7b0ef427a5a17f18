//! A server's text with an encoding undone, and where each part of it was in the original.

use zeroize::Zeroizing;

/// Takes the first character off a text that begins with an encoded one.
type Read = fn(&str) -> Option<(char, &str)>;

/// The ways in which a server may have written a secret.
pub(super) const READINGS: [Read; 4] = [first, json, url, form];

/// A decoded text; it is wiped on drop.
pub(super) struct Decoded {
    pub(super) text: Zeroizing<String>,
    /// For each byte of `text`, where its character was in the original; then the original's end.
    origins: Vec<usize>,
}

impl Decoded {
    /// Decodes a text; whatever is not encoded is left as it is.
    pub(super) fn read(original: &str, read: Read) -> Self {
        // No encoding is shorter than its character, so the buffer never moves.
        let mut text = Zeroizing::new(String::with_capacity(original.len()));
        let mut origins = Vec::with_capacity(original.len() + 1);
        let mut rest = original;
        while let Some((character, behind)) = read(rest).or_else(|| first(rest)) {
            text.push(character);
            origins.resize(text.len(), original.len() - rest.len());
            rest = behind;
        }
        origins.push(original.len());
        Self { text, origins }
    }

    /// Returns where in the original a position of the decoded text was.
    pub(super) fn origin(&self, at: usize) -> usize {
        self.origins.get(at).copied().unwrap_or_default()
    }
}

fn first(text: &str) -> Option<(char, &str)> {
    let mut characters = text.chars();
    Some((characters.next()?, characters.as_str()))
}

/// The lengths of JSON's escapes: `\n`, `\u0041`, and a pair of surrogates.
const ESCAPES: [usize; 3] = [2, 6, 12];

/// Reads an escape of a JSON string (RFC 8259, section 7); half of a pair of surrogates is not one.
pub(super) fn json(text: &str) -> Option<(char, &str)> {
    let escapes = ESCAPES.iter().filter(|_| text.starts_with('\\'));
    escapes
        .filter_map(|length| text.split_at_checked(*length))
        .find_map(|(escape, rest)| {
            let character = serde_json::from_str(&format!("\"{escape}\"")).ok()?;
            Some((character, rest))
        })
}

/// Reads a percent-encoded character of a URL (RFC 3986, section 2.1).
fn url(text: &str) -> Option<(char, &str)> {
    let mut bytes = Vec::new();
    let mut rest = text;
    // A character has at most four bytes.
    while bytes.len() < 4 {
        let (digits, behind) = rest.strip_prefix('%')?.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = behind;
        if let Ok(character) = std::str::from_utf8(&bytes) {
            return Some((character.chars().next()?, rest));
        }
    }
    None
}

/// Reads a percent-encoded character of a form, in which a plus is a space.
fn form(text: &str) -> Option<(char, &str)> {
    let space = text.strip_prefix('+').map(|rest| (' ', rest));
    space.or_else(|| url(text))
}
