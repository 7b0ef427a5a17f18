//! The list of the stored profiles.

use snapbox::str;

use crate::world::{ID, SECRET, World};

fn log_in(world: &World, profile: &str) {
    let ran = world.run_with(
        &["login", "--profile", profile],
        format!("{ID}\n{SECRET}\n"),
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn the_profiles_are_listed_with_their_hosts_and_the_one_in_use_is_marked() {
    let world = World::logged_in();
    log_in(&world, "work");
    let ran = world.run(&["profile", "list"]);
    world.assert_is(
        ran.text(),
        str![[r#"
* default  [HOST]  API token an-id
  work     [HOST]  API token an-id

"#]],
    );
    let json = world.run(&["profile", "list", "--profile", "work", "--output", "json"]);
    let profiles = &json.json()["profiles"];
    assert_eq!(profiles[0]["profile"], "default");
    assert_eq!(
        (&profiles[0]["used"], &profiles[1]["used"]),
        (&false.into(), &true.into())
    );
    assert_eq!(profiles[1]["host"], world.service.base_url());
    assert!(!json.stdout.contains(SECRET), "{json:?}");
}

#[test]
fn nothing_stored_is_an_empty_list_and_makes_no_directory() {
    let world = World::new();
    assert_eq!(
        world.run(&["profile", "list"]).answer(),
        "No profile is stored"
    );
    let json = world.run(&["profile", "list", "--output", "json"]).json();
    assert_eq!(json["profiles"], serde_json::json!([]));
    assert!(!world.directory().exists());
}

#[test]
fn a_damaged_profile_hides_no_other_one() {
    let world = World::logged_in();
    log_in(&world, "work");
    let journal = world.profile().id().key() + ".journal.json";
    std::fs::write(world.directory().join(journal), "{planted").unwrap();
    let ran = world.run(&["profile", "list"]);
    let answer = ran.answer();
    assert!(answer.contains("  work "), "{answer}");
    assert!(
        answer.contains("* default ") && !answer.contains("planted"),
        "{answer}"
    );
}

/// Another profile's name is anybody's text, and what it does to a line is not its reader's wish.
#[test]
fn characters_that_reorder_a_line_are_escaped_and_json_keeps_the_text() {
    let world = World::new();
    let name = "a\u{202e}b";
    log_in(&world, name);
    let ran = world.run(&["profile", "list"]);
    assert!(!ran.stdout.contains('\u{202e}'), "{ran:?}");
    assert!(ran.stdout.contains(r"a\u{202e}b"), "{ran:?}");
    let ran = world.run(&["profile", "list", "--output", "json"]);
    assert!(!ran.stdout.contains('\u{202e}'), "{ran:?}");
    assert_eq!(ran.json()["profiles"][0]["profile"], name);
}

#[test]
fn a_damaged_document_is_named_by_the_list_and_by_doctor() {
    let world = World::logged_in();
    let damaged = world.directory().join("work-0.credential.json");
    std::fs::write(&damaged, "{\"base_url\":").unwrap();
    let ran = world.run(&["profile", "list"]);
    assert!(ran.answer().contains("default"), "{ran:?}");
    for ran in [ran.stderr, world.run(&["doctor"]).stdout] {
        let text = ran.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            text.contains("work-0.credential.json: the stored credential is damaged"),
            "{text}"
        );
    }
}
