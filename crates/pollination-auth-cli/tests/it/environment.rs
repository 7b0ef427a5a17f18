//! A job that has its credential in the environment and never ran a login.

use std::fs;
use std::process::Command;

use pollination_auth_fake::{Fault, Operation};
use snapbox::str;

use crate::world::{ID, Ran, SECRET, World, accept_next_login, wait};

const VARIABLES: [&str; 2] = ["POLLINATION_API_KEY_ID", "POLLINATION_API_KEY_SECRET"];

fn in_a_job(world: &World, arguments: &[&str]) -> Command {
    let mut command = world.command(arguments);
    command.envs(VARIABLES.into_iter().zip([ID, SECRET]));
    command
}

fn run(command: &mut Command) -> Ran {
    command.output().unwrap().into()
}

/// Returns all that stands in the files below a directory.
fn texts(directory: &std::path::Path) -> String {
    let Ok(entries) = fs::read_dir(directory) else {
        return String::new();
    };
    let texts = entries.map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path)
        } else {
            fs::read_to_string(&path).unwrap()
        }
    });
    texts.collect()
}

#[test]
fn the_environment_is_enough_where_nothing_is_stored_and_is_kept_nowhere() {
    let world = World::new();
    let token = run(&mut in_a_job(&world, &["access-token"]));
    assert_eq!(token.answer().split('.').count(), 3);
    assert_eq!(run(&mut in_a_job(&world, &["token", "show"])).answer(), ID);
    let shown = run(&mut in_a_job(
        &world,
        &["token", "show", "--output", "json"],
    ));
    assert_eq!(shown.json()["stored"], false);

    let kept = texts(world.home.path());
    assert!(
        !kept.contains(SECRET) && !kept.contains(token.answer()),
        "{kept}"
    );
    assert!(wait(world.profile().load()).unwrap().is_none());
    assert_eq!(world.service.logins(), 3);
}

