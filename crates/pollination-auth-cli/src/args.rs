//! The command line: what can be asked, and what the help says about it.
//!
//! What is done about it is in `command`. No argument takes a secret: other processes can see them.

use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use pollination_auth::DEFAULT_BASE_URL;

use crate::exit;
use crate::output::Format;
use crate::variables::{self, HOST};

/// What the program is called.
pub(crate) const NAME: &str = "pollination-auth";

/// The longest time in which the service may still learn of a new secret, in all of its parts.
const SETTLE: &str = "60s";

/// Logs in to Pollination, and keeps the credential safe
///
/// Log in once, then call the service with an access token:
///
///   token=$(pollination-auth access-token) &&
///     printf 'Authorization: Bearer %s' "$token" | curl -H @- URL
///
/// Where the service answers with 401 all the same, `access-token --fresh` logs in anew.
///
/// The answer is all that goes to stdout. Secrets come from a prompt, standard input or the
/// environment, and never from an argument.
#[derive(Debug, Parser)]
#[command(
    name = NAME,
    bin_name = NAME,
    version,
    verbatim_doc_comment,
    after_help = exit::help(),
    after_long_help = environment_and_exits(),
    disable_help_subcommand = true
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// Name of the stored credential, to have several for one host
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        default_value = "default",
        value_parser = profile_name,
        help_heading = "Global options"
    )]
    pub(crate) profile: String,

    /// Base URL of the service
    #[arg(
        long,
        global = true,
        value_name = "URL",
        default_value = DEFAULT_BASE_URL,
        env = HOST,
        hide_env_values = true,
        help_heading = "Global options"
    )]
    pub(crate) host: String,

    /// Allow http to another machine; secrets then cross the network in the clear
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) dangerously_allow_plain_http: bool,

    /// Form of the answer on stdout
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true,
        value_enum,
        help = "Form of the answer on stdout: text or json",
        help_heading = "Global options"
    )]
    pub(crate) output: Format,

    /// Tell on stderr what is done; never a secret
    #[arg(
        long,
        short,
        global = true,
        action = clap::ArgAction::Count,
        help_heading = "Global options"
    )]
    pub(crate) verbose: u8,
}

impl Global {
    /// Returns a command line that means this host and profile, to be pasted.
    pub(crate) fn line(&self, command: &str) -> String {
        let mut line = format!("pollination-auth {command}");
        for (option, value, default) in [
            ("--profile", &self.profile, "default"),
            ("--host", &self.host, DEFAULT_BASE_URL),
        ] {
            if value != default {
                line = format!("{line} {option} {}", quoted(value));
            }
        }
        if self.dangerously_allow_plain_http {
            line.push_str(" --dangerously-allow-plain-http");
        }
        line
    }
}

