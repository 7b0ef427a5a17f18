//! The command itself: exit codes, and what goes to which stream.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use xtask::cli::execute;

use crate::support::{self, NEWER};
use crate::tree::Tree;

fn xtask(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It need not read all of it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A document with a change, as a file.
fn changed(name: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
    let mut document = support::json(NEWER);
    change(&mut document);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, document.to_string()).unwrap();
    path
}

fn contract() -> String {
    xtask::workspace::root()
        .join("xtask/tests/data/contract.json")
        .display()
        .to_string()
}

#[test]
fn the_exit_code_of_diff_is_the_verdict() {
    let compatible = changed("compatible.json", |document| {
        document["components"]["schemas"]["NewToken"]["properties"]["name"] =
            json!({"type": "string"});
    });
    let breaking = changed("breaking.json", |document| {
        document["components"]["schemas"]["NewToken"]["properties"] = json!({});
    });
    let run = |new: &Path| xtask(&["diff", &contract(), new.to_str().unwrap()], "");
    assert_eq!(code(&xtask(&["diff", &contract(), "-"], NEWER)), 0);
    assert_eq!(code(&run(&compatible)), 0);
    assert_eq!(code(&run(&breaking)), 2);
    assert_eq!(code(&run(Path::new("no-such.json"))), 1);
    assert_eq!(code(&xtask(&["diff", "-", "-"], NEWER)), 1);
    assert_eq!(code(&xtask(&["diff"], "")), 1);
    assert_eq!(code(&xtask(&["diff", "--help"], "")), 0);
}

#[test]
fn diff_in_json_has_a_verdict_and_changes() {
    let new = changed("json.json", |document| {
        document["components"]["schemas"]["NewToken"]["required"] = json!([]);
    });
    let output = xtask(
        &[
            "diff",
            &contract(),
            new.to_str().unwrap(),
            "--format",
            "json",
        ],
        "",
    );
    assert_eq!(code(&output), 2);
    let published = xtask::workspace::published(&xtask::workspace::root()).unwrap();
    for name in [
        "pollination-auth",
        "pollination-auth-api",
        "pollination-auth-cli",
    ] {
        assert!(published.iter().any(|other| other == name), "{published:?}");
    }
    assert!(!published.contains(&"xtask".to_owned()), "{published:?}");
    let semver: Value = published
        .into_iter()
        .map(|name| (name, json!("major")))
        .collect();
    assert_eq!(
        support::json(&text(&output.stdout)),
        json!({
            "verdict": "breaking",
            "changes": [{
                "operation": "get_api_token",
                "direction": "reply",
                "kind": "field-optional",
                "class": "breaking",
                "message": "the field `id` may be left out",
                "old": {"pointer": "/components/schemas/NewToken/properties/id"},
                "new": {"pointer": "/components/schemas/NewToken/properties/id"},
                "notes": [],
            }],
            "semver": semver,
            "surface": [
                {"item": "impl Default for types::NewToken", "change": "added"},
                {"item": "types::NewToken", "change": "changed"},
            ],
            "notes": [],
            "wording": true,
        })
    );
}

#[test]
fn a_refusal_goes_to_standard_error_and_names_the_document() {
    let output = xtask(&["diff", &contract(), "-"], "{}");
    assert_eq!(code(&output), 1);
    assert_eq!(text(&output.stdout), "");
    assert_eq!(
        text(&output.stderr),
        "error: read at /openapi: in -: the version is missing; is this OpenAPI?\n"
    );
}

#[test]
fn output_that_is_no_terminal_is_plain() {
    let output = xtask(&["diff", &contract(), "-"], NEWER);
    assert_eq!(
        text(&output.stdout).lines().next(),
        Some("verdict   identical (no change)")
    );
    assert!(!output.stdout.contains(&0x1b), "{}", text(&output.stdout));
}

