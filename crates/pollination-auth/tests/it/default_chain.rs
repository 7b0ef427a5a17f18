//! What the command stored: found by the default chain, and its access token shared by processes.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use pollination_auth::{
    ApiToken, Client, ClientBuilder, FileStore, MemoryStore, Profile, RotateOptions, Secret,
};
use pollination_auth_fake::FakeService;

use crate::support::{ID, SECRET};

/// What the other process prints before its access token.
const TOKEN: &str = "the access token: ";

/// Tells the other process what to do; without it, the test does nothing.
const ACT: &str = "DEFAULT_CHAIN_ACT";

/// How many processes share one access token, and how many of them run at once.
const PROCESSES: usize = 100;
const AT_ONCE: usize = 10;

/// A directory that goes away.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let name = format!("default-chain-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _left_over = std::fs::remove_dir_all(&path);
        Self(path)
    }

    fn store(&self) -> FileStore {
        FileStore::open(&self.0).unwrap()
    }

    fn profile(&self, service: &FakeService) -> Profile {
        Profile::new(self.store(), &service.base_url(), "default").unwrap()
    }

    /// Stores what `login` would.
    async fn log_in(&self, service: &FakeService) {
        let token = ApiToken::new(ID, Secret::from(SECRET)).unwrap();
        self.profile(service).save(&token).await.unwrap();
    }

    fn client(&self, service: &FakeService) -> Client {
        let builder = Client::builder().store(self.store()).share_access_token();
        builder.base_url(service.base_url()).build().unwrap()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

fn service() -> FakeService {
    FakeService::builder().id(ID).secret(SECRET).start()
}

/// Starts this test binary as a program that knows nothing of a credential.
fn start(directory: &Path, host: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    for variable in [
        "POLLINATION_API_KEY_ID",
        "POLLINATION_API_KEY_SECRET",
        "POLLINATION_API_KEY_ID_FILE",
        "POLLINATION_API_KEY_SECRET_FILE",
        "POLLINATION_PROFILE",
        "CREDENTIALS_DIRECTORY",
    ] {
        command.env_remove(variable);
    }
    command
        .args([
            "default_chain::acts_when_it_is_told_to",
            "--exact",
            "--nocapture",
        ])
        .env("POLLINATION_AUTH_DIR", directory)
        .env("POLLINATION_HOST", host)
        .env(ACT, "")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn acts_when_it_is_told_to() {
    if std::env::var_os(ACT).is_none() {
        return;
    }
    let builder = ClientBuilder::from_default_chain().unwrap();
    let line = match builder.share_access_token().build() {
        Ok(client) => {
            let token = client.access_token().await.unwrap();
            format!("\n{TOKEN}{}\n", token.expose_secret())
        }
        Err(error) => format!("\n{error}\n"),
    };
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

fn said(output: Output) -> String {
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

fn token(child: Child) -> String {
    let said = said(child.wait_with_output().unwrap());
    let line = said.lines().find_map(|line| line.strip_prefix(TOKEN));
    line.unwrap_or_else(|| panic!("{said}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_processes_share_one_login_with_what_the_command_stored() {
    let (service, directory) = (service(), Directory::new("herd"));
    directory.log_in(&service).await;
    let mut tokens = Vec::new();
    for _ in 0..PROCESSES / AT_ONCE {
        let herd: Vec<_> = (0..AT_ONCE)
            .map(|_| start(&directory.0, &service.base_url()))
            .collect();
        tokens.extend(herd.into_iter().map(token));
    }
    tokens.dedup();
    assert_eq!((tokens.len(), service.logins()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_credential_anywhere_every_step_says_why_it_was_passed_over() {
    let directory = Directory::new("none");
    let child = start(&directory.0, "https://h.example");
    let said = said(child.wait_with_output().unwrap());
    for step in [
        "POLLINATION_API_KEY_ID and POLLINATION_API_KEY_SECRET are not set",
        "CREDENTIALS_DIRECTORY is not set",
        "no credential is stored for https://h.example (profile default) in ",
        "run `pollination-auth login --profile default --host https://h.example`, or give",
    ] {
        assert!(said.contains(step), "{step}: {said}");
    }
    assert!(!directory.0.exists(), "nothing is made by looking");
}

#[tokio::test]
async fn row_27_a_shared_token_that_is_refused_is_replaced_by_one_login() {
    let (service, directory) = (service(), Directory::new("refused"));
    directory.log_in(&service).await;
    let clients = [(); 3].map(|()| directory.client(&service));
    for logins in [1, 2] {
        for client in &clients {
            client.get_api_token().await.unwrap();
        }
        assert_eq!(service.logins(), logins);
        service.expire_all_tokens();
    }
}

#[tokio::test]
async fn row_61_a_newer_shared_token_that_is_refused_too_is_replaced_by_the_next_call() {
    let (service, directory) = (service(), Directory::new("refused-twice"));
    directory.log_in(&service).await;
    let [ours, other] = [(); 2].map(|()| directory.client(&service));
    ours.get_api_token().await.unwrap();
    other.access_token().await.unwrap();
    // The other process replaces the token that both have.
    other.login().await.unwrap();
    assert_eq!(service.logins(), 2);
    service.expire_all_tokens();
    // The token of the other process is tried, and is refused too.
    let refused = ours.get_api_token().await;
    assert!(refused.is_err_and(|error| error.status() == Some(401)));
    assert_eq!(service.logins(), 2);
    ours.get_api_token().await.unwrap();
    assert_eq!(service.logins(), 3);
}

#[tokio::test]
async fn a_shared_token_belongs_to_one_state_of_the_credential() {
    let (service, directory) = (service(), Directory::new("rotated"));
    directory.log_in(&service).await;
    let client = directory.client(&service);
    let old = client.access_token().await.unwrap();
    let rotation = client.rotation(RotateOptions::default());
    let _rotated = rotation.rotate().await.unwrap();
    let logins = service.logins();
    let new = directory.client(&service).access_token().await.unwrap();
    assert_ne!(new.expose_secret(), old.expose_secret());
    assert_eq!(service.logins(), logins + 1);
}

#[tokio::test]
async fn a_token_that_can_not_be_shared_is_still_a_token() {
    let (service, directory) = (service(), Directory::new("alone"));
    directory.log_in(&service).await;
    // Where the directory of the tokens would be.
    std::fs::write(directory.0.join("access-tokens"), "").unwrap();
    directory.client(&service).access_token().await.unwrap();
    directory.client(&service).access_token().await.unwrap();
    assert_eq!(service.logins(), 2);

    let store = MemoryStore::new();
    let profile = Profile::new(store.clone(), &service.base_url(), "default").unwrap();
    profile
        .save(&ApiToken::new(ID, Secret::from(SECRET)).unwrap())
        .await
        .unwrap();
    let builder = Client::builder().store(store).share_access_token();
    let client = builder.base_url(service.base_url()).build().unwrap();
    client.access_token().await.unwrap();
    assert_eq!(service.logins(), 3);
}
