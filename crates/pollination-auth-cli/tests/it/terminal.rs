//! A person at a terminal: prompts that show nothing, questions, colour, and waits that are seen.

use std::process::{Command, Stdio};

use pollination_auth::{ApiToken, CredentialStore as _, FileStore, Secret};
use rexpect::process::WaitStatus;
use rexpect::reader::Options;
use rexpect::session::{PtySession, spawn_with_options};
use rustix::process::{Pid, Signal, kill_process};

use crate::world::{ID, PROGRAM, SECRET, World, wait};

/// After this a test has failed that waits for what the program writes: 30 s.
const PATIENCE_MILLIS: u64 = 30_000;

/// A terminal echoes what is typed, unless a program tells it not to.
const RUN: &str = r#"stty echo; exec "$0" "$@""#;

/// Runs the program, and then tells its code and whether the terminal is as it was.
const RUN_AND_LOOK: &str = r#"stty echo; before=$(stty -g); "$0" "$@"; echo "code $?"
[ "$before" = "$(stty -g)" ] && echo unchanged"#;

/// As [`RUN_AND_LOOK`], and tells first which process the program is.
const TELL_RUN_AND_LOOK: &str = r#"stty echo; before=$(stty -g)
sh -c 'echo "process $$."; exec "$0" "$@"' "$0" "$@"; echo "code $?"
[ "$before" = "$(stty -g)" ] && echo unchanged"#;

fn start(world: &World, script: &str, arguments: &[&str]) -> PtySession {
    start_with(world, script, arguments, &[])
}

fn start_with(
    world: &World,
    script: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> PtySession {
    let mut shell = Command::new("sh");
    shell.args(["-c", script, PROGRAM]);
    let mut command = world.prepare(shell, arguments);
    command
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("TERM", "xterm")
        // The terminal is what the new process has already.
        .stdin(Stdio::inherit())
        .stdout(Stdio::inherit())
        .stderr(Stdio::inherit())
        .envs(environment.iter().copied());
    let options = Options::new().timeout_ms(Some(PATIENCE_MILLIS));
    spawn_with_options(command, options).unwrap()
}

/// Returns the exit code, and all that was written since the last expectation.
fn end(mut terminal: PtySession) -> (i32, String) {
    let rest = terminal.exp_eof().unwrap();
    match terminal.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => (code, rest),
        other => panic!("{other:?}: {rest}"),
    }
}

#[test]
fn a_prompt_names_the_host_and_shows_the_id_and_no_secret() {
    let world = World::new();
    let mut terminal = start(&world, RUN, &["login"]);
    let before = terminal.exp_string("API token id: ").unwrap();
    let host = world.service.base_url();
    assert_eq!(
        before.trim_end(),
        format!("Log in to {host} (profile default)")
    );
    terminal.send_line(ID).unwrap();
    let shown = terminal
        .exp_string("API token secret (not shown): ")
        .unwrap();
    assert_eq!(shown.trim_end(), ID);
    terminal.send_line(SECRET).unwrap();
    let shown = terminal.exp_string("Logged in to").unwrap();
    let (code, rest) = end(terminal);
    assert_eq!(code, 0);
    assert!(
        !shown.contains(SECRET) && !rest.contains(SECRET),
        "{shown}{rest}"
    );
    assert_eq!(world.stored_secret(), SECRET);
}

#[test]
fn an_interrupt_at_the_prompt_leaves_the_terminal_as_it_was() {
    let world = World::new();
    let mut terminal = start(&world, RUN_AND_LOOK, &["login"]);
    terminal.exp_string(": ").unwrap();
    terminal.send_control('c').unwrap();
    let (code, rest) = end(terminal);
    assert!(rest.contains("code 130"), "{rest}");
    assert!(rest.contains("unchanged"), "{rest}");
    assert_eq!(code, 0);
    assert_eq!(world.service.logins(), 0);
}

