//! What the README has a reader type into a shell: run as it stands.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::world::{PROGRAM, Ran, World};

const README: &str = include_str!("../../../../README.md");

const README_OF_THE_CRATE: &str = include_str!("../../README.md");

/// Stands for curl: keeps its arguments and its standard input.
const CURL: &str = r#"#!/bin/sh
printf '%s\n' "$@" >"$HOME/arguments"
cat >"$HOME/input"
"#;

/// Returns the blocks for a shell in the section about scripts.
fn blocks() -> Vec<&'static str> {
    let (_, section) = README.split_once("## A script\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let blocks = section.split("```sh\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

fn block(with: &str) -> &'static str {
    let blocks = blocks();
    let found: Vec<_> = blocks.iter().filter(|one| one.contains(with)).collect();
    assert_eq!(found.len(), 1, "{with}: {blocks:?}");
    found[0]
}

/// Runs a block with the program and a curl in the path, on the host of this world.
fn run(world: &World, block: &str) -> Ran {
    let bin = world.home.path().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let curl = bin.join("curl");
    fs::write(&curl, CURL).unwrap();
    fs::set_permissions(&curl, fs::Permissions::from_mode(0o755)).unwrap();
    let program = bin.join("pollination-auth");
    if !program.exists() {
        std::os::unix::fs::symlink(PROGRAM, program).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let mut shell = Command::new("sh");
    shell
        .args(["-c", block])
        .env_clear()
        .env("PATH", path)
        .env("HOME", world.home.path())
        .env("POLLINATION_AUTH_DIR", world.directory())
        .env("POLLINATION_AUTH_RESCUE_DIR", world.rescue())
        .env("POLLINATION_HOST", world.service.base_url())
        .env("URL", "https://h.example/jobs")
        .stdin(std::process::Stdio::null());
    shell.output().unwrap().into()
}

#[test]
fn the_call_with_curl_sends_the_token_and_shows_it_to_no_other_process() {
    let world = World::logged_in();
    let token = world.run(&["access-token"]).answer().to_owned();
    let ran = run(&world, block("curl"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let kept = |name| fs::read_to_string(world.home.path().join(name)).unwrap();
    let arguments = "--fail-with-body\n-H\n@-\nhttps://h.example/jobs\n";
    assert_eq!(kept("arguments"), arguments);
    assert_eq!(
        kept("input").trim_end(),
        format!("Authorization: Bearer {token}")
    );
}

#[test]
fn curl_gets_no_header_without_a_token() {
    let world = World::new();
    let ran = run(&world, block("curl"));
    assert!(ran.stderr.contains("no credential is stored"), "{ran:?}");
    let input = fs::read_to_string(world.home.path().join("input")).unwrap();
    assert_eq!(input, "");
}

#[test]
fn the_other_calls_of_the_command_are_ones_that_there_are() {
    let world = World::logged_in();
    let login = block("pollination-auth login");
    // Without a terminal it reads standard input, which is empty here.
    assert!(
        run(&world, login)
            .stderr
            .contains("standard input is empty")
    );
    let install = block("cargo install");
    let (_, path) = install.split_once("--path ").unwrap();
    let path = path.split_whitespace().next().unwrap();
    assert!(env!("CARGO_MANIFEST_DIR").ends_with(path), "{path}");
}

#[test]
fn every_variable_of_the_help_is_in_the_readme_of_the_crate() {
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, variables) = help.split_once("Environment:\n").unwrap();
    let (variables, _) = variables.split_once("\n\n").unwrap();
    let lines = variables.lines().filter(|line| !line.starts_with("   "));
    let names: Vec<_> = lines.flat_map(|line| line.trim().split(", ")).collect();
    assert!(names.len() > 8, "{names:?}");
    for name in names {
        assert!(README_OF_THE_CRATE.contains(&format!("`{name}`")), "{name}");
    }
}
