//! Rotating the secret: what is asked first, what is printed, and how it goes on after a fault.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::sync::OnceLock;

use pollination_auth_fake::{Fault, Operation};
use snapbox::str;

use crate::world::{ID, Ran, SECRET, World, hear};

/// Too short to settle anything, which the service in memory does not need.
const ROTATE: [&str; 5] = ["token", "rotate", "--yes", "--settle", "1ms"];
const RESUME: [&str; 5] = ["token", "rotate", "--resume", "--settle", "1ms"];

/// Leaves a rotation behind of which nobody knows how it ended.
fn lose_all_answers(world: &World) -> Ran {
    for _ in 0..3 {
        world
            .service
            .fail_next(Operation::RotateApiTokenSecret, Fault::commit_and_drop());
    }
    world.run(&ROTATE)
}

#[test]
fn it_wants_a_yes_where_nobody_can_be_asked() {
    let world = World::logged_in();
    let ran = world.run(&["token", "rotate"]);
    assert!(ran.fails_with(8).contains("pass --yes"), "{ran:?}");
    assert_eq!(world.service.count(Operation::RotateApiTokenSecret), 0);
}

#[test]
fn the_new_secret_is_stored_and_not_printed() {
    let world = World::logged_in();
    let ran = world.run(&ROTATE);
    world.assert_is(
        ran.text(),
        str![[r#"
Rotated the secret of the API token an-id

"#]],
    );
    assert_eq!(ran.stderr, "");
    let secret = world.stored_secret();
    assert!(secret != SECRET && !ran.stdout.contains(&secret));
}

#[test]
fn a_service_with_short_tokens_can_be_rotated_with_a_shorter_horizon() {
    let world = World::with(|builder| builder.expires_in(std::time::Duration::from_secs(120)));
    world.log_in();
    let ran = world.run(&ROTATE);
    let stderr = ran.fails_with(12);
    assert!(stderr.contains("--recovery-horizon"), "{stderr}");
    let short = [&ROTATE[..], &["--recovery-horizon", "1m"]].concat();
    assert_eq!(world.run(&short).code, Some(0));
    assert_ne!(world.stored_secret(), SECRET);
}

#[test]
fn json_tells_the_generation_and_no_secret() {
    let world = World::logged_in();
    let ran = world.run(&[&ROTATE[..], &["--output", "json"]].concat());
    let answer = ran.json();
    assert_eq!(answer["outcome"], "rotated");
    assert_eq!(answer["id"], ID);
    assert_eq!(answer["generation"], 1);
    assert_eq!(answer["recovered"], false);
    assert!(answer["verified_at"]["epoch"].is_u64());
    assert!(!ran.stdout.contains(&world.stored_secret()));
}

#[test]
fn a_lost_answer_is_mended_at_once() {
    let world = World::logged_in();
    world
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::commit_and_drop());
    assert_eq!(world.run(&ROTATE).code, Some(0));
    assert_ne!(world.stored_secret(), SECRET);
}

#[test]
fn an_unknown_end_says_what_to_run_and_until_when() {
    let world = World::logged_in();
    let ran = lose_all_answers(&world);
    world.assert_is(
        ran.fails_with(6),
        str![[r#"
error: it is not known which secret is valid (rotate_api_token_secret: the connection broke; it may have happened; find out before repeating it)
  run `pollination-auth token rotate --resume --host [HOST]` before [..]Z
  cause: connection closed before message completed

"#]],
    );
    let status = world.run(&["status", "--output", "json"]);
    assert_eq!(status.code, Some(6));
    assert_eq!(status.json()["unfinished_rotation"]["requests"], 3);
}

#[test]
fn what_would_disturb_an_unfinished_rotation_is_refused() {
    let world = World::logged_in();
    lose_all_answers(&world);
    let requests = world.service.requests().len();
    for command in [
        &["login"][..],
        &["logout", "--yes"],
        &["token", "create"],
        &["token", "delete", "--yes"],
    ] {
        let ran = world.run(command);
        assert!(
            ran.fails_with(6).contains("token rotate --resume"),
            "{ran:?}"
        );
    }
    assert_eq!(world.service.requests().len(), requests);
}

#[test]
fn resume_brings_it_to_its_end() {
    let world = World::logged_in();
    lose_all_answers(&world);
    let resumed = world.run(&[&RESUME[..], &["--output", "json"]].concat());
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    assert_eq!(resumed.json()["outcome"], "rotated");
    assert_eq!(resumed.json()["recovered"], true);
    assert_ne!(world.stored_secret(), SECRET);
    let again = world.run(&RESUME);
    assert_eq!(
        again.answer(),
        "No rotation of the API token an-id is unfinished"
    );
}

#[test]
fn a_secret_that_the_rotation_killed_is_no_reason_to_log_in_anew() {
    let world = World::logged_in();
    lose_all_answers(&world);
    let ran = world.run(&["access-token"]);
    let stderr = ran.fails_with(6);
    assert!(
        stderr.contains("error: a rotation is unfinished"),
        "{stderr}"
    );
}

#[test]
fn a_secret_that_is_what_it_was_is_told() {
    let world = World::logged_in();
    world
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::same_secret());
    let ran = world.run(&[&ROTATE[..], &["--output", "json"]].concat());
    assert_eq!(ran.json()["unchanged"], true);
    assert!(
        ran.stderr.contains("warning: the service returned"),
        "{ran:?}"
    );
    assert_eq!(world.stored_secret(), SECRET);
}

#[test]
fn an_unfinished_rotation_is_given_up_for_a_credential_that_logs_in() {
    let world = World::logged_in();
    lose_all_answers(&world);
    let secret = world.service.secret().unwrap();
    let credential = format!("{ID}\n{}\n", secret.expose_secret());
    world.run_with(&["login"], &credential).fails_with(6);
    let discard = ["login", "--discard-rotation"];
    world.run_with(&discard, &credential).fails_with(8);
    let wrong = world.run_with(&["login", "--discard-rotation", "--yes"], "an-id\nwrong\n");
    wrong.fails_with(4);
    assert_eq!(world.run(&["status"]).code, Some(6));
    let ran = world.run_with(&DISCARD, &credential);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    world.stored_secret();
    assert_eq!(world.run(&["status"]).code, Some(0));
}

const DISCARD: [&str; 5] = ["login", "--discard-rotation", "--yes", "--settle", "1ms"];

/// Kills a rotation whose request arrives behind the next one, which is a check of what is to be stored.
fn leave_a_request_on_its_way(world: &World) {
    world
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::commit_late(1));
    let mut rotate = world.command(&["token", "rotate", "--yes", "--settle", "1h"]);
    let mut rotate = rotate.stderr(Stdio::piped()).spawn().unwrap();
    hear(&mut rotate, "outcome unknown");
    rotate.kill().unwrap();
    rotate.wait().unwrap();
}

/// The old secret was refused, and the journal is still there, which has the only key.
fn assert_not_given_up(world: &World, login: &Ran) {
    login.fails_with(4);
    let ran = world.run(&RESUME);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    world.stored_secret();
}

#[test]
fn a_rotation_is_not_given_up_before_its_last_request_has_settled() {
    let world = World::logged_in();
    leave_a_request_on_its_way(&world);
    let ran = world.run_with(&DISCARD, format!("{ID}\n{SECRET}\n"));
    assert_not_given_up(&world, &ran);
}

/// Another process is at work while this one waits for what it reads.
#[test]
fn a_rotation_that_began_after_the_first_look_is_not_given_up_unseen() {
    let world = World::logged_in();
    let mut login = world.command(&DISCARD);
    let mut login = login.stdin(Stdio::piped()).spawn().unwrap();
    leave_a_request_on_its_way(&world);
    let mut stdin = login.stdin.take().unwrap();
    write!(stdin, "{ID}\n{SECRET}\n").unwrap();
    drop(stdin);
    let ran = Ran::from(login.wait_with_output().unwrap());
    assert_not_given_up(&world, &ran);
}

#[test]
fn a_refusal_leaves_the_secret_as_it_was() {
    let world = World::logged_in();
    world
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::status(403));
    let ran = world.run(&ROTATE);
    assert!(
        ran.fails_with(11).contains("the stored one is valid"),
        "{ran:?}"
    );
    assert_eq!(world.stored_secret(), SECRET);
}

