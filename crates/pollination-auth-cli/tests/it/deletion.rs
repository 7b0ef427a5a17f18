//! Deletions whose reply is lost, late or somebody else's: what is stored stays until it is refused.

use std::process::Stdio;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use pollination_auth_fake::{Fault, Operation};
use snapbox::str;

use crate::api_token::delete;
use crate::world::{Ran, SECRET, World};

/// The file can't be removed, because it is a directory.
#[test]
fn a_deletion_that_leaves_something_behind_says_that_it_was_one() {
    let world = World::logged_in();
    std::fs::remove_file(world.kept_token()).unwrap();
    std::fs::create_dir(world.kept_token()).unwrap();
    let ran = world.run(&["token", "delete", "--yes"]);
    let stderr = ran.fails_with(9);
    assert!(
        stderr.contains("the API token an-id was deleted"),
        "{stderr}"
    );
    assert_eq!(
        world
            .service
            .count(pollination_auth_fake::Operation::DeleteApiToken),
        1
    );
}

/// None of these deletes anything; something in between may answer like this.
#[test]
fn row_73_a_deletion_that_is_not_answered_as_one_forgets_nothing() {
    let html = "<html>a proxy</html>";
    for faults in [
        vec![Fault::status(200).body(html)],
        vec![Fault::status(202)],
        vec![Fault::status(204)],
        vec![Fault::drop_connection(), Fault::status(404).body(html)],
        vec![Fault::status(404).body(html)],
    ] {
        let world = World::logged_in();
        for fault in &faults {
            world
                .service
                .fail_next(Operation::DeleteApiToken, fault.clone());
        }
        let ran = world.run(&["token", "delete", "--yes"]);
        let stderr = ran.fails_with(6);
        let expected = "error: outcome of the deletion unknown: ";
        assert!(stderr.starts_with(expected), "{faults:?}: {stderr}");
        assert!(stderr.contains("still logs in"), "{faults:?}: {stderr}");
        assert_eq!(world.stored_secret(), SECRET);
        // What it says to do works.
        delete(&world);
    }
}

#[test]
fn row_73_a_credential_stays_until_a_login_with_it_is_refused() {
    let world = World::logged_in();
    let access_token = world.run(&["access-token"]).answer().to_owned();
    let run = || {
        let delete = ["token", "delete", "--yes", "--access-token-stdin"];
        world.run_with(&delete, &access_token)
    };
    world
        .service
        .fail_next(Operation::Login, Fault::status(422));
    let ran = run();
    world.assert_is(
        ran.fails_with(6),
        str![[r#"
error: outcome of the deletion unknown: the service reported success; the login that checks it failed: login: the server did not accept the request, status 422
  the credential of the API token an-id stays stored; run `pollination-auth token delete --host [HOST]` again, or `pollination-auth logout --host [HOST]` if the API token is gone
  the service says: a scripted fault

"#]],
    );
    assert!(world.credential().exists());
}

#[test]
fn row_73_a_lost_reply_to_a_deletion_is_made_up_for_by_a_refused_login() {
    for fault in [Fault::commit_and_drop(), Fault::commit_and_answer(202)] {
        let world = World::logged_in();
        world.service.fail_next(Operation::DeleteApiToken, fault);
        delete(&world);
        assert!(!world.credential().exists());
    }
}

/// A part of the service that has not learned of the secret yet refuses the first login.
#[test]
fn row_73_one_refusal_after_an_unclear_reply_forgets_nothing() {
    let world = World::logged_in();
    let page = Fault::status(200).body("<html>a proxy</html>");
    world.service.fail_next(Operation::DeleteApiToken, page);
    let access_token = world.run(&["access-token"]).answer().to_owned();
    world
        .service
        .fail_next(Operation::Login, Fault::status(401));
    let delete = [
        "token",
        "delete",
        "--yes",
        "--access-token-stdin",
        "--settle",
        "1ms",
    ];
    let ran = world.run_with(&delete, access_token);
    assert!(ran.fails_with(6).contains("still logs in"), "{ran:?}");
    assert_eq!(world.stored_secret(), SECRET);
}

#[test]
fn row_73_a_login_that_something_else_refuses_forgets_nothing() {
    let page = "<html>a proxy</html>";
    for refusal in [Fault::status(403), Fault::status(401).body(page)] {
        let world = World::logged_in();
        let access_token = world.run(&["access-token"]).answer().to_owned();
        world.service.fail_next(Operation::Login, refusal);
        let delete = ["token", "delete", "--yes", "--access-token-stdin"];
        let ran = world.run_with(&delete, access_token);
        let stderr = ran.fails_with(6);
        assert!(stderr.contains("stays stored"), "{stderr}");
        assert!(world.credential().exists());
    }
}

/// Something in between answers the deletion and the login that checks it.
#[test]
fn row_73_a_deletion_that_happened_and_was_answered_by_a_page_is_completed_by_the_logout_it_names()
{
    let world = World::logged_in();
    let page = "<html>a proxy</html>";
    let deleted = Fault::commit_and_answer(200).body(page);
    world.service.fail_next(Operation::DeleteApiToken, deleted);
    // The login for the deletion is the service's own.
    world
        .service
        .fail_next(Operation::Login, Fault::delay(Duration::from_millis(1)));
    let refused = Fault::status(403).body(page);
    world.service.fail_next(Operation::Login, refused);
    let ran = world.run(&["token", "delete", "--yes", "--settle", "1ms"]);
    assert!(
        ran.fails_with(6).contains("pollination-auth logout"),
        "{ran:?}"
    );
    let again = world.run(&["token", "delete", "--yes", "--settle", "1ms"]);
    let stderr = again.fails_with(4);
    assert!(
        stderr.contains("if the API token an-id is deleted already"),
        "{stderr}"
    );
    assert!(stderr.contains("pollination-auth logout"), "{stderr}");
    assert_eq!(world.run(&["logout", "--yes"]).code, Some(0));
    assert!(!world.credential().exists());
}

/// A page answers the deletion, and another process rotates the secret before it is checked.
#[test]
fn row_73_a_deletion_is_judged_by_what_is_stored_when_it_is_judged() {
    let (asked, deletion) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    let gone = Mutex::new(gone);
    let world = World::with(|builder| {
        builder.on_request(move |request| {
            if request.operation() == Some(Operation::DeleteApiToken) {
                asked.send(()).unwrap();
                gone.lock().unwrap().recv().unwrap();
            }
        })
    });
    world.log_in();
    let page = Fault::status(404).body("<html>");
    world.service.fail_next(Operation::DeleteApiToken, page);
    let mut delete = world.command(&["token", "delete", "--yes", "--settle", "1ms"]);
    let delete = delete.stderr(Stdio::piped()).spawn().unwrap();
    deletion.recv().unwrap();
    assert_eq!(world.run(&["token", "rotate", "--yes"]).code, Some(0));
    go.send(()).unwrap();
    let ran = Ran::from(delete.wait_with_output().unwrap());
    assert!(ran.fails_with(6).contains("still logs in"), "{ran:?}");
    world.stored_secret();
}