#[test]
fn depth_without_end_is_refused_and_no_crash() {
    let deep = format!(
        "{{\"openapi\":\"3.1.0\",\"paths\":{}",
        "{\"a\":".repeat(1_000_000)
    );
    for document in [
        deep,
        "[".repeat(1_000_000),
        format!("a: {}", "[".repeat(1_000_000)),
    ] {
        let output = xtask(&["regenerate", "--from", "-", "--check"], &document);
        assert_eq!(code(&output), 5);
        assert!(
            text(&output.stderr).starts_with("error: read"),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn a_chain_of_references_without_end_is_refused_and_no_crash() {
    let path = changed("chain.json", |document| {
        let schemas = document["components"]["schemas"].as_object_mut().unwrap();
        for index in 0..10_000 {
            let next = format!("#/components/schemas/C{}", index + 1);
            let schema = json!({"type": "object", "properties": {"next": {"$ref": next}}});
            schemas.insert(format!("C{index}"), schema);
        }
        schemas.insert("C10000".to_owned(), json!({}));
        schemas["NewToken"]["properties"]["id"] = json!({"$ref": "#/components/schemas/C0"});
    });
    let output = xtask(&["diff", &contract(), path.to_str().unwrap()], "");
    assert_eq!(code(&output), 1);
    assert!(
        text(&output.stderr).contains("reach more than 500 of them"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_long_chain_of_references_within_the_limit_is_compared() {
    // Wrapped in `allOf`, the chain ends at the string that was there; the schema has a name now.
    for (wrapped, exit) in [(false, 2), (true, 3)] {
        let path = changed("long.json", |document| {
            let schemas = document["components"]["schemas"].as_object_mut().unwrap();
            for index in 0..480 {
                let next = json!({"$ref": format!("#/components/schemas/C{}", index + 1)});
                let schema = if wrapped {
                    json!({"allOf": [next, {"description": "d"}]})
                } else {
                    json!({"type": "object", "properties": {"next": next}})
                };
                schemas.insert(format!("C{index}"), schema);
            }
            schemas.insert("C480".to_owned(), json!({"type": "string"}));
            schemas["NewToken"]["properties"]["id"] = json!({"$ref": "#/components/schemas/C0"});
        });
        let path = path.to_str().unwrap();
        assert_ne!(code(&xtask(&["diff", &contract(), path], "")), 1);
        assert!([0, 2].contains(&code(&xtask(&["diff", path, path], ""))));
        let output = xtask(
            &["regenerate", "--from", path, "--check", "--allow-breaking"],
            "",
        );
        assert_eq!(code(&output), exit, "{}", text(&output.stderr));
    }
}

#[test]
fn the_exit_code_of_a_check_is_what_would_change() {
    let tree = Tree::new("exit");
    let exit = |document: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(["regenerate", "--from", "-", "--check"])
            // It works on the workspace that it is run in.
            .current_dir(tree.root().join("xtask"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(document.as_bytes());
        child.wait().unwrap().code().unwrap()
    };
    let with = |pointer: &str, value: Value| {
        let mut document = support::json(NEWER);
        *document.pointer_mut(pointer).unwrap() = value;
        document.to_string()
    };
    let id = "/components/schemas/NewToken/properties/id";
    assert_eq!(exit(NEWER), 0);
    assert_eq!(exit(&with("/info/title", json!("Another"))), 4);
    let fields = json!({"id": {"type": "string"}, "name": {"type": "string"}});
    assert_eq!(
        exit(&with("/components/schemas/NewToken/properties", fields)),
        3
    );
    assert_eq!(exit(&with(id, json!({"type": "integer"}))), 2);
    assert_eq!(exit(&with(id, json!({"$ref": "#/nowhere"}))), 5);
    fs::remove_file(tree.root().join("openapi.json")).unwrap();
    assert_eq!(exit(NEWER), 1);
}

#[test]
fn regenerate_in_json_has_an_outcome_changes_and_files() {
    let tree = Tree::new("regenerate-json");
    let mut document = support::json(NEWER);
    document["info"]["title"] = json!("Another");
    let run = |document: &str| {
        let arguments = "regenerate --from - --check --format json".split(' ');
        let mut output = Vec::new();
        let _ = execute(
            arguments,
            tree.root(),
            &mut document.as_bytes(),
            &mut output,
        );
        support::json(&text(&output))
    };
    let told = run(&document.to_string());
    assert_eq!(told["outcome"], "wording");
    assert_eq!(told["changes"], json!([]));
    assert_eq!(
        told["files"],
        json!(["openapi.json", "tests/golden/client.rs"])
    );
    assert_eq!(told["written"], json!([]));
    let refused = run("{}");
    assert_eq!(
        refused,
        json!({"outcome": "refused", "stage": "read", "problems": [{
            "pointer": "/openapi", "message": "the version is missing; is this OpenAPI?"
        }]})
    );
}

#[test]
fn a_document_without_the_operations_is_a_breaking_change_and_no_contract() {
    let path = changed("tokens.json", |document| {
        let operation = json!({"operationId": "list", "responses": {"200": {"description": ""}}});
        document["paths"] = json!({"/tokens": {"get": operation}});
    });
    let path = path.to_str().unwrap();
    let output = xtask(&["diff", &contract(), path], "");
    assert_eq!(code(&output), 2);
    let gone = "login: POST /auth/login is gone; the nearest is GET /tokens\n";
    assert!(
        text(&output.stdout).contains(gone),
        "{}",
        text(&output.stdout)
    );
    let output = xtask(&["regenerate", "--from", path, "--check"], "");
    assert_eq!(code(&output), 5);
    assert!(
        text(&output.stderr).contains(gone),
        "{}",
        text(&output.stderr)
    );
}
