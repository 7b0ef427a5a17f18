//! Hides the secret of a call wherever a server echoes it, however it is encoded there.
//!
//! It knows the escapes of JSON and HTML and percent-encoding, mixed and several times over. What a
//! server's words mean is not its concern.

use std::iter::successors;

/// The most characters of a text that are looked through and shown: 1 KiB.
pub(super) const TEXT_LIMIT: usize = 1024;

/// The most characters of one word: a field's name, a kind, a header's value.
pub(super) const WORD_LIMIT: usize = 128;

/// The most signs of encoding in a row that are followed: 8, which are three layers of backslashes.
const RUN_LIMIT: usize = 8;

/// The most ways of reading a text that are followed at once; one or two are usual.
const READING_LIMIT: usize = 16;

/// The most bytes of an entity of HTML behind its ampersand: 12, with room for leading zeros.
const ENTITY_LIMIT: usize = 12;

/// The most readings of one text: 256 Ki, four for each byte of the longest reply.
///
/// A text made to be slow to look through is shown as far as it was looked through.
const WORK_LIMIT: usize = 256 * 1024;

/// How much of the secret at the end of a broken text is taken for it: 4 characters.
const TELLING: usize = 4;

const REDACTED: &str = "[REDACTED]";

/// Holds the secret of a call, to be found in what the server says.
pub(super) struct Mask<'a> {
    secret: &'a str,
}

impl<'a> Mask<'a> {
    pub(super) fn new(secret: &'a str) -> Self {
        Self { secret }
    }

    /// Gives the text, cut, with a mark wherever the secret stood in it.
    pub(super) fn hide(&self, text: &str) -> String {
        self.hide_and_cut(text, TEXT_LIMIT)
    }

    /// Masks as it goes along, for a cut before that could leave a part of the secret.
    pub(super) fn hide_and_cut(&self, text: &str, limit: usize) -> String {
        let mut shown = String::new();
        let mut length = 0;
        let mut rest = text;
        let mut work = WORK_LIMIT;
        while length < limit {
            let behind = self.behind(rest, &mut work);
            if work == 0 {
                break;
            } else if let Some(behind) = behind {
                shown.push_str(REDACTED);
                length += REDACTED.len();
                rest = behind;
            } else if let Some(next) = rest.chars().next() {
                shown.push(next);
                length += 1;
                rest = rest.get(next.len_utf8()..).unwrap_or_default();
            } else {
                break;
            }
        }
        shown.chars().take(limit).collect()
    }

    /// Gives a header's value if it is one plain word: visible ASCII, and short.
    pub(super) fn word(&self, value: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(value).ok()?.trim();
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        (plain && text.len() <= WORD_LIMIT).then(|| self.hide(text))
    }

    /// Gives the media type of a `Content-Type`, without its parameters.
    pub(super) fn media_type(&self, value: &[u8]) -> Option<String> {
        self.word(value.split(|byte| *byte == b';').next()?)
    }

    /// Gives what stands behind the secret, if the text begins with it or breaks off within it.
    ///
    /// An encoding can be read in more than one way where the secret itself looks encoded. All of
    /// them are followed; each is the rest of the text that it leaves.
    fn behind<'t>(&self, text: &'t str, work: &mut usize) -> Option<&'t str> {
        let mut rests = vec![text];
        for (known, wanted) in self.secret.chars().enumerate() {
            if known >= TELLING && rests.iter().any(|rest| rest.is_empty()) {
                return Some("");
            }
            let mut next = Vec::new();
            *work = work.saturating_sub(rests.len());
            for rest in rests {
                read(rest, wanted, &mut next);
            }
            next.sort_unstable_by_key(|rest| rest.len());
            next.dedup_by_key(|rest| rest.len());
            next.truncate(READING_LIMIT);
            if next.is_empty() || *work == 0 {
                return None;
            }
            rests = next;
        }
        // The first is the shortest: rather too much is hidden than too little.
        rests
            .first()
            .copied()
            .filter(|rest| rest.len() < text.len())
    }
}

