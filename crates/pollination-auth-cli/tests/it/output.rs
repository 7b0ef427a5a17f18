//! Where output goes: a reader that has left, a disk that is full, and who gets colour.

use std::io;

use crate::world::{Ran, World};

#[test]
fn row_55_a_reader_that_has_left_is_no_error() {
    let world = World::logged_in();
    for command in [
        &["access-token"][..],
        &["status", "--output", "json"],
        &["token", "show"],
        &["token", "rotate", "--yes"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
    ] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let child = world.command(command).stdout(writer).spawn().unwrap();
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(0), ""),
            "{command:?}"
        );
    }
}

#[test]
fn nobody_who_hears_the_errors_is_no_panic() {
    let world = World::new();
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut command = world.command(&["access-token", "--verbose"]);
    let status = command.stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(3));
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_can_not_be_written_is_a_failure() {
    let world = World::logged_in();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = world.command(&["access-token"]);
    let ran = Ran::from(
        command
            .stdout(std::process::Stdio::from(full))
            .output()
            .unwrap(),
    );
    assert!(
        ran.fails_with(1).contains("the result can't be written"),
        "{ran:?}"
    );
}

#[test]
fn a_pipe_gets_no_colour() {
    let world = World::new();
    for command in [
        &["access-token"][..],
        &["--help"],
        &["nonsense"],
        &["access-token", "-v"],
    ] {
        let ran = world.run(command);
        assert!(
            !ran.stdout.contains('\x1b') && !ran.stderr.contains('\x1b'),
            "{ran:?}"
        );
    }
}

#[test]
fn an_error_is_json_where_the_result_would_be() {
    let world = World::new();
    let ran = world.run(&["access-token", "--output", "json"]);
    let error: serde_json::Value = serde_json::from_str(ran.fails_with(3)).unwrap();
    assert_eq!(error["error"]["kind"], "not_logged_in");
    assert_eq!(error["error"]["exit_code"], 3);
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("pollination-auth login"), "{message}");
    assert_eq!(error["error"]["notes"], serde_json::json!([]));

    let ran = world.run(&["nonsense", "--output=json"]);
    let error: serde_json::Value = serde_json::from_str(ran.fails_with(2)).unwrap();
    assert_eq!(error["error"]["kind"], "usage");
}
