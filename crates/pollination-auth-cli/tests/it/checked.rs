//! What is stored is replaced only by what logs in, and by no older secret while it logs in itself.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pollination_auth::{ApiToken, CredentialStore as _, FileStore, Profile, Secret};
use pollination_auth_fake::{Fault, Operation};
use snapbox::str;

use crate::world::{ID, SECRET, World, accept_next_login, hear, wait};

const LOGIN: [&str; 6] = ["login", "--yes", "--from", "stdin", "--settle", "1ms"];
const CREATE: [&str; 6] = [
    "token",
    "create",
    "--yes",
    "--access-token-stdin",
    "--settle",
    "1ms",
];

fn older() -> String {
    format!("{ID}\nolder-secret\n")
}

#[test]
fn row_63_an_older_secret_that_logs_in_does_not_replace_a_newer_one_that_does() {
    let world = World::logged_in();
    accept_next_login(&world);
    let ran = world.run_with(&LOGIN, older());
    world.assert_is(
        ran.fails_with(5),
        str![[r#"
error: the stored secret of the API token an-id logs in too, so it was not replaced
  one of the two expires soon; try again in a minute

"#]],
    );
    assert_eq!(world.stored_secret(), SECRET);
}

#[test]
fn row_63_a_stored_secret_that_is_refused_is_replaced() {
    let world = World::new();
    let dead = ApiToken::new(ID, Secret::from("dead-secret")).unwrap();
    wait(world.profile().save(&dead)).unwrap();
    let ran = world.run_with(&LOGIN, format!("{ID}\n{SECRET}\n"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(world.stored_secret(), SECRET);
}

/// A replica of the service may not know the newer secret yet.
#[test]
fn row_86_a_stored_secret_that_is_refused_once_is_not_replaced() {
    let world = World::logged_in();
    accept_next_login(&world);
    world
        .service
        .fail_next(Operation::Login, Fault::status(401));
    let ran = world.run_with(&LOGIN, older());
    assert!(ran.fails_with(5).contains("logs in too"), "{ran:?}");
    assert_eq!(world.stored_secret(), SECRET);
}

#[test]
fn row_86_a_refusal_that_is_not_the_services_own_replaces_nothing() {
    let page = "<html>a proxy</html>";
    for refusal in [
        Fault::status(403),
        Fault::status(401).body(page),
        Fault::status(407),
    ] {
        let world = World::logged_in();
        accept_next_login(&world);
        world.service.fail_next(Operation::Login, refusal);
        let ran = world.run_with(&LOGIN, older());
        let stderr = ran.fails_with(5);
        assert!(
            stderr.contains("it was not replaced; try again later"),
            "{stderr}"
        );
        let logout = "run `pollination-auth logout --host";
        assert!(stderr.contains(logout), "{stderr}");
        assert_eq!(world.stored_secret(), SECRET);
    }
}

#[test]
fn row_63_nothing_is_replaced_as_long_as_it_is_not_known_to_be_refused() {
    let world = World::new();
    let stored = ApiToken::new(ID, Secret::from("stored-secret")).unwrap();
    wait(world.profile().save(&stored)).unwrap();
    accept_next_login(&world);
    let unknown = Fault::status(400);
    world.service.fail_next(Operation::Login, unknown);
    let ran = world.run_with(&LOGIN, older());
    assert!(ran.fails_with(5).contains("it was not replaced"), "{ran:?}");
    let kept = wait(world.profile().load()).unwrap().unwrap();
    assert_eq!(kept.secret().expose_secret(), "stored-secret");
}

#[test]
fn row_63_a_login_checks_again_what_was_stored_meanwhile() {
    let place = Arc::new(OnceLock::<Profile>::new());
    let other = place.clone();
    let world = World::with(|builder| {
        builder.on_request(move |request| {
            // Another process logs in while the check of this one is on its way.
            if request.operation() == Some(Operation::Login)
                && let Some(profile) = other.get()
            {
                wait(profile.save(&ApiToken::new(ID, Secret::from(SECRET)).unwrap())).unwrap();
            }
        })
    });
    let store = FileStore::open(world.directory()).unwrap();
    let profile = Profile::new(store, &world.service.base_url(), "default").unwrap();
    place.set(profile).unwrap();
    for _ in 0..2 {
        accept_next_login(&world);
    }
    let ran = world.run_with(&LOGIN, older());
    assert!(ran.fails_with(5).contains("logs in too"), "{ran:?}");
    assert_eq!(world.stored_secret(), SECRET);
    assert_eq!(world.service.logins(), 3);
}

/// Deletes the API token, and returns an access token from before; the credential stays stored.
fn deleted_elsewhere(world: &World) -> String {
    let access_token = world.run(&["access-token"]).answer().to_owned();
    assert_eq!(world.run(&["token", "delete", "--yes"]).code, Some(0));
    let stored = ApiToken::new(ID, Secret::from(SECRET)).unwrap();
    wait(world.profile().save(&stored)).unwrap();
    access_token
}

fn assert_still_stored(world: &World) {
    let kept = wait(world.profile().load()).unwrap().unwrap();
    assert_eq!(kept.secret().expose_secret(), SECRET);
}

/// The reply names another id than the account's: what it brought is kept, and the key to the account.
#[test]
fn row_63_a_creation_that_another_one_has_replaced_replaces_nothing_and_drops_nothing() {
    let world = World::logged_in();
    let access_token = deleted_elsewhere(&world);
    world
        .service
        .fail_next(Operation::CreateApiToken, Fault::wrong_id());
    let ran = world.run_with(&CREATE, access_token);
    assert!(
        ran.fails_with(6)
            .contains("does not log in, and the account has another one"),
        "{ran:?}"
    );
    assert_still_stored(&world);
    let new = wait(aside(&world).load()).unwrap().unwrap();
    let secret = world.service.secret().unwrap();
    assert_eq!(new.secret().expose_secret(), secret.expose_secret());
    assert!(world.creation().exists());
    let status = world.run(&["status"]);
    let place = format!("is in {}", world.rescue().display());
    assert!(status.stdout.contains(&place), "{status:?}");
}

#[test]
fn row_42_a_new_api_token_that_logs_in_a_little_later_is_stored() {
    let world = World::logged_in();
    let access_token = deleted_elsewhere(&world);
    let late = Fault::propagation_delay(Duration::from_millis(300));
    world.service.fail_next(Operation::CreateApiToken, late);
    let create = [&CREATE[..4], &["--settle", "1m"]].concat();
    let ran = world.run_with(&create, access_token);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    world.stored_secret();
    assert!(!world.creation().exists());
    // It was put there while it was tried.
    assert!(wait(aside(&world).load()).unwrap().is_none());
}

/// The access token is all that reaches the account then.
#[test]
fn row_74_a_new_api_token_that_is_gone_at_once_leaves_the_access_token() {
    let world = World::logged_in();
    let access_token = deleted_elsewhere(&world);
    let created = Fault::commit_and_answer(201).body(r#"{"id":"new-id","secret":"new-secret"}"#);
    world.service.fail_next(Operation::CreateApiToken, created);
    world
        .service
        .fail_next(Operation::GetApiToken, Fault::status(404).body("{}"));
    world.run_with(&CREATE, access_token).fails_with(6);
    assert_still_stored(&world);
    assert!(world.creation().exists());
}

#[test]
fn row_63_a_new_api_token_that_has_not_logged_in_is_put_aside() {
    for (operation, fault) in [
        (Operation::Login, Fault::status(400)),
        (
            Operation::CreateApiToken,
            Fault::propagation_delay(Duration::from_secs(30)),
        ),
    ] {
        let world = World::logged_in();
        let access_token = deleted_elsewhere(&world);
        world.service.fail_next(operation, fault);
        let ran = world.run_with(&CREATE, access_token);
        let stderr = ran.fails_with(6);
        assert!(stderr.contains("it was put into"), "{stderr}");
        assert_still_stored(&world);
        let new = wait(aside(&world).load()).unwrap().unwrap();
        let secret = world.service.secret().unwrap();
        assert_eq!(new.secret().expose_secret(), secret.expose_secret());
        // Its access token stays, too.
        assert!(world.creation().exists());
    }
}

/// The commands that the first creation names are run, and the second one has no more luck.
#[test]
fn row_63_a_repeated_creation_puts_its_own_api_token_aside() {
    let world = World::logged_in();
    let access_token = deleted_elsewhere(&world);
    for _ in 0..2 {
        let late = Fault::propagation_delay(Duration::from_secs(3600));
        world.service.fail_next(Operation::CreateApiToken, late);
        let ran = world.run_with(&CREATE, &access_token);
        let stderr = ran.fails_with(6);
        let secret = world.service.secret().unwrap();
        let id = world.service.id().unwrap();
        let places = ["default".to_owned(), format!("default {id}")];
        let kept = places.iter().filter_map(|name| {
            let kept = wait(aside_as(&world, name).load()).unwrap()?;
            (kept.secret().expose_secret() == secret.expose_secret()).then_some(name)
        });
        let kept: Vec<_> = kept.collect();
        assert_eq!(kept.len(), 1, "{stderr}");
        let place = format!("--profile {}", shlex::try_quote(kept[0]).unwrap());
        assert!(stderr.contains(&place), "{stderr}");
        let delete = ["token", "delete", "--yes", "--access-token-stdin"];
        assert_eq!(world.run_with(&delete, &access_token).code, Some(0));
    }
}

/// Starts a creation, and waits until its API token does not log in.
fn start_waiting(world: &World, access_token: &str, rescue: &Path) -> Child {
    let create = [&CREATE[..4], &["--settle", "1h"]].concat();
    let mut create = world.command(&create);
    let mut create = create
        .env("POLLINATION_AUTH_RESCUE_DIR", rescue)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = create.stdin.take().unwrap();
    stdin.write_all(access_token.as_bytes()).unwrap();
    drop(stdin);
    hear(&mut create, "waiting until the new API token logs in");
    create
}

/// Begins a creation whose API token does not log in before the service has settled.
fn begin_late(world: &World) -> Child {
    let access_token = deleted_elsewhere(world);
    let late = Fault::propagation_delay(Duration::from_secs(3600));
    world.service.fail_next(Operation::CreateApiToken, late);
    start_waiting(world, &access_token, &world.rescue())
}

/// Nobody was asked about the credential that another process stores meanwhile.
#[test]
fn row_63_a_creation_replaces_nothing_that_was_stored_since_it_began() {
    let world = World::logged_in();
    let mut create = begin_late(&world);
    let other = ApiToken::new("other-id", Secret::from("other-secret")).unwrap();
    let seen = wait(world.profile().stored()).unwrap().unwrap();
    wait(world.profile().replace(&seen, &other)).unwrap();
    world.service.settle();
    assert_eq!(create.wait().unwrap().code(), Some(6));
    let stored = wait(world.profile().load()).unwrap().unwrap();
    assert_eq!(stored.id().as_str(), "other-id");
    let new = wait(aside(&world).load()).unwrap().unwrap();
    let secret = world.service.secret().unwrap();
    assert_eq!(new.secret().expose_secret(), secret.expose_secret());
    // What would replace the other one asks first.
    world.assert_status_asks_about("other-id");
}

/// The messages advise to work in the rescue directory, which is the first place then.
#[test]
fn row_87_a_creation_in_the_rescue_directory_removes_no_only_copy() {
    let place = Arc::new(OnceLock::<Profile>::new());
    let other = place.clone();
    let world = World::with(|builder| {
        builder.on_request(move |request| {
            // Another process forgets what is stored, while the new API token is checked.
            if request.operation() == Some(Operation::Login)
                && let Some(profile) = other.get()
                && let Some(seen) = wait(profile.stored()).unwrap()
                && seen.api_token().id().as_str() == ID
            {
                wait(profile.remove(&seen)).unwrap();
            }
        })
    });
    world.log_in();
    let access_token = deleted_elsewhere(&world);
    place.set(world.profile()).unwrap();
    let late = Fault::propagation_delay(Duration::from_secs(3600));
    world.service.fail_next(Operation::CreateApiToken, late);
    let mut create = start_waiting(&world, &access_token, &world.directory());
    world.service.settle();
    assert_eq!(create.wait().unwrap().code(), Some(0));
    world.stored_secret();
}

/// A rotation is at work where the new pair was put, and may end the secret that is stored now.
#[test]
fn row_87_a_creation_beside_a_rotation_of_the_rescued_pair_keeps_its_access_token() {
    let world = World::logged_in();
    let mut create = begin_late(&world);
    let rescue = FileStore::open(world.rescue()).unwrap();
    let lock = wait(rescue.try_lock(aside(&world).id())).unwrap().unwrap();
    world.service.settle();
    assert_eq!(create.wait().unwrap().code(), Some(0));
    assert!(world.creation().exists());
    drop(lock);
    let status = world.run(&["status"]);
    let rescue = world.rescue();
    assert!(
        status.stdout.contains(rescue.to_str().unwrap()),
        "{status:?}"
    );
    // The pair is a copy, as the next login finds out.
    assert_eq!(world.run(&["access-token", "--fresh"]).code, Some(0));
    assert!(!world.creation().exists());
    assert!(wait(aside(&world).load()).unwrap().is_none());
}

/// Somebody rotates in the rescue directory, as the messages offer, while the creation waits.
#[test]
fn row_87_another_secret_that_comes_into_the_rescue_directory_stays() {
    let world = World::logged_in();
    let mut create = begin_late(&world);
    let seen = wait(aside(&world).stored()).unwrap().unwrap();
    let rotated = ApiToken::new(seen.api_token().id().as_str(), Secret::from("rotated")).unwrap();
    wait(aside(&world).replace(&seen, &rotated)).unwrap();
    world.service.settle();
    assert_eq!(create.wait().unwrap().code(), Some(0));
    let left = wait(aside(&world).load()).unwrap().unwrap();
    assert_eq!(left.secret().expose_secret(), "rotated");
    assert!(world.creation().exists());
}

#[test]
fn row_87_a_rescued_pair_of_another_api_token_stays_beside_a_new_one() {
    let world = World::logged_in();
    let access_token = deleted_elsewhere(&world);
    let other = ApiToken::new("other-id", Secret::from("other-secret")).unwrap();
    wait(aside(&world).save(&other)).unwrap();
    // The new API token does not log in yet.
    world
        .service
        .fail_next(Operation::Login, Fault::status(400));
    let ran = world.run_with(&CREATE, access_token);
    let stderr = ran.fails_with(6);
    let rescued = wait(aside(&world).load()).unwrap().unwrap();
    assert_eq!(rescued.secret().expose_secret(), "other-secret");
    let name = format!("default {}", world.service.id().unwrap());
    assert!(stderr.contains(&format!("--profile '{name}'")), "{stderr}");
    let beside = wait(aside_as(&world, &name).load()).unwrap().unwrap();
    let secret = world.service.secret().unwrap();
    assert_eq!(beside.secret().expose_secret(), secret.expose_secret());
    assert!(world.creation().exists());
}

fn aside(world: &World) -> Profile {
    aside_as(world, "default")
}

fn aside_as(world: &World, name: &str) -> Profile {
    let aside = FileStore::open(world.rescue()).unwrap();
    Profile::new(aside, &world.service.base_url(), name).unwrap()
}
