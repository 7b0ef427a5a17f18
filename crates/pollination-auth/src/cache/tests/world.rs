//! The virtual world of the cache: callers on runtimes that are driven, stand still or end, logins that succeed, fail,
//! hang or come late, clocks that jump.
//!
//! The decisions are those of the product; time, runtimes and network are the model's.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::super::machine::{Ask, Failure, Machine};
use super::super::wait::STALL;
use crate::credential::cached_token::Cached;
use crate::credential::validity::Validity;
use crate::foundation::clock::Moment;

/// A step of time, after which a caller looks up.
pub(super) const TICK: Duration = STALL;
/// A caller's deadline, in ticks: more than all troubles of one world take together.
pub(super) const DEADLINE: u32 = 8;
/// The longest that a login takes: longer than any caller waits, as in the product.
pub(super) const LIMIT: Duration = Duration::from_secs(13);
/// How long tokens live.
pub(super) const LIFETIME: Duration = Duration::from_secs(3_600);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    ForNow,
    ForGood,
}

impl Failure for Fault {
    fn is_retryable(&self) -> bool {
        *self == Self::ForNow
    }

    fn asked_wait(&self, _: &Moment) -> Option<Duration> {
        None
    }
}

/// A token is the number of its login.
pub(super) type Token = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Runtime {
    Driven,
    Still,
    Ended,
}

#[derive(Clone, Debug)]
pub(super) enum Phase {
    Asks,
    /// It is to start a login, and has not done so yet.
    Starts(u64),
    Waits {
        login: u64,
        beats: u32,
        since: u32,
    },
    /// It has a token; a 401 can come for it.
    Has(Arc<Cached<Token>>),
    Failed,
}

#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) runtime: usize,
    pub(super) ask: Ask,
    pub(super) phase: Phase,
    pub(super) asked_at: u32,
    /// Its own runtime was driven all the time.
    pub(super) was_driven: bool,
    /// It asks because of a 401.
    pub(super) is_replay: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// The machine has decided on it, and its starter is about to start it.
    Decided,
    Pending,
    /// Nothing will ever come.
    Hangs,
    Landed,
    Failed(Fault),
    Lost,
}

#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) id: u64,
    pub(super) runtime: usize,
    pub(super) state: State,
    pub(super) landed: Option<Result<Arc<Cached<Token>>, Fault>>,
    pub(super) beats: u32,
    /// `true` if its runtime was always driven, so that nobody has a reason to give it up.
    pub(super) was_driven: bool,
    pub(super) started_at: u32,
}

impl Login {
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Decided | State::Pending | State::Hangs)
    }
}

/// How often each kind of trouble can still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Trouble {
    pub(super) runtimes: u8,
    pub(super) faults: u8,
    pub(super) hangs: u8,
    pub(super) refusals: u8,
    pub(super) jumps: u8,
    pub(super) ticks: u8,
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) machine: Machine<Token, Fault>,
    pub(super) ticks: u32,
    /// What the wall clock is off by, in seconds.
    pub(super) skew: i64,
    pub(super) runtimes: Vec<Runtime>,
    pub(super) callers: Vec<Caller>,
    pub(super) logins: Vec<Login>,
    pub(super) trouble: Trouble,
    /// Logins that were started while another one was well under way.
    pub(super) superfluous: u32,
    /// `true` if a fault, a hang or a refusal explains an error.
    pub(super) is_explained: bool,
    pub(super) refusal_logins: u32,
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) states: HashSet<u64>,
    pub(super) ends: u64,
    pub(super) hangs: u64,
    pub(super) unexplained: u64,
    pub(super) dead_tokens: u64,
    pub(super) superfluous: u64,
}

/// Which of the product's decisions are left out, for the controls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Control {
    None,
    NobodyGivesUp,
}

pub(super) const START: Duration = Duration::from_secs(1_000_000);

impl World {
    pub(super) fn new(
        callers: &[(usize, Ask)],
        runtimes: usize,
        seeded_ago: Option<Duration>,
        trouble: Trouble,
    ) -> Self {
        let mut world = Self {
            machine: Machine::new(),
            ticks: 0,
            skew: 0,
            runtimes: vec![Runtime::Driven; runtimes],
            callers: Vec::new(),
            logins: Vec::new(),
            trouble,
            superfluous: 0,
            is_explained: false,
            refusal_logins: 0,
        };
        for (runtime, ask) in callers {
            world.callers.push(Caller {
                runtime: *runtime,
                ask: *ask,
                phase: Phase::Asks,
                asked_at: 0,
                was_driven: true,
                is_replay: false,
            });
        }
        if let Some(ago) = seeded_ago {
            let now = world.now();
            let then = Moment {
                wall: now.wall - ago,
                monotonic: now.monotonic - ago,
            };
            world.machine.put(0, validity(then), &now);
        }
        world
    }

