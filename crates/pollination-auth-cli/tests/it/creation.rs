//! Creations whose reply is lost, or that are killed: the access token stays, and a way out.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pollination_auth::{Document, FileStore, Profile};
use pollination_auth_fake::{Builder, Fault, Operation};

use crate::interrupt::Held;
use crate::world::{ID, PROGRAM, Ran, World, accept_next_login, hear, wait};

pub(crate) const CREATE: [&str; 3] = ["token", "create", "--access-token-stdin"];

/// Deletes the API token, and returns an access token from before that.
pub(crate) fn without_api_token(world: &World) -> String {
    let access_token = world.run(&["access-token"]).answer().to_owned();
    assert_eq!(world.run(&["token", "delete", "--yes"]).code, Some(0));
    access_token
}

/// Loses the reply to a creation, and returns the access token and what was said.
pub(crate) fn lost(world: &World) -> (String, Ran) {
    let access_token = without_api_token(world);
    world
        .service
        .fail_next(Operation::CreateApiToken, Fault::commit_and_drop());
    let ran = world.run_with(&CREATE, &access_token);
    ran.fails_with(6);
    (access_token, ran)
}

/// Answers the next creation without a result, and does not say afterwards which API token there is.
pub(crate) fn leave_open_what_comes_of_a_creation(world: &World) {
    world
        .service
        .fail_next(Operation::CreateApiToken, Fault::status(504));
    world
        .service
        .fail_next(Operation::GetApiToken, Fault::status(403));
}

/// Runs the command lines that a message offers, as a user who pastes them.
pub(crate) fn paste(world: &World, said: &str) {
    let lines: Vec<_> = said
        .lines()
        .filter_map(|line| line.strip_prefix("    pollination-auth "))
        .collect();
    assert_eq!(lines.len(), 2, "{said}");
    for line in lines {
        let mut shell = Command::new("/bin/sh");
        // A minute is too long for a test.
        shell.args(["-c", &format!("'{PROGRAM}' {line} --settle 1ms")]);
        let mut shell = world.prepare(shell, &[]);
        shell.env("PATH", "");
        let ran = Ran::from(shell.output().unwrap());
        assert_eq!(ran.code, Some(0), "{line}: {ran:?}");
    }
}

pub(crate) fn assert_is_private(file: &Path, access_token: &str) {
    assert_eq!(fs::read_to_string(file).unwrap(), access_token);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(file), 0o600);
    assert_eq!(mode(file.parent().unwrap()), 0o700);
}

#[test]
fn row_74_a_creation_whose_reply_is_lost_leaves_the_access_token_and_the_commands_that_use_it() {
    let world = World::logged_in();
    let (access_token, ran) = lost(&world);
    assert_is_private(&world.creation(), &access_token);
    assert!(!ran.stderr.contains(&access_token), "{ran:?}");
    paste(&world, &ran.stderr);
    world.stored_secret();
    assert!(!world.creation().exists());
    assert_eq!(world.run(&["status"]).code, Some(0));
}

#[test]
fn row_74_a_creation_that_is_killed_is_told_by_status_and_by_the_next_creation() {
    let mut held = Held::creation();
    let status = held.world.run(&["status", "--output", "json"]).json();
    assert_eq!(status["unfinished_creation"]["under_way"], true);
    held.child.kill().unwrap();
    held.child.wait().unwrap();
    held.answer.send(()).unwrap();
    let world = &held.world;
    let status = world.run(&["status"]);
    assert_eq!(status.code, Some(3));
    let line = "\ncreation      interrupted; an API token may exist whose secret nobody knows;";
    assert!(status.stdout.contains(line), "{status:?}");
    let file = world.creation();
    let json = world.run(&["status", "--output", "json"]).json();
    assert_eq!(
        json["unfinished_creation"],
        serde_json::json!({
            "access_token_file": file, "under_way": false, "stored": false, "put_aside": []
        })
    );
    // Another access token takes nothing away from the first one.
    let kept = fs::read_to_string(&file).unwrap();
    let ran = world.run_with(&CREATE, "another-token");
    assert!(
        ran.fails_with(6).contains("a creation was interrupted"),
        "{ran:?}"
    );
    assert_is_private(&file, &kept);
    paste(world, &status.stdout);
    world.stored_secret();
    assert!(!file.exists());
}

