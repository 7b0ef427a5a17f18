//! Asks a person whether a thing shall be done.

use std::io::{self, IsTerminal as _};

use crate::error::CliError;
use crate::output;

/// The longest line of an answer that is read: 1 KiB, and a yes is shorter.
const ANSWER_LIMIT: u64 = 1024;

/// A line on stderr that a question has begun. It is ended when this is dropped, also by an
/// interrupt.
struct OpenLine;

impl Drop for OpenLine {
    fn drop(&mut self) {
        output::tell("\n");
    }
}

/// Asks before a thing is done that can't be undone; `what` names it.
pub(crate) async fn confirm(yes: bool, what: &'static str, question: &str) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    // Who does not see the question can't answer it.
    if !io::stdin().is_terminal() || !output::is_watched() {
        return Err(CliError::NobodyToAsk(what));
    }
    output::say(format_args!("{question} [y/N] "));
    // On a thread of its own, so that an interrupt is heard meanwhile.
    let line = OpenLine;
    let answer = tokio::task::spawn_blocking(read).await.unwrap_or_default();
    if answer.ends_with(b"\n") {
        // The terminal has shown it.
        std::mem::forget(line);
    }
    match answer.trim_ascii().to_ascii_lowercase().as_slice() {
        b"y" | b"yes" => Ok(()),
        _ => Err(CliError::Declined(what)),
    }
}

/// Reads a line. What can't be read is no yes.
fn read() -> Vec<u8> {
    use io::{BufRead as _, Read as _};
    let mut answer = Vec::new();
    let mut stdin = io::stdin().lock().take(ANSWER_LIMIT);
    let _unread = stdin.read_until(b'\n', &mut answer);
    answer
}