/// Quotes a value for a shell, unless it has nothing that a shell would read otherwise.
pub(crate) fn quoted(value: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@+[]".contains(letter);
    if value
        .chars()
        .all(|letter| plain(letter) && !"[]".contains(letter))
    {
        value.to_owned()
    } else {
        format!(
            "'{}'",
            value.escape_debug().to_string().replace('\'', r"'\''")
        )
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check an id and a secret by logging in, and store them
    ///
    /// They are taken from the variables POLLINATION_API_KEY_ID and POLLINATION_API_KEY_SECRET if
    /// either is set, else from standard input if that is no terminal (the id on the first line,
    /// the secret on the second), else from a prompt that shows nothing.
    Login(Login),
    /// Print an access token that is good now
    ///
    /// It is kept for the next call, and two calls at once share one login. That of an id and secret
    /// of the environment is kept nowhere.
    AccessToken(AccessToken),
    /// Show what is stored or in the environment, without asking the service
    ///
    /// The generation counts how often the stored credential was changed: 0 is the first one.
    ///
    /// Ends with 3 when there is no credential, and with 6 when a rotation is unfinished that
    /// no process works on.
    Status,
    /// Show, create, rotate or delete the account's API token
    #[command(subcommand)]
    Token(Token),
    /// Forget the credential on this machine; the service still accepts it
    Logout(Confirmed),
    /// Print the completions for a shell
    Completions {
        /// Shell to print them for
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print a manual page, of the whole or of one command
    Man {
        /// Command to print the page of, such as `token rotate`
        command: Vec<String>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Login {
    /// Take id and secret from here only
    #[arg(long, value_enum, value_name = "SOURCE")]
    pub(crate) from: Option<Source>,

    /// Give up an unfinished rotation for the new id and secret; its journal can be the only key
    #[arg(long)]
    pub(crate) discard_rotation: bool,

    #[command(flatten)]
    pub(crate) settle: Settle,

    #[command(flatten)]
    pub(crate) confirmed: Confirmed,
}

/// Where an id and a secret come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// POLLINATION_API_KEY_ID and POLLINATION_API_KEY_SECRET
    Environment,
    /// Two lines: the id, and the secret
    Stdin,
    /// A terminal, which shows nothing of them
    Prompt,
}

#[derive(Args, Debug)]
pub(crate) struct AccessToken {
    /// Least time that it stays good, such as 90s, 5m or 1h30m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) valid_for: Option<Duration>,

    /// Log in now, whatever the kept one is good for
    #[arg(long)]
    pub(crate) fresh: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Ask the service for the id of the account's API token
    Show(Bearer),
    /// Create an API token and store it; prints its id
    ///
    /// The service makes one only if the account has none. After a delete, an access token from
    /// before it is what to create the next one with:
    ///
    ///   access_token=$(pollination-auth access-token)
    ///   pollination-auth token delete --yes
    ///   printf %s "$access_token" | pollination-auth token create --access-token-stdin
    ///
    /// The access token is kept in a private file until the new API token logs in. If
    /// the creation is interrupted or its reply is lost, the error and `status` name
    /// the file.
    #[command(verbatim_doc_comment)]
    Create(Create),
    /// Replace the secret by a new one and store it, so that no crash loses it
    ///
    /// An interrupt lets it come to its end; a second one ends it at once. What is unfinished then
    /// is brought to its end by --resume.
    ///
    /// After an answer that leaves open what happened, a refusal such as a 403 included, the settle
    /// time is waited out before anything is judged or repeated; stderr says so. See --settle.
    Rotate(Rotate),
    /// Delete the account's API token, and forget it on this machine
    Delete(Delete),
}

/// What the account is reached with when the stored credential is not the way.
#[derive(Args, Debug)]
pub(crate) struct Bearer {
    /// Use the access token on standard input, and not the stored credential
    #[arg(long)]
    pub(crate) access_token_stdin: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) bearer: Bearer,

    #[command(flatten)]
    pub(crate) settle: Settle,

    #[command(flatten)]
    pub(crate) confirmed: Confirmed,
}

#[derive(Args, Debug)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) bearer: Bearer,

    /// Print the secret too; it is stored either way
    #[arg(long)]
    pub(crate) show_secret: bool,

    #[command(flatten)]
    pub(crate) settle: Settle,

    #[command(flatten)]
    pub(crate) confirmed: Confirmed,
}

#[derive(Args, Debug)]
pub(crate) struct Rotate {
    /// Bring an interrupted rotation to its end, and start none
    #[arg(long)]
    pub(crate) resume: bool,

    /// Longest time in which the service may still act on a request, or learn of a new secret
    ///
    /// It is waited out after each answer that leaves open what happened, and at the start of
    /// --resume. A rotation that goes well does not wait for it. Too short a one can lose the secret.
    #[arg(long, value_name = "DURATION", default_value = SETTLE, value_parser = duration)]
    pub(crate) settle: Duration,

    #[command(flatten)]
    pub(crate) confirmed: Confirmed,
}

#[derive(Args, Debug)]
pub(crate) struct Settle {
    /// Time to wait before a stored secret that the service refuses is checked again
    ///
    /// The stored secret is given up only if both checks are refused: a part of the service may not
    /// have learned of a new secret yet. Too short a time can lose the secret.
    #[arg(long, value_name = "DURATION", default_value = SETTLE, value_parser = duration)]
    pub(crate) settle: Duration,
}

#[derive(Args, Debug)]
pub(crate) struct Confirmed {
    /// Do not ask; without a terminal it is needed
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// A name is shown by `status`, so it must not be able to forge what stands there.
fn profile_name(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        Err("it is empty")
    } else if text.chars().any(char::is_control) {
        Err("it has a control character in it")
    } else {
        Ok(text.to_owned())
    }
}

/// Its error does not quote the value.
fn duration(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_quotes_it| "write it as 90s, 5m or 1h30m")
}

/// Returns the variables of the environment, one entry for each.
pub(crate) fn variables() -> String {
    format!(
        "  POLLINATION_API_KEY_ID       id for `login`; where nothing is stored for host and profile, also
                               for `access-token`, `status` and `token show`
  POLLINATION_API_KEY_SECRET   the secret of that id
  POLLINATION_HOST             base URL of the service
  {credentials}         directory of the credentials [default: pollination-auth in
                               the platform's directory for settings]
  {rescue}  directory for a new secret when that fails, made only then
                               [default: pollination-auth/rescue in the one for data]
  HTTPS_PROXY, ALL_PROXY       proxy for the service, such as http://proxy.example:3128
  NO_PROXY                     hosts that are reached without it, with commas between them
  SSL_CERT_FILE                file of root certificates (PEM), such as that of a private CA; in
                               the place of the system's, but on Windows and macOS, where the
                               system's store is what counts
  SSL_CERT_DIR                 the same as a directory of files
  NO_COLOR                     no colour, also on a terminal",
        credentials = variables::DIRECTORY,
        rescue = variables::RESCUE,
    )
}

fn environment_and_exits() -> String {
    format!("Environment:\n{}\n\n{}", variables(), exit::help())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_line_to_paste_names_what_is_not_the_default() {
        let line = |arguments: &[&str]| {
            let arguments = [&["pollination-auth", "status"], arguments].concat();
            let global = Arguments::try_parse_from(arguments).unwrap().global;
            global.line("login")
        };
        assert_eq!(
            line(&["--host", DEFAULT_BASE_URL]),
            "pollination-auth login"
        );
        assert_eq!(
            line(&["--dangerously-allow-plain-http", "--host", "http://h"]),
            "pollination-auth login --host http://h --dangerously-allow-plain-http"
        );
        assert_eq!(
            line(&["--host", "http://[::1]:80", "--profile", "it's"]),
            r"pollination-auth login --profile 'it\'\''s' --host 'http://[::1]:80'"
        );
    }
}
