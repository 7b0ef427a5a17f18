//! What a worker does: one scenario with one peer, so many times.
//!
//! It is made so that the difference between two counts is the work alone: what it costs to start,
//! to connect and to log in is the same in both.

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use pollination_auth::{AccessToken, Client};
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::peers::by_hand::ByHand;
use crate::peers::hyper_util::HyperUtil;
use crate::peers::socket::Socket;
use crate::peers::ureq::Ureq;
use crate::peers::{BlockingCalls, Calls, by_hand, generated, ours};
use crate::server::{access_token, login_of};

/// How many tasks make calls at once.
pub const TASKS: usize = 64;

/// Who makes the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Peer {
    /// `pollination-auth`.
    Ours,
    /// reqwest by hand.
    ByHand,
    /// The bare generated client.
    Generated,
    /// hyper-util's client.
    HyperUtil,
    /// ureq.
    Ureq,
    /// A bare socket.
    Socket,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// So many calls, one behind the other.
    Sequential,
    /// So many calls, shared out among [`TASKS`] tasks on one thread.
    Tasks,
    /// So many calls, shared out among [`TASKS`] tasks on two threads.
    Load,
    /// So many readings of a good access token, on one thread; ours alone.
    Read,
    /// So many readings of a good access token on each of two threads; ours alone.
    ReadTwice,
    /// So many clients, built one behind the other; ours and those of reqwest by hand.
    Build,
    /// So many callers at once that find no access token; ours alone.
    Herd,
    /// Calls by [`TASKS`] tasks for so many seconds, with a new access token each second; ours alone.
    Soak,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&name(self))
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&name(self))
    }
}

/// Returns the name that the command line has for a value.
fn name(value: &impl clap::ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

impl Scenario {
    /// Returns two counts: enough work for a difference that noise does not reach, and no more.
    #[must_use]
    pub fn counts(self) -> (usize, usize) {
        match self {
            Self::Sequential => (100, 600),
            Self::Tasks | Self::Load => (10 * TASKS, 30 * TASKS),
            Self::Read | Self::ReadTwice => (10_000, 20_000),
            // Each reads the root certificates: one is millions of instructions.
            Self::Build => (2, 6),
            Self::Herd => (1_000, 6_000),
            Self::Soak => (1, 2),
        }
    }
}

/// What a worker is told.
#[derive(Debug, clap::Parser)]
pub struct Arguments {
    /// What is done.
    #[arg(value_enum)]
    pub scenario: Scenario,
    /// Who does it.
    #[arg(value_enum)]
    pub peer: Peer,
    /// Where the service is.
    pub base_url: String,
    /// How often.
    pub count: usize,
}

/// What the work took.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Took {
    /// From its begin to its end, in nanoseconds.
    pub wall: f64,
    /// Processor time of the whole process meanwhile, in nanoseconds.
    pub cpu: f64,
    /// Of a soak: the memory of the process at its end, to that after a third of it.
    pub growth: Option<f64>,
}

/// Does the work on this thread, and those of a runtime.
///
/// # Panics
///
/// A call fails: what such a run measures is nothing.
#[must_use]
pub fn work(arguments: &Arguments) -> Took {
    let Arguments {
        scenario,
        peer,
        ref base_url,
        count,
    } = *arguments;
    match peer {
        Peer::Ours => match scenario {
            Scenario::Read => read(base_url, count, 1),
            Scenario::ReadTwice => read(base_url, count, 2),
            Scenario::Build => build(count, || ours::client(base_url)),
            Scenario::Herd => herd(base_url, count),
            Scenario::Soak => soak(base_url, count),
            _ => calls(scenario, &ours::client(base_url), count),
        },
        Peer::ByHand if scenario == Scenario::Build => build(count, by_hand::http),
        Peer::ByHand => calls(scenario, &ByHand::new(base_url, access_token(1)), count),
        Peer::Generated => calls(
            scenario,
            &generated::client(base_url, &access_token(1)),
            count,
        ),
        Peer::HyperUtil => calls(scenario, &HyperUtil::new(base_url, &access_token(1)), count),
        Peer::Ureq => blocking(scenario, || Ureq::new(base_url, &access_token(1)), count),
        Peer::Socket => blocking(scenario, || Socket::new(base_url, &access_token(1)), count),
    }
}

fn one_thread() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

fn two_threads() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build();
    runtime.expect("a runtime")
}

fn calls(scenario: Scenario, peer: &impl Calls, count: usize) -> Took {
    let (runtime, tasks) = match scenario {
        Scenario::Sequential => (one_thread(), 1),
        Scenario::Tasks => (one_thread(), TASKS),
        Scenario::Load => (two_threads(), TASKS),
        other => panic!("{other:?} is a scenario of pollination-auth alone"),
    };
    runtime.block_on(async {
        // The connections are there, and the login is done, before the clock runs.
        share_out(peer, tasks, 2).await;
        let clock = Stopwatch::start();
        share_out(peer, tasks, count / tasks).await;
        clock.stop()
    })
}

