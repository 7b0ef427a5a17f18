//! A stored document that can't be used may hold the only key: nobody is told to remove it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pollination_auth_fake::{Fault, Operation};

use crate::world::{PROGRAM, Ran, World};

/// Leaves a credential and the journal of an interrupted rotation behind.
fn interrupted() -> (World, [PathBuf; 2]) {
    let world = World::logged_in();
    for _ in 0..3 {
        let lost = Fault::commit_and_drop();
        let rotate = Operation::RotateApiTokenSecret;
        world.service.fail_next(rotate, lost);
    }
    let rotate = ["token", "rotate", "--yes", "--settle", "1ms"];
    world.run(&rotate).fails_with(6);
    let credential = world.credential();
    let journal = world.profile().id().key() + ".journal.json";
    let journal = world.directory().join(journal);
    (world, [credential, journal])
}

/// Runs a command that no file mode lets through, root's neither.
fn run(world: &World, arguments: &[&str]) -> Ran {
    // Under Wine, a program for Windows sees this file too.
    let status = fs::read_to_string("/proc/self/status");
    let is_root = cfg!(target_os = "linux")
        && status.is_ok_and(|status| {
            let effective = status.lines().find(|line| line.starts_with("Uid:"));
            effective.is_some_and(|ids| ids.split_whitespace().nth(2) == Some("0"))
        });
    let mut command = Command::new(if is_root { "setpriv" } else { PROGRAM });
    if is_root {
        command.args(["--bounding-set", "-dac_override,-dac_read_search", PROGRAM]);
    }
    let mut command = world.prepare(command, arguments);
    command.output().unwrap().into()
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(file: &Path) {
    let text = fs::read_to_string(file).unwrap();
    fs::write(file, &text[..text.len() - 3]).unwrap();
}

fn make_newer(file: &Path) {
    let text = fs::read_to_string(file).unwrap();
    fs::write(file, format!(r#"{{"version":3,"entry":{text}}}"#)).unwrap();
}

#[cfg(target_os = "linux")]
fn make_unreadable(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(0o000)).unwrap();
}

#[test]
fn row_52_one_text_names_what_is_wrong_and_tells_nobody_to_remove_it() {
    type Case = (fn(&Path), &'static str, &'static str);
    let cases: &[Case] = &[
        (cut, "is damaged", "so keep a copy"),
        (
            make_newer,
            "newer than this program",
            "update pollination-auth",
        ),
        #[cfg(target_os = "linux")]
        (
            make_unreadable,
            "Permission denied",
            "let this user read it",
        ),
    ];
    for (spoil, problem, advice) in cases {
        for number in 0..2 {
            let (world, files) = interrupted();
            let file = &files[number];
            spoil(file);
            let status = run(&world, &["status"]);
            let status = on_one_line(status.fails_with(9));
            let said = status.strip_prefix("error: ").unwrap();
            let (what, to_do) = said.split_once(" it can hold the only key").unwrap();
            assert!(what.starts_with(file.to_str().unwrap()), "{what}");
            assert!(what.contains(problem), "{what}");
            assert!(to_do.contains(advice), "{to_do}");
            let doctor = run(&world, &["doctor"]);
            assert_eq!(doctor.code, Some(13), "{doctor:?}");
            let list = run(&world, &["profile", "list"]);
            for ran in [&doctor, &list] {
                let text = on_one_line(&format!("{}{}", ran.stdout, ran.stderr));
                assert!(text.contains(what) && text.contains(to_do), "{text}");
                assert!(!text.contains("remove it\n"), "{text}");
                let without = text.replace("do not remove it", "");
                assert!(!without.contains("remove"), "{text}");
            }
        }
    }
}

#[test]
fn row_52_a_document_that_does_not_say_whose_it_is_gets_the_same_advice() {
    let world = World::logged_in();
    let stray = world.directory().join("work-0.journal.json");
    for (text, problem) in [
        (r#"{"base_url":"#, "the stored journal is damaged"),
        (
            r#"{"version":3}"#,
            "version 3, which is newer than this program",
        ),
    ] {
        fs::write(&stray, text).unwrap();
        let list = world.run(&["profile", "list"]);
        let doctor = world.run(&["doctor"]);
        assert_eq!(doctor.code, Some(13), "{doctor:?}");
        for text in [list.stderr, doctor.stdout].map(|text| on_one_line(&text)) {
            let named = format!("{}: ", stray.display());
            assert!(text.contains(&named) && text.contains(problem), "{text}");
            assert!(text.contains("it can hold the only key"), "{text}");
            assert!(text.contains("move it away"), "{text}");
            assert!(!text.contains("remove"), "{text}");
        }
    }
}

#[test]
fn a_journal_that_can_not_be_used_hides_no_api_token() {
    let (world, [_, journal]) = interrupted();
    make_newer(&journal);
    let list = world.run(&["profile", "list"]);
    assert!(list.answer().contains("  API token an-id; "), "{list:?}");
    let json = world.run(&["profile", "list", "--output", "json"]).json();
    assert_eq!(json["profiles"][0]["id"], "an-id");
}

#[test]
fn a_credential_that_can_not_be_used_is_not_said_to_be_missing() {
    let (world, [credential, _]) = interrupted();
    make_newer(&credential);
    let list = world.run(&["profile", "list"]);
    assert!(!list.answer().contains("no API token"), "{list:?}");
    assert!(list.answer().contains("  API token unknown; "), "{list:?}");
}