/// The access token is of the first account, and no login with the second one is its end.
#[test]
fn row_74_a_login_to_another_account_completes_no_creation_and_is_not_said_to() {
    let world = World::logged_in();
    let (access_token, _) = lost(&world);
    accept_next_login(&world);
    let ran = world.run_with(&["login"], "other-id\nother-secret\n");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("stays in"), "{ran:?}");
    let status = world.run(&["status"]);
    let line = "\ncreation      interrupted; an API token may exist";
    assert!(status.stdout.contains(line), "{status:?}");
    assert_is_private(&world.creation(), &access_token);
    // Who pastes the lines replaces nothing that was not asked about.
    world.assert_status_asks_about("other-id");
}

#[test]
fn row_74_a_creation_of_another_profile_is_listed() {
    let world = World::logged_in();
    let access_token = without_api_token(&world);
    world
        .service
        .fail_next(Operation::CreateApiToken, Fault::commit_and_drop());
    let create = [&CREATE[..], &["--profile", "other"]].concat();
    world.run_with(&create, &access_token).fails_with(6);
    let list = world.run(&["profile", "list"]);
    assert!(
        list.stdout.contains("no API token; creation unfinished"),
        "{list:?}"
    );
    // A login could not help there.
    let status = world.run(&["status", "--profile", "other"]);
    assert_eq!(status.code, Some(3));
    let first = "finish the interrupted creation first";
    assert!(status.stderr.contains(first), "{status:?}");
}

#[test]
fn row_74_a_logout_beside_a_creation_leaves_its_access_token() {
    let mut held = Held::creation();
    let world = &held.world;
    let mut logout = world.command(&["logout", "--yes"]);
    let mut logout = logout.stderr(Stdio::piped()).spawn().unwrap();
    hear(&mut logout, "waiting for another process");
    held.child.kill().unwrap();
    held.child.wait().unwrap();
    held.answer.send(()).unwrap();
    assert_eq!(logout.wait().unwrap().code(), Some(6));
    assert!(world.creation().exists());
    paste(world, &world.run(&["status"]).stdout);
    world.stored_secret();
}

/// The process is killed while it waits until the new API token logs in.
#[test]
fn row_42_a_new_api_token_that_does_not_log_in_yet_is_in_the_rescue_directory_while_it_is_tried() {
    let world = World::with(Builder::create_replaces);
    world.log_in();
    let late = Fault::propagation_delay(Duration::from_secs(3600));
    world.service.fail_next(Operation::CreateApiToken, late);
    let mut create = world.command(&["token", "create", "--yes", "--settle", "1h"]);
    let mut create = create.stderr(Stdio::piped()).spawn().unwrap();
    hear(&mut create, "waiting until the new API token logs in");
    create.kill().unwrap();
    create.wait().unwrap();
    let status = world.run(&["status"]);
    let place = format!("is in {}", world.rescue().display());
    assert!(status.stdout.contains(&place), "{status:?}");
    world.service.settle();
    let mut command = world.command(&["access-token"]);
    command.env("POLLINATION_AUTH_DIR", world.rescue());
    let ran = Ran::from(command.output().unwrap());
    assert_eq!(ran.answer().split('.').count(), 3);
}

/// Whatever is wrong with the first place, the second one takes the only copy.
#[test]
fn row_74_a_new_api_token_is_put_beside_a_place_that_can_not_take_it() {
    let spoil: [fn(&Path); 4] = [
        |place| {
            fs::write(place, "{}").unwrap();
            fs::set_permissions(place, fs::Permissions::from_mode(0o644)).unwrap();
        },
        |place| fs::create_dir(place).unwrap(),
        |place| std::os::unix::fs::symlink("nowhere", place).unwrap(),
        |place| {
            let lock = place.to_str().unwrap().replace(".credential.json", ".lock");
            fs::create_dir(lock).unwrap();
        },
    ];
    for (number, spoil) in spoil.into_iter().enumerate() {
        let world = World::with(Builder::create_replaces);
        world.log_in();
        let store = FileStore::open(world.rescue()).unwrap();
        let host = world.service.base_url();
        let place = |name: &str| Profile::new(store.clone(), &host, name).unwrap();
        let first = FileStore::file_name(place("default").id(), Document::Credential);
        spoil(&world.rescue().join(first));
        let late = Fault::propagation_delay(Duration::from_secs(3600));
        world.service.fail_next(Operation::CreateApiToken, late);
        let ran = world.run(&["token", "create", "--yes", "--settle", "1ms"]);
        let stderr = ran.fails_with(6);
        assert!(stderr.contains("it was put into"), "{number}: {stderr}");
        let beside = format!("default {}", world.service.id().unwrap());
        let kept = wait(place(&beside).load()).unwrap().unwrap();
        let secret = world.service.secret().unwrap();
        assert_eq!(kept.secret().expose_secret(), secret.expose_secret());
    }
}

