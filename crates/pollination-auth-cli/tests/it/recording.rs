//! The picture in the README: what a terminal shows, drawn from a real run.

use std::fmt::Write as _;

use anstyle_svg::Term;
use snapbox::{assert_data_eq, file};

use crate::world::World;

/// What is typed, and the option that takes the place of a person here.
const LINES: [(&str, Option<&str>); 4] = [
    ("login", None),
    ("access-token", None),
    ("token rotate", Some("--yes")),
    ("status", None),
];

/// The letters of an access token that the picture shows.
const SHOWN: usize = 12;

/// A time in the picture, whatever the time was.
const TIME: &str = "2026-11-28T09:30:00Z";

#[test]
fn the_picture_of_the_readme_is_what_the_command_prints() {
    let world = World::new();
    let mut terminal = String::new();
    for (typed, option) in LINES {
        let arguments: Vec<_> = typed.split(' ').chain(option).collect();
        let ran = world.run_with(&arguments, "an-id\nplanted-secret\n");
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let _ = writeln!(
            terminal,
            "\u{1b}[1;32m$\u{1b}[0m \u{1b}[1mpollination-auth {typed}\u{1b}[0m"
        );
        terminal.push_str(&ran.stderr);
        terminal.push_str(&ran.stdout);
    }
    assert!(!terminal.contains("planted"), "{terminal}");
    let home = world.home.path().join("credentials");
    let shown = terminal
        .replace(&world.service.base_url(), "https://api.pollination.cloud")
        .replace(&home.display().to_string(), "~/.config/pollination-auth");
    let words = shown.split_inclusive([' ', '\n']).map(|word| {
        let text = word.trim_end();
        let end = &word[text.len()..];
        if text.starts_with("eyJ") {
            format!("{}…{end}", &text[..SHOWN])
        } else if text.len() == TIME.len() && text.ends_with('Z') {
            format!("{TIME}{end}")
        } else {
            word.to_owned()
        }
    });
    let picture = Term::new().render_svg(&words.collect::<String>());
    assert_data_eq!(picture, file!["../../../../docs/command.svg"].raw());
}
