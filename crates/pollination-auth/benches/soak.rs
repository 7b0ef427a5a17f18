//! A soak: many tasks, tokens of a second, faults all the time; bounded, and it says what it saw.
//!
//! `cargo xtask soak` runs it. It fails on an error that no injected fault explains, on a call that
//! hangs, and on more logins than the lifetime of the tokens and the faults explain.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for the terminal, which may end when it can't begin"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pollination_auth::{ApiToken, Client, Error, Secret};
use pollination_auth_fake::{FakeService, Fault, Operation};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinSet;

const TASKS: usize = 256;
const TOKEN_LIFETIME: Duration = Duration::from_secs(1);
/// The share of requests that meet a fault: 2 %.
const FAULT_SHARE: f64 = 0.02;
/// The share of logins that meet a fault: there are few of them, so more than of the others.
const LOGIN_FAULT_SHARE: f64 = 0.2;
/// The share of calls that cross the network; the others ask for the access token alone.
const NETWORK_SHARE: f64 = 0.2;
/// A call that takes longer than its own total timeout and this hangs.
const HANG: Duration = Duration::from_secs(45);
/// A token of a second is refreshed after 0.725 s at the earliest: a quarter, and a tenth of that.
const LOGINS_PER_SECOND: f64 = 1.0 / 0.725;
/// Logins that a cold start and a slow machine may add.
const SPARE_LOGINS: usize = 10;

#[derive(Default)]
struct Seen {
    calls: usize,
    errors: BTreeMap<String, usize>,
    unexpected: Vec<String>,
    hung: usize,
}

fn main() {
    let seconds = seconds();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let failed = runtime.block_on(soak(Duration::from_secs(seconds)));
    if failed {
        std::process::exit(1);
    }
}

/// Reads `--seconds N`; cargo adds `--bench`, and a plain `cargo bench` gets a short run.
fn seconds() -> u64 {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments
        .iter()
        .position(|argument| argument == "--seconds");
    at.and_then(|at| arguments.get(at + 1)).map_or(5, |text| {
        text.parse()
            .expect("--seconds takes a whole number of seconds")
    })
}

async fn soak(length: Duration) -> bool {
    let service = FakeService::builder()
        .id("an-id")
        .secret("a-secret")
        .expires_in(TOKEN_LIFETIME)
        .keep_requests(0)
        .start();
    let service = Arc::new(service);
    let api_token = ApiToken::new("an-id", Secret::from("a-secret")).expect("a valid API token");
    let client = Client::builder()
        .api_token(api_token)
        .base_url(service.base_url())
        .build()
        .expect("a valid client");
    let login_faults = Arc::new(AtomicUsize::new(0));
    tokio::spawn(disturb_logins(
        client.clone(),
        service.clone(),
        login_faults.clone(),
    ));
    let end = Instant::now() + length;
    let mut tasks = JoinSet::new();
    for seed in 0..TASKS {
        let random = SmallRng::seed_from_u64(seed as u64);
        tasks.spawn(work(client.clone(), service.clone(), random, end));
    }
    let mut seen = Seen::default();
    for task in tasks.join_all().await {
        seen.calls += task.calls;
        seen.hung += task.hung;
        seen.unexpected.extend(task.unexpected);
        for (kind, count) in task.errors {
            *seen.errors.entry(kind).or_default() += count;
        }
    }
    service.clear_faults();

    let logins = service.logins();
    let bound = (length.as_secs_f64() * LOGINS_PER_SECOND).ceil() as usize
        + login_faults.load(Ordering::Relaxed)
        + SPARE_LOGINS;
    println!("calls        {}", seen.calls);
    println!("errors       {:?}", seen.errors);
    println!(
        "unexpected   {:?}",
        seen.unexpected.iter().take(5).collect::<Vec<_>>()
    );
    println!("hung         {}", seen.hung);
    println!("logins       {logins} (bound {bound})");
    println!(
        "memory       peak {}, final {}",
        memory("VmHWM:"),
        memory("VmRSS:")
    );
    !seen.unexpected.is_empty() || seen.hung > 0 || logins > bound
}

async fn work(
    client: Client,
    service: Arc<FakeService>,
    mut random: SmallRng,
    end: Instant,
) -> Seen {
    let mut seen = Seen::default();
    while Instant::now() < end {
        let network = random.random_bool(NETWORK_SHARE);
        if network && random.random_bool(FAULT_SHARE) {
            service.fail_next(Operation::GetApiToken, fault(&mut random));
        }
        let call = async {
            if network {
                client.get_api_token().await.map(drop)
            } else {
                client.access_token().await.map(drop)
            }
        };
        seen.calls += 1;
        match tokio::time::timeout(HANG, call).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => seen.error(&error),
            Err(_late) => seen.hung += 1,
        }
        tokio::task::yield_now().await;
    }
    seen
}

/// Scripts a fault for the next login after some of them, until the program ends.
async fn disturb_logins(client: Client, service: Arc<FakeService>, faults: Arc<AtomicUsize>) {
    let mut random = SmallRng::seed_from_u64(0);
    let mut changes = client.access_token_changes();
    while changes.changed().await.is_ok() {
        if random.random_bool(LOGIN_FAULT_SHARE) {
            faults.fetch_add(1, Ordering::Relaxed);
            service.fail_next(Operation::Login, fault(&mut random));
        }
    }
}

impl Seen {
    fn error(&mut self, error: &Error) {
        // What is left of the injected faults when the attempts or the retry budget ran out.
        let kind = match error {
            Error::Unavailable(_) => "unavailable",
            Error::RateLimited(_) => "rate limited",
            Error::Unauthorized(_) => "unauthorized",
            other => {
                self.unexpected.push(other.to_string());
                "unexpected"
            }
        };
        *self.errors.entry(kind.to_owned()).or_default() += 1;
    }
}

fn fault(random: &mut SmallRng) -> Fault {
    match random.random_range(0..4) {
        0 => Fault::status(503),
        1 => Fault::status(429).header("retry-after", "0"),
        2 => Fault::drop_connection(),
        _ => Fault::status(502).body("<html>bad gateway</html>"),
    }
}

/// Reads one figure of this process, where the system tells it.
fn memory(name: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let figure = status.lines().find_map(|line| line.strip_prefix(name));
    figure.map_or("unknown".to_owned(), |figure| figure.trim().to_owned())
}
