//! The control: two protocols that look safe, in the same world. They lose secrets, so the world
//! would show it if ours did.

use std::hash::{DefaultHasher, Hash as _};
use std::time::SystemTime;

use super::explore::{Explorer, Protocol, Tally};
use super::product::{BEHAVIOURS, every_pair};
use super::report;
use super::world::{Laws, World};
use crate::credential::api_token::ApiToken;
use crate::rotation::protocol::fingerprint::{self, Names};
use crate::rotation::protocol::{Effect, Ending, Event, LoginReply, PutReply, Verdict};
use crate::store::journal::{Candidate, Journal};
use crate::store::record::Record;

/// Asks for a new secret, writes it down, and reports an error otherwise.
#[derive(Clone)]
struct Naive {
    record: Record,
    step: u8,
}

impl Naive {
    fn finish(&mut self, verdict: Verdict) -> Effect {
        self.step = u8::MAX;
        Effect::Finish(Box::new(ending(verdict, self.record.clone(), Vec::new())))
    }
}

impl Protocol for Naive {
    fn start(_: &Laws, world: &World) -> Self {
        Self {
            record: world.record.clone(),
            step: 0,
        }
    }

    fn recover(_: &Laws, _: &World) -> Option<Self> {
        None
    }

    fn next(&mut self, event: Event, _: SystemTime) -> Effect {
        match event {
            Event::Begin => Effect::Login(self.record.token.clone()),
            Event::Login(LoginReply::Accepted(access_token)) => Effect::Put(access_token.secret),
            Event::Put(PutReply::Minted(token)) => {
                self.record = next(&self.record, token);
                Effect::SaveRecord(self.record.clone())
            }
            Event::Stored(_) => self.finish(Verdict::Rotated),
            _ => self.finish(Verdict::Ambiguous),
        }
    }

    fn fingerprint(&self, names: &mut Names, state: &mut DefaultHasher) {
        fingerprint::record(&self.record, names, state);
        self.step.hash(state);
    }
}

/// Writes ahead, and then repeats and judges at once, without letting the service settle.
#[derive(Clone)]
struct Hasty {
    record: Record,
    journal: Option<Journal>,
    step: HastyStep,
    requests_left: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum HastyStep {
    Start,
    Announce,
    Request,
    Keep,
    Candidate,
    Old,
    Commit,
    Clear,
}

impl Hasty {
    fn to(&mut self, step: HastyStep, effect: Effect) -> Effect {
        self.step = step;
        effect
    }

    fn announce(&mut self) -> Effect {
        let Some(journal) = &mut self.journal else {
            return self.finish(Verdict::Ambiguous);
        };
        if self.requests_left == 0 {
            return self.finish(Verdict::Ambiguous);
        }
        self.requests_left -= 1;
        journal.requests += 1;
        let save = Effect::SaveJournal(journal.clone());
        self.to(HastyStep::Announce, save)
    }

    fn finish(&mut self, verdict: Verdict) -> Effect {
        let candidates = self.journal.iter().flat_map(|journal| &journal.candidates);
        let candidates = candidates.map(|one| one.token.clone()).collect();
        Effect::Finish(Box::new(ending(verdict, self.record.clone(), candidates)))
    }

    fn probe(&mut self) -> Effect {
        let newest = self
            .journal
            .as_ref()
            .and_then(|journal| journal.candidates.last());
        match newest.map(|candidate| candidate.token.clone()) {
            Some(token) => self.to(HastyStep::Candidate, Effect::Login(token)),
            None => self.to(HastyStep::Old, Effect::Login(self.record.token.clone())),
        }
    }
}

impl Protocol for Hasty {
    fn start(laws: &Laws, world: &World) -> Self {
        Self {
            record: world.record.clone(),
            journal: None,
            step: HastyStep::Start,
            requests_left: laws.rules.requests,
        }
    }

    fn recover(laws: &Laws, world: &World) -> Option<Self> {
        let journal = world.journal.clone()?;
        Some(Self {
            journal: Some(journal),
            ..Self::start(laws, world)
        })
    }

