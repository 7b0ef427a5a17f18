//! What the crate adds to a build and to a program: consumers made for it, built from nothing.

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
        format!("pollination-auth = {{ path = {path:?}, {features} }}")
    };
    let slim = ours("default-features = false");
    let reqwest = Consumer::new(root, REQWEST, BARE_PROGRAM).build_time();
    let with_codegen = Consumer::new(root, &ours("features = []"), OUR_PROGRAM).build_time();
    let without = Consumer::new(root, &slim, OUR_PROGRAM);
    let without_codegen = without.build_time();
    let by_hand = Consumer::new(root, BY_HAND, BY_HAND_PROGRAM);
    let by_hand_time = by_hand.build_time();
    let compared = |name, numbers| Figure::compared(name, "s of CPU", numbers, AtMost(1.35));
    let to_reqwest = |figure: Figure, time: f64, most: f64| {
        let mut figure = figure.judged(time / reqwest);
        figure.numbers.insert("reqwest".to_owned(), reqwest);
        figure.goal = Some(AtMost(most));
        figure
    };
    let times = |time| [(Peer::Ours, time), (Peer::ByHand, by_hand_time)];
    let sizes = [(Peer::Ours, without.size()), (Peer::ByHand, by_hand.size())];
    vec![
        to_reqwest(
            compared("a cold build with codegen", times(with_codegen)),
            with_codegen,
            1.35,
        ),
        to_reqwest(
            compared("a cold build without", times(without_codegen)),
            without_codegen,
            1.05,
        ),
        Figure::compared("a stripped release program", "bytes", sizes, AtMost(1.05)),
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
