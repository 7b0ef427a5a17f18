//! Completions and manual pages, as a shell and a formatter read them.

use std::process::Command;

use crate::world::{PROGRAM, Ran};

fn run(arguments: &[&str]) -> Ran {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_clear();
    command.output().unwrap().into()
}

#[test]
fn completions_are_to_be_had_for_each_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = run(&["completions", shell]);
        assert!(ran.answer().contains("access-token"), "{shell}");
        assert_eq!(ran.stderr, "");
    }
}

/// Sources the script in bash, and gives what it offers for the last of these words.
#[cfg(unix)]
fn offered(words: &[&str]) -> Option<Vec<String>> {
    let script = run(&["completions", "bash"]);
    let ask = r#"
        eval "$SCRIPT"
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _pollination__auth "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", ask, "bash", "pollination-auth"]);
    bash.args(words).env("SCRIPT", script.text());
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
fn bash_completes_each_command_and_what_comes_behind_it() {
    for (words, expected) in [
        (&["acc"][..], "access-token"),
        (&["token", "ro"], "rotate"),
        (&["token", "rotate", "--res"], "--resume"),
        (&["access-token", "--valid"], "--valid-for"),
        (&["login", "--from", "st"], "stdin"),
        (&["completions", "fi"], "fish"),
    ] {
        if let Some(offered) = offered(words) {
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
fn the_tables_of_the_manual_page_are_not_filled() {
    let page = run(&["man"]);
    for (title, entry) in [
        ("ENVIRONMENT", r"\&  SSL_CERT_FILE "),
        ("EXIT STATUS", r"\&   12  access tokens don't live"),
    ] {
        let section = page
            .answer()
            .split(".SH ")
            .find(|section| section.starts_with(&format!("\"{title}\"\n.nf\n")));
        let section = section.unwrap();
        assert!(section.contains(&format!("\n{entry}")), "{section}");
        assert!(section.trim_end().ends_with("\n.fi"), "{section}");
    }
    assert!(!page.stdout.contains("EXTRA"), "{}", page.stdout);
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
