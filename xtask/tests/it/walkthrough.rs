//! `docs/regenerating.md`: its commands are run, and its outputs are compared.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anstream::StripStream;
use serde_json::Value;

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

/// `cargo xtask replay` makes these changes and runs the tests.
#[test]
fn every_change_that_the_guide_makes_by_hand_fits() {
    let blocks = GUIDE.split("```diff\n").skip(1);
    let changes: Vec<_> = blocks
        .map(|block| block.split("```").next().unwrap())
        .collect();
    assert_eq!(changes.len(), 5);
    for change in changes {
        let mut apply = Command::new("git")
            .args(["apply", "--check", "--ignore-whitespace", "-"])
            .current_dir(xtask::workspace::root())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = apply.stdin.take().unwrap();
        input.write_all(change.as_bytes()).unwrap();
        drop(input);
        assert!(apply.wait().unwrap().success(), "{change}");
    }
}

#[test]
fn every_job_of_the_guide_is_yaml_and_its_commands_are_commands() {
    let blocks = GUIDE.split("```yaml\n").skip(1);
    let jobs: Vec<_> = blocks
        .map(|block| block.split("```").next().unwrap())
        .collect();
    assert_eq!(jobs.len(), 2);
    for job in jobs {
        let job: Value = serde_saphyr::from_str(job).unwrap();
        let mut commands = 0;
        for (_, job) in job["jobs"].as_object().unwrap() {
            for step in job["steps"].as_array().unwrap() {
                let command = step["run"]
                    .as_str()
                    .and_then(|it| it.strip_prefix("cargo xtask "));
                if let Some(command) = command {
                    xtask::cli::check(command.split(' ')).unwrap();
                    commands += 1;
                }
            }
        }
        assert_eq!(commands, 1);
    }
}

#[test]
fn the_exit_codes_of_a_check_are_those_of_the_guide() {
    let rows = GUIDE.lines().filter_map(|line| {
        let (code, what) = line.strip_prefix("| ")?.split_once(" | ")?;
        Some((code.parse::<u8>().ok()?, what.trim_end_matches(" |")))
    });
    let rows: Vec<_> = rows
        .map(|(code, what)| (code, what.split([':', ' ']).next().unwrap()))
        .collect();
    let expected = [
        (0, "nothing"),
        (1, "not"),
        (2, "breaking"),
        (3, "compatible"),
        (4, "wording"),
        (5, "nothing"),
    ];
    assert_eq!(rows, expected);
}