/// The directory is there no more when the reply comes.
#[test]
fn row_74_a_new_api_token_is_beside_the_stored_one_if_the_rescue_directory_can_not_be_written() {
    let rescue = Arc::new(OnceLock::<PathBuf>::new());
    let breaks = rescue.clone();
    let world = World::with(|builder| {
        builder.create_replaces().on_request(move |request| {
            if request.operation() == Some(Operation::CreateApiToken) {
                fs::write(breaks.get().unwrap(), "").unwrap();
            }
        })
    });
    world.log_in();
    rescue.set(world.rescue()).unwrap();
    let late = Fault::propagation_delay(Duration::from_secs(3600));
    world.service.fail_next(Operation::CreateApiToken, late);
    let ran = world.run(&["token", "create", "--yes", "--settle", "1ms"]);
    assert!(ran.fails_with(6).contains("it was put into"), "{ran:?}");
    let beside = format!("default {}", world.service.id().unwrap());
    let store = FileStore::open(world.directory()).unwrap();
    let place = Profile::new(store, &world.service.base_url(), &beside).unwrap();
    let kept = wait(place.load()).unwrap().unwrap();
    let secret = world.service.secret().unwrap();
    assert_eq!(kept.secret().expose_secret(), secret.expose_secret());
    let status = world.run(&["status"]);
    assert!(status.stdout.contains(&beside), "{status:?}");
}

/// Something in between has sent the request twice: the first one is acted on later.
#[test]
fn row_74_a_refused_creation_is_over_when_the_stored_secret_works_after_the_settle_time() {
    let world = World::with(Builder::create_replaces);
    world.log_in();
    for status in [401, 403, 409, 422] {
        world
            .service
            .fail_next(Operation::CreateApiToken, Fault::status(status));
        let mut create = world.command(&["token", "create", "--yes", "--settle", "1ms"]);
        let stderr = String::from_utf8(create.output().unwrap().stderr).unwrap();
        let waits = "the creation was refused; waiting 1ms before checking";
        assert!(stderr.contains(waits), "{status}: {stderr}");
        assert!(!world.creation().exists(), "{status}");
    }
}

/// A credential has the same file name there as the access token of its profile.
#[test]
fn row_74_nothing_is_created_where_a_new_secret_would_lie_among_the_stores_own_files() {
    let world = World::with(Builder::create_replaces);
    world.log_in();
    for own in ["access-tokens", "creations/below", "keyring"] {
        for what in ["create", "rotate"] {
            let mut command = world.command(&["token", what, "--yes"]);
            command.env("POLLINATION_AUTH_RESCUE_DIR", world.directory().join(own));
            let ran = Ran::from(command.output().unwrap());
            let stderr = ran.fails_with(9);
            assert!(stderr.contains("POLLINATION_AUTH_RESCUE_DIR"), "{stderr}");
        }
    }
    assert_eq!(world.service.count(Operation::CreateApiToken), 0);
    assert_eq!(world.service.count(Operation::RotateApiTokenSecret), 0);
}

/// The path means another directory once what is missing in it was made.
#[test]
fn row_74_a_new_api_token_is_never_put_into_a_file_of_the_store() {
    let world = World::with(Builder::create_replaces);
    world.log_in();
    let rescue = world
        .home
        .path()
        .join("missing/../credentials/access-tokens");
    let late = Fault::propagation_delay(Duration::from_secs(3600));
    world.service.fail_next(Operation::CreateApiToken, late);
    let mut create = world.command(&["token", "create", "--yes", "--settle", "1ms"]);
    create.env("POLLINATION_AUTH_RESCUE_DIR", &rescue);
    let ran = Ran::from(create.output().unwrap());
    assert!(ran.fails_with(6).contains("it was put into"), "{ran:?}");
    assert_eq!(world.run(&["logout", "--yes"]).code, Some(0));
    let beside = format!("default {}", world.service.id().unwrap());
    let store = FileStore::open(world.directory().join("access-tokens")).unwrap();
    let kept = Profile::new(store, &world.service.base_url(), &beside).unwrap();
    let kept = wait(kept.load()).unwrap().unwrap();
    let secret = world.service.secret().unwrap();
    assert_eq!(kept.secret().expose_secret(), secret.expose_secret());
}

