//! The exit codes: one for each thing that a script decides on, each with its meaning.
//!
//! Which error leads to which code is decided in `error`.

use std::fmt::Write as _;
use std::process::ExitCode;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    NotLoggedIn = 3,
    Rejected = 4,
    TryLater = 5,
    Unfinished = 6,
    Lost = 7,
    Unconfirmed = 8,
    Store = 9,
    NoApiToken = 10,
    Refused = 11,
    TooShort = 12,
    /// 128 and the number of SIGINT, as shells have it.
    Interrupted = 130,
}

/// All of them with their meanings, in order.
pub(crate) const MEANINGS: [(Exit, &str); 14] = [
    (Exit::Done, "done"),
    (
        Exit::Failed,
        "a bug, or a failure that has no code of its own",
    ),
    (Exit::Usage, "wrong usage, or input that can't be used"),
    (
        Exit::NotLoggedIn,
        "not logged in for this host and profile: run `login`",
    ),
    (
        Exit::Rejected,
        "the service refuses the credential: run `login` with another",
    ),
    (
        Exit::TryLater,
        "nothing is wrong with what was asked: try again later",
    ),
    (
        Exit::Unfinished,
        "it is not known what happened; after a rotation: run `token rotate --resume`",
    ),
    (
        Exit::Lost,
        "the credential is lost: make an API token in the web interface",
    ),
    (
        Exit::Unconfirmed,
        "not confirmed: without a terminal give `--yes`",
    ),
    (
        Exit::Store,
        "the credential store can't be used, or not be trusted",
    ),
    (Exit::NoApiToken, "the account has no API token"),
    (
        Exit::Refused,
        "the service refuses: repeating does not help",
    ),
    (
        Exit::TooShort,
        "access tokens don't live as long as was asked for",
    ),
    (
        Exit::Interrupted,
        "interrupted; after a rotation: run `token rotate --resume`",
    ),
];

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Returns the list of codes, one on a line.
pub(crate) fn list() -> String {
    let mut text = String::new();
    for (exit, meaning) in MEANINGS {
        // Writing to a string can't fail.
        let _ = writeln!(text, "  {:>3}  {meaning}", exit as u8);
    }
    text
}

/// Returns the list of codes as the help shows it.
pub(crate) fn help() -> String {
    format!("Exit codes:\n{}", list().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_every_code_with_its_meaning() {
        let docs = include_str!("lib.rs");
        for (exit, meaning) in MEANINGS {
            let row = format!("//! | {} | {meaning} |\n", exit as u8);
            assert!(docs.contains(&row), "{row}");
        }
    }
}
