//! What people would use instead, or know from elsewhere: the service's own Python SDK, and the clients of
//! Google, which cache access tokens too.
//!
//! Both are fetched and built by those who ask for them.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::figure::Figure;
use crate::figure::Goal::AtMost;
use crate::lab::{Lab, cargo, output, per_piece};
use crate::sections::{READINGS, ROUNDS, median};
use crate::starts::Home;
use crate::work::{Peer, Scenario, TASKS};

/// The name of the SDK among the peers.
const SDK: &str = "python-sdk";

/// The SDK's release that speaks this contract.
const SDK_RELEASE: &str = "pollination-sdk==0.1.0";

/// What printing a kept access token may take, beside importing the SDK: a script waits for either.
const KEPT_TOKEN: f64 = 0.05;

/// The calls of a measurement of the SDK: some seconds.
const SDK_CALLS: usize = 2_000;

/// The clients of Google, as `google/src/lib.rs` names them.
const GOOGLE: [&str; 2] = ["gcp-auth", "google-cloud-auth"];

/// How much fewer the readings of the clients of Google are than ours, for they take longer.
const FEWER: usize = 10;

/// Compares the command and the client with the Python SDK.
pub(crate) fn sdk(lab: &Lab, root: &Path) -> Vec<Figure> {
    let environment = root.join("target/bench-python");
    let python = environment.join("bin/python");
    let mut create = Command::new("python3");
    output({
        create.args(["-m", "venv"]).arg(&environment);
        create
    });
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", SDK_RELEASE]);
    output(install);
    let script = root.join("crates/pollination-auth-bench/python/sdk.py");
    let sdk = |scenario: &str, count: usize| {
        let mut command = Command::new(&python);
        command.arg(&script).args([scenario, lab.base_url()]);
        command.arg(count.to_string());
        command
    };
    let rate = |scenario| {
        let said = output(sdk(scenario, SDK_CALLS));
        said.trim().parse::<f64>().expect("a rate")
    };
    let ours = |scenario, count: usize| {
        let took = || lab.took(scenario, Peer::Ours, count).wall;
        count as f64 * 1e9 / median((0..ROUNDS).map(|_| took()))
    };
    let compared = |name, unit, ours: f64, theirs: f64| {
        let mut figure = Figure::alone(name, unit, ours, None).judged(ours / theirs);
        figure.numbers.insert(SDK.to_owned(), theirs);
        figure
    };

    let home = Home::logged_in(lab, root);
    let mut kept = compared(
        "printing a kept access token, to importing the SDK",
        "ms",
        milliseconds(|| home.command(lab, "access-token")),
        milliseconds(|| sdk("import", 0)),
    );
    kept.goal = Some(AtMost(KEPT_TOKEN));
    let first = compared(
        "from the start of a process to its first access token",
        "ms",
        milliseconds(|| home.first_time(lab, "access-token")),
        milliseconds(|| sdk("first-token", 0)),
    );
    let calls = compared(
        "calls one after the other",
        "calls/s",
        ours(Scenario::Sequential, 10 * SDK_CALLS),
        rate("call"),
    );
    let workers = compared(
        "calls of 64 tasks, or of 64 threads of the SDK",
        "calls/s",
        ours(Scenario::Load, 10 * SDK_CALLS / TASKS * TASKS),
        rate("workers"),
    );
    vec![kept, first, calls, workers]
}

/// Compares reading a good access token with the clients of Google.
pub(crate) fn google(lab: &Lab, root: &Path) -> Vec<Figure> {
    let package = root.join("crates/pollination-auth-bench/google");
    let target = root.join("target/bench-google");
    let mut build = cargo(&package, ["build", "--locked", "--quiet", "--release"]);
    build.env("CARGO_TARGET_DIR", &target);
    output(build);
    let run = |program: &str, peer: &str, threads: usize, count: usize| {
        let mut command = Command::new(target.join("release").join(program));
        command.args([peer, &threads.to_string(), lab.base_url()]);
        command.arg(count.to_string());
        let said = output(command);
        said.trim().parse::<f64>().expect("a number")
    };
    let reads = |peer, threads: usize| {
        let count = READINGS / FEWER;
        let each = || run("google-reads", peer, threads, count) / (threads * count) as f64;
        median((0..ROUNDS).map(|_| each()))
    };
    let ours = |scenario, threads: usize| {
        let took = || lab.took(scenario, Peer::Ours, READINGS).cpu;
        median((0..ROUNDS).map(|_| took())) / (threads * READINGS) as f64
    };
    let figure = |name, unit, ours: f64, theirs: &dyn Fn(&'static str) -> f64| {
        let mut figure = Figure::alone(name, unit, ours, None);
        let theirs = GOOGLE.map(|peer| (peer.to_owned(), theirs(peer)));
        figure.numbers.extend(theirs);
        figure
    };
    let allocations = |peer| {
        per_piece(Scenario::Read.counts(), |count| {
            run("google-allocations", peer, 1, count)
        })
    };
    vec![
        figure(
            "reading a cached access token",
            "ns",
            ours(Scenario::Read, 1),
            &|peer| reads(peer, 1),
        ),
        figure(
            "the same on two threads",
            "ns of CPU",
            ours(Scenario::ReadTwice, 2),
            &|peer| reads(peer, 2),
        ),
        figure(
            "the same",
            "allocations",
            lab.allocations(Scenario::Read, Peer::Ours),
            &allocations,
        ),
    ]
}

/// Returns how long a whole process takes.
fn milliseconds(command: impl Fn() -> Command) -> f64 {
    let took = || {
        let command = command();
        let started = Instant::now();
        output(command);
        started.elapsed().as_secs_f64() * 1e3
    };
    // What it reads is in memory before the clock runs.
    took();
    median((0..ROUNDS).map(|_| took()))
}
