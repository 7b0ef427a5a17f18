//! What the program says about itself, and about a wrong command line.

use std::process::Command;

use snapbox::{Data, assert_data_eq, file, str};

use crate::world::{PROGRAM, Ran};

fn run(arguments: &[&str]) -> Ran {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_clear();
    command.output().unwrap().into()
}

#[test]
fn each_help_is_as_it_was_reviewed() {
    let pages: [(&[&str], Data); 14] = [
        (&[], file!["help/pollination-auth.txt"]),
        (&["login"], file!["help/login.txt"]),
        (&["access-token"], file!["help/access-token.txt"]),
        (&["exec"], file!["help/exec.txt"]),
        (&["status"], file!["help/status.txt"]),
        (&["logout"], file!["help/logout.txt"]),
        (&["profile"], file!["help/profile.txt"]),
        (&["profile", "list"], file!["help/profile-list.txt"]),
        (&["doctor"], file!["help/doctor.txt"]),
        (&["token"], file!["help/token.txt"]),
        (&["token", "show"], file!["help/token-show.txt"]),
        (&["token", "create"], file!["help/token-create.txt"]),
        (&["token", "rotate"], file!["help/token-rotate.txt"]),
        (&["token", "delete"], file!["help/token-delete.txt"]),
    ];
    for (command, expected) in pages {
        let ran = run(&[command, &["--help"]].concat());
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(0), ""),
            "{command:?}"
        );
        // `help` in front shows the same.
        assert_eq!(run(&[&["help"], command].concat()).stdout, ran.stdout);
        assert_data_eq!(ran.stdout, expected);
    }
}

/// A name that is longer than the terminal can't be wrapped; there is none.
#[test]
fn no_line_of_the_help_is_longer_than_the_terminal() {
    let commands: [&[&str]; 14] = [
        &[],
        &["login"],
        &["access-token"],
        &["exec"],
        &["status"],
        &["profile", "list"],
        &["doctor"],
        &["token"],
        &["token", "create"],
        &["token", "rotate"],
        &["token", "delete"],
        &["logout"],
        &["completions"],
        &["man"],
    ];
    for command in commands {
        for help in ["--help", "-h"] {
            for (columns, width) in [(Some("60"), 60), (Some("200"), 80), (None, 80)] {
                let mut program = Command::new(PROGRAM);
                program.args(command).arg(help).env_clear();
                program.envs(columns.map(|columns| ("COLUMNS", columns)));
                let ran = Ran::from(program.output().unwrap());
                for line in ran.answer().lines() {
                    let length = line.chars().count();
                    assert!(
                        length <= width,
                        "{command:?} {help}: {length} columns: {line}"
                    );
                }
            }
        }
    }
}

#[test]
fn help_shows_no_value_of_the_environment() {
    let mut command = Command::new(PROGRAM);
    command.arg("--help").env_clear();
    command.env("POLLINATION_HOST", "https://u:planted@h.example");
    let ran = Ran::from(command.output().unwrap());
    assert!(!ran.answer().contains("planted"), "{}", ran.stdout);
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = concat!("pollination-auth ", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&["--version"]).answer(), version);
}

