//! No secret is printed where it is not the answer: neither in an error nor with `--verbose`.

use pollination_auth_fake::{Fault, Operation};

use crate::world::{ID, Ran, SECRET, World};

#[test]
fn row_55_verbose_tells_what_is_done_and_no_secret() {
    for verbose in ["-v", "-vv"] {
        tells_what_is_done_and_no_secret(verbose);
    }
}

fn tells_what_is_done_and_no_secret(verbose: &str) {
    let world = World::new();
    let mut said = Vec::new();
    said.push(world.run_with(&["login", verbose], format!("{ID}\n{SECRET}\n")));
    let old = world.run(&["access-token"]);
    said.push(world.run(&["status", verbose]));
    said.push(world.run(&["token", "show", verbose]));
    world
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::commit_and_drop());
    said.push(world.run(&["token", "rotate", "--yes", "--settle", "1ms", verbose]));
    world
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::truncated());
    said.push(world.run(&["token", "rotate", "--yes", "--settle", "1ms", verbose]));
    let new = world.stored_secret();
    let fresh = world.run(&["access-token", "--fresh", verbose]);
    let printed = fresh.stdout.trim_end().to_owned();
    said.push(Ran {
        stdout: String::new(),
        ..fresh
    });
    assert!(said[0].stderr.contains("login"), "{said:?}");
    for ran in &said {
        assert_eq!(ran.code, Some(0), "{ran:?}");
        for secret in [SECRET, &new, old.answer(), &printed] {
            let text = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!text.contains(secret), "{ran:?}");
        }
    }
}

#[test]
fn what_others_log_is_left_out() {
    let world = World::new();
    let ran = world.run_with(&["login", "-vv"], format!("{ID}\n{SECRET}\n"));
    for line in ran.stderr.lines() {
        assert!(line.contains(" pollination_auth"), "{line}");
    }
}

#[test]
fn verbose_tells_in_sentences_what_was_asked_and_what_came_of_it() {
    let world = World::new();
    let log_in = |arguments: &[&str]| world.run_with(arguments, format!("{ID}\n{SECRET}\n"));
    let ran = log_in(&["login", "-v"]);
    let authority = world.service.base_url().replace("http://", "");
    let start = format!("login at {authority}: status 202 after ");
    assert!(
        ran.stderr.lines().any(|line| line.starts_with(&start)),
        "{ran:?}"
    );
    assert!(!ran.stderr.contains("DEBUG"), "{ran:?}");
    world
        .service
        .fail_next(Operation::GetApiToken, Fault::drop_connection());
    let ran = world.run(&["token", "show", "-v"]);
    let start = format!("get_api_token at {authority}: the connection broke");
    assert!(
        ran.stderr.lines().any(|line| line.starts_with(&start)),
        "{ran:?}"
    );
}
