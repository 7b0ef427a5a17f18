//! Eight processes on one server: all read, all rotate, three stand still, the server dies once.
//!
//! Each member is this test's own program, run once more. It stops itself at a step that was drawn:
//! before a call of the store, while it holds the lock. The parent lets it go on after more than its
//! lease. A member prints what it does, and the parent judges.

mod member;
mod steps;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::Range;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use fastrand::Rng;
use pollination_auth::{ApiToken, Profile, Secret};
use pollination_auth_fake::FakeService;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use self::member::{LEASE, PREFIX, PROFILE, Settings};
use crate::engine::Engine;

/// Processes of the fleet.
const MEMBERS: usize = 8;

/// Members that stand still once.
const STOPPED: usize = 3;

/// How long they stand still.
const STOP: Duration = LEASE.saturating_mul(3);

/// The calls of the store that a rotation makes under its lock, at least.
const STEPS: u32 = 10;

/// The least rotations of a round.
const ROTATIONS: usize = 10;

/// How long the server stays sealed, and then dead, in the middle of a round.
const OUTAGE: Duration = Duration::from_secs(1);

/// When it begins, in milliseconds after the members were started.
const OUTAGES: Range<u64> = 2_000..10_000;

/// What a member may do.
const POLICY: &str = r#"
    path "secret/data/pollination/*" { capabilities = ["read", "create", "update"] }
    path "secret/metadata/pollination/*" { capabilities = ["read", "create", "update"] }
    path "secret/destroy/pollination/*" { capabilities = ["update"] }
"#;

/// The longest time of a round.
const LIMIT: Duration = Duration::from_secs(300);

/// How often the parent looks at its clock.
const TICK: Duration = Duration::from_millis(100);

/// Set by `cargo xtask engines`.
const ROUNDS: &str = "POLLINATION_TEST_FLEET_ROUNDS";
const SEED: &str = "POLLINATION_TEST_FLEET_SEED";

fn number(name: &str) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(1, |text| text.parse().expect("a number"))
}

/// What a member printed.
struct Line {
    member: usize,
    words: Vec<String>,
}

/// The members that run.
struct Fleet {
    children: Vec<Child>,
    /// A member ends when its input does.
    inputs: Vec<ChildStdin>,
}

impl Fleet {
    /// Starts the members, and returns what they print.
    fn start(settings: &Settings, stops: &[Option<u32>]) -> (Self, Receiver<Line>) {
        let (send, lines) = channel();
        let mut fleet = Self {
            children: Vec::new(),
            inputs: Vec::new(),
        };
        for (member, stop) in stops.iter().enumerate() {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "fleet::member::runs_if_it_is_told_to",
                    "--nocapture",
                ])
                .envs(settings.variables(member, *stop))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            fleet.inputs.push(child.stdin.take().unwrap());
            let stdout = BufReader::new(child.stdout.take().unwrap());
            let send: Sender<Line> = send.clone();
            std::thread::spawn(move || {
                for line in stdout.lines().map_while(Result::ok) {
                    // The test harness prints lines of its own.
                    if let Some(words) = line.strip_prefix(PREFIX) {
                        let words = words.split(' ').map(str::to_owned).collect();
                        let _parent_gone = send.send(Line { member, words });
                    }
                }
            });
            fleet.children.push(child);
        }
        (fleet, lines)
    }

    /// Lets a member that stands still go on.
    fn resume(&self, member: usize) {
        let id = Pid::from_child(&self.children[member]);
        kill_process(id, Signal::CONT).unwrap();
    }

    /// Lets every member end, and returns how many did not end well.
    fn end(mut self, deadline: Instant) -> usize {
        self.inputs.clear();
        let mut failed = 0;
        for child in &mut self.children {
            let ended = loop {
                match child.try_wait().unwrap() {
                    Some(status) => break status.success(),
                    None if Instant::now() >= deadline => break false,
                    None => std::thread::sleep(TICK),
                }
            };
            failed += usize::from(!ended);
        }
        failed
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for child in &mut self.children {
            // One that has ended can't be killed any more.
            let _ended = child.kill();
            let _waited = child.wait();
        }
    }
}

/// What the members of a round did.
#[derive(Default)]
struct Tally {
    reads: usize,
    errors: Vec<String>,
    /// Who stored each generation.
    rotations: BTreeMap<u64, usize>,
    twice: Vec<u64>,
    by_another: usize,
    /// Rotations that did not come to their end, and why.
    failed: BTreeMap<String, usize>,
    stopped: Vec<(usize, String)>,
    /// Members that hung or crashed.
    unwell: usize,
    /// When each lock was surely held: from its first call to its last one that succeeded.
    locks: BTreeMap<(usize, u64), (u64, u64)>,
}

