//! Rescued pairs: a rotation removes one only if it is proven to be needless.

use std::time::Duration;

use pollination_auth::{ApiToken, FileStore, Profile, Secret};
#[cfg(unix)]
use pollination_auth_fake::FakeService;
use pollination_auth_fake::{Fault, Operation};

use crate::world::{ID, Ran, SECRET, World, accept_next_login, wait};

const ROTATE: [&str; 5] = ["token", "rotate", "--yes", "--settle", "1ms"];

fn rescued(world: &World) -> Profile {
    let store = FileStore::open(world.rescue()).unwrap();
    Profile::new(store, &world.service.base_url(), "default").unwrap()
}

/// Rotates the secret of a world in which this pair was rescued before.
fn rotate_beside(world: &World, id: &str, secret: &str) -> Ran {
    let pair = ApiToken::new(id, Secret::from(secret)).unwrap();
    wait(rescued(world).save(&pair)).unwrap();
    let ran = world.run(&ROTATE);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    world.stored_secret();
    ran
}

fn assert_stays(world: &World, ran: &Ran, id: &str) {
    let file = FileStore::file_name(rescued(world).id(), pollination_auth::Document::Credential);
    let file = world.rescue().join(file).display().to_string();
    assert!(ran.stderr.contains(&file), "{ran:?}");
    let pair = format!("a rescued pair of the API token {id} ");
    assert!(ran.stderr.contains(&pair), "{ran:?}");
    assert!(ran.stderr.contains("pollination-auth login"), "{ran:?}");
    let kept = wait(rescued(world).load()).unwrap().unwrap();
    assert_eq!(kept.id().as_str(), id);
}

#[test]
fn row_87_a_rescue_directory_that_is_the_store_loses_nothing() {
    let world = World::logged_in();
    let rotate = |rescue| {
        let mut command = world.command(&ROTATE);
        command.env("POLLINATION_AUTH_RESCUE_DIR", rescue);
        let ran = Ran::from(command.output().unwrap());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        world.stored_secret();
    };
    rotate(world.directory());
    rotate(world.directory().join("..").join("credentials"));
    #[cfg(unix)]
    {
        let link = world.home.path().join("link");
        std::os::unix::fs::symlink(world.directory(), &link).unwrap();
        rotate(link);
    }
}

#[test]
fn row_87_a_rescued_pair_of_another_api_token_stays() {
    let world = World::logged_in();
    let ran = rotate_beside(&world, "other-id", SECRET);
    assert_stays(&world, &ran, "other-id");
}

#[test]
fn row_87_a_rescued_secret_that_logs_in_stays() {
    let world = World::logged_in();
    let usual = Fault::delay(Duration::from_millis(1));
    // Of the rotation's own two logins, nothing is changed.
    for _ in 0..2 {
        world.service.fail_next(Operation::Login, usual.clone());
    }
    accept_next_login(&world);
    let ran = rotate_beside(&world, ID, "newer-secret");
    assert_stays(&world, &ran, ID);
}

#[test]
fn row_87_a_rescued_secret_whose_refusal_comes_from_something_else_stays() {
    let world = World::logged_in();
    let usual = Fault::delay(Duration::from_millis(1));
    for _ in 0..2 {
        world.service.fail_next(Operation::Login, usual.clone());
    }
    let page = Fault::status(401).body("<html>a proxy</html>");
    world.service.fail_next(Operation::Login, page);
    let ran = rotate_beside(&world, ID, "newer-secret");
    assert_stays(&world, &ran, ID);
}

#[test]
fn row_87_a_rescued_secret_that_is_dead_is_removed() {
    for secret in [SECRET, "dead-secret"] {
        let world = World::logged_in();
        let ran = rotate_beside(&world, ID, secret);
        assert_eq!(ran.stderr, "");
        assert!(wait(rescued(&world).load()).unwrap().is_none());
    }
}

/// Windows removes no directory in which a file is open.
#[cfg(unix)]
#[test]
fn row_87_where_the_journal_is_gone_too_the_rescued_pair_is_to_be_logged_in_with() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("credentials");
    let service = FakeService::builder()
        .id(ID)
        .secret(SECRET)
        .on_request(move |request| {
            if request.operation() == Some(Operation::RotateApiTokenSecret) {
                std::fs::remove_dir_all(&directory).unwrap();
            }
        })
        .start();
    let world = World { service, home };
    world.log_in();
    let ran = world.run(&ROTATE);
    world.assert_is(
        ran.fails_with(6),
        snapbox::str![[r#"
warning: the new secret was put into [HOME]/rescue; POLLINATION_AUTH_DIR=[HOME]/rescue makes every command use it
error: the new secret could not be stored in the credential store ([HOME]/credentials is not safe to use: it was removed while the store was open; open the store again)
  the journal is gone too; run `pollination-auth login --host [HOST]` with the id and secret in [HOME]/rescue/[..].credential.json

"#]],
    );
    assert!(!ran.stderr.contains("--resume"), "{ran:?}");
    let pair = wait(rescued(&world).load()).unwrap().unwrap();
    let secret = pair.secret().expose_secret();
    world.run_with(&["login"], format!("{ID}\n{secret}\n"));
    assert_eq!(world.stored_secret(), secret);
}
