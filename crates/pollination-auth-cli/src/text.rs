//! Text for a terminal: wrapped between words, quoted for a shell, and without characters that
//! change how it is read.

use std::borrow::Cow;

/// The width of text in columns, unless the terminal is narrower: 80, the width of a terminal that
/// nobody has resized.
pub(crate) const WIDTH: usize = 80;

/// The indentation of a command line to paste, which is never wrapped.
const TO_PASTE: &str = "    ";

/// The indentation of the rest of a line that has none itself.
const HANGING: usize = 2;

/// Returns a text in which characters that reorder a line are escaped, as Unicode names them.
///
/// An id is the service's, and a profile's name is anybody's: what is shown must be what is there.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |letter| letter.escape_unicode().to_string())
}

/// As [`visible`], for JSON, whose own escapes stand for the same text.
pub(crate) fn visible_json(text: &str) -> Cow<'_, str> {
    escaped(text, |letter| format!("\\u{:04x}", u32::from(letter)))
}

fn escaped(text: &str, escape: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.contains(reorders) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if reorders(letter) {
            escaped.push_str(&escape(letter));
        } else {
            escaped.push(letter);
        }
    }
    Cow::Owned(escaped)
}

/// Returns `true` for the characters that control the direction of text (Unicode, UAX #9).
fn reorders(letter: char) -> bool {
    matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Quotes a value for a shell, unless no shell would change it.
pub(crate) fn quoted(value: &str) -> String {
    match shlex::try_quote(value) {
        Ok(quoted) => quoted.into_owned(),
        // No argument, variable or path has a zero byte.
        Err(_zero_byte) => String::new(),
    }
}

/// Returns an option with its value, as it stands on a command line.
pub(crate) fn option(name: &str, value: &str) -> String {
    // A value that begins like an option would be taken for one.
    let sign = if value.starts_with('-') { '=' } else { ' ' };
    format!("{name}{sign}{}", quoted(value))
}

/// Wraps each line between words. What is wrapped has the line's own indentation, that of the second
/// column of a table, or [`HANGING`].
///
/// What stands in backquotes is one word, and a line to paste stays as it is: a line break in a
/// command would change it.
pub(crate) fn wrap(text: &str, width: usize) -> String {
    let mut wrapped = String::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with(TO_PASTE) {
            wrapped.push_str(line);
        } else {
            wrap_line(&mut wrapped, line, width);
        }
    }
    wrapped
}

fn wrap_line(wrapped: &mut String, line: &str, width: usize) {
    let own = line.len() - line.trim_start_matches(' ').len();
    let indentation = " ".repeat(match second_column(line) {
        _ if own > 0 => own,
        Some(column) if column <= width / 2 => column,
        _ => HANGING,
    });
    let mut column = 0;
    for word in words(line) {
        let trimmed = word.trim_end();
        let columns = columns(trimmed);
        if column > own && column + columns > width {
            wrapped.truncate(wrapped.trim_end_matches(' ').len());
            wrapped.push('\n');
            wrapped.push_str(&indentation);
            column = indentation.len();
        }
        wrapped.push_str(word);
        column += columns + word.len() - trimmed.len();
    }
}

/// Returns where the second column of a table's row begins: behind the first two spaces or more.
fn second_column(line: &str) -> Option<usize> {
    let (first, rest) = line.split_once("  ")?;
    let gap = 2 + rest.len() - rest.trim_start_matches(' ').len();
    Some(first.chars().count() + gap)
}

/// Returns the words of a line with the space behind each.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let (mut start, mut end) = (0, 0);
    for part in line.split_inclusive(' ') {
        end += part.len();
        let word = line.get(start..end).unwrap_or_default();
        if word.matches('`').count() % 2 == 0 {
            words.push(word);
            start = end;
        }
    }
    words.extend(line.get(start..end).filter(|rest| !rest.is_empty()));
    words
}

/// Returns the columns that a word takes; the sequences that colour it take none.
fn columns(word: &str) -> usize {
    let mut parts = word.split('\x1b');
    let first = parts.next().map_or(0, |part| part.chars().count());
    let rest = parts.map(|part| {
        part.split_once('m')
            .map_or(0, |(_, rest)| rest.chars().count())
    });
    first + rest.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_wrapped_between_words_with_its_indentation() {
        assert_eq!(wrap("one two three", 9), "one two\n  three");
        assert_eq!(
            wrap("  one two\n  three four\n", 9),
            "  one two\n  three\n  four\n"
        );
        assert_eq!(wrap("unbreakable x", 5), "unbreakable\n  x");
        assert_eq!(wrap("exactly ten", 11), "exactly ten");
        assert_eq!(wrap("a question [y/N] ", 10), "a question\n  [y/N] ");
    }

    #[test]
    fn the_row_of_a_table_is_wrapped_in_its_second_column() {
        assert_eq!(
            wrap("a name   one two three", 18),
            "a name   one two\n         three"
        );
        assert_eq!(
            wrap("* name  host  two words", 18),
            "* name  host  two\n        words"
        );
    }

    #[test]
    fn a_command_is_never_broken() {
        assert_eq!(wrap("run `a b c d` now", 8), "run\n  `a b c d`\n  now");
        assert_eq!(wrap("it's `open", 80), "it's `open");
        assert_eq!(
            wrap("    a long command line\n", 9),
            "    a long command line\n"
        );
    }

    #[test]
    fn colour_takes_no_room() {
        assert_eq!(
            wrap("\x1b[1merror:\x1b[0m two", 10),
            "\x1b[1merror:\x1b[0m two"
        );
    }

    #[test]
    fn what_reorders_a_line_is_escaped_and_what_is_said_stays_the_same() {
        assert_eq!(visible("a\u{202e}b\u{2066}"), "a\\u{202e}b\\u{2066}");
        assert_eq!(visible("ü 日本 é"), "ü 日本 é");
        let json = serde_json::to_string("a\u{202e}b").unwrap();
        let escaped = visible_json(&json);
        assert_eq!(escaped, r#""a\u202eb""#);
        assert_eq!(
            serde_json::from_str::<String>(&escaped).unwrap(),
            "a\u{202e}b"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_a_quoted_value_as_it_is() {
        let every: String = (' '..='~').collect();
        for value in [
            every.as_str(),
            "it's",
            "a b",
            "$(touch x)",
            "`id`",
            "~",
            "\\",
            "!x",
            "*",
            "#x",
            "a\nb",
            "\"$HOME\"",
            "ü\u{202e}",
            "-",
            "",
        ] {
            let script = format!("printf %s {}", quoted(value));
            let mut shell = std::process::Command::new("sh");
            let output = shell.args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), value, "{script}");
        }
    }
}
