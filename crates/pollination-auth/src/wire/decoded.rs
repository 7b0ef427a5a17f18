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

/// Reads an escape of a JSON string (RFC 8259, section 7).
pub(super) fn json(text: &str) -> Option<(char, &str)> {
    let (sign, rest) = first(text.strip_prefix('\\')?)?;
    let character = match sign {
        '"' | '\\' | '/' => sign,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return utf_16(rest),
        _ => return None,
    };
    Some((character, rest))
}

/// Reads one unit of UTF-16, or two that are one character; half of a pair is replaced.
fn utf_16(text: &str) -> Option<(char, &str)> {
    let (unit, rest) = hex(text, 4)?;
    let pair = rest.strip_prefix("\\u").and_then(|low| hex(low, 4));
    let units = [unit].into_iter().chain(pair.map(|(low, _)| low));
    let character = char::decode_utf16(units).next()?;
    Some(match (character, pair) {
        (Ok(one), Some((_, behind))) if one.len_utf16() == 2 => (one, behind),
        (one, _) => (one.unwrap_or(char::REPLACEMENT_CHARACTER), rest),
    })
}

/// Reads a percent-encoded character of a URL (RFC 3986, section 2.1).
fn url(text: &str) -> Option<(char, &str)> {
    let mut bytes = Vec::new();
    let mut rest = text;
    // A character has at most four bytes.
    while bytes.len() < 4 {
        let (byte, behind) = hex(rest.strip_prefix('%')?, 2)?;
        bytes.push(u8::try_from(byte).ok()?);
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

fn hex(text: &str, digits: usize) -> Option<(u16, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    Some((u16::from_str_radix(number, 16).ok()?, rest))
}
