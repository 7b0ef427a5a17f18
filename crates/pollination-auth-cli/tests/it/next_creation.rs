//! The creation after one that was interrupted: what it goes on from, and what it finds out.

use std::fs;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use pollination_auth_fake::{Builder, Fault, Operation};

use crate::creation::{
    CREATE, assert_is_private, leave_open_what_comes_of_a_creation, lost, paste, without_api_token,
};
use crate::world::{Ran, World};

/// The first one has stored its API token, and keeps the access token because that does not log in yet.
#[test]
fn row_74_a_repeated_creation_is_not_taken_for_the_one_before() {
    let world = World::with(Builder::create_replaces);
    world.log_in();
    let access_token = without_api_token(&world);
    let late = || Fault::propagation_delay(Duration::from_secs(3600));
    world.service.fail_next(Operation::CreateApiToken, late());
    assert_eq!(world.run_with(&CREATE, &access_token).code, Some(0));
    let status = world.run(&["status"]);
    assert!(
        status
            .stdout
            .contains("is stored, and a login with it completes"),
        "{status:?}"
    );
    world.service.settle();
    world.service.fail_next(Operation::CreateApiToken, late());
    let again = [&CREATE[..], &["--yes", "--settle", "1ms"]].concat();
    assert_eq!(world.run_with(&again, &access_token).code, Some(6));
    world.service.settle();
    let status = world.run(&["status", "--output", "json"]).json();
    let creation = &status["unfinished_creation"];
    assert_eq!(creation["stored"], false);
    assert_eq!(creation["put_aside"][0]["id"], world.service.id().unwrap());
    let rescue = world.rescue();
    assert_eq!(
        creation["put_aside"][0]["directory"],
        rescue.to_str().unwrap()
    );
}

/// The first request is acted on after the second one, whose API token it replaces.
#[test]
fn row_74_a_repeated_creation_waits_for_what_comes_of_the_one_before() {
    let world = World::with(Builder::create_replaces);
    world.log_in();
    let access_token = without_api_token(&world);
    // The second request, and the first login with what it made.
    let late = Fault::commit_late(2);
    world.service.fail_next(Operation::CreateApiToken, late);
    world.run_with(&CREATE, &access_token).fails_with(6);
    let again = [&CREATE[..], &["--settle", "1ms"]].concat();
    let ran = world.run_with(&again, &access_token);
    assert!(ran.fails_with(6).contains("replace it:"), "{ran:?}");
    assert_is_private(&world.creation(), &access_token);
    paste(&world, &ran.stderr);
    world.stored_secret();
    assert!(!world.creation().exists());
}

#[test]
fn row_74_a_refused_repetition_keeps_the_access_token_of_the_creation_before() {
    let world = World::logged_in();
    let (access_token, _) = lost(&world);
    let ran = world.run_with(&CREATE, &access_token);
    let stderr = ran.fails_with(6);
    assert!(stderr.contains("status 409"), "{stderr}");
    assert!(
        stderr.contains("an earlier creation was interrupted"),
        "{stderr}"
    );
    assert_is_private(&world.creation(), &access_token);
    paste(&world, stderr);
    world.stored_secret();
}

/// Nobody is logged in then, and that is not all there is to say.
#[test]
fn row_74_a_creation_that_has_no_access_token_names_the_interrupted_one() {
    let world = World::logged_in();
    lost(&world);
    let ran = world.run(&["token", "create"]);
    let stderr = ran.fails_with(6);
    assert!(stderr.contains("no credential is stored"), "{stderr}");
    paste(&world, stderr);
    world.stored_secret();
}

/// Expired in 1970.
const EXPIRED: &str = "e30.eyJleHAiOjEwMH0.c2ln";

#[test]
fn row_74_an_access_token_that_has_expired_and_is_refused_is_replaced_by_the_next_creation() {
    let world = World::logged_in();
    let (fresh, _) = lost(&world);
    let kept = || fs::read_to_string(world.creation()).unwrap();
    fs::write(world.creation(), EXPIRED).unwrap();
    // Something else refuses it.
    world
        .service
        .fail_next(Operation::GetApiToken, Fault::status(401).body("<html>"));
    let create = [&CREATE[..], &["--settle", "1ms"]].concat();
    world.run_with(&create, &fresh).fails_with(6);
    assert_eq!(kept(), EXPIRED);
    // A part of the service does not know it yet.
    for status in [401, 403] {
        world
            .service
            .fail_next(Operation::GetApiToken, Fault::status(status));
    }
    world.run_with(&create, &fresh).fails_with(6);
    assert_eq!(kept(), EXPIRED);
    // The new one is no better.
    world.run_with(&create, "e30.e30.c2ln").fails_with(4);
    assert_eq!(kept(), EXPIRED);
    // The API token of the interrupted creation is in the way.
    let ran = world.run_with(&create, &fresh);
    assert!(ran.fails_with(6).contains("no longer works"), "{ran:?}");
    assert_eq!(kept(), fresh);
    let status = world.run(&["status"]);
    paste(&world, &status.stdout);
    world.stored_secret();
    assert!(!world.creation().exists());
}