#[test]
fn status_says_that_the_credential_is_of_the_environment_and_asks_nobody() {
    let world = World::new();
    let status = run(&mut in_a_job(&world, &["status"]));
    world.assert_is(
        status.text(),
        str![[r#"
profile       default
host          [HOST]
directory     [HOME]/credentials
API token     an-id, of the environment

"#]],
    );
    let status = run(&mut in_a_job(&world, &["status", "--output", "json"])).json();
    assert_eq!(status["source"], "environment");
    assert_eq!(
        (&status["logged_in"], &status["id"]),
        (&true.into(), &ID.into())
    );
    assert_eq!(world.service.requests().len(), 0);
}

#[test]
fn the_stored_secret_goes_before_that_of_the_environment() {
    let world = World::logged_in();
    assert_eq!(world.run(&["token", "rotate", "--yes"]).code, Some(0));
    // The environment has the secret of before, and is not looked at.
    let token = run(&mut in_a_job(&world, &["access-token", "--fresh"]));
    assert_eq!((token.code, token.stderr.as_str()), (Some(0), ""));
    let status = run(&mut in_a_job(&world, &["status", "--output", "json"]));
    assert_eq!(status.json()["source"], "store");
}

/// Logs in with what the service does not know.
fn store(world: &World, id: &str, secret: &str) {
    accept_next_login(world);
    let ran = world.run_with(&["login"], format!("{id}\n{secret}\n"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn another_api_token_of_the_environment_goes_before_the_stored_one_and_says_so() {
    let world = World::new();
    store(&world, "other-id", "other-secret");
    for arguments in [&["access-token"][..], &["token", "show"]] {
        let ran = run(&mut in_a_job(&world, arguments));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let warning = "warning: using the API token an-id of the environment, not the stored one, \
                       other-id (profile default)\n";
        assert_eq!(ran.stderr, warning);
    }
    let status = run(&mut in_a_job(&world, &["status"]));
    assert_eq!(status.stderr, "");
    let lines = "API token     an-id, of the environment\n\
                 stored        other-id; the environment takes precedence\n";
    assert!(status.text().contains(lines), "{status:?}");
    // What changes the stored one says which one that is.
    let ran = run(&mut in_a_job(&world, &["token", "rotate"]));
    assert!(
        ran.fails_with(8).contains("stored API token other-id"),
        "{ran:?}"
    );
}

#[test]
fn a_stored_secret_that_is_refused_gives_way_to_that_of_the_environment() {
    let world = World::new();
    store(&world, ID, "dead-secret");
    for arguments in [&["access-token", "--fresh"][..], &["token", "show"]] {
        let ran = run(&mut in_a_job(&world, arguments));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let warning = "refuses the stored secret of the API token an-id, and accepts that of the \
                       environment; `pollination-auth login --host";
        assert!(ran.stderr.contains(warning), "{ran:?}");
    }
    let mut both = in_a_job(&world, &["access-token", "--fresh"]);
    let ran = run(both.env(VARIABLES[1], "planted-wrong"));
    let stderr = ran.fails_with(4);
    let both = "refuses the stored secret of the API token an-id, and that of the environment too";
    assert!(
        stderr.contains(both) && !stderr.contains("planted"),
        "{stderr}"
    );
    assert!(!stderr.contains("dead-secret"), "{stderr}");
}

#[test]
fn row_89_a_page_condemns_no_stored_secret_for_that_of_the_environment() {
    let world = World::logged_in();
    for status in [401, 403] {
        let page = Fault::status(status)
            .body("<html>")
            .header("content-type", "text/html");
        world.service.fail_next(Operation::Login, page);
        let mut other = in_a_job(&world, &["access-token", "--fresh"]);
        let ran = run(other.env(VARIABLES[1], "planted-wrong"));
        let stderr = ran.fails_with(4);
        assert!(stderr.contains("does not look like"), "{stderr}");
        assert!(!stderr.contains("refuses the stored secret"), "{stderr}");
    }
}

#[test]
fn row_80_the_environment_may_name_files() {
    let world = World::new();
    let write = |name: &str, text: &str| {
        let path = world.home.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (id, secret) = (
        write("id", "an-id\n"),
        write("secret", &format!("{SECRET}\n")),
    );
    let with_files = |arguments: &[&str]| {
        let mut command = world.command(arguments);
        command.env("POLLINATION_API_KEY_ID_FILE", &id);
        command.env("POLLINATION_API_KEY_SECRET_FILE", &secret);
        command
    };
    assert_eq!(run(&mut with_files(&["token", "show"])).answer(), ID);
    assert_eq!(run(&mut with_files(&["login"])).code, Some(0));
    assert_eq!(world.stored_secret(), SECRET);
    let mut missing = with_files(&["access-token"]);
    let ran = run(missing.env("POLLINATION_API_KEY_SECRET_FILE", "/nonexistent/secret"));
    assert!(
        ran.fails_with(2)
            .contains("/nonexistent/secret can't be read"),
        "{ran:?}"
    );
}

/// Only root can run a command as somebody else.
#[cfg(unix)]
#[test]
fn row_80_a_mount_of_root_is_read_by_a_user_of_its_group_and_by_nobody_else() {
    use std::io::Write as _;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    use std::os::unix::process::CommandExt as _;
    const USER: u32 = 65_534;
    const GROUP: u32 = 10_001;

    let world = World::new();
    if fs::metadata(world.home.path()).unwrap().uid() != 0 {
        // Past the capture of the test harness: everybody should see it.
        let note = "left out: the mount that another user reads; root can run it\n";
        let _closed = std::io::stderr().write_all(note.as_bytes());
        return;
    }
    let within = |name: &str| world.home.path().join(name);
    let allow = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    allow(world.home.path(), 0o755);
    for (name, text) in [("id", ID), ("secret", SECRET)] {
        fs::write(within(name), format!("{text}\n")).unwrap();
        chown(within(name), None, Some(GROUP)).unwrap();
        allow(&within(name), 0o440);
    }
    // The folder of the build may be closed to other users.
    let program = within("program");
    fs::copy(crate::world::PROGRAM, &program).unwrap();
    let run_as = |group: u32| {
        let mut command = world.prepare(Command::new(&program), &["access-token"]);
        command.uid(USER).gid(group);
        command.env("POLLINATION_API_KEY_ID_FILE", within("id"));
        command.env("POLLINATION_API_KEY_SECRET_FILE", within("secret"));
        run(&mut command)
    };

    assert!(run_as(GROUP).answer().starts_with("ey"));
    let ran = run_as(USER);
    assert!(ran.fails_with(2).contains("id can't be read"), "{ran:?}");
}

#[test]
fn the_profile_may_be_in_the_environment_and_is_named_where_it_is_meant() {
    let world = World::logged_in();
    let mut command = world.command(&["status"]);
    let ran = run(command.env("POLLINATION_PROFILE", "work"));
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("(profile work)"), "{ran:?}");
    let mut command = world.command(&["status", "--profile", "default"]);
    let ran = run(command.env("POLLINATION_PROFILE", "work"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

/// The advice is run as it stands, in the same environment.
#[cfg(unix)]
#[test]
fn following_the_advice_sends_no_secret_to_another_host() {
    let world = World::new();
    let other = World::new();
    // The host of the command line is another one than that of the environment.
    let mut command = in_a_job(&world, &["token", "rotate", "--yes"]);
    let ran = run(command.env("POLLINATION_HOST", other.service.base_url()));
    let advice = ran.fails_with(3).split('`').nth(1).unwrap().to_owned();
    let line = advice.replacen("pollination-auth", crate::world::PROGRAM, 1);
    let mut login = Command::new("sh");
    login.args(["-c", &line]).env_clear();
    login.envs(VARIABLES.into_iter().zip([ID, SECRET]));
    login.env("POLLINATION_AUTH_DIR", world.directory());
    let ran = run(login.env("POLLINATION_HOST", other.service.base_url()));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!((world.service.logins(), other.service.logins()), (1, 0));
}

#[test]
fn a_key_of_the_vendors_later_api_is_said_to_be_one() {
    let world = World::new();
    let ran = run(world
        .command(&["access-token"])
        .env("POLLINATION_API_KEY", "planted"));
    let stderr = ran.fails_with(3);
    let hint = "\n  POLLINATION_API_KEY is set, but it is a key of the vendor's later API, not an API token\n";
    assert!(
        stderr.contains(hint) && !stderr.contains("planted"),
        "{stderr}"
    );
}

#[test]
fn what_would_change_the_secret_wants_it_stored_and_asks_nothing() {
    let world = World::new();
    for command in [
        &["token", "rotate", "--yes"][..],
        &["token", "rotate", "--resume"],
        &["token", "delete", "--yes"],
        &["token", "create"],
    ] {
        let ran = run(&mut in_a_job(&world, command));
        let stderr = ran.fails_with(3);
        assert!(stderr.contains("pollination-auth login"), "{stderr}");
        assert!(stderr.contains("of the environment"), "{stderr}");
    }
    assert_eq!(world.service.requests().len(), 0);

    // What it says to run is what helps.
    assert_eq!(run(&mut in_a_job(&world, &["login"])).code, Some(0));
    let rotated = run(&mut in_a_job(&world, &["token", "rotate", "--yes"]));
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    assert_ne!(world.stored_secret(), SECRET);
}

#[test]
fn row_51_half_of_it_is_an_error_and_no_absence() {
    let world = World::new();
    for (set, missing) in [(0, 1), (1, 0)] {
        for arguments in [&["access-token"][..], &["status"], &["token", "show"]] {
            let ran = run(world.command(arguments).env(VARIABLES[set], "planted"));
            let expected = format!(
                "(from {}) is not set; set both the id and the secret, or neither",
                VARIABLES[missing]
            );
            assert!(ran.fails_with(2).contains(&expected), "{ran:?}");
            assert!(!ran.stderr.contains("planted"), "{ran:?}");
        }
    }
}

#[test]
fn a_secret_of_the_environment_that_is_refused_is_not_repeated() {
    let world = World::new();
    let mut command = in_a_job(&world, &["access-token", "--verbose"]);
    let ran = run(command.env(VARIABLES[1], "planted-wrong"));
    assert!(!ran.fails_with(4).contains("planted"), "{ran:?}");
}

/// As on a disk that is read-only: where the directory would be, there can't be one.
/// On Windows nothing is below a file, which is no error.
#[cfg(unix)]
#[test]
fn no_directory_is_needed_for_the_environment() {
    let world = World::new();
    let file = world.home.path().join("a-file");
    fs::write(&file, "").unwrap();
    let without = |arguments: &[&str]| {
        let mut command = in_a_job(&world, arguments);
        command.env("POLLINATION_AUTH_DIR", file.join("below"));
        run(&mut command)
    };
    assert_eq!(without(&["access-token"]).code, Some(0));
    assert_eq!(without(&["token", "show"]).answer(), ID);
    let status = without(&["status"]);
    assert!(
        status.answer().contains("so nothing can be stored"),
        "{status:?}"
    );
    assert_eq!(without(&["login"]).code, Some(9));
    assert_eq!(without(&["token", "rotate", "--yes"]).code, Some(9));
}

#[test]
fn a_logout_says_that_the_environment_is_used_from_then_on() {
    let world = World::logged_in();
    let ran = run(&mut in_a_job(&world, &["logout", "--yes"]));
    assert_eq!(ran.code, Some(0));
    let note = "the environment has an API token, which is used from now on";
    assert!(ran.stderr.contains(note), "{ran:?}");
    assert_eq!(run(&mut in_a_job(&world, &["access-token"])).code, Some(0));
    assert_eq!(world.service.count(Operation::DeleteApiToken), 0);
}

#[test]
fn a_logout_says_that_the_environment_has_the_secret_of_before_a_rotation() {
    const WARNING: &str = "another secret of this API token, which a rotation may have replaced";
    let world = World::logged_in();
    let same = run(&mut in_a_job(&world, &["logout", "--yes"]));
    assert!(!same.stderr.contains(WARNING), "{same:?}");

    let world = World::logged_in();
    assert_eq!(world.run(&["token", "rotate", "--yes"]).code, Some(0));
    let new = world.stored_secret();
    let ran = run(&mut in_a_job(&world, &["logout", "--yes"]));
    assert!(ran.stderr.contains(WARNING), "{ran:?}");
    assert!(
        !ran.stderr.contains(SECRET) && !ran.stderr.contains(&new),
        "{ran:?}"
    );
}

#[cfg(unix)]
#[test]
fn row_52_a_store_that_is_not_safe_is_refused_beside_the_environment_too() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::logged_in();
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(world.directory(), open).unwrap();
    for arguments in [&["access-token"][..], &["status"], &["token", "show"]] {
        let ran = run(&mut in_a_job(&world, arguments));
        assert!(ran.fails_with(9).contains("chmod 700"), "{ran:?}");
    }
}

#[test]
fn a_host_of_the_environment_that_is_empty_is_named() {
    let mut command = Command::new(crate::world::PROGRAM);
    command
        .arg("status")
        .env_clear()
        .env("POLLINATION_HOST", "");
    let ran = run(&mut command);
    assert!(ran.fails_with(2).contains("POLLINATION_HOST"), "{ran:?}");
}
