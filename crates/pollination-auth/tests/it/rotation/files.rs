//! Row 52 and point 5.7.10: files that must not be trusted are refused and left alone.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use pollination_auth::{FileStore, RotateCause, RotateError, StoreError};
use pollination_auth_fake::{Fault, Operation};

use super::support::{Directory, OLD, Stage, assert_clean, client, options, wait};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

/// Returns why a credential can't be loaded: the problem of an unsafe file.
fn problem(stage: &Stage) -> &'static str {
    match wait(stage.profile().load()) {
        Err(StoreError::Unsafe { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_file_is_for_its_user_alone() {
    let stage = Stage::new();
    stage
        .service
        .fail_next(Operation::RotateApiTokenSecret, Fault::commit_and_drop());
    let one = stage.client().rotation(options().requests(1));
    assert!(matches!(one.rotate().await, Err(RotateError::Ambiguous(_))));
    assert_eq!(mode(stage.directory.path()), 0o700);
    for end in [".credential.json", ".journal.json", ".lock"] {
        let files = stage.directory.files(end);
        assert_eq!(files.len(), 1, "{end}");
        assert_eq!(mode(&files[0]), 0o600, "{end}");
    }
}

#[test]
fn row_52_a_credential_that_others_can_read_or_write_is_refused() {
    let stage = Stage::new();
    let file = stage.directory.files(".credential.json").remove(0);
    for (bits, word) in [
        (0o644, "read"),
        (0o640, "read"),
        (0o620, "write"),
        (0o602, "write"),
    ] {
        set_mode(&file, bits);
        assert!(problem(&stage).contains(word), "{bits:o}");
    }
    // The caller may allow others to read it, never to write it.
    let readable = |bits| {
        set_mode(&file, bits);
        let store = FileStore::open(stage.directory.path()).unwrap();
        let store = store.dangerously_allow_readable_by_others();
        wait(super::support::profile(store, &stage.service.base_url()).load())
    };
    assert_eq!(
        readable(0o644).unwrap().unwrap().secret().expose_secret(),
        OLD
    );
    assert!(matches!(readable(0o666), Err(StoreError::Unsafe { .. })));
}

#[test]
fn row_52_a_link_a_directory_a_pipe_and_a_huge_file_are_refused() {
    let stage = Stage::new();
    let file = stage.directory.files(".credential.json").remove(0);
    let elsewhere = stage.directory.path().join("elsewhere");
    fs::rename(&file, &elsewhere).unwrap();

    symlink(&elsewhere, &file).unwrap();
    assert_eq!(problem(&stage), "it is a symbolic link");
    fs::remove_file(&file).unwrap();

    fs::create_dir(&file).unwrap();
    assert_eq!(problem(&stage), "it is not a regular file");
    fs::remove_dir(&file).unwrap();

    let made = std::process::Command::new("mkfifo").arg(&file).status();
    if made.is_ok_and(|status| status.success()) {
        assert_eq!(problem(&stage), "it is not a regular file");
        fs::remove_file(&file).unwrap();
    }

    let huge = fs::File::create(&file).unwrap();
    huge.set_len(1 << 30).unwrap();
    set_mode(&file, 0o600);
    assert_eq!(problem(&stage), "it is longer than 64 KiB, the maximum");
}

#[test]
fn a_directory_that_others_can_write_to_is_refused() {
    let directory = Directory::new();
    fs::create_dir(directory.path()).unwrap();
    set_mode(directory.path(), 0o777);
    let error = FileStore::open(directory.path()).unwrap_err();
    assert!(matches!(error, StoreError::Unsafe { .. }), "{error}");
}

#[tokio::test]
async fn a_lock_that_is_a_link_is_refused() {
    let stage = Stage::new();
    let lock = stage.directory.files(".lock").remove(0);
    fs::remove_file(&lock).unwrap();
    let elsewhere = stage.directory.path().join("elsewhere");
    symlink(&elsewhere, &lock).unwrap();
    let token = stage.profile().load().await.unwrap().unwrap();
    assert!(matches!(
        stage.profile().save(&token).await,
        Err(StoreError::Unsafe { .. })
    ));
    assert!(!elsewhere.exists());
}

#[tokio::test]
async fn point_5_7_10_a_journal_that_can_not_be_trusted_stops_everything_and_is_left_alone() {
    type Spoil = fn(&Path);
    let spoilers: [(&str, Spoil); 4] = [
        ("world readable", |path| set_mode(path, 0o644)),
        ("world writable", |path| set_mode(path, 0o606)),
        ("cut off", |path| {
            let text = fs::read(path).unwrap();
            fs::write(path, &text[..text.len() / 2]).unwrap();
        }),
        ("newer", |path| {
            let text = fs::read_to_string(path).unwrap();
            fs::write(path, text.replacen("\"version\": 1", "\"version\": 9", 1)).unwrap();
        }),
    ];
    for (name, spoil) in spoilers {
        let stage = Stage::new();
        stage
            .service
            .fail_next(Operation::RotateApiTokenSecret, Fault::commit_and_drop());
        let one = stage.client().rotation(options().requests(1));
        assert!(matches!(one.rotate().await, Err(RotateError::Ambiguous(_))));
        let journal = stage.directory.files(".journal.json").remove(0);
        spoil(&journal);
        let before = (fs::read(&journal).unwrap(), mode(&journal), stage.stored());
        let requests = stage.service.requests().len();
        let rotation =
            client(stage.directory.store(), &stage.service.base_url()).rotation(options());
        let errors = [
            rotation.recover().await.unwrap_err(),
            rotation.rotate().await.unwrap_err(),
            rotation.status().await.unwrap_err(),
        ];
        for error in errors {
            assert!(
                matches!(error.failure().cause(), Some(RotateCause::Store(_))),
                "{name}: {error:?}"
            );
            assert_clean(&format!("{error} {error:?}"));
        }
        let after = (fs::read(&journal).unwrap(), mode(&journal), stage.stored());
        assert_eq!(before, after, "{name}");
        assert_eq!(stage.service.requests().len(), requests, "{name}");
    }
}