#[test]
fn a_signal_at_either_prompt_leaves_the_terminal_as_it_was() {
    let world = World::new();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        for answers in [&[][..], &[ID]] {
            let mut terminal = start(&world, TELL_RUN_AND_LOOK, &["login"]);
            let (_before, line) = terminal.exp_regex("process [0-9]+\\.").unwrap();
            let process = line.trim_start_matches("process ").trim_end_matches('.');
            let process = Pid::from_raw(process.parse().unwrap()).unwrap();
            terminal.exp_string(": ").unwrap();
            for answer in answers {
                terminal.send_line(answer).unwrap();
                terminal.exp_string(": ").unwrap();
            }
            kill_process(process, signal).unwrap();
            let (_, rest) = end(terminal);
            assert!(rest.contains("code 130"), "{signal:?}: {rest}");
            assert!(rest.contains("unchanged"), "{signal:?}: {rest}");
        }
    }
    assert_eq!(world.service.logins(), 0);
}

#[test]
fn what_is_typed_can_be_corrected_and_is_longer_than_a_line_of_the_terminal() {
    let world = World::with(|builder| builder.secret("s".repeat(4096)));
    let mut terminal = start(&world, RUN, &["login"]);
    terminal.exp_string(": ").unwrap();
    terminal.send_line(&format!("wrong\x15{ID}x\x7f")).unwrap();
    terminal.exp_string(": ").unwrap();
    terminal.send_line(&"s".repeat(4096)).unwrap();
    let (code, rest) = end(terminal);
    assert_eq!(code, 0, "{rest}");
    world.stored_secret();
}

#[test]
fn id_and_secret_may_be_pasted_at_once_and_neither_is_shown() {
    let world = World::new();
    let mut terminal = start(&world, RUN_AND_LOOK, &["login"]);
    terminal.exp_string(": ").unwrap();
    terminal.send(&format!("{ID}\r{SECRET}\r")).unwrap();
    terminal.flush().unwrap();
    let shown = terminal.exp_string("Logged in to").unwrap();
    assert!(shown.contains(ID) && !shown.contains(SECRET), "{shown}");
    let (_, rest) = end(terminal);
    assert!(rest.contains("unchanged"), "{rest}");
    assert_eq!(world.stored_secret(), SECRET);
}

#[test]
fn an_invalid_id_is_refused_before_the_secret_is_asked() {
    let world = World::new();
    let mut terminal = start(&world, RUN, &["login"]);
    terminal.exp_string("API token id: ").unwrap();
    terminal.send_line(" an-id").unwrap();
    let (code, rest) = end(terminal);
    assert_eq!(code, 2, "{rest}");
    assert!(
        rest.contains("white space") && !rest.contains("secret (not"),
        "{rest}"
    );
}

#[test]
fn an_interrupt_says_the_same_at_every_prompt() {
    let world = World::logged_in();
    for (arguments, answers, prompt) in [
        (&["login"][..], &[][..], "id: "),
        (&["login"], &[ID], "(not shown): "),
        (&["token", "rotate"], &[], "[y/N] "),
        (&["token", "delete"], &[], "[y/N] "),
        (&["logout"], &[], "[y/N] "),
    ] {
        let mut terminal = start(&world, RUN, arguments);
        for answer in answers {
            terminal.exp_string(": ").unwrap();
            terminal.send_line(answer).unwrap();
        }
        terminal.exp_string(prompt).unwrap();
        terminal.send_control('c').unwrap();
        let (code, rest) = end(terminal);
        assert_eq!(code, 130, "{arguments:?}: {rest}");
        let plain = rest
            .replace("\x1b[1m", "")
            .replace("\x1b[31m", "")
            .replace("\x1b[0m", "");
        let lines: Vec<_> = plain.lines().map(str::trim_end).collect();
        assert_eq!(
            lines.last(),
            Some(&"error: interrupted"),
            "{arguments:?}: {rest:?}"
        );
    }
    assert_eq!(world.stored_secret(), SECRET);
}

#[test]
fn a_terminal_is_never_where_a_secret_is_read_in_plain_text() {
    let world = World::logged_in();
    for arguments in [
        &["login", "--from", "stdin"][..],
        &["token", "show", "--access-token-stdin"],
        &["token", "create", "--yes", "--access-token-stdin"],
    ] {
        let (code, rest) = end(start(&world, RUN, arguments));
        assert_eq!(code, 2, "{arguments:?}: {rest}");
        assert!(rest.contains("standard input is a terminal"), "{rest}");
    }
}

