//! Completions and manual pages, as a shell and a formatter read them.

use std::process::Command;

#[cfg(unix)]
use crate::world::{ID, SECRET, World};
use crate::world::{PROGRAM, Ran};

fn run(arguments: &[&str]) -> Ran {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_clear();
    command.output().unwrap().into()
}

#[test]
fn each_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "nushell", "powershell", "zsh"] {
        let ran = run(&["completions", shell]);
        assert!(ran.answer().contains("pollination-auth"), "{shell}");
        assert_eq!(ran.stderr, "");
    }
}

/// Sources the script in bash, and gives what it offers for the last of these words.
#[cfg(unix)]
fn offered(world: &World, words: &[&str]) -> Option<Vec<String>> {
    let script = run(&["completions", "bash"]);
    // The script asks the program in the path.
    let ask = r#"
        eval "$SCRIPT"
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _clap_complete_pollination_auth "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let directory = std::path::Path::new(PROGRAM).parent().unwrap();
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", ask, "bash", "pollination-auth"]);
    bash.args(words).env_clear().env("SCRIPT", script.text());
    bash.env("PATH", format!("{}:/usr/bin:/bin", directory.display()));
    bash.env("POLLINATION_AUTH_DIR", world.directory());
    let output = match bash.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        output => output.unwrap(),
    };
    let ran = Ran::from(output);
    assert_eq!(ran.stderr, "");
    Some(ran.answer().split('\n').map(str::to_owned).collect())
}

#[cfg(unix)]
#[test]
fn bash_completes_commands_options_profiles_and_hosts() {
    let world = World::logged_in();
    let log_in = ["login", "--profile", "work"];
    let credential = format!("{ID}\n{SECRET}\n");
    assert_eq!(world.run_with(&log_in, credential).code, Some(0));
    let host = world.service.base_url();
    for (words, expected) in [
        (&["acc"][..], "access-token"),
        (&["token", "ro"], "rotate"),
        (&["token", "rotate", "--res"], "--resume"),
        (&["access-token", "--valid"], "--valid-for"),
        (&["login", "--from", "st"], "stdin"),
        (&["completions", "fi"], "fish"),
        (&["man", "acc"], "access-token"),
        (&["status", "--profile", "w"], "work"),
        (&["status", "--host", "h"], &host),
    ] {
        if let Some(offered) = offered(&world, words) {
            assert_eq!(offered, [expected], "{words:?}");
        }
    }
}

#[test]
fn there_is_a_manual_page_of_the_whole_and_of_each_command() {
    let whole = run(&["man"]);
    assert!(
        whole.answer().contains(".TH \"pollination-auth\""),
        "{}",
        whole.stdout
    );
    let rotate = run(&["man", "token", "rotate"]);
    assert!(rotate.answer().contains("settle"), "{}", rotate.stdout);
}

#[test]
fn the_manual_page_lists_variables_and_exit_codes() {
    let page = run(&["man"]);
    for (title, entry) in [
        (
            "ENVIRONMENT",
            "\\fBSSL_CERT_FILE\\fR\nFile of root certificates",
        ),
        (
            "EXIT STATUS",
            "\\fB12\\fR\naccess tokens expire sooner than requested",
        ),
    ] {
        let section = page
            .answer()
            .split(".SH ")
            .find(|section| section.trim_start_matches('"').starts_with(title));
        let section = section.unwrap();
        assert!(section.contains(&format!(".TP\n{entry}")), "{section}");
    }
    assert!(!page.stdout.contains("EXTRA"), "{}", page.stdout);
}

#[test]
fn the_examples_of_a_manual_page_stay_as_they_are() {
    let page = run(&["man", "token", "create"]);
    let (_, examples) = page.answer().split_once(".SH EXAMPLES\n.nf\n").unwrap();
    assert!(
        examples.contains("\npollination\\-auth token delete \\-\\-yes\n"),
        "{examples}"
    );
    assert!(examples.ends_with("\n.fi"), "{examples}");
}

/// Where there is a formatter for manual pages.
#[cfg(unix)]
#[test]
fn no_line_of_a_manual_page_is_longer_than_the_terminal() {
    for (path, width) in [
        (&[][..], 80),
        (&["token", "rotate"], 60),
        (&["token", "create"], 60),
    ] {
        let page = run(&[&["man"], path].concat());
        let mut man = Command::new("man");
        man.args(["-l", "-"]).env("MANWIDTH", width.to_string());
        man.stdin(std::process::Stdio::piped());
        man.stdout(std::process::Stdio::piped());
        let mut man = match man.spawn() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            man => man.unwrap(),
        };
        let mut stdin = man.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, page.stdout.as_bytes()).unwrap();
        drop(stdin);
        let output = man.wait_with_output().unwrap();
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            assert!(line.chars().count() <= width, "{path:?}: {line}");
        }
    }
}

#[test]
fn the_head_of_a_manual_page_names_the_program_and_how_it_is_called() {
    let page = run(&["man", "token", "rotate"]);
    let version = env!("CARGO_PKG_VERSION");
    let title = format!(
        r#".TH "pollination-auth-token-rotate" "1" "" "pollination-auth {version}" "pollination-auth""#
    );
    assert_eq!(page.answer().lines().next(), Some(&*title));
    let synopsis = "\n\\fBpollination\\-auth token rotate\\fR [OPTIONS]\n";
    assert!(page.stdout.contains(synopsis), "{}", page.stdout);
}
