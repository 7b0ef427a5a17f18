//! What can happen next in the virtual world of the cache: one step of a caller, a login, a runtime or a clock.

use std::sync::Arc;
use std::time::SystemTime;

use super::super::machine::{Next, Seen, Then, then};
use super::world::{
    Caller, Control, DEADLINE, Fault, Found, LIMIT, Login, Phase, Runtime, State, TICK, Token,
    World, validity,
};
use crate::credential::cached_token::Cached;
use crate::foundation::clock::Moment;

impl World {
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
    pub(super) fn followers(&self, control: Control, found: &mut Found) -> Vec<Self> {
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
        // Whoever can act does so before time passes; a late login is one that lands after a tick.
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
                // A dropped task sends its end in the same way.
                self.machine.lose(login.id);
            }
        }
        for caller in &mut self.callers {
            caller.was_driven &= caller.runtime != index;
        }
    }

    /// A 401 for a caller's token: it asks once more where a replay can have another one.
    pub(super) fn refuse(&mut self, index: usize, generation: u64) {
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
        self.machine.forget_refusal();
        self.callers[index].is_replay = false;
        self.refusal_logins = 0;
    }
}