#[test]
fn an_interrupt_at_the_question_after_a_prompt_is_heard_at_once() {
    let world = World::new();
    let other = ApiToken::new("other-id", Secret::from("other-secret")).unwrap();
    wait(world.profile().save(&other)).unwrap();
    let mut terminal = start(&world, RUN, &["login"]);
    for text in [ID, SECRET] {
        terminal.exp_string(": ").unwrap();
        terminal.send_line(text).unwrap();
    }
    terminal.exp_string("[y/N] ").unwrap();
    terminal.send_control('c').unwrap();
    let (code, rest) = end(terminal);
    assert_eq!(code, 130, "{rest}");
    let stored = wait(world.profile().load()).unwrap().unwrap();
    assert_eq!(stored.id().as_str(), "other-id");
}

#[test]
fn an_end_of_input_at_the_prompt_is_no_credential() {
    let world = World::new();
    let mut terminal = start(&world, RUN, &["login"]);
    terminal.exp_string(": ").unwrap();
    terminal.send_control('d').unwrap();
    let (code, rest) = end(terminal);
    assert_eq!(code, 2, "{rest}");
    assert!(rest.contains("without an answer"), "{rest}");
}

#[test]
fn only_a_yes_is_a_yes() {
    let world = World::logged_in();
    for (answer, expected) in [("n", 8), ("", 8), ("yesterday", 8), ("y", 0), ("YES", 0)] {
        let mut terminal = start(&world, RUN, &["token", "rotate"]);
        terminal.exp_string("[y/N] ").unwrap();
        terminal.send_line(answer).unwrap();
        let (code, rest) = end(terminal);
        assert_eq!(code, expected, "{answer:?}: {rest}");
        // What is no secret is shown, so a prompt that shows nothing has seen to it.
        assert!(rest.starts_with(answer), "{rest}");
    }
    world.stored_secret();
}

/// The question is about the creation before, whose access token the later one has used again.
#[test]
fn row_74_a_logout_that_was_asked_about_one_creation_removes_no_later_one() {
    let world = World::with(pollination_auth_fake::Builder::create_replaces);
    world.log_in();
    let lose = |arguments: &[&str], stdin: &str| {
        let lost = pollination_auth_fake::Fault::commit_and_drop();
        let operation = pollination_auth_fake::Operation::CreateApiToken;
        world.service.fail_next(operation, lost);
        world.run_with(arguments, stdin).fails_with(6);
    };
    lose(&["token", "create", "--yes", "--settle", "1ms"], "");
    let access_token = std::fs::read_to_string(world.creation()).unwrap();
    let mut terminal = start(&world, RUN, &["logout"]);
    terminal.exp_string("[y/N] ").unwrap();
    let again = [
        "token",
        "create",
        "--yes",
        "--access-token-stdin",
        "--settle",
        "1ms",
    ];
    lose(&again, &access_token);
    terminal.send_line("y").unwrap();
    terminal.exp_string("[y/N] ").unwrap();
    terminal.send_line("y").unwrap();
    let (code, rest) = end(terminal);
    assert_eq!(code, 6, "{rest}");
    assert!(world.creation().exists());
}

#[test]
fn an_end_of_input_at_a_question_is_a_no() {
    let world = World::logged_in();
    let mut terminal = start(&world, RUN, &["token", "delete"]);
    terminal.exp_string("[y/N] ").unwrap();
    terminal.send_control('d').unwrap();
    let (code, rest) = end(terminal);
    assert_eq!(code, 8, "{rest}");
    assert!(rest.contains("nothing was done"), "{rest}");
}

#[test]
fn what_is_wrong_with_the_arguments_is_wrapped_too() {
    let world = World::new();
    let no_colour = [("NO_COLOR", "1")];
    for arguments in [&["token"][..], &["access-token", "--valid-for", "5"]] {
        let script = format!("stty rows 24 cols 60; {RUN}");
        let (code, shown) = end(start_with(&world, &script, arguments, &no_colour));
        assert_eq!(code, 2, "{shown}");
        for line in shown.lines() {
            assert!(line.chars().count() <= 60, "{line}");
        }
    }
}