    pub(super) fn now(&self) -> Moment {
        let passed = START + TICK * self.ticks;
        let wall = SystemTime::UNIX_EPOCH + passed;
        let off = Duration::from_secs(self.skew.unsigned_abs());
        Moment {
            wall: if self.skew < 0 {
                wall - off
            } else {
                wall + off
            },
            monotonic: passed,
        }
    }

    pub(super) fn login(&self, id: u64) -> &Login {
        self.logins.iter().find(|login| login.id == id).unwrap()
    }

    /// A caller that can act: its runtime runs it, or it blocks a thread on a runtime that has ended.
    pub(super) fn acts(&self, caller: &Caller) -> bool {
        self.runtimes[caller.runtime] != Runtime::Still
    }

    /// Returns `true` if a caller has something to do now.
    pub(super) fn is_due(&self, caller: &Caller) -> bool {
        if matches!(caller.phase, Phase::Starts(_)) {
            // It is in the middle of a poll, whatever becomes of its runtime.
            return true;
        }
        if !self.acts(caller) {
            return false;
        }
        match &caller.phase {
            Phase::Asks | Phase::Starts(_) => true,
            Phase::Waits { login, since, .. } => {
                let waited = self.login(*login);
                let has_ended = !waited.is_open();
                let is_elsewhere = waited.runtime != caller.runtime;
                let has_old = self.last_resort(caller).is_some();
                let late = self.asked_for(caller) >= DEADLINE;
                let looks_up = (is_elsewhere || has_old) && self.ticks > *since;
                has_ended || late || looks_up || self.runtimes[caller.runtime] == Runtime::Ended
            }
            Phase::Has(_) | Phase::Failed => false,
        }
    }

    pub(super) fn last_resort(&self, caller: &Caller) -> Option<Arc<Cached<Token>>> {
        let Ask::Token { least } = caller.ask else {
            return None;
        };
        let current = self.machine.current()?;
        current
            .is_last_resort(&self.now(), least)
            .then(|| current.clone())
    }

    pub(super) fn waits(&self, login: u64) -> Phase {
        Phase::Waits {
            login,
            beats: self.login(login).beats,
            since: self.ticks,
        }
    }

    /// How long a caller has been asking, up to its deadline.
    pub(super) fn asked_for(&self, caller: &Caller) -> u32 {
        (self.ticks - caller.asked_at).min(DEADLINE)
    }

    /// Hashes all that matters for what can follow; numbers that only count are left out.
    pub(super) fn key(&self) -> u64 {
        let mut state = DefaultHasher::new();
        let now = self.now();
        self.machine.fingerprint(&now, &mut state);
        (self.skew, self.trouble, self.is_explained).hash(&mut state);
        (self.refusal_logins, &self.runtimes).hash(&mut state);
        for login in &self.logins {
            (
                self.machine.is_joined(login.id),
                login.runtime,
                &login.state,
            )
                .hash(&mut state);
            (login.was_driven, self.ticks == login.started_at).hash(&mut state);
        }
        let position = |id| self.logins.iter().position(|login| login.id == id);
        for caller in &self.callers {
            (
                caller.runtime,
                caller.ask,
                caller.was_driven,
                caller.is_replay,
            )
                .hash(&mut state);
            match &caller.phase {
                Phase::Asks => (0, self.asked_for(caller)).hash(&mut state),
                Phase::Starts(id) => (1, position(*id)).hash(&mut state),
                Phase::Waits {
                    login,
                    beats,
                    since,
                } => {
                    let beats = self.login(*login).beats - beats;
                    let looks_up = self.ticks > *since;
                    let asked = self.asked_for(caller);
                    (2, position(*login), beats.min(1), looks_up, asked).hash(&mut state);
                }
                Phase::Has(token) => {
                    (3, self.machine.refusable(token.generation)).hash(&mut state);
                }
                Phase::Failed => 4.hash(&mut state),
            }
        }
        state.finish()
    }

    /// Forgets logins that have ended and that nobody waits for.
    pub(super) fn tidy(&mut self) {
        let callers = &self.callers;
        self.logins.retain(|login| {
            let waits = |caller: &Caller| match caller.phase {
                Phase::Waits { login: id, .. } | Phase::Starts(id) => id == login.id,
                _ => false,
            };
            login.is_open() || callers.iter().any(waits)
        });
    }
}

pub(super) fn validity(since: Moment) -> Validity {
    Validity::refreshable(since, LIFETIME, 0.5)
}
