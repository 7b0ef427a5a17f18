//! Access tokens: printed, kept, and shared by processes.

use std::fs;
use std::io::{BufRead as _, BufReader};

use pollination_auth::{Client, CredentialStore as _, FileStore};
use pollination_auth_fake::{Fault, Operation};

use crate::world::{ID, Ran, World, wait};

#[test]
fn the_answer_is_the_token_and_a_newline() {
    let world = World::logged_in();
    let ran = world.run(&["access-token"]);
    assert_eq!(ran.answer().split('.').count(), 3, "{ran:?}");
    assert_eq!(ran.stdout, format!("{}\n", ran.answer()));
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_token_of_the_login_is_used_until_it_is_too_short() {
    let world = World::logged_in();
    let first = world.run(&["access-token"]);
    let second = world.run(&["access-token", "--valid-for", "1h"]);
    assert_eq!(first.answer(), second.answer());
    assert_eq!(world.service.logins(), 1);
    let fresh = world.run(&["access-token", "--fresh"]);
    assert_ne!(fresh.answer(), first.answer());
    assert_eq!(world.service.logins(), 2);
}

#[test]
fn json_says_when_it_ends() {
    let world = World::logged_in();
    let answer = world.run(&["access-token", "--output", "json"]).json();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(
        answer["access_token"].as_str().unwrap().split('.').count(),
        3
    );
    let epoch = answer["expires_at"]["epoch"].as_u64().unwrap();
    let end = std::time::UNIX_EPOCH + std::time::Duration::from_secs(epoch);
    let utc = humantime::format_rfc3339_seconds(end).to_string();
    assert_eq!(answer["expires_at"]["utc"], utc);
}

#[test]
fn each_format_is_the_token_in_the_words_of_who_reads_it() {
    let world = World::logged_in();
    let token = world.run(&["access-token"]).answer().to_owned();
    for (format, expected) in [
        ("text", token.clone()),
        ("header", format!("Authorization: Bearer {token}")),
        ("env", format!("export POLLINATION_ACCESS_TOKEN='{token}'")),
        (
            "fish",
            format!("set -gx POLLINATION_ACCESS_TOKEN '{token}'"),
        ),
        (
            "powershell",
            format!("$env:POLLINATION_ACCESS_TOKEN = '{token}'"),
        ),
    ] {
        let ran = world.run(&["access-token", "--format", format, "--output", "json"]);
        assert_eq!(ran.answer(), expected);
    }
    let json = world.run(&["access-token", "--format", "json"]).json();
    assert_eq!(json["access_token"], token);
    assert!(json["expires_at"]["epoch"].is_u64());
}

#[cfg(unix)]
#[test]
fn a_shell_evaluates_the_format_env_and_a_pipe_carries_the_header() {
    let world = World::logged_in();
    let token = world.run(&["access-token"]).answer().to_owned();
    let script = r#"eval "$("$0" "$@" --format env)"; echo "$POLLINATION_ACCESS_TOKEN"
        "$0" "$@" --format header | cat"#;
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", script, crate::world::PROGRAM]);
    let mut shell = world.prepare(shell, &["access-token"]);
    let ran = Ran::from(shell.env("PATH", "/usr/bin:/bin").output().unwrap());
    assert_eq!(
        ran.answer(),
        format!("{token}\nAuthorization: Bearer {token}")
    );
}

#[test]
fn a_token_that_has_ended_is_replaced_by_a_new_login() {
    let world = World::logged_in();
    let old = world.run(&["access-token"]);
    world.change_kept_token("expires_at", 1);
    let new = world.run(&["access-token"]);
    assert_ne!(new.answer(), old.answer());
    assert_eq!(world.service.logins(), 2);
    assert_eq!(world.run(&["access-token"]).answer(), new.answer());
    assert_eq!(world.service.logins(), 2);
}

#[test]
fn a_token_that_belongs_to_something_else_is_not_used() {
    let world = World::logged_in();
    let mut logins = 1;
    for (field, value) in [
        ("base_url", "https://other.example"),
        ("profile", "other"),
        ("id", "other"),
        ("access_token", "not a bearer token"),
        ("surplus", "planted"),
    ] {
        world.change_kept_token(field, value);
        assert_eq!(world.run(&["access-token"]).code, Some(0));
        logins += 1;
        assert_eq!(world.service.logins(), logins, "{field}");
    }
    for (field, value) in [("generation", 7), ("version", 3)] {
        world.change_kept_token(field, value);
        assert_eq!(world.run(&["access-token"]).code, Some(0));
        logins += 1;
        assert_eq!(world.service.logins(), logins, "{field}");
    }
    fs::write(world.kept_token(), "{").unwrap();
    assert_eq!(world.run(&["access-token"]).code, Some(0));
    assert_eq!(world.service.logins(), logins + 1);
}

/// Each stands for a clock that was changed since the login.
#[test]
fn row_67_a_kept_token_that_contradicts_the_clock_is_replaced_by_a_new_login() {
    let world = World::logged_in();
    let far = "e30.eyJleHAiOjk5OTk5OTk5OTk5fQ.c2ln";
    let past = "e30.eyJleHAiOjEwMH0.c2ln";
    let mut logins = 1;
    for (field, value) in [
        ("obtained_at", serde_json::json!(99_999_999_999_u64)),
        ("access_token", serde_json::json!(far)),
        ("access_token", serde_json::json!(past)),
    ] {
        world.change_kept_token(field, value);
        let status = world.run(&["status", "--output", "json"]).json();
        assert_eq!(status["access_token_expires_at"], serde_json::Value::Null);
        assert_eq!(world.run(&["access-token"]).code, Some(0));
        logins += 1;
        assert_eq!(world.service.logins(), logins, "{field}");
        // The new one is kept in its place.
        assert_eq!(world.run(&["access-token"]).code, Some(0));
        assert_eq!(world.service.logins(), logins, "{field}");
    }
}

#[test]
fn row_67_a_kept_token_without_the_time_of_its_login_is_not_used() {
    let world = World::logged_in();
    let text = fs::read_to_string(world.kept_token()).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(
        document
            .as_object_mut()
            .unwrap()
            .remove("obtained_at")
            .is_some()
    );
    fs::write(world.kept_token(), document.to_string()).unwrap();
    assert_eq!(world.run(&["access-token"]).code, Some(0));
    assert_eq!(world.service.logins(), 2);
}

#[test]
fn asking_for_a_longer_life_than_there_is_has_its_own_code() {
    let world = World::logged_in();
    let ran = world.run(&["access-token", "--valid-for", "48h"]);
    assert!(ran.fails_with(12).contains("shorter"), "{ran:?}");
}

#[test]
fn a_rotation_makes_the_kept_token_one_of_the_past() {
    let world = World::logged_in();
    let old = world.run(&["access-token"]);
    assert_eq!(world.run(&["token", "rotate", "--yes"]).code, Some(0));
    let new = world.run(&["access-token"]);
    assert_ne!(new.answer(), old.answer());
}

/// Both wait for the lock, which the test holds as a third process would, so both are at it at
/// once.
#[test]
fn two_processes_at_once_share_one_login() {
    let world = World::logged_in();
    world.change_kept_token("expires_at", 1);
    let store = FileStore::open(world.directory().join("access-tokens")).unwrap();
    let lock = wait(store.try_lock(world.profile().id())).unwrap().unwrap();
    let mut waiting = Vec::new();
    for _ in 0..2 {
        waiting.push(world.command(&["access-token"]).spawn().unwrap());
    }
    let mut lines = Vec::new();
    for child in &mut waiting {
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        lines.push((line, stderr));
    }
    assert_eq!(world.service.logins(), 1);
    drop(lock);
    let mut answers = Vec::new();
    for (child, (line, _stderr)) in waiting.into_iter().zip(lines) {
        assert_eq!(line, "waiting for an access token ...\n");
        let ran = Ran::from(child.wait_with_output().unwrap());
        answers.push(ran.answer().to_owned());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(world.service.logins(), 2);
}

#[test]
fn where_nothing_can_be_kept_each_one_logs_in() {
    let world = World::logged_in();
    fs::remove_dir_all(world.directory().join("access-tokens")).unwrap();
    // A file in its place can't be made a directory by anybody, root included.
    fs::write(world.directory().join("access-tokens"), "").unwrap();
    for logins in [2, 3] {
        let ran = world.run(&["access-token"]);
        assert_eq!(ran.answer().split('.').count(), 3);
        let warnings: Vec<_> = ran.stderr.lines().collect();
        assert!(
            matches!(warnings[..], [line] if line.contains("can't be cached, so the next call logs in again")),
            "{warnings:?}"
        );
        assert_eq!(world.service.logins(), logins);
    }
}

#[test]
fn a_stored_secret_that_is_refused_is_no_longer_of_use() {
    let world = World::logged_in();
    world.change_kept_token("expires_at", 1);
    world
        .service
        .fail_next(Operation::Login, Fault::status(401));
    let ran = world.run(&["access-token"]);
    assert!(ran.fails_with(4).contains("check the API token"), "{ran:?}");
}

#[test]
fn status_tells_what_is_stored_without_asking_anybody() {
    let world = World::logged_in();
    let status = world.run(&["status", "--output", "json"]).json();
    assert_eq!(status["id"], ID);
    assert_eq!(status["logged_in"], true);
    assert_eq!(status["generation"], 0);
    assert!(status["access_token_expires_at"]["epoch"].is_u64());
    assert_eq!(world.service.requests().len(), 1);
}

#[test]
fn a_program_with_the_library_and_the_command_share_one_access_token() {
    let world = World::logged_in();
    let kept = world.run(&["access-token"]).answer().to_owned();
    let client = Client::builder()
        .profile(world.profile())
        .share_access_token()
        .build()
        .unwrap();
    let token = wait(client.access_token()).unwrap();
    assert_eq!(token.expose_secret(), kept);
    assert_eq!(world.service.logins(), 1);

    // And the other way round.
    fs::remove_file(world.kept_token()).unwrap();
    let token = wait(client.login()).unwrap();
    assert_eq!(world.run(&["access-token"]).answer(), token.expose_secret());
    assert_eq!(world.service.logins(), 2);
}