    fn next(&mut self, event: Event, now: SystemTime) -> Effect {
        use HastyStep as S;
        match (self.step, event) {
            (S::Start, Event::Begin) if self.journal.is_some() => self.probe(),
            (S::Start, Event::Begin) => Effect::Login(self.record.token.clone()),
            (S::Start, Event::Login(LoginReply::Accepted(access_token))) => {
                self.journal = Some(Journal {
                    generation: self.record.generation,
                    access_token: access_token.secret,
                    access_token_expires: access_token.ends,
                    started_at: now,
                    requests: 0,
                    candidates: Vec::new(),
                    conclusion: None,
                });
                self.announce()
            }
            (S::Announce, Event::Stored(Ok(()))) => {
                let access_token = self.journal.as_ref().unwrap().access_token.clone();
                self.to(S::Request, Effect::Put(access_token))
            }
            (S::Request, Event::Put(PutReply::Minted(token))) => {
                let journal = self.journal.as_mut().unwrap();
                let request = journal.requests;
                journal.candidates = vec![Candidate {
                    token,
                    request,
                    doubtful: false,
                }];
                let save = Effect::SaveJournal(journal.clone());
                self.to(S::Keep, save)
            }
            (S::Request, Event::Put(_)) => self.announce(),
            (S::Keep, Event::Stored(Ok(()))) => self.probe(),
            (S::Candidate, Event::Login(LoginReply::Accepted(_))) => {
                let journal = self.journal.as_ref().unwrap();
                self.record = next(&self.record, journal.candidates[0].token.clone());
                let save = Effect::SaveRecord(self.record.clone());
                self.to(S::Commit, save)
            }
            (S::Old, Event::Login(LoginReply::Accepted(_))) => {
                self.to(S::Clear, Effect::ClearJournal)
            }
            (S::Candidate | S::Old, Event::Login(_)) => self.announce(),
            (S::Commit, Event::Stored(_)) => self.to(S::Clear, Effect::ClearJournal),
            (S::Clear, Event::Stored(_)) => self.finish(Verdict::Rotated),
            _ => self.finish(Verdict::Ambiguous),
        }
    }

    fn fingerprint(&self, names: &mut Names, state: &mut DefaultHasher) {
        fingerprint::record(&self.record, names, state);
        fingerprint::journal(self.journal.as_ref(), names, state);
        (self.step, self.requests_left).hash(state);
    }
}

fn next(record: &Record, token: ApiToken) -> Record {
    Record::new(token, record.generation + 1)
}

pub(super) fn ending(verdict: Verdict, record: Record, candidates: Vec<ApiToken>) -> Ending {
    Ending {
        verdict,
        record,
        recovered: false,
        unchanged: false,
        requests: 0,
        at: SystemTime::UNIX_EPOCH,
        started_at: None,
        recover_by: None,
        candidates,
        raw: Vec::new(),
        cause: None,
    }
}

fn explored<P: Protocol>(crashes: u8) -> Tally {
    let explore = |laws: &Laws| {
        let mut explorer = Explorer::new(laws);
        let tally = explorer.explore::<P>(&World::new(), crashes);
        (tally, explorer.states())
    };
    every_pair(&BEHAVIOURS, explore).0
}

#[test]
fn point_5_7_1_control_the_naive_protocol_loses_secrets_in_the_same_world() {
    let tally = explored::<Naive>(3);
    report(format_args!("naive: {tally:?}"));
    assert!(tally.lost > 0, "{tally:?}");
    assert!(tally.lost * 10 > tally.schedules, "{tally:?}");
}

#[test]
fn point_5_7_1_control_writing_ahead_without_settling_loses_secrets_in_the_same_world() {
    let tally = explored::<Hasty>(2);
    report(format_args!("hasty: {tally:?}"));
    assert!(tally.lost > 0 && tally.violations > 0, "{tally:?}");
}
