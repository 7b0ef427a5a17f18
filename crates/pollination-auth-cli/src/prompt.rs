//! Asks a person whether a thing shall be done.

use std::io::{self, IsTerminal as _};

use crate::error::CliError;
use crate::output;

/// The longest line of an answer that is read: 1 KiB, and a yes is shorter.
const ANSWER_LIMIT: u64 = 1024;

/// Asks before a thing is done that can't be undone; `what` names it.
pub(crate) fn confirm(yes: bool, what: &'static str, question: &str) -> Result<(), CliError> {
    use io::{BufRead as _, Read as _};
    if yes {
        return Ok(());
    }
    let stdin = io::stdin();
    // Who does not see the question can't answer it.
    if !stdin.is_terminal() || !output::is_watched() {
        return Err(CliError::NobodyToAsk(what));
    }
    output::tell(format_args!("{question} [y/N] "));
    let mut answer = Vec::new();
    // What can't be read is no yes.
    let _unread = stdin
        .lock()
        .take(ANSWER_LIMIT)
        .read_until(b'\n', &mut answer);
    match answer.trim_ascii().to_ascii_lowercase().as_slice() {
        b"y" | b"yes" => Ok(()),
        _ => Err(CliError::Declined(what)),
    }
}