#[test]
fn row_74_the_access_token_stays_until_the_new_api_token_logs_in() {
    let world = World::logged_in();
    let access_token = without_api_token(&world);
    let later = Duration::from_secs(30);
    world
        .service
        .fail_next(Operation::CreateApiToken, Fault::propagation_delay(later));
    let ran = world.run_with(&CREATE, &access_token);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("does not log in yet"), "{ran:?}");
    assert_is_private(&world.creation(), &access_token);
    let status = world.run(&["status"]);
    let line =
        "\ncreation      interrupted; the new API token is stored, and a login with it completes";
    assert!(status.answer().contains(line), "{status:?}");
    world.run(&["access-token"]).fails_with(4);
    assert_is_private(&world.creation(), &access_token);
    world.service.advance(later);
    assert_eq!(world.run(&["access-token"]).code, Some(0));
    assert!(!world.creation().exists());
}

/// The service may accept a deleted API token for a while.
#[test]
fn row_74_a_login_with_the_credential_from_before_does_not_complete_a_creation() {
    let world = World::logged_in();
    let access_token = world.run(&["access-token"]).answer().to_owned();
    let create = [&CREATE[..], &["--yes", "--settle", "1ms"]].concat();
    leave_open_what_comes_of_a_creation(&world);
    let ran = world.run_with(&create, &access_token);
    ran.fails_with(6);
    assert_eq!(world.run(&["access-token", "--fresh"]).code, Some(0));
    assert_is_private(&world.creation(), &access_token);
    world.log_in();
    assert_is_private(&world.creation(), &access_token);
}

#[test]
fn row_74_a_logout_asks_before_it_forgets_the_access_token_of_a_creation() {
    let world = World::logged_in();
    lost(&world);
    let ran = world.run(&["logout"]);
    assert!(ran.fails_with(8).contains("--yes"), "{ran:?}");
    assert!(world.creation().exists());
    let ran = world.run(&["logout", "--yes"]);
    assert_eq!(ran.code, Some(0));
    let file = world.creation().display().to_string();
    assert!(ran.stderr.contains(&file), "{ran:?}");
    assert!(!world.creation().exists());
}

#[test]
fn row_74_a_login_to_another_account_leaves_the_access_token_and_says_so() {
    let world = World::logged_in();
    let (access_token, _) = lost(&world);
    accept_next_login(&world);
    let ran = world.run_with(&["login"], "other-id\nother-secret\n");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let file = world.creation().display().to_string();
    assert!(ran.stderr.contains(&file), "{ran:?}");
    assert!(ran.stderr.contains("pollination-auth logout"), "{ran:?}");
    assert_is_private(&world.creation(), &access_token);
    accept_next_login(&world);
    let fresh = world.run(&["access-token", "--fresh"]);
    assert_eq!(fresh.code, Some(0), "{fresh:?}");
    assert_is_private(&world.creation(), &access_token);
}

/// Returns the credential that the service has, which only the service knows.
fn credential(world: &World) -> String {
    let (id, secret) = (world.service.id(), world.service.secret());
    format!("{}\n{}\n", id.unwrap(), secret.unwrap().expose_secret())
}

#[test]
fn row_74_a_login_with_the_new_api_token_completes_a_creation() {
    let world = World::logged_in();
    lost(&world);
    let ran = world.run_with(&["login", "--settle", "1ms"], credential(&world));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_ne!(world.service.id().as_deref(), Some(ID));
    assert!(!world.creation().exists());
}

/// The request is still on its way while the service names the API token from before.
#[test]
fn row_74_a_login_completes_no_creation_that_may_still_be_acted_on() {
    let world = World::with(Builder::create_replaces);
    world.log_in();
    let access_token = world.run(&["access-token"]).answer().to_owned();
    assert_eq!(world.run(&["logout", "--yes"]).code, Some(0));
    // The login, and the question whose the access token is.
    let late = Fault::commit_late(2);
    world.service.fail_next(Operation::CreateApiToken, late);
    world.run_with(&CREATE, &access_token).fails_with(6);
    let ran = world.run_with(&["login", "--settle", "1ms"], credential(&world));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    world.service.settle();
    assert_ne!(world.service.id().as_deref(), Some(ID));
    assert_is_private(&world.creation(), &access_token);
}

#[test]
fn row_63_a_creation_may_be_told_beforehand_what_it_replaces() {
    let world = World::with(Builder::create_replaces);
    world.log_in();
    let replace = |id| world.run(&["token", "create", "--replace", id]);
    assert!(
        replace("other-id")
            .fails_with(8)
            .contains("pass `--replace an-id`")
    );
    assert_eq!(replace(ID).code, Some(0));
    world.stored_secret();
}
