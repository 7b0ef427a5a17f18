//! A program that is run with an access token: it gets that in its environment, and is not
//! disturbed.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use crate::world::{ID, PROGRAM, Ran, SECRET, World};

/// Prepares `exec` with a program; the host stands before that already.
fn exec(world: &World, program: &[&str]) -> Command {
    let mut command = world.command(&["exec"]);
    command.arg("--").args(program);
    command.env("PATH", "/usr/bin:/bin");
    // A signal may leave an image of the program there.
    command.current_dir(world.home.path());
    command
}

fn run(world: &World, program: &[&str]) -> Ran {
    exec(world, program).output().unwrap().into()
}

#[test]
fn the_program_has_the_access_token_in_its_environment_and_not_in_its_arguments() {
    let world = World::logged_in();
    let token = world.run(&["access-token"]).answer().to_owned();
    let ran = run(
        &world,
        &[
            "sh",
            "-c",
            r#"echo "$POLLINATION_ACCESS_TOKEN"; cat /proc/$$/cmdline"#,
        ],
    );
    let (variable, arguments) = ran.stdout.split_once('\n').unwrap();
    assert_eq!(variable, token);
    assert!(!arguments.contains(&token), "{arguments}");
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_program_gets_the_access_token_and_not_the_api_token() {
    let world = World::new();
    let secret = world.home.path().join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    let script = "env | grep POLLINATION | cut -d= -f1 | sort";
    for (variable, value) in [
        ("POLLINATION_API_KEY_SECRET", SECRET),
        ("POLLINATION_API_KEY_SECRET_FILE", secret.to_str().unwrap()),
    ] {
        let mut command = exec(&world, &["sh", "-c", script]);
        command.env("POLLINATION_API_KEY_ID", ID);
        command.env(variable, value);
        let ran = Ran::from(command.output().unwrap());
        let inherited =
            "POLLINATION_ACCESS_TOKEN\nPOLLINATION_AUTH_DIR\nPOLLINATION_AUTH_RESCUE_DIR";
        assert_eq!(ran.answer(), inherited);
    }
    let id = world.home.path().join("id");
    std::fs::write(&id, ID).unwrap();
    let mut command = exec(&world, &["sh", "-c", script]);
    command.env("POLLINATION_API_KEY_ID_FILE", id);
    command.env("POLLINATION_API_KEY_SECRET", SECRET);
    let ran = Ran::from(command.output().unwrap());
    assert!(!ran.answer().contains("API_KEY"), "{ran:?}");
}

#[test]
fn the_exit_code_is_that_of_the_program() {
    let world = World::logged_in();
    for code in [0, 1, 3, 77, 255] {
        let ran = run(&world, &["sh", "-c", &format!("exit {code}")]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(code), ""));
    }
}

#[test]
fn a_signal_reaches_the_program_and_ends_it_as_ever() {
    let world = World::logged_in();
    for (name, number) in [
        ("INT", 2),
        ("TERM", 15),
        ("HUP", 1),
        ("PIPE", 13),
        ("XFSZ", 25),
    ] {
        let script = format!("kill -{name} $$; echo survived");
        let output = exec(&world, &["sh", "-c", &script]).output().unwrap();
        assert_eq!(output.status.signal(), Some(number), "{output:?}");
    }
}

#[test]
fn a_program_that_can_not_be_run_has_the_codes_of_a_shell() {
    let world = World::logged_in();
    let ran = run(&world, &["no-such-program"]);
    assert!(
        ran.fails_with(127).contains("no-such-program can't be run"),
        "{ran:?}"
    );
    let ran = run(&world, &["/dev/null"]);
    assert!(
        ran.fails_with(126).contains("/dev/null can't be run"),
        "{ran:?}"
    );
}

#[test]
fn without_an_access_token_the_program_is_not_run() {
    let world = World::new();
    let ran = run(&world, &["touch", "ran"]);
    ran.fails_with(3);
    let ran = run(&world, &["sh", "-c", "echo ran"]);
    assert!(
        ran.fails_with(3).contains("pollination-auth login"),
        "{ran:?}"
    );
}

#[test]
fn options_behind_the_program_are_the_programs() {
    let world = World::logged_in();
    let ran = run(&world, &["echo", "--fresh", "--help", "-v"]);
    assert_eq!(ran.answer(), "--fresh --help -v");
    assert_eq!(world.service.logins(), 1);
}

/// Starts each command with the limit as high as it can be, and looks at it from inside.
#[cfg(target_os = "linux")]
#[test]
fn a_crash_leaves_no_image_of_the_memory_and_the_program_keeps_its_own_limit() {
    let world = World::logged_in();
    let script = r#"ulimit -c "$(ulimit -Hc)"; ulimit -c; exec "$0" "$@""#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, PROGRAM]);
    let mut command = world.prepare(shell, &["exec"]);
    command.args(["--", "sh", "-c", "ulimit -c"]);
    let ran = Ran::from(command.env("PATH", "/usr/bin:/bin").output().unwrap());
    let (before, inside) = ran.answer().split_once('\n').unwrap();
    assert_eq!(before, inside);

    let held = crate::interrupt::Held::creation();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", held.child.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    assert_eq!(
        core.unwrap().split_whitespace().nth(4),
        Some("0"),
        "{limits}"
    );
    held.answer.send(()).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_that_was_ignored_at_the_start_stays_ignored_for_the_command() {
    let world = World::logged_in();
    let script = "trap '' HUP; exec \"$@\"";
    let mut shell = world.prepare(Command::new("sh"), &["-c", script, "sh", PROGRAM, "exec"]);
    shell.env("PATH", "/usr/bin:/bin");
    shell.args(["--", "grep", "SigIgn", "/proc/self/status"]);
    let ran: Ran = shell.output().unwrap().into();
    let mask = ran.answer().rsplit('\t').next().unwrap();
    // SIGHUP is number 1.
    assert_eq!(u64::from_str_radix(mask, 16).unwrap() & 1, 1, "{ran:?}");
}
