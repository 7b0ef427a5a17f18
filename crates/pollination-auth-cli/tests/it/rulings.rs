//! Rotations on which the service has ruled: what the commands say, and what they let in.

use std::io::Write as _;

use pollination_auth::{FileStore, Profile};
use pollination_auth_fake::{Fault, Operation};
use snapbox::str;

use crate::world::{ID, Ran, World, wait};

const ROTATE: [&str; 5] = ["token", "rotate", "--yes", "--settle", "1ms"];
const RESUME: [&str; 5] = ["token", "rotate", "--resume", "--settle", "1ms"];

/// Loses every answer of a rotation, whose secret is then unknown.
fn cut_off(world: &World) {
    for _ in 0..3 {
        let lost = Fault::commit_and_drop();
        world
            .service
            .fail_next(Operation::RotateApiTokenSecret, lost);
    }
    world.run(&ROTATE).fails_with(6);
}

fn lost() -> World {
    let world = World::logged_in();
    cut_off(&world);
    world.service.expire_all_tokens();
    world.run(&RESUME).fails_with(7);
    world
}

/// Changes the API token from another machine.
fn elsewhere(world: &World, command: &str, access_token: &str) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(access_token.as_bytes()).unwrap();
    drop(writer);
    let mut command = world.command(&["token", command, "--yes", "--access-token-stdin"]);
    let directory = world.home.path().join("elsewhere");
    let command = command.stdin(reader).env("POLLINATION_AUTH_DIR", directory);
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

/// Writes what `login` reads: the credential that the service knows.
fn credential(world: &World) -> String {
    let (id, secret) = (world.service.id(), world.service.secret());
    format!("{}\n{}\n", id.unwrap(), secret.unwrap().expose_secret())
}

