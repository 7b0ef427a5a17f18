//! Other processes in the way: they hold a lock for a moment, or rotate the secret.
//!
//! The test is the other process: it holds the lock, and lets it go when the command waits for it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Stdio};

use pollination_auth::{ApiToken, CredentialStore as _, FileStore, Profile, Secret, StoreLock};
use snapbox::str;

use crate::world::{ID, Ran, SECRET, World, wait, without_waits};

/// What is said on stderr after a second.
const WAITING: &str = "waiting for another process ...";

fn lock(world: &World) -> StoreLock {
    let store = FileStore::open(world.directory()).unwrap();
    wait(store.try_lock(world.profile().id())).unwrap().unwrap()
}

/// Starts a command, and comes back when it says that it waits.
pub(crate) fn start(
    world: &World,
    arguments: &[&str],
) -> (Child, BufReader<std::process::ChildStderr>) {
    start_until(world, arguments, WAITING)
}

/// Starts a command, and comes back when it says this.
fn start_until(
    world: &World,
    arguments: &[&str],
    said: &str,
) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut command = world.command(arguments);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let _unread = writeln!(child.stdin.take().unwrap(), "{ID}\n{SECRET}");
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while line.trim_end() != said {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it did not wait");
    }
    (child, stderr)
}

pub(crate) fn end((child, mut stderr): (Child, BufReader<std::process::ChildStderr>)) -> Ran {
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    let mut ran = Ran::from(child.wait_with_output().unwrap());
    ran.stderr = without_waits(&said);
    ran
}

#[test]
fn a_change_waits_for_a_lock_that_is_held_for_a_moment() {
    let world = World::logged_in();
    for arguments in [
        &["login"][..],
        &["logout", "--yes"],
        &["login"],
        &["token", "delete", "--yes"],
    ] {
        let lock = lock(&world);
        let waiting = start(&world, arguments);
        drop(lock);
        let ran = end(waiting);
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
    assert!(wait(world.profile().load()).unwrap().is_none());
}

/// Replaces what is stored, as the process that holds the lock does.
fn replace(world: &World, old: &ApiToken, new: &ApiToken) {
    // What the other process stores is one generation further.
    let aside = tempfile::tempdir().unwrap();
    let store = FileStore::open(aside.path()).unwrap();
    let other = Profile::new(store, &world.service.base_url(), "default").unwrap();
    wait(other.save(old)).unwrap();
    wait(other.replace(&wait(other.stored()).unwrap().unwrap(), new)).unwrap();
    let name = world.credential();
    let name = name.file_name().unwrap();
    fs::rename(aside.path().join(name), world.credential()).unwrap();
}

#[test]
fn row_63_a_logout_forgets_the_secret_that_a_rotation_has_stored_meanwhile() {
    let world = World::logged_in();
    let old = wait(world.profile().load()).unwrap().unwrap();
    for (id, code) in [(ID, 0), ("another-id", 5)] {
        world.log_in();
        let lock = lock(&world);
        let waiting = start(&world, &["logout", "--yes"]);
        replace(
            &world,
            &old,
            &ApiToken::new(id, Secret::from("newer-secret")).unwrap(),
        );
        drop(lock);
        assert_eq!(end(waiting).code, Some(code));
        let stored = wait(world.profile().load()).unwrap();
        assert_eq!(stored.is_none(), code == 0);
    }
}

/// Whoever holds the lock may end the secret that was checked before, and store no other one.
#[test]
fn row_63_a_credential_is_checked_after_the_wait_for_another_process() {
    let world = World::new();
    let lock = lock(&world);
    let waiting = start(&world, &["login"]);
    let elsewhere = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = world.command(arguments);
        command.env("POLLINATION_AUTH_DIR", world.home.path().join("elsewhere"));
        let ran = Ran::from(command.envs(variables.iter().copied()).output().unwrap());
        assert_eq!(ran.code, Some(0), "{ran:?}");
    };
    let credential = [
        ("POLLINATION_API_KEY_ID", ID),
        ("POLLINATION_API_KEY_SECRET", SECRET),
    ];
    elsewhere(&["login"], &credential);
    elsewhere(&["token", "rotate", "--yes"], &[]);
    drop(lock);
    end(waiting).fails_with(4);
    assert!(wait(world.profile().load()).unwrap().is_none());
}

#[test]
fn a_rotation_that_waited_for_a_logout_says_that_nothing_is_stored() {
    let world = World::logged_in();
    let lock = lock(&world);
    let rotate = ["token", "rotate", "--yes"];
    let waiting = start_until(&world, &rotate, "rotating the secret ...");
    fs::remove_file(world.credential()).unwrap();
    drop(lock);
    world.assert_is(
        end(waiting).fails_with(3),
        str![[r#"
error: no credential is stored for [HOST] (profile default); run `pollination-auth login --host [HOST]`

"#]],
    );
}

/// Between the commit of a rotation and its end, the stored secret is dead and no other is there.
#[test]
fn row_62_a_login_that_meets_the_rotation_of_another_process_waits_and_uses_its_secret() {
    for (arguments, waiting) in [
        (
            &["access-token", "--fresh"][..],
            "waiting for an access token ...",
        ),
        (&["token", "show"], "asking for the API token ..."),
    ] {
        let world = World::new();
        let dead = ApiToken::new(ID, Secret::from("dead-secret")).unwrap();
        wait(world.profile().save(&dead)).unwrap();
        let lock = lock(&world);
        let waiting = start_until(&world, arguments, waiting);
        replace(
            &world,
            &dead,
            &ApiToken::new(ID, Secret::from(SECRET)).unwrap(),
        );
        drop(lock);
        let ran = end(waiting);
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_credential_that_is_refused_without_a_rotation_is_refused_at_once() {
    let world = World::new();
    let dead = ApiToken::new(ID, Secret::from("dead-secret")).unwrap();
    wait(world.profile().save(&dead)).unwrap();
    world.run(&["access-token"]).fails_with(4);
    assert_eq!(world.service.logins(), 1);
}
