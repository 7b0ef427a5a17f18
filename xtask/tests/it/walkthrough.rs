//! `docs/regenerating.md`: its commands are run, and its outputs are compared.

use std::fs;
use std::path::Path;

use anstream::StripStream;

use crate::support::{self, NEWER, patched};
use crate::tree::Tree;

const GUIDE: &str = include_str!("../../../docs/regenerating.md");

/// The change that the guide is about.
const CHANGE: &str = include_str!("../data/walkthrough.json");

const PROMPT: &str = "$ cargo xtask ";

/// The commands of the guide, each with the output that it shows.
fn commands() -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for block in GUIDE.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            match line.strip_prefix(PROMPT) {
                Some(command) => commands.push((command.to_owned(), String::new())),
                None => commands.last_mut().unwrap().1 += &format!("{line}\n"),
            }
        }
    }
    commands
}

#[test]
fn every_command_of_the_guide_says_what_the_guide_shows() {
    let tree = Tree::new("walkthrough");
    let upstream = Path::new(env!("CARGO_TARGET_TMPDIR")).join("walkthrough.json");
    let document = patched(&support::json(NEWER), Some(&support::json(CHANGE)));
    fs::write(&upstream, document.to_string()).unwrap();
    let contract = tree.root().join("openapi.json");
    let commands = commands();
    assert_eq!(commands.len(), 4);
    for (command, shown) in commands {
        let arguments = command.split(' ').map(|argument| match argument {
            "upstream.json" => upstream.to_str().unwrap(),
            "openapi.json" => contract.to_str().unwrap(),
            other => other,
        });
        let mut output = StripStream::new(Vec::new());
        let input = &mut std::io::empty();
        let code = xtask::cli::execute(arguments, tree.root(), input, &mut output).unwrap();
        let output = String::from_utf8(output.into_inner()).unwrap();
        assert!(
            output == shown,
            "the guide shows another output of `{command}`; it is\n{output}"
        );
        assert_eq!(code, 0, "{command}");
    }
}