#[test]
fn an_error_is_wrapped_between_words_and_a_command_is_not_broken() {
    let world = World::new();
    for (columns, width) in [(60, 60), (80, 80), (200, 80)] {
        let script = format!("stty rows 24 cols {columns}; {RUN}");
        let no_colour = [("NO_COLOR", "1")];
        let (code, shown) = end(start_with(&world, &script, &["access-token"], &no_colour));
        assert_eq!(code, 3, "{shown}");
        let command = format!(
            "`pollination-auth login --host {}`",
            world.service.base_url()
        );
        assert!(shown.contains(&command), "{shown}");
        for line in shown.lines() {
            let length = line.trim_end().chars().count();
            // A command is longer than a narrow terminal, which breaks it without changing it.
            let is_command = line.trim_start().starts_with('`');
            assert!(length <= width || is_command, "{columns}: {line}");
        }
        assert!(shown.lines().count() > 1, "{columns}: {shown}");
    }
}

#[test]
fn the_report_of_doctor_is_as_wide_as_the_terminal() {
    let world = World::logged_in();
    for (columns, width) in [(40, 40), (200, 80)] {
        let script = format!("stty rows 24 cols {columns}; {RUN}");
        let (code, shown) = end(start(&world, &script, &["doctor"]));
        assert_eq!(code, 0, "{shown}");
        let lines = shown.lines().map(str::trim_end);
        // A path has no place to break.
        let lines = lines.filter(|line| !line.contains('/'));
        let longest = lines.map(|line| line.chars().count()).max().unwrap();
        assert!(
            (width - 20..=width).contains(&longest),
            "{longest}: {shown}"
        );
    }
}

#[test]
fn a_terminal_gets_colour_unless_it_wants_none() {
    let world = World::new();
    let (code, shown) = end(start(&world, RUN, &["access-token"]));
    assert!(code == 3 && shown.contains("\x1b["), "{shown:?}");
    let no_colour = [("NO_COLOR", "1")];
    let (code, shown) = end(start_with(
        &world,
        RUN,
        &["access-token", "-vv"],
        &no_colour,
    ));
    assert!(code == 3 && !shown.contains("\x1b["), "{shown:?}");
}

#[test]
fn verbose_is_plain_on_a_terminal_too() {
    let world = World::logged_in();
    let (code, shown) = end(start(&world, RUN, &["token", "show", "-vv"]));
    assert!(code == 0 && shown.contains("DEBUG"), "{shown:?}");
    assert!(!shown.contains('\x1b'), "{shown:?}");
}

#[test]
fn a_terminal_that_wants_no_sequences_has_the_answer_on_a_line_of_its_own() {
    for environment in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let world = World::logged_in();
        world.change_kept_token("expires_at", 1);
        let store = FileStore::open(world.directory().join("access-tokens")).unwrap();
        let lock = wait(store.try_lock(world.profile().id())).unwrap().unwrap();
        let mut terminal = start_with(&world, RUN, &["access-token"], &[environment]);
        let line = "waiting for an access token ...\r\n";
        assert_eq!(terminal.exp_string(line).unwrap(), "", "{environment:?}");
        drop(lock);
        let (code, rest) = end(terminal);
        assert_eq!(code, 0);
        let token = rest.strip_suffix("\r\n").unwrap();
        assert!(
            token.starts_with("eyJ") && !token.contains('\r'),
            "{rest:?}"
        );
    }
}

/// The test holds the lock as another process would that logs in.
#[test]
fn a_long_wait_counts_its_seconds_and_then_leaves_no_trace() {
    let world = World::logged_in();
    world.change_kept_token("expires_at", 1);
    let store = FileStore::open(world.directory().join("access-tokens")).unwrap();
    let lock = wait(store.try_lock(world.profile().id())).unwrap().unwrap();
    let mut terminal = start(&world, RUN, &["access-token"]);
    let mut seconds = Vec::new();
    for _ in 0..2 {
        // A busy machine can skip one.
        let line = r"\r\x1b\[Kwaiting for an access token \.\.\. [0-9]+ s";
        let (_before, line) = terminal.exp_regex(line).unwrap();
        let count = line.rsplit(' ').nth(1).unwrap();
        seconds.push(count.parse::<u64>().unwrap());
    }
    assert!(0 < seconds[0] && seconds[0] < seconds[1], "{seconds:?}");
    drop(lock);
    let (code, rest) = end(terminal);
    assert_eq!(code, 0);
    let (_wiped, token) = rest.rsplit_once("\r\x1b[K").unwrap();
    assert_eq!(token.trim_end().split('.').count(), 3, "{rest:?}");
}