/// Adds what is left behind each way of reading the character at the beginning of the text.
fn read<'t>(text: &'t str, wanted: char, into: &mut Vec<&'t str>) {
    into.extend(text.strip_prefix(wanted));
    if wanted == ' ' {
        into.extend(text.strip_prefix('+'));
    }
    if !wanted.is_ascii() {
        // What another charset leaves behind of it.
        into.extend(run(text.strip_prefix('\u{fffd}'), "\u{fffd}"));
    }
    if wanted == '\\' {
        into.extend(run(text.strip_prefix('\\'), "\\"));
    }
    let escaped = last(text, "\\");
    let by_utf_16 = |wanted| (escaped != text).then(|| utf_16(escaped, wanted)).flatten();
    into.extend(escaped.strip_prefix(wanted));
    into.extend(by_utf_16(wanted));
    into.extend(bytes(text, wanted, |text| {
        last(text.strip_prefix('\\')?, "\\").strip_prefix('x')
    }));
    let ampersand = escaped.strip_prefix('&').or_else(|| by_utf_16('&'));
    for behind in run(ampersand, "amp;") {
        into.extend((wanted == '&').then_some(behind));
        into.extend(entity(behind, wanted));
    }
    if wanted == '%' {
        into.extend(run(text.strip_prefix('%'), "25"));
    }
    into.extend(bytes(escaped, wanted, |text| {
        Some(last(text.strip_prefix('%')?, "25"))
    }));
}

/// Gives the rests behind a sign that is encoded itself, once for each layer.
fn run<'t>(first: Option<&'t str>, again: &'static str) -> impl Iterator<Item = &'t str> {
    successors(first, move |rest| rest.strip_prefix(again)).take(RUN_LIMIT)
}

/// Gives the rest behind all of the signs.
fn last<'t>(text: &'t str, again: &'static str) -> &'t str {
    run(Some(text), again).last().unwrap_or(text)
}

/// Reads `uXXXX`, behind a backslash; two of them with one between for a rare character.
fn utf_16(text: &str, wanted: char) -> Option<&str> {
    let mut rest = text;
    for unit in wanted.encode_utf16(&mut [0; 2]) {
        rest = last(rest, "\\").strip_prefix('u')?;
        rest = hex(rest, 4, u32::from(*unit))?;
    }
    Some(rest)
}

/// Reads a character written as its bytes of UTF-8, two digits each behind a sign.
fn bytes(text: &str, wanted: char, sign: impl Fn(&str) -> Option<&str>) -> Option<&str> {
    let mut rest = text;
    for byte in wanted.encode_utf8(&mut [0; 4]).bytes() {
        rest = hex(sign(rest)?, 2, u32::from(byte))?;
    }
    Some(rest)
}

/// Reads an entity of HTML, behind its ampersand: by name or by number.
fn entity(text: &str, wanted: char) -> Option<&str> {
    let end = text
        .bytes()
        .take(ENTITY_LIMIT)
        .position(|byte| byte == b';')?;
    let (name, rest) = (text.get(..end)?, text.get(end + 1..)?);
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok();
    let code = match name {
        "lt" => Some(u32::from('<')),
        "gt" => Some(u32::from('>')),
        "quot" => Some(u32::from('"')),
        "apos" => Some(u32::from('\'')),
        _ => {
            let digits = name.strip_prefix('#')?;
            match digits.strip_prefix(['x', 'X']) {
                Some(digits) => number(digits, 16),
                None => number(digits, 10),
            }
        }
    };
    (code == Some(u32::from(wanted))).then_some(rest)
}

