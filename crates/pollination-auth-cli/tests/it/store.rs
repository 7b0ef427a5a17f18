//! A store that may not be trusted or can't be used: refused, with a code of its own.

use std::fs;

use snapbox::str;

use crate::world::{ID, SECRET, World};

#[cfg(unix)]
fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
#[test]
fn nothing_stored_names_host_and_profile_and_no_broken_store() {
    let world = World::logged_in();
    for command in [
        &["access-token"][..],
        &["token", "show"],
        &["token", "rotate", "--yes"],
        &["token", "delete", "--yes"],
    ] {
        let ran = world.run(&[command, &["--profile", "other"]].concat());
        world.assert_is(
            ran.fails_with(3),
            str![[r#"
error: no credential is stored for [HOST] (profile other); run `pollination-auth login --profile other --host [HOST]`
  to use what is stored:
    --profile default --host [HOST]

"#]],
        );
    }
    let ran = world.run(&["token", "create", "--yes", "--profile", "other"]);
    world.assert_is(
        ran.fails_with(3),
        str![[r#"
error: no credential is stored for [HOST] (profile other); run `pollination-auth login --profile other --host [HOST]`
  to use what is stored:
    --profile default --host [HOST]
  where the account has no API token, give an access token that was issued before it was deleted: `pollination-auth token create --access-token-stdin --profile other --host [HOST]`

"#]],
    );
}

#[cfg(unix)]
#[test]
fn row_52_a_credential_that_others_can_read_is_refused() {
    let world = World::logged_in();
    set_mode(&world.credential(), 0o644);
    for command in [
        &["access-token"][..],
        &["status"],
        &["token", "show"],
        &["logout", "--yes"],
    ] {
        let ran = world.run(command);
        assert!(ran.fails_with(9).contains("others can read it"), "{ran:?}");
    }
    assert_eq!(world.service.logins(), 1);
    assert!(world.credential().exists());
}

#[cfg(unix)]
#[test]
fn row_52_a_kept_access_token_that_others_can_read_is_refused() {
    let world = World::logged_in();
    set_mode(&world.kept_token(), 0o644);
    for command in ["access-token", "status"] {
        let ran = world.run(&[command]);
        world.assert_is(
            ran.fails_with(9),
            str![[r#"
error: [HOME]/credentials/access-tokens/[..].credential.json is not safe to use: others can read it
  it is the cached access token; remove the file, and do not use that token

"#]],
        );
    }
    // A login does not look at it, and puts a new one in its place.
    world.log_in();
    assert_eq!(world.run(&["access-token"]).code, Some(0));
}

#[cfg(unix)]
#[test]
fn row_52_a_directory_that_others_can_write_to_is_refused() {
    let world = World::logged_in();
    set_mode(&world.directory(), 0o777);
    let ran = world.run(&["access-token"]);
    world.assert_is(
        ran.fails_with(9),
        str![[r#"
error: [HOME]/credentials is not safe to use: others can write to it; make it private with chmod 700

"#]],
    );
}

/// It is the link that is wrong: a mode would be changed where it leads to.
#[cfg(unix)]
#[test]
fn row_52_a_link_to_a_directory_that_others_can_write_to_is_named_as_a_link() {
    let world = World::logged_in();
    let open = world.home.path().join("open");
    fs::create_dir(&open).unwrap();
    set_mode(&open, 0o1777);
    let creations = world.directory().join("creations");
    std::os::unix::fs::symlink(&open, &creations).unwrap();
    let ran = world.run(&["token", "create", "--yes"]);
    world.assert_is(
        ran.fails_with(9),
        str![[r#"
error: [HOME]/credentials/creations is not safe to use: it is a symbolic link to a directory that others can write to; replace the link with a directory of your own

"#]],
    );
}

/// A directory in its place stops root too, whom no permission does.
#[cfg(unix)]
#[test]
fn row_54_a_file_that_can_not_be_locked_is_named() {
    let world = World::logged_in();
    let lock = world.profile().id().key() + ".lock";
    let lock = world.directory().join(lock);
    fs::remove_file(&lock).unwrap();
    fs::create_dir(&lock).unwrap();
    let ran = world.run(&["token", "rotate", "--yes"]);
    let stderr = ran.fails_with(9);
    let expected = format!("could not lock a file: {}: Is a directory", lock.display());
    assert!(stderr.contains(&expected), "{stderr}");
}

#[cfg(unix)]
#[test]
fn what_is_kept_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::logged_in();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&world.directory()), 0o700);
    assert_eq!(mode(&world.directory().join("access-tokens")), 0o700);
    assert_eq!(mode(&world.credential()), 0o600);
    assert_eq!(mode(&world.kept_token()), 0o600);
}

/// A file in the place of the directory stops root too, whom no permission does.
///
/// Windows has other words for it.
#[cfg(unix)]
#[test]
fn row_54_a_home_that_takes_nothing_is_found_out_before_the_service_is_asked() {
    let world = World::new();
    fs::write(world.directory(), "").unwrap();
    let ran = world.run_with(&["login"], format!("{ID}\n{SECRET}\n"));
    world.assert_is(
        ran.fails_with(9),
        str![[r#"
error: [HOME]/credentials: the credential store could not open its directory: Not a directory (os error 20)

"#]],
    );
    assert_eq!(world.service.logins(), 0);
}

#[test]
fn a_damaged_credential_is_named_and_a_login_replaces_it() {
    let world = World::logged_in();
    fs::write(world.credential(), "{planted").unwrap();
    let ran = world.run(&["access-token"]);
    world.assert_is(
        ran.fails_with(9),
        str![[r#"
error: [HOME]/credentials/[..].credential.json: the stored credential is damaged: [..]
  it can hold the only key, so keep a copy; `pollination-auth login --host [HOST]` replaces it

"#]],
    );
    assert!(!ran.stderr.contains("planted"), "{ran:?}");
    world.log_in();
    assert_eq!(world.stored_secret(), SECRET);
}

#[test]
fn a_damaged_journal_is_named_and_is_not_given_up_lightly() {
    let world = World::logged_in();
    let journal = world.profile().id().key() + ".journal.json";
    let journal = world.directory().join(journal);
    fs::write(&journal, "{planted").unwrap();
    #[cfg(unix)]
    set_mode(&journal, 0o600);
    let ran = world.run(&["status"]);
    world.assert_is(
        ran.fails_with(9),
        str![[r#"
error: [HOME]/credentials/[..].journal.json: the stored journal is damaged: [..]
  it can hold the only key, so keep a copy; `pollination-auth login --discard-rotation --host [HOST]` gives it up

"#]],
    );
    assert!(!ran.stderr.contains("planted"), "{ran:?}");
}

#[test]
fn a_journal_that_can_not_be_used_is_given_up_as_its_message_says() {
    for text in ["{planted", r#"{"version":99}"#] {
        let world = World::logged_in();
        let journal = world.profile().id().key() + ".journal.json";
        let journal = world.directory().join(journal);
        fs::write(&journal, text).unwrap();
        #[cfg(unix)]
        set_mode(&journal, 0o600);
        let said = world.run(&["status"]);
        assert!(
            said.fails_with(9).contains("--discard-rotation"),
            "{said:?}"
        );
        let discard = ["login", "--discard-rotation", "--yes", "--settle", "1ms"];
        let ran = world.run_with(&discard, format!("{ID}\n{SECRET}\n"));
        assert_eq!(ran.code, Some(0), "{text}: {ran:?}");
        assert!(!journal.exists());
        assert_eq!(world.run(&["status"]).code, Some(0));
    }
}

#[test]
fn what_only_reads_makes_no_directory() {
    let world = World::new();
    for arguments in [&["status"][..], &["access-token"], &["token", "show"]] {
        world.run(arguments);
        assert!(!world.directory().exists(), "{arguments:?}");
    }
    world.log_in();
    fs::remove_dir_all(world.directory().join("access-tokens")).unwrap();
    assert_eq!(world.run(&["status"]).code, Some(0));
    assert!(!world.directory().join("access-tokens").exists());
}

/// The limit is in blocks of 512 bytes, or of 1024; none of them is left.
#[cfg(unix)]
#[test]
fn row_54_a_limit_of_the_size_of_files_is_an_error_and_no_image_of_the_memory() {
    let world = World::logged_in();
    let mut shell = std::process::Command::new("sh");
    shell.args([
        "-c",
        r#"ulimit -f 0; exec "$0" "$@""#,
        crate::world::PROGRAM,
    ]);
    let mut command = world.prepare(shell, &["token", "rotate", "--yes"]);
    let ran = crate::world::Ran::from(command.output().unwrap());
    assert!(ran.fails_with(9).contains("nothing was changed"), "{ran:?}");
    assert_eq!(world.stored_secret(), SECRET);
}

/// Where Unix has it; that of Windows can't be moved by a variable alone.
#[cfg(unix)]
#[test]
fn the_directory_is_that_of_the_platform_unless_a_variable_names_one() {
    let world = World::new();
    let directory = |variables: &[(&str, &std::path::Path)]| {
        let mut command = world.command(&["status", "--output", "json"]);
        command.env_remove("POLLINATION_AUTH_DIR");
        command.envs(variables.iter().copied());
        let ran = crate::world::Ran::from(command.output().unwrap());
        std::path::PathBuf::from(ran.json()["directory"].as_str().unwrap())
    };
    let home = world.home.path();
    assert_eq!(directory(&[]), home.join(".config/pollination-auth"));
    let xdg = home.join("xdg");
    assert_eq!(
        directory(&[("XDG_CONFIG_HOME", &xdg)]),
        xdg.join("pollination-auth")
    );
    let own = home.join("own");
    assert_eq!(directory(&[("POLLINATION_AUTH_DIR", &own)]), own);
}

#[test]
fn an_empty_variable_is_an_error_and_no_wish_for_the_default() {
    let world = World::new();
    let mut command = world.command(&["status"]);
    command.env("POLLINATION_AUTH_DIR", "");
    let ran = crate::world::Ran::from(command.output().unwrap());
    assert!(
        ran.fails_with(2).contains("POLLINATION_AUTH_DIR is empty"),
        "{ran:?}"
    );
}
