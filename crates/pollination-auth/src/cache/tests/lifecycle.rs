//! The life of a token as data: `lifecycle.json` lists what happens and what callers then get.
//!
//! A case is a list of steps. Tokens are numbered by the login that brought them; a case begins
//! with an empty cache, and times are seconds.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::task::JoinHandle;

use super::super::TokenCache;
use super::support::{Does, Source, in_time, said, settle};

#[derive(Deserialize)]
struct Case {
    name: String,
    lifetime: f64,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// A caller asks, and gets this at once.
    Get(String),
    /// A caller asks for a token with this much left, and gets this.
    GetFor(f64, String),
    /// A caller asks and has to wait.
    Ask,
    /// The caller that waits longest gets this.
    Answer(String),
    /// Both clocks move.
    Advance(f64),
    /// The wall clock alone moves.
    JumpWall(i64),
    /// What logins do from here on.
    Source(String),
    /// How long new tokens live from here on.
    Lifetime(f64),
    /// Logins no longer end, or end again.
    Gate(String),
    /// A 401 came for the token of this generation.
    Refused(u64),
    /// A caller forces a login, and gets this.
    Login(String),
    /// This many logins were started so far.
    Logins(usize),
}

struct Run {
    source: Arc<Source>,
    cache: TokenCache,
    waiting: Vec<JoinHandle<String>>,
}

impl Run {
    async fn step(&mut self, step: Step, at: &str) {
        match step {
            Step::Get(expected) => self.get(0.0, &expected, at).await,
            Step::GetFor(least, expected) => self.get(least, &expected, at).await,
            Step::Ask => {
                let cache = self.cache.clone();
                let ask = async move { said(cache.get(Duration::ZERO, in_time()).await) };
                self.waiting.push(tokio::spawn(ask));
                settle().await;
                assert!(
                    !self.waiting.last().unwrap().is_finished(),
                    "{at}: it did not wait"
                );
            }
            Step::Answer(expected) => {
                settle().await;
                let waiting = self.waiting.remove(0);
                assert!(waiting.is_finished(), "{at}: it still waits");
                assert_eq!(waiting.await.unwrap(), expected, "{at}");
            }
            Step::Advance(seconds) => self.source.clock.advance(Duration::from_secs_f64(seconds)),
            Step::JumpWall(seconds) => self.source.clock.jump_wall(seconds),
            Step::Source(does) => self.source.will(match does.as_str() {
                "good" => Does::Succeed,
                "failing" => Does::FailForNow,
                "refused" => Does::FailForGood,
                "panicking" => Does::Panic,
                slow => Does::Take(slow.strip_prefix("takes ").unwrap().parse().unwrap()),
            }),
            Step::Lifetime(seconds) => self.source.set_lifetime(Duration::from_secs_f64(seconds)),
            Step::Gate(gate) if gate == "closed" => self.source.close(),
            Step::Gate(_) => self.source.open(),
            Step::Refused(generation) => drop(self.cache.refuse(generation)),
            Step::Login(expected) => {
                assert_eq!(said(self.cache.refresh(in_time()).await), expected, "{at}")
            }
            Step::Logins(expected) => assert_eq!(self.source.logins(), expected, "{at}"),
        }
    }

    async fn get(&self, least: f64, expected: &str, at: &str) {
        let got = said(
            self.cache
                .get(Duration::from_secs_f64(least), in_time())
                .await,
        );
        assert_eq!(got, expected, "{at}");
        settle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_case_of_the_lifecycle_holds() {
    // A panic of a scripted login is expected, and its message is no news.
    let cases: Vec<Case> = serde_json::from_str(include_str!("lifecycle.json")).unwrap();
    assert!(cases.len() >= 30, "only {} cases", cases.len());
    for case in cases {
        let source = Source::new(Duration::from_secs_f64(case.lifetime));
        let mut run = Run {
            cache: source.cache(),
            source,
            waiting: Vec::new(),
        };
        for (number, step) in case.steps.into_iter().enumerate() {
            run.step(step, &format!("{}, step {number}", case.name))
                .await;
        }
        assert!(
            run.source.most_at_once() <= 1,
            "{}: two logins at once",
            case.name
        );
        assert!(
            run.waiting.is_empty(),
            "{}: somebody still waits",
            case.name
        );
    }
}