/// What is said of waits, which the other tests leave out.
fn waits(world: &World, arguments: &[&str]) -> Vec<String> {
    let output = world.command(arguments).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let said = stderr.lines().filter(|line| line.ends_with(" ..."));
    said.map(str::to_owned).collect()
}

#[test]
fn a_wait_for_the_service_to_settle_is_announced_with_its_length() {
    let world = World::logged_in();
    world
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::status(403));
    let waiting =
        |wait| format!("outcome unknown; {wait} for the service to settle (--settle) ...");
    assert_eq!(waits(&world, &ROTATE), [waiting("waiting 1ms")]);
    // Each that is waited out counts; a resumption begins with one.
    for _ in 0..3 {
        world
            .service
            .fail_next(Operation::RotateApiTokenSecret, Fault::commit_and_drop());
    }
    assert_eq!(waits(&world, &ROTATE).len(), 3);
    assert_eq!(waits(&world, &RESUME)[..1], [waiting("waiting 1ms")]);
    assert_eq!(waits(&world, &ROTATE), [] as [String; 0]);
}

#[test]
fn an_access_token_that_ends_too_soon_starts_nothing() {
    let world = World::with(|builder| builder.expires_in(std::time::Duration::from_secs(120)));
    world.log_in();
    let ran = world.run(&ROTATE);
    assert!(ran.fails_with(12).contains("was not started"), "{ran:?}");
    assert_eq!(world.service.count(Operation::RotateApiTokenSecret), 0);
}

