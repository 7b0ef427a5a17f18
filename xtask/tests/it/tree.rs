//! What `regenerate` leaves in the tree: all of a change, or nothing of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use xtask::golden::generate;
use xtask::regenerate::plan::Outcome;
use xtask::regenerate::refusal::Failure;
use xtask::regenerate::run::{Mode, Options, regenerate};
use xtask::regenerate::write::lock;
use xtask::workspace::{CONTRACT, GOLDEN_CLIENT, GOLDEN_HTTPMOCK, OVERLAY};

use crate::support::{self, CONTRACT as CONTRACT_TEXT, NEWER, OLDER, OVERLAY as OVERLAY_TEXT};

/// A copy of the files that the command works on.
pub(crate) struct Tree(PathBuf);

impl Tree {
    pub(crate) fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("tree")
            .join(name);
        let _ = fs::remove_dir_all(&root);
        let [client, httpmock] = generate(CONTRACT_TEXT).unwrap().into_files();
        for (file, text) in [(CONTRACT, CONTRACT_TEXT), (OVERLAY, OVERLAY_TEXT)]
            .map(|(file, text)| (file, text.to_owned()))
            .into_iter()
            .chain([client, httpmock])
        {
            let target = root.join(file);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(target, text).unwrap();
        }
        Self(root)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.0
    }

    /// Every file with its text; what git ignores aside.
    fn files(&self) -> BTreeMap<PathBuf, String> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.ends_with("target") {
                    folders.push(path);
                } else if path.is_file() {
                    files.insert(path.clone(), fs::read_to_string(path).unwrap());
                }
            }
        }
        files
    }

    fn run(
        &self,
        document: &str,
        change: impl FnOnce(&mut Options),
    ) -> (Result<Outcome, Failure>, String) {
        let mut options = Options {
            from: "-".to_owned(),
            ..Options::default()
        };
        change(&mut options);
        let mut output = Vec::new();
        let result = regenerate(&self.0, &options, &mut document.as_bytes(), &mut output);
        (result, String::from_utf8(output).unwrap())
    }
}

/// An upstream document with a change in it.
fn upstream(change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut document = support::json(NEWER);
    change(&mut document);
    document.to_string()
}

fn compatible() -> String {
    upstream(|document| {
        document["components"]["schemas"]["NewToken"]["properties"]["name"] =
            json!({"type": "string"});
    })
}

fn breaking() -> String {
    upstream(|document| {
        let schema = &mut document["components"]["schemas"]["Auth0TokenResponse"];
        schema["properties"]["expires_in"] = json!({"type": "string"});
    })
}

#[test]
fn the_same_service_changes_nothing() {
    let tree = Tree::new("same");
    let before = tree.files();
    for document in [NEWER, OLDER] {
        let (result, output) = tree.run(document, |options| options.mode = Mode::Check);
        assert_eq!(result.unwrap(), Outcome::Nothing, "{output}");
        assert!(output.contains("identical"), "{output}");
    }
    assert_eq!(tree.files(), before);
}

