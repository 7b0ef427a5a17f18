//! Texts of the help and the manual page that belong to no single option.

use std::fmt::Write as _;

use crate::exit;

/// The name of the program.
pub(crate) const NAME: &str = "pollination-auth";

pub(super) const ABOUT: &str = "Log in to Pollination and manage its API token";

pub(super) const LONG_ABOUT: &str = "\
Log in to Pollination and manage its API token

Log in once, then call the service with an access token:

  pollination-auth login
  pollination-auth access-token --format header |
    curl -H @- URL

If the service still answers 401, `access-token --fresh` logs in again.

Only the result is written to stdout. Secrets come from a prompt, standard input, a file or the \
environment, never from an argument.";

pub(super) const ACCESS_TOKEN: &str = "\
Examples:
  token=$(pollination-auth access-token)
  curl -H @<(pollination-auth access-token --format header) URL
  eval \"$(pollination-auth access-token --format env)\"
  pollination-auth access-token --format fish | source";

pub(super) const EXEC: &str = "\
Examples:
  pollination-auth exec -- python simulate.py
  pollination-auth exec --valid-for 30m -- ./nightly.sh

The exit code is 127 if the command is not found, and 126 if it can't be run.";

pub(super) const CREATE: &str = "\
Examples:
  access_token=$(pollination-auth access-token)
  pollination-auth token delete --yes
  printf %s \"$access_token\" |
    pollination-auth token create --access-token-stdin";

pub(super) const COMPLETIONS: &str = "\
Examples:
  source <(pollination-auth completions bash)
  pollination-auth completions fish | source";

/// The variables that the command reads, and the one that it sets.
pub(crate) const VARIABLES: [(&str, &str); 12] = [
    (
        "POLLINATION_API_KEY_ID, POLLINATION_API_KEY_SECRET",
        "Id and secret of an API token. `login` stores them. Other commands use them if nothing is stored, or if \
         another API token is stored. For the stored API token the stored secret is tried first, because a \
         rotation changes it.",
    ),
    (
        "POLLINATION_API_KEY_ID_FILE, POLLINATION_API_KEY_SECRET_FILE",
        "Files to read them from instead, as Docker, Kubernetes and systemd mount them",
    ),
    ("POLLINATION_HOST", "Base URL of the service, as `--host`"),
    ("POLLINATION_PROFILE", "Profile, as `--profile`"),
    (
        "POLLINATION_AUTH_DIR",
        "Directory of the credential store [default: pollination-auth in the platform's configuration directory]",
    ),
    (
        "POLLINATION_AUTH_RESCUE_DIR",
        "Directory for a new secret if the credential store fails; created only then [default: \
         pollination-auth/rescue in the platform's data directory]",
    ),
    (
        "POLLINATION_ACCESS_TOKEN",
        "Set by `exec` for the command that it runs: the access token",
    ),
    (
        "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY",
        "Proxy for https, for http, and for both, such as http://proxy.example:3128. Never used for this machine.",
    ),
    (
        "NO_PROXY",
        "Hosts to reach without the proxy, separated by commas: a domain such as example.com, which stands for \
         its subdomains too; an IP address; a network such as 10.0.0.0/8; or * for every host name",
    ),
    (
        "SSL_CERT_FILE",
        "File of root certificates (PEM) to trust instead of the system's, such as that of a private CA. On \
         Windows and macOS the system's certificate store is used.",
    ),
    ("SSL_CERT_DIR", "The same as a directory of files"),
    ("NO_COLOR", "Disables color on a terminal"),
];

/// Returns the end of the short help.
pub(super) fn after() -> String {
    format!("Exit codes:\n{}", exit::list().trim_end())
}

/// Returns the end of the long help. Each text has a line of its own, so that it is wrapped with
/// its indentation.
pub(super) fn after_long() -> String {
    let mut text = "Environment:\n".to_owned();
    for (names, meaning) in VARIABLES {
        // Writing to a string can't fail.
        let _ = writeln!(text, "  {names}\n          {meaning}");
    }
    format!("{text}\n{}", after())
}