#[test]
fn without_a_credential_there_is_nothing_to_rotate() {
    let world = World::new();
    assert!(
        world
            .run(&ROTATE)
            .fails_with(3)
            .contains("pollination-auth login")
    );
    assert!(
        world
            .run(&RESUME)
            .fails_with(3)
            .contains("pollination-auth login")
    );
}

/// The service's look at the request is the moment in which the disk fails.
fn breaks_at_the_request() -> World {
    breaks_with(false)
}

fn breaks_with(rescue_too: bool) -> World {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("credentials");
    let (breaks, kept) = (directory.clone(), home.path().join("kept"));
    let rescue = home.path().join("rescue");
    let broken = OnceLock::new();
    let service = pollination_auth_fake::FakeService::builder()
        .id(ID)
        .secret(SECRET)
        .on_request(move |request| {
            if request.operation() == Some(Operation::RotateApiTokenSecret) {
                // Only the first one: by the second the disk is mended.
                if broken.set(()).is_ok() {
                    fs::rename(&breaks, &kept).unwrap();
                    fs::write(&breaks, "").unwrap();
                    if rescue_too {
                        fs::write(&rescue, "").unwrap();
                    }
                }
            }
        })
        .start();
    let world = World { service, home };
    world.log_in();
    world
}

fn mend(world: &World) {
    fs::remove_file(world.directory()).unwrap();
    fs::rename(world.home.path().join("kept"), world.directory()).unwrap();
}

/// On Windows the error is another one if the directory is a file.
#[cfg(unix)]
#[test]
fn row_54_where_the_rescue_directory_fails_too_it_is_said_and_a_resumption_mends_it() {
    let world = breaks_with(true);
    let ran = world.run(&ROTATE);
    world.assert_is(
        ran.fails_with(6),
        str![[r#"
error: the new secret could not be stored, neither in the credential store nor in the rescue directory; repair either, then resume: the rotation continues from its journal, and creates another secret if necessary ([HOME]/credentials is not safe to use: it was replaced while the store was open; find out by whom)
  run `pollination-auth token rotate --resume --host [HOST]` before [..]Z

"#]],
    );
    mend(&world);
    assert_eq!(world.run(&RESUME).code, Some(0));
    world.stored_secret();
}

#[test]
fn a_rotation_that_goes_well_makes_no_rescue_directory() {
    let world = World::logged_in();
    assert_eq!(world.run(&ROTATE).code, Some(0));
    assert!(!world.rescue().exists());
}

#[test]
fn row_54_a_secret_that_can_not_be_stored_is_rescued() {
    let world = breaks_at_the_request();
    assert!(!world.rescue().exists(), "it is not needed yet");
    let ran = world.run(&ROTATE);
    let stderr = ran.fails_with(6);
    assert!(stderr.contains("the new secret was put into"), "{stderr}");
    // A file is where the journal's directory was.
    assert!(stderr.contains("the journal is gone too"), "{stderr}");
    assert!(!stderr.contains("--resume"), "{stderr}");
    assert!(
        !stderr.contains(world.service.secret().unwrap().expose_secret()),
        "{stderr}"
    );
    let mut command = world.command(&["access-token"]);
    command.env("POLLINATION_AUTH_DIR", world.rescue());
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.answer().split('.').count(), 3);

    // The disk is mended: what was rescued is needed no more, and a secret is not left lying about.
    mend(&world);
    assert_eq!(world.run(&RESUME).code, Some(0));
    world.stored_secret();
    let left = fs::read_dir(world.rescue()).unwrap();
    let left = left.filter(|file| {
        file.as_ref()
            .unwrap()
            .path()
            .extension()
            .unwrap_or_default()
            == "json"
    });
    assert_eq!(left.count(), 0);
}
