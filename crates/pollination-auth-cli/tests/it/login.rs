//! Logging in and out: where id and secret come from, and what is stored when.

use std::process::Command;

use pollination_auth::{ApiToken, Secret};
use pollination_auth_fake::{Fault, Operation};
use snapbox::str;

use crate::world::{ID, Ran, SECRET, World, wait};

const VARIABLES: [(&str, &str); 2] = [
    ("POLLINATION_API_KEY_ID", ID),
    ("POLLINATION_API_KEY_SECRET", SECRET),
];

fn run(command: &mut Command) -> Ran {
    command.output().unwrap().into()
}

#[test]
fn standard_input_is_checked_and_stored() {
    let world = World::new();
    let ran = world.run_with(&["login"], format!("{ID}\n{SECRET}\n"));
    world.assert_is(
        ran.text(),
        str![[r#"
Logged in to [HOST] with the API token an-id; its access token expires at [..]Z

"#]],
    );
    assert_eq!(ran.stderr, "");
    assert_eq!(world.stored_secret(), SECRET);
    assert_eq!(world.service.logins(), 1);
}

#[test]
fn the_environment_goes_before_standard_input() {
    let world = World::new();
    let mut command = world.command(&["login", "--output", "json"]);
    let ran = run(command.envs(VARIABLES));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let answer = ran.json();
    assert_eq!(answer["id"], ID);
    assert_eq!(answer["host"], world.service.base_url());
    let end = &answer["access_token_expires_at"];
    assert!(end["epoch"].as_u64().is_some() && end["utc"].as_str().is_some());
    world.assert_is(
        &ran.stderr,
        str![[r#"
logging in to [HOST] with the API token of the environment

"#]],
    );
    assert_eq!(world.stored_secret(), SECRET);
}

#[test]
fn row_51_half_an_environment_is_an_error_and_no_fall_through() {
    let world = World::new();
    for (name, value, problem) in [
        (VARIABLES[0].0, ID, "POLLINATION_API_KEY_SECRET) is not set"),
        (VARIABLES[1].0, SECRET, "POLLINATION_API_KEY_ID) is not set"),
        (VARIABLES[0].0, "", "POLLINATION_API_KEY_ID) is empty"),
    ] {
        let ran = run(world.command(&["login"]).env(name, value));
        let stderr = ran.fails_with(2);
        assert!(
            stderr.contains(problem) && !stderr.contains(SECRET),
            "{stderr}"
        );
    }
    assert_eq!(world.service.logins(), 0);
}

#[cfg(unix)]
#[test]
fn row_51_bytes_that_are_no_text_are_refused_wherever_they_come_from() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let world = World::new();
    let ran = world.run_with(&["login"], b"an-id\nplanted\xff\n");
    assert!(ran.fails_with(2).contains("is not UTF-8"), "{ran:?}");
    let mut command = world.command(&["login"]);
    command.env(VARIABLES[0].0, ID);
    let ran = run(command.env(VARIABLES[1].0, OsStr::from_bytes(b"planted\xff")));
    assert!(ran.fails_with(2).contains("is not valid UTF-8"), "{ran:?}");
    assert!(!ran.stderr.contains("planted"), "{ran:?}");
    assert_eq!(world.service.logins(), 0);
}

#[test]
fn a_credential_that_is_refused_is_not_stored() {
    let world = World::new();
    let ran = world.run_with(&["login"], format!("{ID}\nplanted-wrong\n"));
    world.assert_is(
        ran.fails_with(4),
        str![[r#"
error: login: the server did not accept the request, status 401; check the API token's id and secret
  the service says: wrong id or secret

"#]],
    );
    assert!(wait(world.profile().load()).unwrap().is_none());
    assert_eq!(world.run(&["access-token"]).code, Some(3));
}

#[test]
fn a_service_that_can_not_answer_is_tried_again_later() {
    let world = World::new();
    for _ in 0..3 {
        world
            .service
            .fail_next(Operation::Login, Fault::status(503));
    }
    let ran = world.run_with(&["login"], format!("{ID}\n{SECRET}\n"));
    assert!(ran.fails_with(5).contains("try again later"), "{ran:?}");
    assert!(wait(world.profile().load()).unwrap().is_none());
}

#[test]
fn a_host_that_could_leak_a_secret_is_wrong_usage() {
    let world = World::new();
    for host in [
        "",
        "h.example",
        "https://u:planted@h.example",
        "http://h.example",
    ] {
        let mut command = Command::new(crate::world::PROGRAM);
        command.env_clear().args(["status", "--host", host]);
        let ran = run(command.env("POLLINATION_AUTH_DIR", world.directory()));
        assert!(!ran.fails_with(2).contains("planted"), "{ran:?}");
    }
}

/// A proxy stands for the other machine, so that nothing leaves this one.
#[test]
fn plain_http_to_another_machine_wants_to_be_allowed_by_name() {
    let world = World::new();
    let log_in = |allow: &[&str]| {
        let mut command = Command::new(crate::world::PROGRAM);
        command.arg("login").args(allow).env_clear();
        command.envs([
            ("POLLINATION_HOST", "http://service.invalid"),
            ("POLLINATION_API_KEY_ID", ID),
            ("POLLINATION_API_KEY_SECRET", SECRET),
        ]);
        command.env("http_proxy", world.service.base_url());
        command.env("POLLINATION_AUTH_DIR", world.directory());
        run(&mut command)
    };
    let refused = log_in(&[]);
    let stderr = refused.fails_with(2);
    assert!(
        stderr.contains("--dangerously-allow-plain-http"),
        "{stderr}"
    );
    assert_eq!(world.service.requests().len(), 0);
    let allowed = log_in(&["--dangerously-allow-plain-http"]);
    assert_eq!(allowed.code, Some(0), "{allowed:?}");
    assert_eq!(world.service.logins(), 1);
}

#[test]
fn a_profile_whose_name_could_forge_an_answer_is_wrong_usage() {
    let world = World::new();
    for name in ["", "a\nAPI token     forged", "a\u{1b}[31m", "a\u{9b}31m"] {
        let ran = world.run(&["status", "--profile", name]);
        let stderr = ran.fails_with(2);
        assert!(
            stderr.contains("--profile") && !stderr.contains("forged"),
            "{stderr}"
        );
    }
    assert_eq!(world.run(&["status", "--profile", "../ü"]).code, Some(3));
}

#[test]
fn another_api_token_is_not_forgotten_unasked() {
    let world = World::new();
    let other = ApiToken::new("other-id", Secret::from("other-secret")).unwrap();
    wait(world.profile().save(&other)).unwrap();
    let credential = format!("{ID}\n{SECRET}\n");
    let ran = world.run_with(&["login"], &credential);
    assert!(ran.fails_with(8).contains("--yes"), "{ran:?}");
    assert_eq!(
        wait(world.profile().load()).unwrap().unwrap().id().as_str(),
        "other-id"
    );
    assert_eq!(
        world.run_with(&["login", "--yes"], &credential).code,
        Some(0)
    );
    assert_eq!(world.stored_secret(), SECRET);
}

#[test]
fn profiles_do_not_know_of_each_other() {
    let world = World::logged_in();
    let ran = world.run(&["status", "--profile", "work"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("login --profile work"), "{ran:?}");
}

#[test]
fn logout_forgets_the_credential_and_the_access_token() {
    let world = World::logged_in();
    assert!(world.run(&["logout"]).fails_with(8).contains("--yes"));
    assert!(world.credential().exists() && world.kept_token().exists());
    let ran = world.run(&["logout", "--yes"]);
    world.assert_is(
        ran.text(),
        str![[r#"
Logged out of [HOST] (API token an-id)

"#]],
    );
    assert!(!world.credential().exists() && !world.kept_token().exists());
    let again = world.run(&["logout", "--output", "json"]);
    assert_eq!(again.json()["forgotten_id"], serde_json::Value::Null);
    assert_eq!(again.code, Some(0));
}

#[test]
#[cfg(not(feature = "keyring"))]
fn a_build_without_a_keyring_says_so_and_takes_no_marked_profile_for_an_empty_one() {
    let world = World::logged_in();
    let ran = world.run(&["login", "--keyring"]);
    assert!(ran.fails_with(9).contains("--features keyring"), "{ran:?}");
    world.run(&["status"]).answer();
    let file = world.credential();
    let marks = world.directory().join("keyring");
    std::fs::create_dir(&marks).unwrap();
    std::fs::rename(&file, marks.join(file.file_name().unwrap())).unwrap();
    for arguments in [&["status"][..], &["access-token"], &["login"], &["logout"]] {
        let ran = world.run(arguments);
        assert!(ran.fails_with(9).contains("--features keyring"), "{ran:?}");
    }
}