#[test]
fn a_compatible_change_is_written_with_its_golden_copy() {
    let tree = Tree::new("compatible");
    let before = tree.files();
    let (result, output) = tree.run(&compatible(), |_| {});
    assert_eq!(result.unwrap(), Outcome::Compatible);
    assert!(
        output.contains("- Follow upstream in get_api_token: the field `name` is new."),
        "{output}"
    );
    let after = tree.files();
    assert_eq!(
        after.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    for (file, changed) in [
        (CONTRACT, true),
        (GOLDEN_CLIENT, true),
        (GOLDEN_HTTPMOCK, false),
    ] {
        let path = tree.0.join(file);
        assert_eq!(after[&path] != before[&path], changed, "{file}");
    }
    let (result, output) = tree.run(&compatible(), |options| options.mode = Mode::Check);
    assert_eq!(result.unwrap(), Outcome::Nothing, "{output}");
}

#[test]
fn a_breaking_change_is_refused_unless_it_is_allowed() {
    let tree = Tree::new("breaking");
    let before = tree.files();
    let (result, output) = tree.run(&breaking(), |_| {});
    assert!(matches!(result, Err(Failure::Withheld)));
    assert!(output.contains("integer is now string"), "{output}");
    assert_eq!(tree.files(), before);
    let (result, output) = tree.run(&breaking(), |options| options.allow_breaking = true);
    assert_eq!(result.unwrap(), Outcome::Breaking);
    assert!(
        output.contains("- **Breaking:** Follow upstream in login: "),
        "{output}"
    );
    assert_ne!(tree.files(), before);
}

#[test]
fn a_secret_that_would_be_printed_is_refused() {
    let tree = Tree::new("secret");
    let before = tree.files();
    let document = upstream(|document| {
        // Beside a reference the generator sees no format.
        document["components"]["schemas"]["Secret"] = json!({"type": "string"});
        let secret = json!({"$ref": "#/components/schemas/Secret"});
        document["components"]["schemas"]["Token"]["properties"]["secret"] = secret;
    });
    let (result, _) = tree.run(&document, |options| options.allow_breaking = true);
    assert_eq!(
        result.unwrap_err().to_string(),
        "generate at /components/schemas/Token/properties/secret: Token::secret would be printed by Debug; extend xtask/overlay.json"
    );
    assert_eq!(tree.files(), before);
}

#[test]
fn a_document_that_names_no_server_takes_none_away() {
    let tree = Tree::new("servers");
    let before = tree.files();
    let document = upstream(|document| {
        document.as_object_mut().unwrap().remove("servers");
    });
    let (result, output) = tree.run(&document, |_| {});
    assert_eq!(result.unwrap(), Outcome::Nothing);
    assert!(
        output.contains("the servers of the contract are kept"),
        "{output}"
    );
    assert_eq!(tree.files(), before);
}

#[test]
fn check_and_dry_run_write_nothing() {
    let tree = Tree::new("dry");
    let before = tree.files();
    let (result, output) = tree.run(&compatible(), |options| options.mode = Mode::Check);
    assert_eq!(result.unwrap(), Outcome::Compatible);
    assert!(
        output.ends_with("openapi.json, tests/golden/client.rs would change\n"),
        "{output}"
    );
    let (result, output) = tree.run(&compatible(), |options| options.mode = Mode::DryRun);
    assert_eq!(result.unwrap(), Outcome::Compatible);
    for line in [
        "--- a/openapi.json",
        "+          \"name\": {",
        "+++ b/tests/golden/client.rs",
    ] {
        assert!(output.contains(line), "{line} is not in {output}");
    }
    assert_eq!(tree.files(), before);
}

#[test]
fn what_the_generator_can_not_take_is_refused_before_anything_is_written() {
    let tree = Tree::new("generator");
    let before = tree.files();
    let document = upstream(|document| {
        // Two values of one name: well-formed, and nothing that Rust can be made of.
        let schema = json!({"type": "string", "enum": ["a-b", "a_b"]});
        document["components"]["schemas"]["NewToken"]["properties"]["id"] = schema;
    });
    let (result, _) = tree.run(&document, |options| options.allow_breaking = true);
    let refusal = result.unwrap_err().to_string();
    assert!(
        refusal.starts_with(
            "generate at /components/schemas/NewToken/properties/id: the generator can't take this: "
        ),
        "{refusal}"
    );
    assert_eq!(tree.files(), before);
}

#[test]
fn a_file_that_can_not_be_written_leaves_the_others_as_they_were() {
    let tree = Tree::new("readonly");
    let golden = tree.0.join(GOLDEN_CLIENT);
    fs::remove_file(&golden).unwrap();
    fs::create_dir_all(golden.join("in the way")).unwrap();
    let before = tree.files();
    let (result, _) = tree.run(&compatible(), |_| {});
    let refusal = result.unwrap_err().to_string();
    assert!(
        refusal.starts_with("write: tests/golden/client.rs: "),
        "{refusal}"
    );
    assert_eq!(tree.files(), before);
}

#[test]
fn a_contract_that_is_broken_already_is_said_to_be() {
    let tree = Tree::new("contract");
    fs::write(tree.0.join(CONTRACT), "{}").unwrap();
    let (result, _) = tree.run(NEWER, |_| {});
    assert_eq!(
        result.unwrap_err().to_string(),
        "read at /openapi: in openapi.json as it is now: the version is missing; is this OpenAPI?"
    );
}

#[test]
fn a_run_that_was_killed_between_two_files_is_repeated_with_its_verdict() {
    let tree = Tree::new("killed");
    // The golden copy is new, and the contract, which comes last, is not.
    let contract = tree.0.join(CONTRACT);
    tree.run(&compatible(), |_| {}).0.unwrap();
    let complete = tree.files();
    fs::write(&contract, CONTRACT_TEXT).unwrap();
    fs::write(tree.0.join(".openapi.json.new"), "half of it").unwrap();
    let (result, output) = tree.run(&compatible(), |_| {});
    assert_eq!(result.unwrap(), Outcome::Compatible);
    assert!(output.contains("the field `name` is new"), "{output}");
    assert_eq!(tree.files(), complete);
}

#[test]
fn a_run_beside_another_one_is_an_error() {
    let tree = Tree::new("beside");
    let before = tree.files();
    let lock = lock(&tree.0).unwrap();
    let (result, _) = tree.run(&compatible(), |_| {});
    assert!(matches!(result, Err(Failure::Io(_))), "{result:?}");
    assert_eq!(tree.files(), before);
    drop(lock);
    tree.run(&compatible(), |_| {}).0.unwrap();
}
