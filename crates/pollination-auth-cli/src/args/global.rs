//! The options that every command takes, and command lines to paste that mean the same.

use std::env;

use clap::Args;
use clap_complete::{ArgValueCandidates, CompletionCandidate};
use pollination_auth::DEFAULT_BASE_URL;

use super::help::NAME;
use super::values;
use crate::output::Format;
use crate::profiles;
use crate::text;
use crate::variables::{HOST, PROFILE};

/// The profile of those who name none, as the library has it.
const DEFAULT_PROFILE: &str = "default";

/// What every command takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct Global {
    /// Profile: the name of a stored credential, to keep several for one host
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        default_value = DEFAULT_PROFILE,
        env = PROFILE,
        hide_env_values = true,
        value_parser = values::profile_name,
        help_heading = "Global options",
        add = ArgValueCandidates::new(names)
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
        help_heading = "Global options",
        add = ArgValueCandidates::new(hosts)
    )]
    pub(crate) host: String,

    /// Allow http to another machine; anyone on the network can then read the secrets
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) dangerously_allow_plain_http: bool,

    /// Output format: text or json
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true,
        value_enum,
        help_heading = "Global options"
    )]
    pub(crate) output: Format,

    /// Log to stderr; secrets are never logged. -vv logs every event
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
        self.line_where(command, |name| env::var_os(name).is_some())
    }

    /// Leaves out a default only where no variable is set that would replace it: the line must
    /// never send a secret to another host.
    fn line_where(&self, command: &str, is_set: impl Fn(&str) -> bool) -> String {
        let mut line = format!("{NAME} {command}");
        for (option, value, default, variable) in [
            ("--profile", &self.profile, DEFAULT_PROFILE, PROFILE),
            ("--host", &self.host, DEFAULT_BASE_URL, HOST),
        ] {
            if value != default || is_set(variable) {
                line = format!("{line} {}", text::option(option, value));
            }
        }
        if self.dangerously_allow_plain_http {
            line.push_str(" --dangerously-allow-plain-http");
        }
        line
    }
}

fn names() -> Vec<CompletionCandidate> {
    candidates(|found| found.name)
}

fn hosts() -> Vec<CompletionCandidate> {
    candidates(|found| found.host)
}

/// Returns what the stored profiles have; nothing if they can't be read.
fn candidates(of: fn(profiles::Found) -> String) -> Vec<CompletionCandidate> {
    let mut found: Vec<_> = profiles::stored().into_iter().map(of).collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(CompletionCandidate::new).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Arguments;

    fn line(arguments: &[&str], set: &[&str]) -> String {
        let arguments = [&["pollination-auth", "status"], arguments].concat();
        let global = Arguments::try_parse_from(arguments).unwrap().global;
        global.line_where("login", |name| set.contains(&name))
    }

    #[test]
    fn a_line_to_paste_names_what_is_not_the_default() {
        assert_eq!(
            line(&["--host", DEFAULT_BASE_URL], &[]),
            "pollination-auth login"
        );
        assert_eq!(
            line(
                &["--dangerously-allow-plain-http", "--host", "http://h"],
                &[]
            ),
            "pollination-auth login --host http://h --dangerously-allow-plain-http"
        );
    }

    #[test]
    fn a_line_to_paste_takes_a_value_like_an_option_for_a_value() {
        assert_eq!(
            line(&["--profile=--help"], &[]),
            "pollination-auth login --profile=--help"
        );
    }

    #[test]
    fn a_line_to_paste_names_a_default_that_a_variable_would_replace() {
        let default = ["--host", DEFAULT_BASE_URL, "--profile", DEFAULT_PROFILE];
        assert_eq!(
            line(&default, &[HOST, PROFILE]),
            format!("pollination-auth login --profile default --host {DEFAULT_BASE_URL}")
        );
    }
}