#[test]
fn row_43_a_lost_credential_has_a_code_of_its_own_and_says_what_asks_again() {
    let world = World::logged_in();
    cut_off(&world);
    world.service.expire_all_tokens();
    world.assert_is(world.run(&RESUME).fails_with(7), str![[r#"
error: no known secret works any longer; create a new API token in the web interface (rotate_api_token_secret: the server did not accept the request, status 401; the access token is not valid for this service)
  the rotation began at [..]Z, and [..] requests may have been acted on
  then run `pollination-auth login --host [HOST]`
  if the service answered wrongly, `pollination-auth token rotate --resume --host [HOST]` asks it again
  the service says: the access token has expired

"#]]);
    let status = world.run(&["status"]);
    assert_eq!(status.code, Some(7), "{status:?}");
    let line = "\nrotation      the credential is lost: no known secret works any longer (since 2";
    assert!(status.stdout.contains(line), "{status:?}");
    assert!(!status.stdout.contains("resume"), "{status:?}");
    world.assert_is(
        &status.stderr,
        str![[r#"
error: the credential is lost: no known secret works any longer (since [..]Z)
  create a new API token in the web interface and run `pollination-auth login --host [HOST]`
  if the service answered wrongly, `pollination-auth token rotate --resume --host [HOST]` asks it again

"#]],
    );
    let json = world.run(&["status", "--output", "json"]).json();
    assert_eq!(json["concluded_rotation"]["ruling"], "credential-lost");
    for command in [&["access-token"][..], &["token", "show"]] {
        let ran = world.run(command);
        assert_eq!(ran.fails_with(7), status.stderr, "{command:?}");
    }
}

#[test]
fn row_43_after_a_lost_credential_a_logout_needs_a_confirmation_and_nothing_else() {
    let world = lost();
    world.run(&["logout"]).fails_with(8);
    assert_eq!(world.run(&["logout", "--yes"]).code, Some(0));
    assert_eq!(world.run(&["status"]).code, Some(3));
    world.log_in_again();
}

#[test]
fn row_43_after_a_lost_credential_another_one_is_let_in() {
    let world = lost();
    let wrong = format!("{ID}\nwrong\n");
    world.run_with(&["login"], wrong).fails_with(4);
    assert_eq!(world.run(&["status"]).code, Some(7));
    world.log_in_again();
}

#[test]
fn row_71_the_secret_of_another_api_token_is_kept_and_told_and_let_in() {
    let world = World::logged_in();
    let access_token = world.run(&["access-token"]).answer().to_owned();
    cut_off(&world);
    // Somebody else replaces the API token.
    elsewhere(&world, "delete", &access_token);
    elsewhere(&world, "create", &access_token);

    let ran = world.run(&RESUME);
    let other = world.service.id().unwrap();
    let stderr = ran.fails_with(4);
    for text in [
        format!("stored: {ID}, rotated: {other}"),
        format!("was put into {}", world.rescue().display()),
        "pollination-auth login".to_owned(),
    ] {
        assert!(stderr.contains(&text), "{text}: {stderr}");
    }
    let secret = world.service.secret().unwrap();
    assert!(!stderr.contains(secret.expose_secret()), "{stderr}");
    let aside = FileStore::open(world.rescue()).unwrap();
    let aside = Profile::new(aside, &world.service.base_url(), "default").unwrap();
    let kept = wait(aside.load()).unwrap().unwrap();
    assert_eq!(kept.secret().expose_secret(), secret.expose_secret());

    let status = world.run(&["status"]);
    assert_eq!(status.code, Some(4), "{status:?}");
    assert!(
        status.stderr.contains("token rotate --resume"),
        "{status:?}"
    );
    // It asks nobody anew.
    let requests = world.service.requests().len();
    assert_eq!(world.run(&RESUME).fails_with(4), stderr);
    assert_eq!(world.service.requests().len(), requests);
    world.log_in_again();
}

#[test]
fn row_72_an_api_token_that_is_gone_is_said_to_be() {
    let world = World::logged_in();
    let access_token = world.run(&["access-token"]).answer().to_owned();
    cut_off(&world);
    elsewhere(&world, "delete", &access_token);
    world.assert_is(world.run(&RESUME).fails_with(10), str![[r#"
error: the account has no API token any longer; create a new one (rotate_api_token_secret: the server did not accept the request, status 404; there is no API token)
  create one in the web interface and run `pollination-auth login --host [HOST]`,
  or with an access token from before run `pollination-auth token create --access-token-stdin --host [HOST]`
  if the service answered wrongly, `pollination-auth token rotate --resume --host [HOST]` asks it again
  the service says: there is no API token

"#]]);
    assert_eq!(world.run(&["status"]).code, Some(10));
    let create = ["token", "create", "--yes", "--access-token-stdin"];
    assert_eq!(world.run_with(&create, &access_token).code, Some(0));
    world.stored_secret();
    assert_eq!(world.run(&["status"]).code, Some(0));
}

/// A gateway may refuse for the service, with the service's own words.
#[test]
fn row_43_row_72_a_ruling_that_rests_on_wrong_answers_is_undone_by_the_command_it_names() {
    for (status, code) in [(401, 7), (404, 10)] {
        let world = World::logged_in();
        cut_off(&world);
        for _ in 0..8 {
            let lie = Fault::status(status);
            world
                .service
                .fail_next(Operation::RotateApiTokenSecret, lie);
        }
        let ran = world.run(&RESUME);
        let stderr = ran.fails_with(code);
        assert!(
            stderr.contains("pollination-auth token rotate --resume"),
            "{stderr}"
        );
        world.service.clear_faults();
        assert_eq!(world.run(&RESUME).code, Some(0), "{status}");
        world.stored_secret();
    }
}

impl World {
    /// Logs in with what the service knows, and makes sure that nothing is left of the rotation.
    fn log_in_again(&self) {
        let ran: Ran = self.run_with(&["login", "--yes", "--settle", "1ms"], credential(self));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        self.stored_secret();
        let status = self.run(&["status"]);
        assert_eq!((status.code, status.stderr.as_str()), (Some(0), ""));
    }
}
