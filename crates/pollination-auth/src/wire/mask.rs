//! Masks the secrets that this client knows wherever a server echoes them.
//!
//! It finds a secret verbatim, JSON-escaped and percent-encoded.

use std::ops::Range;

use super::decoded::{Decoded, READINGS};
use crate::credential::api_token::{ApiTokenId, CREDENTIAL_LIMIT, CredentialError, checked_id};
use crate::foundation::secret::Secret;

/// The most characters of a text that are shown: 1 KiB.
pub(super) const TEXT_LIMIT: usize = 1024;

/// The most characters of one word: a field's name, a kind, a header's value.
pub(super) const WORD_LIMIT: usize = 128;

/// How many characters of a secret at the end of a cut text are masked as the secret: 4.
const TELLING: usize = 4;

const REDACTED: &str = "[REDACTED]";

/// Secrets to be masked in texts of a server.
pub(super) struct Mask {
    secrets: Vec<Secret>,
}

impl Mask {
    pub(super) fn new(mut secrets: Vec<Secret>) -> Self {
        secrets.retain(|secret| !secret.expose_secret().is_empty());
        Self { secrets }
    }

    /// Returns the text, truncated, with every secret masked.
    pub(super) fn hide(&self, text: &str) -> String {
        self.hide_and_cut(text, TEXT_LIMIT)
    }

    /// Masks before it truncates: truncating first could leave a part of a secret.
    pub(super) fn hide_and_cut(&self, text: &str, limit: usize) -> String {
        let mut shown = String::new();
        let mut end = 0;
        for echo in self.echoes(text) {
            // One that overlaps the one before has its mark already.
            if let Some(between) = text.get(end..echo.start) {
                shown.push_str(between);
                shown.push_str(REDACTED);
            }
            end = end.max(echo.end);
        }
        shown.push_str(text.get(end..).unwrap_or_default());
        shown.chars().take(limit).collect()
    }

    /// Returns a header's value if it is one plain word: visible ASCII, and short.
    pub(super) fn word(&self, value: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(value).ok()?.trim();
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        (plain && text.len() <= WORD_LIMIT).then(|| self.hide(text))
    }

    /// Returns the media type of a `Content-Type`, without its parameters.
    pub(super) fn media_type(&self, value: &[u8]) -> Option<String> {
        self.word(value.split(|byte| *byte == b';').next()?)
    }

    /// Returns an id with every secret masked.
    pub(super) fn id(&self, id: &ApiTokenId) -> Result<ApiTokenId, CredentialError> {
        let hidden = self.hide_and_cut(id.as_str(), CREDENTIAL_LIMIT);
        checked_id(hidden).or_else(|_cut| checked_id(REDACTED))
    }

