//! Every order of events within bounds: callers on runtimes that are driven, stand still or end, logins that succeed,
//! fail, hang or come late, clocks that jump. The decisions are those of the product; time, runtimes and network are the
//! model's.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::super::machine::{Ask, Cached, Failure, Machine, Next, Seen, Then, then};
use super::super::wait::STALL;
use crate::clock::Moment;
use crate::validity::Validity;

/// A step of time, after which a caller looks up.
const TICK: Duration = STALL;
/// A caller's deadline, in ticks: more than all troubles of one world take together.
const DEADLINE: u32 = 8;
/// The longest that a login takes: longer than any caller waits, as in the product.
const LIMIT: Duration = Duration::from_secs(13);
/// How long tokens live.
const LIFETIME: Duration = Duration::from_secs(3_600);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fault {
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
type Token = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Runtime {
    Driven,
    Still,
    Ended,
}

#[derive(Clone, Debug)]
enum Phase {
    Asks,
    /// The machine has told it to start a login, and it has not done so yet.
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
struct Caller {
    runtime: usize,
    ask: Ask,
    phase: Phase,
    asked_at: u32,
    /// Its own runtime was driven all the time.
    was_driven: bool,
    /// It asks because of a 401.
    is_replay: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum State {
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
struct Login {
    id: u64,
    runtime: usize,
    state: State,
    landed: Option<Result<Arc<Cached<Token>>, Fault>>,
    beats: u32,
    /// Whether its runtime was driven all the time, so that nobody has a reason to give it up.
    was_driven: bool,
    started_at: u32,
}

impl Login {
    fn is_open(&self) -> bool {
        matches!(self.state, State::Decided | State::Pending | State::Hangs)
    }
}

/// How often each kind of trouble can still come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Trouble {
    runtimes: u8,
    faults: u8,
    hangs: u8,
    refusals: u8,
    jumps: u8,
    ticks: u8,
}

#[derive(Clone)]
struct World {
    machine: Machine<Token, Fault>,
    ticks: u32,
    /// What the wall clock is off by, in seconds.
    skew: i64,
    runtimes: Vec<Runtime>,
    callers: Vec<Caller>,
    logins: Vec<Login>,
    trouble: Trouble,
    /// Logins that were started while another one was well under way.
    superfluous: u32,
    /// Whether a fault, a hang or a refusal explains an error.
    is_explained: bool,
    refusal_logins: u32,
}

/// What was found.
#[derive(Default)]
struct Found {
    states: HashSet<u64>,
    ends: u64,
    hangs: u64,
    unexplained: u64,
    dead_tokens: u64,
    superfluous: u64,
}

/// Which of the product's decisions are left out, for the controls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    None,
    NobodyGivesUp,
}

const START: Duration = Duration::from_secs(1_000_000);

impl World {
    fn new(
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

    fn now(&self) -> Moment {
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

    fn login(&self, id: u64) -> &Login {
        self.logins.iter().find(|login| login.id == id).unwrap()
    }

    /// A caller that can act: its runtime runs it, or it blocks a thread on a runtime that has ended.
    fn acts(&self, caller: &Caller) -> bool {
        self.runtimes[caller.runtime] != Runtime::Still
    }

    /// Whether a caller has something to do now.
    fn is_due(&self, caller: &Caller) -> bool {
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

    fn last_resort(&self, caller: &Caller) -> Option<Arc<Cached<Token>>> {
        let Ask::Token { least } = caller.ask else {
            return None;
        };
        let current = self.machine.current()?;
        current
            .is_last_resort(&self.now(), least)
            .then(|| current.clone())
    }

    fn decide(&mut self, id: u64, runtime: usize) {
        let well_under_way = self.logins.iter().any(|login| {
            let is_open = matches!(login.state, State::Decided | State::Pending);
            is_open && login.was_driven && self.ticks == login.started_at
        });
        self.superfluous += u32::from(well_under_way);
        self.logins.push(Login {
            id,
            runtime,
            was_driven: self.runtimes[runtime] == Runtime::Driven,
            state: State::Decided,
            landed: None,
            beats: 0,
            started_at: self.ticks,
        });
    }

    /// Starts a login outside of the lock; a runtime that has ended drops its task at once.
    fn start(&mut self, id: u64) -> bool {
        let mut logins = self.logins.iter_mut();
        let login = logins.find(|login| login.id == id).unwrap();
        let is_lost = self.runtimes[login.runtime] == Runtime::Ended;
        login.state = if is_lost { State::Lost } else { State::Pending };
        if is_lost {
            self.machine.lose(id);
        }
        !is_lost
    }

    /// One step of a caller, as `wait.rs` makes it.
    fn step(&mut self, index: usize, control: Control, found: &mut Found) {
        let caller = self.callers[index].clone();
        let now = self.now();
        let next = match caller.phase {
            Phase::Asks => match self.machine.ask(caller.ask, &now, LIMIT) {
                Next::Use(token) => self.hand_out(token, found),
                Next::Fail(_) => Phase::Failed,
                Next::Wait(login) => self.waits(login),
                Next::Start(id) => {
                    self.decide(id, caller.runtime);
                    Phase::Starts(id)
                }
            },
            Phase::Starts(id) => {
                if self.start(id) {
                    self.waits(id)
                } else {
                    Phase::Failed
                }
            }
            Phase::Waits { login, beats, .. } => {
                let waited = self.login(login).clone();
                let is_elsewhere = waited.runtime != caller.runtime;
                let seen = match waited.state {
                    State::Landed | State::Failed(_) => {
                        Seen::Landed(waited.landed.clone().unwrap())
                    }
                    State::Lost => Seen::Lost,
                    // Its timers are gone.
                    _ if self.runtimes[caller.runtime] == Runtime::Ended => {
                        self.callers[index].phase = Phase::Failed;
                        return;
                    }
                    _ => Seen::Nothing {
                        is_still: waited.beats == beats && control != Control::NobodyGivesUp,
                        is_late: self.asked_for(&caller) >= DEADLINE,
                    },
                };
                match then(seen, is_elsewhere, self.last_resort(&caller), &now) {
                    Then::Use(token) => self.hand_out(token, found),
                    Then::Fail(_) | Then::Unfit | Then::TooLate => Phase::Failed,
                    Then::LookAgain => Phase::Asks,
                    Then::GiveUp => {
                        self.machine.lose(login);
                        Phase::Asks
                    }
                    Then::WaitOn => self.waits(login),
                }
            }
            done @ (Phase::Has(_) | Phase::Failed) => done,
        };
        self.callers[index].phase = next;
        let caller = &self.callers[index];
        if matches!(caller.phase, Phase::Failed) && caller.was_driven && !self.is_explained {
            found.unexplained += 1;
        }
    }

    fn waits(&self, login: u64) -> Phase {
        Phase::Waits {
            login,
            beats: self.login(login).beats,
            since: self.ticks,
        }
    }

    /// Checks a token that a caller gets by the clock that nobody sets.
    fn hand_out(&self, token: Arc<Cached<Token>>, found: &mut Found) -> Phase {
        let steady = Moment {
            wall: SystemTime::UNIX_EPOCH,
            ..self.now()
        };
        found.dead_tokens += u64::from(token.validity.remaining(&steady).is_zero());
        Phase::Has(token)
    }

    /// Every world that can follow.
    fn followers(&self, control: Control, found: &mut Found) -> Vec<Self> {
        let mut worlds = Vec::new();
        let mut add = |change: &mut dyn FnMut(&mut Self, &mut Found)| {
            let mut world = self.clone();
            change(&mut world, found);
            world.tidy();
            worlds.push(world);
        };
        let mut is_busy = false;
        for (index, caller) in self.callers.iter().enumerate() {
            if self.is_due(caller) {
                is_busy = true;
                add(&mut |world, found| world.step(index, control, found));
            }
            if caller.is_replay && matches!(caller.phase, Phase::Has(_)) {
                add(&mut |world, _| world.accept(index));
            }
            if let Phase::Has(token) = &caller.phase
                && self.trouble.refusals > 0
                && self.acts(caller)
            {
                add(&mut |world, _| world.refuse(index, token.generation));
            }
        }
        for (index, login) in self.logins.iter().enumerate() {
            if login.state != State::Pending || self.runtimes[login.runtime] != Runtime::Driven {
                continue;
            }
            is_busy = true;
            add(&mut |world, _| world.land(index, Ok(())));
            if self.trouble.faults > 0 {
                for fault in [Fault::ForNow, Fault::ForGood] {
                    add(&mut |world, _| world.land(index, Err(fault)));
                }
            }
            if self.trouble.hangs > 0 {
                add(&mut |world, _| {
                    world.trouble.hangs -= 1;
                    world.is_explained = true;
                    world.logins[index].state = State::Hangs;
                });
            }
        }
        if self.trouble.runtimes > 0 {
            for (index, runtime) in self.runtimes.iter().enumerate() {
                let others = match runtime {
                    Runtime::Driven => vec![Runtime::Still, Runtime::Ended],
                    Runtime::Still => vec![Runtime::Driven, Runtime::Ended],
                    Runtime::Ended => Vec::new(),
                };
                for other in others {
                    add(&mut |world, _| world.turn(index, other));
                }
            }
        }
        if self.trouble.jumps > 0 {
            for skew in [-86_400, 86_400] {
                add(&mut |world, _| {
                    world.trouble.jumps -= 1;
                    world.skew = skew;
                });
            }
        }
        // Who can act acts before time goes on; a login that comes late is one that lands after a tick.
        let waits =
            |caller: &Caller| matches!(caller.phase, Phase::Waits { .. }) && self.acts(caller);
        let callers_rest = !self.callers.iter().any(|caller| self.is_due(caller));
        let pauses = self.trouble.ticks > 0 && callers_rest;
        if self.callers.iter().any(waits) && (pauses || !is_busy) {
            add(&mut |world, _| {
                world.trouble.ticks = world.trouble.ticks.saturating_sub(1);
                world.tick();
            });
        }
        worlds
    }

    fn tick(&mut self) {
        self.ticks += 1;
        for login in &mut self.logins {
            if login.is_open() && self.runtimes[login.runtime] == Runtime::Driven {
                login.beats += 1;
            }
        }
    }

    fn land(&mut self, index: usize, result: Result<(), Fault>) {
        let now = self.now();
        let id = self.logins[index].id;
        let since = Moment {
            wall: now.wall,
            monotonic: now.monotonic - TICK * (self.ticks - self.logins[index].started_at),
        };
        let result = result.map(|()| (id, validity(since)));
        if result.is_err() {
            self.trouble.faults -= 1;
            self.is_explained = true;
        }
        let fault = result.err();
        let landed = self.machine.land(id, result, &now, 1.0);
        self.logins[index].state = fault.map_or(State::Landed, State::Failed);
        self.logins[index].landed = Some(landed);
    }

    fn turn(&mut self, index: usize, to: Runtime) {
        self.trouble.runtimes -= 1;
        self.runtimes[index] = to;
        for login in &mut self.logins {
            if login.runtime != index {
                continue;
            }
            login.was_driven = false;
            let has_task = matches!(login.state, State::Pending | State::Hangs);
            if to == Runtime::Ended && has_task {
                login.state = State::Lost;
                // As the task's end is told when it is dropped.
                self.machine.lose(login.id);
            }
        }
        for caller in &mut self.callers {
            caller.was_driven &= caller.runtime != index;
        }
    }

    /// A 401 for a caller's token: it asks once more where a replay can have another one.
    fn refuse(&mut self, index: usize, generation: u64) {
        self.trouble.refusals -= 1;
        let caller = &mut self.callers[index];
        if caller.is_replay {
            // It gets the second 401.
            caller.phase = Phase::Failed;
            return;
        }
        let had = self.machine.current().is_some();
        let now = self.now();
        let replays = self.machine.refuse(generation, &now);
        self.refusal_logins += u32::from(had && self.machine.current().is_none());
        let caller = &mut self.callers[index];
        caller.asked_at = self.ticks;
        caller.is_replay = true;
        caller.phase = if replays { Phase::Asks } else { Phase::Failed };
    }

    /// A replay is accepted: the token before was to blame, so that the next 401 may be the token's fault again.
    fn accept(&mut self, index: usize) {
        self.machine.accepted();
        self.callers[index].is_replay = false;
        self.refusal_logins = 0;
    }

    /// How long a caller has been asking, up to its deadline.
    fn asked_for(&self, caller: &Caller) -> u32 {
        (self.ticks - caller.asked_at).min(DEADLINE)
    }

    /// Hashes all that matters for what can follow; numbers that only count are left out.
    fn key(&self) -> u64 {
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
    fn tidy(&mut self) {
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

fn validity(since: Moment) -> Validity {
    Validity::refreshable(since, LIFETIME, 0.5)
}

fn explore(start: World, control: Control, found: &mut Found) {
    let mut open = vec![start];
    while let Some(world) = open.pop() {
        if !found.states.insert(world.key()) {
            continue;
        }
        found.superfluous += u64::from(world.superfluous > 0 || world.refusal_logins > 1);
        let followers = world.followers(control, found);
        let waits = |caller: &Caller| {
            let open = !matches!(caller.phase, Phase::Has(_) | Phase::Failed);
            open && world.acts(caller)
        };
        let is_end = followers.is_empty();
        found.ends += u64::from(is_end);
        found.hangs += u64::from(is_end && world.callers.iter().any(waits));
        open.extend(followers);
    }
}

const TOKEN: Ask = Ask::Token {
    least: Duration::ZERO,
};

const QUIET: Trouble = Trouble {
    runtimes: 0,
    faults: 0,
    hangs: 0,
    refusals: 0,
    jumps: 0,
    ticks: 0,
};

const TROUBLES: [Trouble; 6] = [
    Trouble {
        runtimes: 2,
        ticks: 3,
        ..QUIET
    },
    Trouble {
        runtimes: 1,
        faults: 1,
        ticks: 1,
        ..QUIET
    },
    Trouble {
        runtimes: 1,
        hangs: 1,
        ticks: 1,
        ..QUIET
    },
    Trouble {
        faults: 1,
        refusals: 3,
        ..QUIET
    },
    Trouble {
        jumps: 1,
        faults: 1,
        ticks: 1,
        ..QUIET
    },
    Trouble {
        jumps: 1,
        runtimes: 1,
        refusals: 1,
        ..QUIET
    },
];

/// Worlds of one to four callers with these troubles.
fn worlds(troubles: &[Trouble]) -> Vec<World> {
    let mut worlds = Vec::new();
    // Cold; fresh; in the advisory window; in the mandatory one; expired.
    let seeds = [None, Some(0), Some(3_400), Some(3_595), Some(3_600)];
    for trouble in troubles.iter().copied() {
        for seed in seeds {
            let seed = seed.map(Duration::from_secs);
            for callers in [
                &[(0, TOKEN)][..],
                &[(0, TOKEN), (1, TOKEN)],
                &[(0, TOKEN), (1, Ask::NewToken)],
                &[(0, TOKEN), (0, TOKEN), (1, TOKEN)],
            ] {
                worlds.push(World::new(callers, 2, seed, trouble));
            }
        }
        let four = [(0, TOKEN), (1, TOKEN), (2, TOKEN), (2, Ask::NewToken)];
        let least = Trouble {
            ticks: trouble.ticks.min(1),
            runtimes: trouble.runtimes.min(1),
            ..trouble
        };
        worlds.push(World::new(&four, 3, None, least));
    }
    worlds
}

fn explored(troubles: &[Trouble], control: Control) -> Found {
    let mut found = Found::default();
    for world in worlds(troubles) {
        explore(world, control, &mut found);
    }
    found
}

#[expect(clippy::print_stdout, reason = "the numbers are what this test is for")]
fn report(name: &str, found: &Found) {
    println!(
        "{name}: {} states, {} ends, {} hangs, {} unexplained errors, {} dead tokens, {} superfluous logins",
        found.states.len(),
        found.ends,
        found.hangs,
        found.unexplained,
        found.dead_tokens,
        found.superfluous
    );
}

#[test]
fn in_no_order_of_events_does_anybody_hang_get_a_dead_token_or_log_in_needlessly() {
    let found = explored(&TROUBLES, Control::None);
    report("cache", &found);
    assert_eq!((found.hangs, found.unexplained), (0, 0));
    assert_eq!((found.dead_tokens, found.superfluous), (0, 0));
    assert!(found.states.len() > 100_000, "{}", found.states.len());
}

#[test]
fn row_58_control_where_nobody_gives_a_login_up_callers_fail_without_a_fault() {
    let found = explored(&TROUBLES[..1], Control::NobodyGivesUp);
    report("nobody gives up", &found);
    assert!(found.unexplained > 0);
}