fn hex(text: &str, digits: usize, wanted: u32) -> Option<&str> {
    let (number, rest) = text.split_at_checked(digits)?;
    (u32::from_str_radix(number, 16).ok()? == wanted).then_some(rest)
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

    fn by_html(one: char) -> String {
        match one {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '\'' => "&#39;".to_owned(),
            other => other.to_string(),
        }
    }

    fn json(text: &str) -> String {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    }

    fn html(text: &str) -> String {
        text.chars().map(by_html).collect()
    }

    #[test]
    fn an_echo_is_masked_in_every_encoding() {
        let ascii_only = all(|one| match one {
            '"' | '\\' => format!("\\{one}"),
            _ if one.is_ascii() => one.to_string(),
            _ => by_utf_16(one),
        });
        let safe_for_html = all(|one| match one {
            '<' | '>' | '&' | '\'' => by_utf_16(one).to_uppercase().replace('U', "u"),
            _ => json(&one.to_string()),
        });
        let component = all(|one| match one {
            'a'..='z' => one.to_string(),
            _ => by_percent(one),
        });
        for echo in [
            SECRET.to_owned(),
            json(SECRET),
            json(&json(SECRET)),
            json(&json(&json(SECRET))),
            json(SECRET).replace('/', "\\/"),
            json(&json(SECRET).replace('/', "\\/")),
            json(&ascii_only),
            json(&safe_for_html),
            json(&html(SECRET)),
            html(SECRET),
            html(&html(SECRET)),
            html(&json(SECRET)),
            html(SECRET).replace('&', "\\u0026"),
            all(|one| format!("&#{};", u32::from(one))),
            all(|one| format!("&#x{:X};", u32::from(one))),
            component.replace('%', "%25"),
            component.to_lowercase(),
            component.replace("%20", "+"),
            all(by_percent),
            all(by_utf_16),
            all(by_percent).replace('%', "\\x"),
            SECRET.replace(|one: char| !one.is_ascii(), "\u{fffd}"),
            ascii_only,
            safe_for_html,
            component,
        ] {
            let text = format!("é: {echo}, and {echo}.");
            let shown = Mask::new(SECRET).hide(&text);
            assert_eq!(shown, "é: [REDACTED], and [REDACTED].", "{echo}");
        }
    }

    #[test]
    fn a_secret_that_looks_encoded_is_masked_as_well() {
        for secret in [
            "&amp;x",
            "%2541%25",
            "\\\\u0041",
            "a\\",
            "%",
            "&#65;",
            "\\",
            "a+b c",
        ] {
            for echo in [
                secret.to_owned(),
                json(secret),
                json(&json(secret)),
                html(secret),
                html(&html(secret)),
                secret.chars().map(by_percent).collect(),
                secret.replace('%', "%25"),
                secret.replace('%', "%2525"),
            ] {
                let shown = Mask::new(secret).hide(&format!("<{echo}>"));
                assert_eq!(shown, "<[REDACTED]>", "{secret} {echo}");
            }
        }
    }

    #[test]
    fn what_is_no_echo_is_left_as_it_stands() {
        let mask = Mask::new("planted");
        for text in [
            "",
            "plant",
            "plan ted",
            r#"{"a":"\n\u00e9\\\"","b":"100 %"}"#,
            "a &amp; b &#39; %zz %2",
            "C:\\path\\to",
        ] {
            let text = format!("{text}.");
            assert_eq!(mask.hide(&text), text);
        }
        assert_eq!(Mask::new("").hide("text"), "text");
    }

    #[test]
    fn a_secret_at_which_a_text_breaks_off_is_masked() {
        let mask = Mask::new("planted");
        assert_eq!(mask.hide("is: plante"), "is: [REDACTED]");
        assert_eq!(mask.hide("is: pla"), "is: pla");
        assert_eq!(mask.hide_and_cut("is: planted", 6), "is: [R");
    }

    #[test]
    fn the_work_is_bounded() {
        for (secret, text) in [
            ("\\".repeat(4_096), "\\".repeat(65_536)),
            ("a".repeat(4_096), "a".repeat(65_536)),
            ("%25".repeat(1_000), "%25".repeat(20_000)),
        ] {
            let shown = Mask::new(&secret).hide(&text);
            assert!(shown.starts_with(REDACTED), "{shown}");
            assert!(shown.chars().count() <= TEXT_LIMIT);
            let other = Mask::new(&format!("{secret}b")).hide(&format!("{text}."));
            assert!(other.len() < TEXT_LIMIT, "{other}");
        }
    }

    #[test]
    fn only_a_plain_short_word_of_a_header_is_shown() {
        let mask = Mask::new("planted");
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