/// Its expiry is not known, so a service that refuses it again decides.
#[test]
fn row_74_an_access_token_without_an_expiry_that_is_refused_blocks_no_creation() {
    let world = World::logged_in();
    world
        .service
        .fail_next(Operation::CreateApiToken, Fault::status(401).body("<html>"));
    world
        .service
        .fail_next(Operation::GetApiToken, Fault::status(403));
    let create = ["token", "create", "--yes", "--settle", "1ms"];
    let given = [&create[..], &["--access-token-stdin"]].concat();
    world.run_with(&given, "e30.e30.c2ln").fails_with(6);
    assert!(world.creation().exists());
    // The account has an API token, which is the stored one.
    let ran = world.run(&create);
    assert!(ran.fails_with(11).contains("no longer works"), "{ran:?}");
    assert!(!world.creation().exists());
    world.stored_secret();
}

#[test]
fn row_74_an_access_token_that_has_not_expired_stays_when_it_is_refused() {
    let world = World::logged_in();
    let (access_token, _) = lost(&world);
    world.service.expire_all_tokens();
    let ran = world.run_with(&CREATE, EXPIRED);
    let stderr = ran.fails_with(6);
    assert!(stderr.contains("refuses its access token"), "{stderr}");
    let file = world.creation().display().to_string();
    assert!(stderr.contains(&format!("remove {file}")), "{stderr}");
    assert_is_private(&world.creation(), &access_token);
}

/// Nothing is to be replaced then, and the commands that replace it would delete what works.
#[test]
fn row_74_a_creation_without_a_clear_answer_is_given_up_while_the_stored_secret_works() {
    let world = World::with(Builder::create_replaces);
    world.log_in();
    let create = ["token", "create", "--yes", "--settle", "1ms"];
    let before = world.stored_secret();
    for (status, code) in [(404, 11), (405, 11), (301, 5), (500, 5), (504, 5)] {
        let page = Fault::status(status)
            .body("<html>")
            .header("content-type", "text/html");
        world.service.fail_next(Operation::CreateApiToken, page);
        let ran = world.run(&create);
        let stderr = ran.fails_with(code);
        let said = "nothing was created: the stored API token an-id still logs in";
        assert!(stderr.contains(said), "{status}: {stderr}");
        assert!(!stderr.contains("delete"), "{status}: {stderr}");
        assert!(!world.creation().exists());
        assert_eq!(world.stored_secret(), before);
    }
    // One that did happen ended the stored secret.
    world
        .service
        .fail_next(Operation::CreateApiToken, Fault::commit_and_answer(405));
    let ran = world.run(&create);
    let stderr = ran.fails_with(6).to_owned();
    let said = "if the stored API token no longer logs in, and nobody else has rotated it, there is a \
                new one whose secret nobody knows";
    assert!(stderr.contains(said), "{stderr}");
    assert!(world.creation().exists());
    paste(&world, &stderr);
    world.stored_secret();
}

/// Another process rotates the secret while a creation waits, and has stored the new one.
#[test]
fn row_74_a_creation_is_judged_by_what_is_stored_when_it_is_judged() {
    let (asked, creation) = mpsc::channel();
    let world = World::with(|builder| {
        builder.on_request(move |request| {
            if request.operation() == Some(Operation::CreateApiToken) {
                asked.send(()).unwrap();
            }
        })
    });
    world.log_in();
    let page = Fault::status(403).body("<html>");
    world.service.fail_next(Operation::CreateApiToken, page);
    let mut create = world.command(&["token", "create", "--yes", "--settle", "3s"]);
    let create = create.stderr(Stdio::piped()).spawn().unwrap();
    creation.recv().unwrap();
    assert_eq!(world.run(&["token", "rotate", "--yes"]).code, Some(0));
    let ran = Ran::from(create.wait_with_output().unwrap());
    assert!(
        ran.fails_with(11).contains("nothing was created"),
        "{ran:?}"
    );
    assert!(!world.creation().exists());
    world.stored_secret();
}

/// The creation before ended without an answer, and what was stored then still logs in.
#[test]
fn row_74_the_next_creation_finds_out_what_became_of_the_one_before() {
    let world = World::with(Builder::create_replaces);
    world.log_in();
    let create = ["token", "create", "--yes", "--settle", "1ms"];
    leave_open_what_comes_of_a_creation(&world);
    world.run(&create).fails_with(6);
    assert!(world.creation().exists());
    // Also if it is refused itself.
    world
        .service
        .fail_next(Operation::CreateApiToken, Fault::status(409));
    world.run(&create).fails_with(11);
    assert!(!world.creation().exists());
    assert_eq!(world.run(&create).code, Some(0));
    world.stored_secret();
}