#[test]
fn row_55_a_secret_on_the_command_line_is_refused_and_not_repeated() {
    for arguments in [
        &["login", "planted-Secret-1"][..],
        &["login", "--secret", "planted-Secret-1"],
        &["login", "--secret=planted-Secret-1"],
        &["login", "-pplanted-Secret-1"],
        &["planted-Secret-1"],
        &["--output", "planted-Secret-1", "status"],
        &["man", "planted-Secret-1"],
        &["help", "planted-Secret-1"],
    ] {
        let ran = run(arguments);
        let stderr = ran.fails_with(2);
        assert!(!stderr.contains("planted"), "{arguments:?}: {stderr}");
    }
    assert_data_eq!(
        run(&["login", "planted-Secret-1"]).stderr,
        str![[r#"
error: unexpected argument '(not shown)' found

Usage: pollination-auth login [OPTIONS]

For more information, try '--help'.

  tip: an id or a secret is never an argument; see 'pollination-auth login --help'

"#]]
    );
}

#[test]
fn no_command_is_an_error_that_lists_them() {
    assert_data_eq!(
        run(&[]).fails_with(2).to_owned(),
        str![[r#"
Log in to Pollination and manage its API token

Usage: pollination-auth [OPTIONS] <COMMAND>

Commands:
  login         Log in with an id and a secret, and store them
  access-token  Print a valid access token
  exec          Run a command with an access token in its environment
  status        Show what is stored, without asking the service
  profile       List the stored profiles
  token         Show, create, rotate or delete the account's API token
  doctor        Check the connection, the credential store and the environment
  logout        Remove the stored credential from this machine
  completions   Print shell completions
  man           Print a manual page
  help          Print this message or the help of the given subcommand(s)

Options:
  -h, --help     Print help (see more with '--help')
  -V, --version  Print version

Global options:
      --profile <NAME>
          Profile: the name of a stored credential, to keep several for one host
          [env: POLLINATION_PROFILE] [default: default]
      --host <URL>
          Base URL of the service [env: POLLINATION_HOST] [default:
          https://api.pollination.cloud]
      --dangerously-allow-plain-http
          Allow http to another machine; anyone on the network can then read the
          secrets
      --output <FORMAT>
          Output format: text or json [default: text]
  -v, --verbose...
          Log to stderr; secrets are never logged. -vv logs every event

Exit codes:
    0  success
    1  a bug, or a failure without a code of its own
    2  wrong usage or invalid input
    3  not logged in; run `login`
    4  the service refuses the credential
    5  temporary failure; try again later
    6  outcome unknown; run what the error names
    7  the secret is lost; create a new API token
    8  not confirmed; without a terminal, use --yes
    9  the credential store is unusable or unsafe
   10  the account has no API token
   11  the service refuses; retrying does not help
   12  access tokens expire sooner than requested
   13  `doctor` has found a problem
  126  `exec` can't run the command
  127  `exec` can't find the command
  130  interrupted

"#]]
    );
}

#[cfg(unix)]
#[test]
fn row_51_an_argument_that_is_no_text_is_wrong_usage() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let mut command = Command::new(PROGRAM);
    command.env_clear().args(["status", "--profile"]);
    command.arg(OsStr::from_bytes(b"planted\xff"));
    let ran = Ran::from(command.output().unwrap());
    let stderr = ran.fails_with(2);
    assert!(
        stderr.contains("UTF-8") && !stderr.contains("planted"),
        "{stderr}"
    );
}

#[test]
fn a_value_that_is_hidden_says_why_and_one_that_is_left_out_is_none() {
    let hidden = run(&["status", "--output", "planted-Secret-1"]);
    let stderr = hidden.fails_with(2);
    assert!(stderr.contains("[possible values: text, json]"), "{stderr}");
    assert!(
        stderr.contains("is not shown, as it may be a secret"),
        "{stderr}"
    );
    for (arguments, expected) in [
        (&["status", "--output", "yaml"][..], "invalid value 'yaml'"),
        (
            &["status", "--host"],
            "a value is required for '--host <URL>'",
        ),
        (&["status", "--profile", ""], "invalid value ''"),
    ] {
        let ran = run(arguments);
        let stderr = ran.fails_with(2);
        assert!(stderr.contains(expected), "{stderr}");
        assert!(!stderr.contains("not shown"), "{stderr}");
    }
}

#[test]
fn a_command_that_is_none_is_likened_to_no_other_one_that_begins_otherwise() {
    assert!(!run(&["bogus"]).fails_with(2).contains("logout"));
    assert!(
        run(&["acess-token"])
            .fails_with(2)
            .contains("'access-token'")
    );
}

#[test]
fn a_usage_has_no_host_where_the_environment_has_one() {
    let mut command = Command::new(PROGRAM);
    command.arg("completions").env_clear();
    command.env("POLLINATION_HOST", "https://h.example");
    let ran = Ran::from(command.output().unwrap());
    let usage = "\nUsage: pollination-auth completions <SHELL>\n";
    assert!(ran.fails_with(2).contains(usage), "{ran:?}");
}

#[test]
fn verbose_may_be_said_twice() {
    assert_eq!(run(&["man", "-vv"]).code, Some(0));
}
