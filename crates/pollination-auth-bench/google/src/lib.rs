//! Reads a cached access token so many times, through the public API of each client of Google.
//!
//! Their source is the service of the benchmarks, whose login has a reply that both understand.

use std::hint::black_box;
use std::thread;
use std::time::Duration;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Parser, ValueEnum};
use gcp_auth::{CustomServiceAccount, TokenProvider as _};
use google_cloud_auth::credentials::AccessTokenCredentials;
use google_cloud_auth::credentials::user_account::Builder;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use serde_json::json;
use tokio::runtime::Runtime;

/// What is read with; a scope has no meaning for the source.
const SCOPES: &[&str] = &["https://www.googleapis.com/auth/cloud-platform"];

/// A client of Google.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Peer {
    GcpAuth,
    GoogleCloudAuth,
}

/// What is measured.
#[derive(Debug, Parser)]
pub struct Arguments {
    #[arg(value_enum)]
    peer: Peer,
    /// Threads that read, each with a runtime of its own.
    threads: usize,
    /// Where the service is.
    base_url: String,
    /// Reads of each thread.
    count: usize,
}

enum Source {
    Gcp(CustomServiceAccount),
    Cloud(AccessTokenCredentials),
}

impl Source {
    fn new(peer: Peer, base_url: &str) -> Self {
        let token_uri = format!("{base_url}/auth/login");
        match peer {
            Peer::GcpAuth => {
                let account = json!({
                    "type": "service_account",
                    "client_email": "bench@example.com",
                    "private_key": private_key(),
                    "token_uri": token_uri,
                });
                let account = CustomServiceAccount::from_json(&account.to_string());
                Self::Gcp(account.expect("an account"))
            }
            Peer::GoogleCloudAuth => {
                let user = json!({
                    "type": "authorized_user",
                    "client_id": "id",
                    "client_secret": "secret",
                    "refresh_token": "token",
                    "token_uri": token_uri,
                });
                let credentials = Builder::new(user).build_access_token_credentials();
                Self::Cloud(credentials.expect("credentials"))
            }
        }
    }

    async fn read(&self) {
        match self {
            Self::Gcp(account) => drop(black_box(account.token(SCOPES).await.expect("a token"))),
            Self::Cloud(it) => drop(black_box(it.access_token().await.expect("a token"))),
        }
    }
}

fn private_key() -> String {
    let key = KeyPair::generate(KeySize::Rsa2048).expect("a key");
    let der: Pkcs8V1Der<'_> = key.as_der().expect("its bytes");
    let text = STANDARD.encode(der.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

/// Logs in, lets the readers read, and returns the processor time that the reads took.
pub fn run(arguments: &Arguments) -> Duration {
    let runtime = runtime();
    let source = runtime.block_on(async {
        let source = Source::new(arguments.peer, &arguments.base_url);
        source.read().await;
        source
    });
    let read_all = |runtime: &Runtime| {
        runtime.block_on(async {
            for _ in 0..arguments.count {
                source.read().await;
            }
        });
    };
    let started = cpu_time();
    if arguments.threads == 1 {
        read_all(&runtime);
    } else {
        thread::scope(|scope| {
            for _ in 0..arguments.threads {
                scope.spawn(|| read_all(&self::runtime()));
            }
        });
    }
    cpu_time() - started
}

fn cpu_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("resource usage");
    let micros = (usage.user_time() + usage.system_time()).num_microseconds();
    Duration::from_micros(micros.unsigned_abs())
}

fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}
