//! Showing and creating the account's API token.

use std::fs;

#[cfg(unix)]
use pollination_auth_fake::FakeService;
use pollination_auth_fake::{Fault, Operation};
use snapbox::str;

use crate::world::{ID, SECRET, World};

/// Deletes the API token, and gives an access token from before that.
pub(crate) fn delete(world: &World) -> String {
    let access_token = world.run(&["access-token"]).answer().to_owned();
    let ran = world.run(&["token", "delete", "--yes", "--settle", "1ms"]);
    assert_eq!(ran.answer(), "Deleted the API token an-id");
    access_token
}

#[test]
fn show_asks_the_service_for_the_id() {
    let world = World::logged_in();
    assert_eq!(world.run(&["token", "show"]).answer(), ID);
    let json = world.run(&["token", "show", "--output", "json"]).json();
    assert_eq!(json, serde_json::json!({"id": ID, "stored": true}));
}

#[test]
fn no_api_token_has_a_code_of_its_own() {
    let world = World::logged_in();
    world
        .service
        .fail_next(Operation::GetApiToken, Fault::status(404));
    let ran = world.run(&["token", "show"]);
    assert!(
        ran.fails_with(10).contains("there is no API token"),
        "{ran:?}"
    );
}

#[test]
fn a_refusal_shows_the_words_of_the_service_as_they_can_do_no_harm() {
    let world = World::logged_in();
    let fault = Fault::status(403).body(r#"{"detail": "no \u001b[31mright"}"#);
    world.service.fail_next(Operation::GetApiToken, fault);
    let ran = world.run(&["token", "show"]);
    let stderr = ran.fails_with(11);
    assert!(
        stderr.contains("the account lacks the permission"),
        "{stderr}"
    );
    assert!(
        stderr.ends_with("\n  the service says: no \\u{1b}[31mright\n"),
        "{stderr}"
    );
}

#[test]
fn delete_wants_a_yes_and_forgets_what_is_dead() {
    let world = World::logged_in();
    let ran = world.run(&["token", "delete"]);
    world.assert_is(
        ran.fails_with(8),
        str![[r#"
error: the deletion needs confirmation, and there is no terminal to ask on; pass --yes

"#]],
    );
    assert_eq!(world.service.id().as_deref(), Some(ID));
    delete(&world);
    assert_eq!(world.service.id(), None);
    assert!(!world.credential().exists() && !world.kept_token().exists());
    assert_eq!(world.run(&["status"]).code, Some(3));
}

#[test]
fn an_access_token_from_before_creates_the_next_api_token() {
    let world = World::logged_in();
    let access_token = delete(&world);
    let ran = world.run_with(&["token", "create", "--access-token-stdin"], access_token);
    assert_eq!(ran.answer(), world.service.id().unwrap());
    assert_eq!(ran.stderr, "");
    assert_ne!(world.stored_secret(), SECRET);
    assert!(!world.creation().exists());
    assert_eq!(world.run(&["access-token"]).code, Some(0));
}

#[test]
fn the_secret_of_a_new_api_token_is_printed_when_it_is_asked_for() {
    let world = World::logged_in();
    let access_token = delete(&world);
    let create = ["token", "create", "--access-token-stdin", "--show-secret"];
    let ran = world.run_with(&create, access_token);
    let expected = format!("{}\n{}", world.service.id().unwrap(), world.stored_secret());
    assert_eq!(ran.answer(), expected);
}

#[test]
fn a_second_api_token_is_refused_and_the_first_one_stays() {
    let world = World::logged_in();
    assert!(
        world
            .run(&["token", "create"])
            .fails_with(8)
            .contains("--replace an-id")
    );
    assert_eq!(world.service.count(Operation::CreateApiToken), 0);
    let ran = world.run(&["token", "create", "--yes", "--settle", "1ms"]);
    assert!(ran.fails_with(11).contains("status 409"), "{ran:?}");
    assert!(!world.creation().exists());
    assert_eq!(world.stored_secret(), SECRET);
}

/// On Windows the path has to be quoted.
#[cfg(unix)]
#[test]
fn a_create_whose_answer_is_lost_is_not_known_to_have_failed() {
    let world = World::logged_in();
    let access_token = delete(&world);
    world
        .service
        .fail_next(Operation::CreateApiToken, Fault::commit_and_drop());
    let create = ["token", "create", "--access-token-stdin"];
    let ran = world.run_with(&create, &access_token);
    world.assert_is(
        ran.fails_with(6),
        str![[r#"
error: create_api_token: the connection broke; it may have happened; find out before repeating it
  an API token may exist whose secret nobody knows; if nobody uses it, replace it:
    pollination-auth token delete --yes --access-token-stdin --host [HOST] < [HOME]/credentials/creations/[..].credential.json
    pollination-auth token create --access-token-stdin --host [HOST] < [HOME]/credentials/creations/[..].credential.json
  cause: connection closed before message completed

"#]],
    );
}

/// The only copy of the new secret may stand in it. On Windows the path has to be quoted.
#[cfg(unix)]
#[test]
fn row_4_a_create_whose_reply_is_cut_off_leaves_it_in_a_private_file_and_prints_none_of_it() {
    let world = World::logged_in();
    let access_token = delete(&world);
    world
        .service
        .fail_next(Operation::CreateApiToken, Fault::truncated());
    let create = ["token", "create", "--access-token-stdin"];
    let ran = world.run_with(&create, &access_token);
    world.assert_is(
        ran.fails_with(6),
        str![[r#"
error: create_api_token: the reply is not JSON but 58 bytes of application/json, status 201; it probably happened
  the reply is in [HOME]/rescue/created-[..].reply: a new secret may stand in it, so keep it as one, or remove it
  an API token may exist whose secret nobody knows; if nobody uses it, replace it:
    pollination-auth token delete --yes --access-token-stdin --host [HOST] < [HOME]/credentials/creations/[..].credential.json
    pollination-auth token create --access-token-stdin --host [HOST] < [HOME]/credentials/creations/[..].credential.json

"#]],
    );
    let files: Vec<_> = fs::read_dir(world.rescue()).unwrap().collect();
    let [Ok(file)] = &files[..] else {
        panic!("{files:?}");
    };
    let reply = fs::read_to_string(file.path()).unwrap();
    assert!(reply.starts_with("{\"id\""), "{reply}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&file.path()) & 0o777, 0o600);
        assert_eq!(mode(&world.rescue()) & 0o777, 0o700);
    }
}

#[test]
fn an_access_token_shows_and_deletes_what_is_not_stored_here() {
    let world = World::logged_in();
    let access_token = world.run(&["access-token"]).answer().to_owned();
    assert_eq!(world.run(&["logout", "--yes"]).code, Some(0));
    let show = ["token", "show", "--access-token-stdin", "--output", "json"];
    let shown = world.run_with(&show, &access_token).json();
    assert_eq!(shown, serde_json::json!({"id": ID, "stored": false}));
    let delete = ["token", "delete", "--access-token-stdin"];
    world.run_with(&delete, &access_token).fails_with(8);
    let delete = [&delete[..], &["--yes"]].concat();
    assert_eq!(world.run_with(&delete, &access_token).code, Some(0));
    assert_eq!(world.service.id(), None);
}

#[test]
fn an_access_token_that_has_ended_is_a_credential_that_is_refused() {
    let world = World::logged_in();
    let access_token = world.run(&["access-token"]).answer().to_owned();
    world.service.expire_all_tokens();
    let show = ["token", "show", "--access-token-stdin"];
    world.run_with(&show, &access_token).fails_with(4);
}

#[test]
fn standard_input_that_is_no_access_token_is_refused_without_a_word_of_it() {
    let world = World::new();
    for stdin in [&b""[..], b"planted planted", b"planted\xff"] {
        let ran = world.run_with(&["token", "create", "--access-token-stdin"], stdin);
        let stderr = ran.fails_with(2);
        assert!(!stderr.contains("planted"), "{stderr}");
    }
    assert_eq!(world.service.requests().len(), 0);
}

#[test]
fn row_54_nothing_is_created_where_nothing_can_be_stored() {
    let world = World::logged_in();
    let access_token = delete(&world);
    fs::remove_dir_all(world.directory()).unwrap();
    fs::write(world.directory(), "").unwrap();
    let ran = world.run_with(&["token", "create", "--access-token-stdin"], access_token);
    ran.fails_with(9);
    assert_eq!(world.service.count(Operation::CreateApiToken), 0);
}

/// The service's own look at the request is the moment in which the disk fails.
#[cfg(unix)]
fn breaks_at_the_creation() -> World {
    breaks_with(false)
}

#[cfg(unix)]
fn breaks_with(rescue_too: bool) -> World {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("credentials");
    let (breaks, rescue) = (directory.clone(), home.path().join("rescue"));
    let service = FakeService::builder()
        .id(ID)
        .secret(SECRET)
        .on_request(move |request| {
            if request.operation() == Some(Operation::CreateApiToken) {
                fs::remove_dir_all(&breaks).unwrap();
                fs::write(&breaks, "").unwrap();
                if rescue_too {
                    fs::write(&rescue, "").unwrap();
                }
            }
        })
        .start();
    let world = World { service, home };
    world.log_in();
    world
}

/// Windows removes no directory in which a file is open.
#[cfg(unix)]
#[test]
fn row_54_what_is_lost_altogether_names_no_file_that_is_gone() {
    let world = breaks_with(true);
    let access_token = delete(&world);
    let ran = world.run_with(&["token", "create", "--access-token-stdin"], access_token);
    let stderr = ran.fails_with(7);
    assert!(
        stderr.ends_with("\n  delete it in the web interface\n"),
        "{stderr}"
    );
    assert!(!stderr.contains("creations"), "{stderr}");
}

/// Windows removes no directory in which a file is open.
#[cfg(unix)]
#[test]
fn row_54_a_new_api_token_that_can_not_be_stored_is_put_into_the_rescue_directory() {
    let world = breaks_at_the_creation();
    let access_token = delete(&world);
    let ran = world.run_with(&["token", "create", "--access-token-stdin"], access_token);
    let stderr = ran.fails_with(9);
    let place = format!("it was put into {}", world.rescue().display());
    assert!(stderr.contains(&place), "{stderr}");
    let secret = world.service.secret().unwrap();
    assert!(!stderr.contains(secret.expose_secret()), "{stderr}");
    // What it says to do works.
    let mut command = world.command(&["access-token"]);
    command.env("POLLINATION_AUTH_DIR", world.rescue());
    let ran = crate::world::Ran::from(command.output().unwrap());
    assert_eq!(ran.answer().split('.').count(), 3);
}