impl Tally {
    fn add(&mut self, Line { member, words }: Line) {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["read"] => self.reads += 1,
            ["unread", why @ ..] => self.errors.push(why.join(" ")),
            ["rotated", generation] => {
                let generation = generation.parse().unwrap();
                if self.rotations.insert(generation, member).is_some() {
                    self.twice.push(generation);
                }
            }
            ["by-another"] => self.by_another += 1,
            ["unrotated", why @ ..] => *self.failed.entry(why.join(" ")).or_default() += 1,
            ["stopping", before @ ..] => self.stopped.push((member, before.join(" "))),
            ["held", lock, at] => {
                let (lock, at) = (lock.parse().unwrap(), at.parse().unwrap());
                let held = self.locks.entry((member, lock)).or_insert((at, at));
                held.1 = at;
            }
            other => panic!("a member said {other:?}"),
        }
    }

    /// Returns the pairs of locks that were held at one time.
    fn overlaps(&self) -> Vec<String> {
        let mut locks: Vec<_> = self.locks.iter().collect();
        locks.sort_by_key(|(_, held)| *held);
        let pairs = locks.windows(2).filter(|pair| pair[1].1.0 < pair[0].1.1);
        pairs
            .map(|pair| format!("{:?} and {:?}", pair[0], pair[1]))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_64_a_fleet_loses_no_secret_and_its_readers_see_no_error() {
    if crate::engine::program().is_none() {
        return;
    }
    for round in 0..number(ROUNDS) {
        let seed = number(SEED).wrapping_add(round);
        play(seed).await;
    }
}

/// Plays one round and judges it.
async fn play(seed: u64) {
    let mut chance = Rng::with_seed(seed);
    let mut engine = Engine::start_durable().await.expect("there is a program");
    engine.policy("app", POLICY).await;
    let role = json!({"token_policies": ["app"], "token_ttl": "20s"});
    let (role_id, secret_id) = engine.app_role(role).await;
    let service = FakeService::builder()
        .id("an-id")
        .secret("a-secret")
        .start();
    let settings = Settings {
        vault: engine.address().to_owned(),
        role_id,
        secret_id,
        service: service.base_url(),
        seed,
    };
    let store = settings.store();
    let profile = Profile::new(store.clone(), &settings.service, PROFILE).unwrap();
    let first = ApiToken::new("an-id", Secret::from("a-secret")).unwrap();
    profile.save(&first).await.unwrap();

    let stops: Vec<_> = (0..MEMBERS)
        .map(|member| (member < STOPPED).then(|| chance.u32(0..STEPS)))
        .collect();
    let outage_at = Duration::from_millis(chance.u64(OUTAGES));
    let (fleet, lines) = Fleet::start(&settings, &stops);
    let started = Instant::now();
    let mut tally = Tally::default();
    let mut standing = Vec::new();
    let mut was_out = false;
    while started.elapsed() < LIMIT {
        if let Ok(line) = lines.recv_timeout(TICK) {
            if line.words[0] == "stopping" {
                standing.push((line.member, Instant::now()));
            }
            tally.add(line);
        }
        let over = |since: &Instant| since.elapsed() >= STOP;
        for (member, _) in standing.extract_if(.., |(_, since)| over(since)) {
            fleet.resume(member);
        }
        if !was_out && started.elapsed() >= outage_at {
            engine.seal().await;
            tokio::time::sleep(OUTAGE).await;
            engine.kill();
            tokio::time::sleep(OUTAGE).await;
            engine.restart().await;
            engine.unseal().await;
            was_out = true;
        }
        let is_enough = tally.rotations.len() >= ROTATIONS && tally.stopped.len() == STOPPED;
        if was_out && is_enough && standing.is_empty() {
            break;
        }
    }
    let seconds = started.elapsed().as_secs();
    tally.unwell = fleet.end(Instant::now() + LIMIT);
    lines.iter().for_each(|line| tally.add(line));

    let stored = profile
        .load()
        .await
        .unwrap()
        .expect("a credential is stored");
    let active = service.secret().expect("the account has an API token");
    let is_kept = stored.secret().expose_secret() == active.expose_secret();
    let mints = service
        .requests()
        .iter()
        .filter(|request| request.method() == "PUT")
        .count();
    // Past the capture of the test harness: these are the figures that the test is for.
    let _closed = writeln!(
        std::io::stderr(),
        "fleet, seed {seed}: {MEMBERS} processes, {seconds} s, {} logins of readers with {} \
         errors, {} rotations and {mints} requests for them, {} seen from another process, {} cut \
         off {:?}; stopped {:?}; {} locks, {} at one time; the secret is {}",
        tally.reads,
        tally.errors.len(),
        tally.rotations.len(),
        tally.by_another,
        tally.failed.values().sum::<usize>(),
        tally.failed,
        tally.stopped,
        tally.locks.len(),
        tally.overlaps().len(),
        if is_kept { "kept" } else { "LOST" },
    );
    assert!(is_kept, "the stored secret is the account's");
    let none: [&str; 0] = [];
    assert_eq!(tally.errors, none, "readers see no error");
    assert_eq!(tally.overlaps(), none, "one rotation at a time");
    assert!(tally.twice.is_empty(), "stored twice: {:?}", tally.twice);
    assert_eq!(tally.unwell, 0, "every member ends by itself");
    assert!(was_out, "the server was sealed and killed");
    assert_eq!(tally.stopped.len(), STOPPED);
    assert!(tally.rotations.len() >= ROTATIONS);
}
