//! The exit codes: one for each thing that a script decides on, each with its meaning.
//!
//! Which error leads to which code is decided in `error`.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
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
    Problem = 13,
    /// Of `exec`, as shells and `env` have it.
    NotRunnable = 126,
    /// Of `exec`, as shells and `env` have it.
    NotFound = 127,
    /// 128 and the number of SIGINT, as shells have it.
    Interrupted = 130,
}

/// All of them with their meanings, in order. Each fits a line of 60 columns.
pub(crate) const MEANINGS: [(Exit, &str); 17] = [
    (Exit::Done, "success"),
    (
        Exit::Failed,
        "a bug, or a failure without a code of its own",
    ),
    (Exit::Usage, "wrong usage or invalid input"),
    (Exit::NotLoggedIn, "not logged in; run `login`"),
    (Exit::Rejected, "the service refuses the credential"),
    (Exit::TryLater, "temporary failure; try again later"),
    (
        Exit::Unfinished,
        "outcome unknown; run what the error names",
    ),
    (Exit::Lost, "the secret is lost; create a new API token"),
    (
        Exit::Unconfirmed,
        "not confirmed; without a terminal, use --yes",
    ),
    (Exit::Store, "the credential store is unusable or unsafe"),
    (Exit::NoApiToken, "the account has no API token"),
    (Exit::Refused, "the service refuses; retrying does not help"),
    (Exit::TooShort, "access tokens expire sooner than requested"),
    (Exit::Problem, "`doctor` has found a problem"),
    (Exit::NotRunnable, "`exec` can't run the command"),
    (Exit::NotFound, "`exec` can't find the command"),
    (Exit::Interrupted, "interrupted"),
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