    /// Returns where the secrets are in a text, in order; two may overlap.
    fn echoes(&self, text: &str) -> Vec<Range<usize>> {
        let mut echoes = Vec::new();
        for read in READINGS {
            let decoded = Decoded::read(text, read);
            let (text_end, origin) = (decoded.text.len(), |at| decoded.origin(at));
            for secret in self.secrets.iter().map(Secret::expose_secret) {
                let whole = decoded.text.match_indices(secret);
                echoes.extend(whole.map(|(at, _)| origin(at)..origin(at + secret.len())));
                // The text may have been cut within a secret.
                let begun = secret
                    .char_indices()
                    .skip(TELLING)
                    .filter_map(|(length, _)| {
                        let begun = decoded.text.ends_with(secret.get(..length)?);
                        begun.then(|| origin(text_end - length)..text.len())
                    });
                echoes.extend(begun);
            }
        }
        echoes.sort_by_key(|echo| echo.start);
        echoes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind of character that an encoding changes, and one beyond the first plane.
    const SECRET: &str = r#"pé<l>&a"n'/t\e%d 😀"#;

    fn all(shown: fn(char) -> String) -> String {
        SECRET.chars().map(shown).collect()
    }

    fn by_utf_16(one: char) -> String {
        let units = one.encode_utf16(&mut [0; 2]).to_vec();
        units.iter().map(|unit| format!("\\u{unit:04x}")).collect()
    }

    fn by_percent(one: char) -> String {
        let text = one.to_string();
        text.bytes().map(|byte| format!("%{byte:02X}")).collect()
    }

    fn json(text: &str) -> String {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    }

    fn mask(secret: &str) -> Mask {
        Mask::new(vec![Secret::from(secret.to_owned())])
    }

    #[test]
    fn an_echo_is_masked_in_every_encoding() {
        let ascii_only = all(|one| match one {
            '"' | '\\' => format!("\\{one}"),
            _ if one.is_ascii() => one.to_string(),
            _ => by_utf_16(one),
        });
        let component = all(|one| match one {
            'a'..='z' => one.to_string(),
            _ => by_percent(one),
        });
        for echo in [
            SECRET.to_owned(),
            json(SECRET),
            json(SECRET).replace('/', "\\/"),
            json(SECRET).replace('<', "\\u003C"),
            component.to_lowercase(),
            component.replace("%20", "+"),
            all(by_percent),
            all(by_utf_16),
            ascii_only,
            component,
        ] {
            let text = format!("é: {echo}, and {echo}.");
            let shown = mask(SECRET).hide(&text);
            assert_eq!(shown, "é: [REDACTED], and [REDACTED].", "{echo}");
        }
    }

    #[test]
    fn a_secret_that_looks_encoded_is_masked_as_well() {
        for secret in ["%2541%25", "\\\\u0041", "a\\", "%", "\\", "a+b c"] {
            for echo in [
                secret.to_owned(),
                json(secret),
                secret.chars().map(by_percent).collect(),
                secret.replace('%', "%25"),
                secret.replace(' ', "%20"),
            ] {
                let shown = mask(secret).hide(&format!("<{echo}>"));
                assert_eq!(shown, "<[REDACTED]>", "{secret} {echo}");
            }
        }
    }

    #[test]
    fn row_81_every_secret_is_masked_and_the_longest_that_stands_there_goes_whole() {
        let secrets = ["plan", "planted", "p\"1"].map(|one| Secret::from(one.to_owned()));
        let shown = Mask::new(secrets.to_vec()).hide(r#"planted plan p"1 p\"1 p%221"#);
        let marks = [REDACTED; 5].join(" ");
        assert_eq!(shown, marks);
    }

    #[test]
    fn row_81_an_id_is_masked_only_where_a_secret_stands_in_it() {
        let mask = mask("planted");
        for (id, expected) in [("an-id", "an-id"), ("x-planted", "x-[REDACTED]")] {
            let hidden = mask.id(&checked_id(id).unwrap()).unwrap();
            assert_eq!(hidden.as_str(), expected);
        }
        let long = "i".repeat(CREDENTIAL_LIMIT);
        assert_eq!(
            mask.id(&checked_id(&*long).unwrap()).unwrap().as_str(),
            long
        );
    }

    #[test]
    fn what_is_no_echo_is_left_as_it_stands() {
        let planted = mask("planted");
        for text in [
            "",
            "plant",
            "plan ted",
            r#"{"a":"\n\u00e9\\\"","b":"100 %"}"#,
            "a &amp; b &#39; %zz %2",
            "C:\\path\\to",
        ] {
            let text = format!("{text}.");
            assert_eq!(planted.hide(&text), text);
        }
        assert_eq!(mask("").hide("text"), "text");
    }

    #[test]
    fn a_secret_at_which_a_text_breaks_off_is_masked() {
        let mask = mask("planted");
        assert_eq!(mask.hide("is: plante"), "is: [REDACTED]");
        assert_eq!(mask.hide("is: pla"), "is: pla");
        assert_eq!(mask.hide_and_cut("is: planted", 6), "is: [R");
    }

    #[test]
    fn a_text_of_repetitions_is_masked_and_truncated() {
        for (secret, text) in [
            ("\\".repeat(4_096), "\\".repeat(65_536)),
            ("a".repeat(4_096), "a".repeat(65_536)),
            ("%25".repeat(1_000), "%25".repeat(20_000)),
        ] {
            let shown = mask(&secret).hide(&text);
            assert!(shown.starts_with(REDACTED), "{shown}");
            assert!(shown.chars().count() <= TEXT_LIMIT);
            let other = mask(&format!("{secret}b")).hide(&format!("{text}."));
            assert_eq!(other.len(), TEXT_LIMIT, "{other}");
        }
    }

    #[test]
    fn only_a_plain_short_word_of_a_header_is_shown() {
        let mask = mask("planted");
        assert_eq!(mask.word(b"req-1").as_deref(), Some("req-1"));
        assert_eq!(mask.word(b"x-planted").as_deref(), Some("x-[REDACTED]"));
        assert_eq!(mask.word(b"x-pl%61nted").as_deref(), Some("x-[REDACTED]"));
        for bad in [
            &b""[..],
            b"a b",
            b"a\x1b[31m",
            b"\xff",
            &[b'a'; WORD_LIMIT + 1],
        ] {
            assert_eq!(mask.word(bad), None, "{bad:?}");
        }
        assert_eq!(
            mask.media_type(b"text/html; charset=utf-8").as_deref(),
            Some("text/html")
        );
    }
}
