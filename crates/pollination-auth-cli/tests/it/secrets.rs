//! No secret is printed where it is not the answer: neither in an error nor with `--verbose`.

use pollination_auth_fake::{Fault, Operation};

use crate::world::{ID, Ran, SECRET, World};

#[test]
fn row_55_verbose_tells_what_is_done_and_no_secret() {
    let world = World::new();
    let mut said = Vec::new();
    said.push(world.run_with(&["login", "-v"], format!("{ID}\n{SECRET}\n")));
    let old = world.run(&["access-token"]);
    said.push(world.run(&["status", "-v"]));
    said.push(world.run(&["token", "show", "-v"]));
    world
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::commit_and_drop());
    said.push(world.run(&["token", "rotate", "--yes", "--settle", "1ms", "-v"]));
    world
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::truncated());
    said.push(world.run(&["token", "rotate", "--yes", "--settle", "1ms", "-v"]));
    let new = world.stored_secret();
    let fresh = world.run(&["access-token", "--fresh", "-v"]);
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
    let ran = world.run_with(&["login", "-v"], format!("{ID}\n{SECRET}\n"));
    for line in ran.stderr.lines() {
        assert!(line.contains(" pollination_auth"), "{line}");
    }
}
