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
    let pages: [(&[&str], Data); 10] = [
        (&[], file!["help/pollination-auth.txt"]),
        (&["login"], file!["help/login.txt"]),
        (&["access-token"], file!["help/access-token.txt"]),
        (&["status"], file!["help/status.txt"]),
        (&["logout"], file!["help/logout.txt"]),
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
        assert_data_eq!(ran.stdout, expected);
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
        &["login", "planted"][..],
        &["login", "--secret", "planted"],
        &["login", "--secret=planted"],
        &["login", "-pplanted"],
        &["planted"],
        &["--output", "planted", "status"],
        &["man", "planted"],
    ] {
        let ran = run(arguments);
        let stderr = ran.fails_with(2);
        assert!(!stderr.contains("planted"), "{arguments:?}: {stderr}");
    }
    assert_data_eq!(
        run(&["login", "planted"]).stderr,
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
Logs in to Pollination, and keeps the credential safe

Usage: pollination-auth [OPTIONS] <COMMAND>

Commands:
  login         Check an id and a secret by logging in, and store them
  access-token  Print an access token that is good now
  status        Show what is stored or in the environment, without asking the service
  token         Show, create, rotate or delete the account's API token
  logout        Forget the credential on this machine; the service still accepts it
  completions   Print the completions for a shell
  man           Print a manual page, of the whole or of one command

Options:
  -h, --help     Print help (see more with '--help')
  -V, --version  Print version

Global options:
      --profile <NAME>                Name of the stored credential, to have several for one host [default: default]
      --host <URL>                    Base URL of the service [env: POLLINATION_HOST] [default: https://api.pollination.cloud]
      --dangerously-allow-plain-http  Allow http to another machine; secrets then cross the network in the clear
      --output <FORMAT>               Form of the answer on stdout: text or json [default: text]
  -v, --verbose...                    Tell on stderr what is done; never a secret

Exit codes:
    0  done
    1  a bug, or a failure that has no code of its own
    2  wrong usage, or input that can't be used
    3  not logged in for this host and profile: run `login`
    4  the service refuses the credential: run `login` with another
    5  nothing is wrong with what was asked: try again later
    6  it is not known what happened; after a rotation: run `token rotate --resume`
    7  the credential is lost: make an API token in the web interface
    8  not confirmed: without a terminal give `--yes`
    9  the credential store can't be used, or not be trusted
   10  the account has no API token
   11  the service refuses: repeating does not help
   12  access tokens don't live as long as was asked for
  130  interrupted; after a rotation: run `token rotate --resume`

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
    let hidden = run(&["status", "--output", "plantedx"]);
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
