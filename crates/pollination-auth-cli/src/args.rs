//! The command line: what can be asked, and what the help says about it.
//!
//! What is done about it is in `command`. No argument takes a secret: other processes can see them.

pub(crate) mod global;
pub(crate) mod help;
pub(crate) mod options;
pub(crate) mod token;
mod values;

use std::ffi::OsString;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::{ArgValueCandidates, CompletionCandidate};

use self::global::Global;
use self::options::{Confirmed, Login, Wanted};
use self::token::Token;

#[derive(Debug, Parser)]
#[command(
    name = help::NAME,
    bin_name = help::NAME,
    version,
    about = help::ABOUT,
    long_about = help::LONG_ABOUT,
    after_help = help::after(),
    after_long_help = help::after_long(),
    max_term_width = crate::text::WIDTH
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Log in with an id and a secret, and store them
    ///
    /// They are taken from the environment if it has them, else from standard input if that is not
    /// a terminal (the id on the first line, the secret on the second), else from a prompt. Nothing
    /// is stored unless the service accepts them.
    Login(Login),
    /// Print a valid access token
    ///
    /// The access token is cached until it expires, and processes that need one at the same time
    /// share one login. An access token of an API token in the environment is not cached.
    #[command(after_long_help = help::ACCESS_TOKEN)]
    AccessToken(AccessToken),
    /// Run a command with an access token in its environment
    ///
    /// The command finds the access token in the variable POLLINATION_ACCESS_TOKEN, and never in
    /// its arguments, which other processes can read. The variables of the API token are removed
    /// from its environment. Its exit code is the exit code of `exec`; signals reach it. If there is
    /// no access token, the command is not run.
    #[command(after_long_help = help::EXEC)]
    Exec(Exec),
    /// Show what is stored, without asking the service
    ///
    /// The generation counts how often the credential was stored again, with a new secret or the
    /// same. The exit code is 3 if there is no credential, and 6 if a rotation is unfinished and no
    /// process is working on it.
    Status,
    /// List the stored profiles
    #[command(subcommand)]
    Profile(Profile),
    /// Show, create, rotate or delete the account's API token
    #[command(subcommand)]
    Token(Token),
    /// Check the connection, the credential store and the environment
    ///
    /// Each line says `ok`, or what to do. No secret is sent. The exit code is 13 if anything has
    /// to be done.
    Doctor,
    /// Remove the stored credential from this machine
    ///
    /// The service is not told, and still accepts the API token; `token delete` deletes it.
    Logout(Confirmed),
    /// Print shell completions
    #[command(after_long_help = help::COMPLETIONS)]
    Completions {
        /// Shell to print completions for
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print a manual page
    Man {
        /// Command to print the page of, such as `token rotate`; without it, that of the program
        #[arg(add = ArgValueCandidates::new(commands))]
        command: Vec<String>,
    },
}

#[derive(clap::Args, Debug)]
pub(crate) struct AccessToken {
    #[command(flatten)]
    pub(crate) wanted: Wanted,

    /// Output format of the access token
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) format: Option<TokenFormat>,
}

/// How an access token is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenFormat {
    /// The access token alone
    Text,
    /// An Authorization header, as `curl -H @-` reads it
    Header,
    /// One line of JSON, with the time of expiry; the same as `--output json`
    Json,
    /// A command that sets POLLINATION_ACCESS_TOKEN in sh, bash and zsh
    Env,
    /// The same for fish
    Fish,
    /// The same for PowerShell
    Powershell,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) wanted: Wanted,

    /// Command to run, and its arguments
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "COMMAND",
        value_hint = clap::ValueHint::CommandWithArguments
    )]
    pub(crate) command: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Profile {
    /// List the stored profiles
    ///
    /// An asterisk marks the profile that commands use now. A rotation or creation that was
    /// interrupted is named.
    List,
}

/// A shell that completions are printed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Elvish,
    Fish,
    Nushell,
    Powershell,
    Zsh,
}

/// Returns the commands that have a manual page, as words to complete.
fn commands() -> Vec<CompletionCandidate> {
    use clap::CommandFactory as _;
    let command = Arguments::command();
    let words = command.get_subcommands().flat_map(|command| {
        let below = command.get_subcommands();
        below
            .map(clap::Command::get_name)
            .chain([command.get_name()])
    });
    words.map(CompletionCandidate::new).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }
}
