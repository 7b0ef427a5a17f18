//! What the crate adds to a build and to a program: consumers made for it, built from nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::figure::Figure;
use crate::figure::Goal::AtMost;
use crate::lab::{cargo, cpu_of, output};
use crate::work::Peer;

/// What every consumer has besides: the runtime that it starts.
const TOKIO: &str = r#"tokio = { version = "1", features = ["macros", "rt"] }"#;

/// reqwest with the TLS that `pollination-auth` has, and nothing else.
const REQWEST: &str =
    r#"reqwest = { version = "0.13", default-features = false, features = ["rustls"] }"#;

/// reqwest as the client by hand needs it.
const BY_HAND: &str = r#"
reqwest = { version = "0.13", default-features = false, features = ["json", "rustls"] }
serde = { version = "1", features = ["derive"] }"#;

/// reqwest with the features that progenitor-client turns on, and what every typed client has.
const SAME_FEATURES: &str = r#"
reqwest = { version = "0.13", default-features = false, features = ["json", "query", "rustls", "stream"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1""#;

/// What a cold build may cost, beside one of the client by hand.
const BUILD: f64 = 1.10;

/// How many crates a build may gain; each has its reason in ARCHITECTURE.md.
const CRATES: f64 = 14.0;

/// How large a program may be, beside that by hand: the store and the details of errors are in it.
const PROGRAM: f64 = 1.08;

/// A program that calls nothing: what is built is the point.
const BARE_PROGRAM: &str = r#"
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), reqwest::Error> {
    let reply = reqwest::Client::new().get("http://127.0.0.1:1").send().await?;
    println!("{}", reply.status());
    Ok(())
}"#;

/// The program by hand: what a careful person writes to log in and to make one call.
const BY_HAND_PROGRAM: &str = r#"
use std::time::Duration;

#[derive(serde::Serialize)]
struct Token { id: String, secret: String }
#[derive(serde::Deserialize)]
struct Access { access_token: String }
#[derive(serde::Deserialize)]
struct NewToken { id: String }

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = std::env::var("POLLINATION_HOST")?;
    let token = Token {
        id: std::env::var("POLLINATION_API_KEY_ID")?,
        secret: std::env::var("POLLINATION_API_KEY_SECRET")?,
    };
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(20))
        .build()?;
    let login = http.post(format!("{host}/auth/login")).json(&token).send().await?;
    let access: Access = login.error_for_status()?.json().await?;
    let get = http.get(format!("{host}/auth/api-token")).bearer_auth(&access.access_token);
    let id: NewToken = get.send().await?.error_for_status()?.json().await?;
    println!("{}", id.id);
    Ok(())
}"#;

/// The same with `pollination-auth`.
const OUR_PROGRAM: &str = r#"
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = pollination_auth::Client::from_env()?;
    println!("{}", client.get_api_token().await?);
    Ok(())
}"#;

/// Measures cold builds of consumers, and the size of their programs.
pub(crate) fn figures(root: &Path) -> Vec<Figure> {
    let ours = |features: &str| {
        let path = root.join("crates/pollination-auth");
        format!("pollination-auth = {{ path = {path:?}, features = [{features}] }}")
    };
    let reqwest = Consumer::new(root, REQWEST, BARE_PROGRAM).build_time();
    let with_codegen = Consumer::new(root, &ours("\"codegen\""), OUR_PROGRAM).build_time();
    let default = Consumer::new(root, &ours(""), OUR_PROGRAM);
    let by_hand = Consumer::new(root, BY_HAND, BY_HAND_PROGRAM);
    let by_hand_time = by_hand.build_time();
    let build = |name, ours, goal| {
        let times = [(Peer::Ours, ours), (Peer::ByHand, by_hand_time)];
        let mut figure = Figure::compared(name, "s of CPU", times, AtMost(BUILD));
        figure.numbers.insert("reqwest".to_owned(), reqwest);
        figure.goal = goal;
        figure
    };
    let sizes = [(Peer::Ours, default.size()), (Peer::ByHand, by_hand.size())];
    let same_features = Consumer::new(root, SAME_FEATURES, BARE_PROGRAM).crates();
    let added = default.crates().difference(&same_features).count();
    vec![
        build("a cold build", default.build_time(), Some(AtMost(BUILD))),
        build("a cold build with codegen", with_codegen, None),
        Figure::alone("what a build gains", "crates", added as f64, AtMost(CRATES)),
        Figure::compared(
            "a stripped release program",
            "bytes",
            sizes,
            AtMost(PROGRAM),
        ),
    ]
}

/// A program in a package and workspace of its own.
struct Consumer(tempfile::TempDir);

impl Consumer {
    fn new(root: &Path, dependencies: &str, program: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let manifest = format!(
            "[package]\nname = \"consumer\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [dependencies]\n{TOKIO}\n{dependencies}\n\n[profile.release]\nstrip = true\n\n[workspace]\n"
        );
        let at = folder.path();
        fs::create_dir(at.join("src")).expect("a folder");
        fs::write(at.join("Cargo.toml"), manifest).expect("a manifest");
        fs::write(at.join("src/main.rs"), program).expect("a program");
        // The same versions for all; cargo takes out what a consumer does not use.
        fs::copy(root.join("Cargo.lock"), at.join("Cargo.lock")).expect("the versions");
        // Everything is fetched before anything is measured.
        output(cargo(at, ["fetch", "--quiet"]));
        Self(folder)
    }

    /// Returns the crates of a build, with their versions.
    fn crates(&self) -> BTreeSet<String> {
        let tree = ["tree", "--offline", "--edges=normal,build", "--prefix=none"];
        let tree = output(cargo(self.0.path(), tree));
        let crates = tree
            .lines()
            .map(|line| line.split_whitespace().take(2).collect());
        crates
            .filter(|name: &String| !name.starts_with("consumer"))
            .collect()
    }

    /// Returns the processor time of a build from nothing, in seconds.
    fn build_time(&self) -> f64 {
        cpu_of(|| {
            drop(output(cargo(
                self.0.path(),
                ["build", "--quiet", "--offline"],
            )))
        })
        .as_secs_f64()
    }

    /// Returns the size of the program as it is released.
    fn size(&self) -> f64 {
        output(cargo(
            self.0.path(),
            ["build", "--quiet", "--offline", "--release"],
        ));
        let program = self.0.path().join("target/release/consumer");
        fs::metadata(program).expect("the program").len() as f64
    }
}