async fn share_out(peer: &impl Calls, tasks: usize, each: usize) {
    let mut running = JoinSet::new();
    for _ in 0..tasks {
        let peer = peer.clone();
        running.spawn(async move {
            for _ in 0..each {
                peer.get_api_token().await;
            }
        });
    }
    running.join_all().await;
}

fn blocking<P: BlockingCalls>(scenario: Scenario, peer: impl Fn() -> P, count: usize) -> Took {
    let threads = match scenario {
        Scenario::Sequential => 1,
        Scenario::Load => TASKS,
        other => panic!("{other:?} is no scenario of a peer that blocks"),
    };
    let mut peers: Vec<P> = (0..threads).map(|_| peer()).collect();
    let call = |peer: &mut P, each| {
        for _ in 0..each {
            peer.get_api_token();
        }
    };
    if let [peer] = peers.as_mut_slice() {
        call(peer, 2);
        let clock = Stopwatch::start();
        call(peer, count);
        return clock.stop();
    }
    let all = |peers: &mut [P], each| {
        std::thread::scope(|scope| {
            for peer in peers {
                scope.spawn(move || call(peer, each));
            }
        });
    };
    all(&mut peers, 2);
    let clock = Stopwatch::start();
    all(&mut peers, count / threads);
    clock.stop()
}

fn build<C>(count: usize, client: impl Fn() -> C) -> Took {
    let clock = Stopwatch::start();
    for _ in 0..count {
        black_box(client());
    }
    clock.stop()
}

/// Reads a good access token, each thread on a runtime of its own.
fn read(base_url: &str, count: usize, threads: usize) -> Took {
    let client = ours::client(base_url);
    let read_all = |client: &Client| {
        one_thread().block_on(async {
            for _ in 0..count {
                black_box(client.access_token().await.expect("an access token"));
            }
        });
    };
    one_thread().block_on(async { client.login().await.expect("an access token") });
    if threads == 1 {
        let clock = Stopwatch::start();
        read_all(&client);
        return clock.stop();
    }
    let clock = Stopwatch::start();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| read_all(&client));
        }
    });
    clock.stop()
}

/// Lets so many callers ask at once, and sees by the access tokens that there was one login.
fn herd(base_url: &str, callers: usize) -> Took {
    let client = ours::client(base_url);
    one_thread().block_on(async {
        let mut answers = Vec::with_capacity(callers);
        let clock = Stopwatch::start();
        let ask = || {
            let client = client.clone();
            tokio::spawn(async move { client.access_token().await.expect("an access token") })
        };
        let herd: Vec<_> = (0..callers).map(|_| ask()).collect();
        for caller in herd {
            answers.push(caller.await.expect("a caller to its end"));
        }
        let took = clock.stop();
        let next = client.login().await.expect("another access token");
        let last = login_of(next.expose_secret()) - 1;
        let of_last = |token: &AccessToken| login_of(token.expose_secret()) == last;
        assert!(answers.iter().all(of_last), "more than one login");
        took
    })
}

/// Makes calls for so many seconds, and looks at the memory after a third of them and at the end.
fn soak(base_url: &str, seconds: usize) -> Took {
    let client = ours::client(base_url);
    let length = Duration::from_secs(seconds as u64);
    two_threads().block_on(async {
        let clock = Stopwatch::start();
        let end = clock.started + length;
        let mut running = JoinSet::new();
        for _ in 0..TASKS {
            let client = client.clone();
            running.spawn(async move {
                while Instant::now() < end {
                    Calls::get_api_token(&client).await;
                }
            });
        }
        let mut early = None;
        while Instant::now() < end {
            tokio::time::sleep(Duration::from_secs(1)).await;
            client.login().await.expect("an access token");
            if early.is_none() && clock.started.elapsed() >= length / 3 {
                early = Some(resident_memory());
            }
        }
        running.join_all().await;
        let growth = early.map(|early| resident_memory() / early);
        Took {
            growth,
            ..clock.stop()
        }
    })
}

/// Reads how much memory this process has in use, in kilobytes.
fn resident_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the state of this process");
    let figure = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let figure = figure.and_then(|figure| figure.split_whitespace().next());
    figure
        .and_then(|figure| figure.parse().ok())
        .expect("its memory")
}

struct Stopwatch {
    started: Instant,
    cpu: Duration,
}

impl Stopwatch {
    fn start() -> Self {
        Self {
            started: Instant::now(),
            cpu: cpu_time(UsageWho::RUSAGE_SELF),
        }
    }

    fn stop(self) -> Took {
        let cpu = cpu_time(UsageWho::RUSAGE_SELF) - self.cpu;
        Took {
            wall: self.started.elapsed().as_secs_f64() * 1e9,
            cpu: cpu.as_secs_f64() * 1e9,
            growth: None,
        }
    }
}

/// Returns the processor time of this process, or of those children that it has waited for.
///
/// # Panics
///
/// The system does not tell it.
#[must_use]
pub fn cpu_time(who: UsageWho) -> Duration {
    let usage = getrusage(who).expect("resource usage");
    let micros = (usage.user_time() + usage.system_time()).num_microseconds();
    Duration::from_micros(micros.unsigned_abs())
}
