//! Walks through every schedule: each way an effect can go, and a crash before and after each step
//! of it. A state that was seen is not walked through again; its schedules are counted again. (When
//! states were told apart by the texts of their secrets and by every time as well, the product had
//! the same numbers in fourteen times as many states.)

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::AddAssign;
use std::time::{Duration, SystemTime};

use super::others;
use super::world::{Laws, Others, World, verified};
use crate::rotation::protocol::fingerprint::Names;
use crate::rotation::protocol::{Effect, Ending, Event, Machine, Verdict};
use crate::store::Ruling;

/// The steps of a replaced file before which or after which a crash leaves the old one: before and
/// after write and sync, before the rename; and twice more if the power fails before the directory
/// is on the disk.
const CRASHES_WITH_OLD: u128 = 7;
/// Those that leave the new one: after the rename, and before and after the sync of the directory.
const CRASHES_WITH_NEW: u128 = 3;
/// The same for a removed file: before it; and twice if the power fails before the directory is on
/// the disk.
const CRASHES_WITH_REMOVED_BACK: u128 = 3;
const CRASHES_WITH_REMOVED: u128 = 3;

/// A protocol: what runs, and what a process that starts makes of what it finds.
pub(super) trait Protocol: Clone {
    fn start(laws: &Laws, world: &World) -> Self;
    /// None when there is nothing to mend.
    fn recover(laws: &Laws, world: &World) -> Option<Self>;
    fn next(&mut self, event: Event, now: SystemTime) -> Effect;
    fn fingerprint(&self, names: &mut Names, state: &mut DefaultHasher);
}

impl Protocol for Machine {
    fn start(laws: &Laws, world: &World) -> Self {
        Self::rotate(laws.rules, world.record.clone())
    }

    fn recover(laws: &Laws, world: &World) -> Option<Self> {
        let journal = world.journal.clone()?;
        Some(Self::recover(laws.rules, world.record.clone(), journal))
    }

    fn next(&mut self, event: Event, now: SystemTime) -> Effect {
        Self::next(self, event, now)
    }

    fn fingerprint(&self, names: &mut Names, state: &mut DefaultHasher) {
        Self::fingerprint(self, names, state);
    }
}

/// What came of schedules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) schedules: u128,
    /// The stored secret is a new one, and logs in.
    pub(super) rotated: u128,
    /// The stored secret is the old one, and logs in.
    pub(super) kept: u128,
    /// It is not known, and what is needed to mend it is in the journal or the error.
    pub(super) unresolved: u128,
    /// Every secret is dead and the access token has ended, as was reported.
    pub(super) too_late: u128,
    /// Somebody else has deleted or replaced the API token, as was reported.
    pub(super) taken: u128,
    /// The stored secret does not log in, and nobody has the one that does.
    pub(super) lost: u128,
    /// Breaches of I1 and I2.
    pub(super) violations: u128,
}

impl AddAssign<(u128, Self)> for Tally {
    fn add_assign(&mut self, (times, other): (u128, Self)) {
        self.schedules += times * other.schedules;
        self.rotated += times * other.rotated;
        self.kept += times * other.kept;
        self.unresolved += times * other.unresolved;
        self.too_late += times * other.too_late;
        self.taken += times * other.taken;
        self.lost += times * other.lost;
        self.violations += times * other.violations;
    }
}

/// What a process that was ended, or has ended, leaves to the next one.
#[derive(Clone, Copy)]
struct Luck {
    crashes: u8,
    recoveries: u8,
    /// How often another process acts.
    pauses: u8,
}

/// Walks through the schedules of one protocol under one set of laws.
pub(super) struct Explorer<'a> {
    laws: &'a Laws,
    seen: HashMap<u64, Tally>,
}

impl<'a> Explorer<'a> {
    pub(super) fn new(laws: &'a Laws) -> Self {
        Self {
            laws,
            seen: HashMap::new(),
        }
    }

    /// Counts the states that were told apart.
    pub(super) fn states(&self) -> usize {
        self.seen.len()
    }

    pub(super) fn explore<P: Protocol>(&mut self, world: &World, crashes: u8) -> Tally {
        let luck = Luck {
            crashes,
            recoveries: self.laws.recoveries,
            pauses: u8::from(self.laws.others != Others::Absent),
        };
        let mut tally = Tally::default();
        for clock in &self.laws.clocks {
            let world = world.with_clock(*clock);
            let protocol = P::start(self.laws, &world);
            tally += (1, self.reply(world, protocol, Event::Begin, luck));
        }
        tally
    }

    fn reply<P: Protocol>(
        &mut self,
        world: World,
        mut protocol: P,
        event: Event,
        luck: Luck,
    ) -> Tally {
        let effect = protocol.next(event, world.wall());
        let key = self.key(&world, &protocol, &effect, luck);
        if let Some(known) = self.seen.get(&key) {
            return *known;
        }
        let mut tally = Tally::default();
        for delay in &self.laws.delays {
            let later = world.after(*delay);
            tally += (1, self.effect(&later, &protocol, &effect, luck));
        }
        if luck.pauses > 0 {
            let left = Luck {
                pauses: luck.pauses - 1,
                ..luck
            };
            for mut world in others::act(&world, self.laws) {
                world.lock_lost = self.laws.others != Others::Heedless;
                tally += (1, self.effect(&world, &protocol, &effect, left));
            }
        }
        self.seen.insert(key, tally);
        tally
    }

    fn effect<P: Protocol>(
        &mut self,
        world: &World,
        protocol: &P,
        effect: &Effect,
        luck: Luck,
    ) -> Tally {
        let laws = self.laws;
        let (ways, crashes) = match effect {
            Effect::Finish(ending) => return self.end::<P>(world, ending, luck),
            Effect::SaveJournal(journal) => {
                let new = world.save_journal(Some(journal));
                (world.stored(new.clone()), replaced(world, new))
            }
            Effect::SaveRecord(record) => {
                let new = world.save_record(record);
                (world.stored(new.clone()), replaced(world, new))
            }
            Effect::ClearJournal => {
                let new = world.save_journal(None);
                let crashes = vec![
                    (CRASHES_WITH_REMOVED_BACK, world.clone()),
                    (CRASHES_WITH_REMOVED, new.clone()),
                ];
                (world.stored(new), crashes)
            }
            Effect::Login(token) => {
                let ways = world.login(token, laws);
                let after = ways.iter().map(|(world, _)| (1, world.clone()));
                let crashes = std::iter::once((1, world.clone())).chain(after);
                let crashes = crashes.collect();
                (ways, crashes)
            }
            Effect::Put(access_token) => {
                let ways = world.put(access_token, laws);
                let after = ways.iter().map(|(world, _)| (1, world.clone()));
                let crashes = std::iter::once((1, world.clone())).chain(after);
                let crashes = crashes.collect();
                (ways, crashes)
            }
            Effect::Wait(time) => {
                let (half, whole) = (world.after(*time / 2), world.after(*time));
                let crashes = vec![(1, world.clone()), (1, half), (1, whole.clone())];
                (vec![(whole, Event::Waited)], crashes)
            }
        };
        let mut tally = Tally::default();
        if luck.crashes > 0 {
            let left = Luck {
                crashes: luck.crashes - 1,
                ..luck
            };
            for (times, world) in crashes {
                tally += (times, self.crashed::<P>(&world, left));
            }
        }
        for (world, reply) in ways {
            tally += (1, self.reply(world, protocol.clone(), reply, luck));
        }
        tally
    }

    /// A process has died; another one looks what it left.
    fn crashed<P: Protocol>(&mut self, world: &World, luck: Luck) -> Tally {
        let mut tally = Tally::default();
        for pause in &self.laws.pauses {
            tally += (1, self.recovered::<P>(&world.after(*pause), luck));
        }
        if luck.pauses > 0 {
            let left = Luck {
                pauses: luck.pauses - 1,
                ..luck
            };
            for world in others::act(world, self.laws) {
                tally += (1, self.recovered::<P>(&world, left));
            }
        }
        tally
    }

    /// Another process looks what is there, by whatever its clock shows.
    fn recovered<P: Protocol>(&mut self, world: &World, luck: Luck) -> Tally {
        let mut tally = Tally::default();
        for clock in &self.laws.clocks {
            let mut world = world.with_clock(*clock);
            world.lock_lost = false;
            let found = match P::recover(self.laws, &world) {
                Some(protocol) => self.reply(world, protocol, Event::Begin, luck),
                None => settled(&world),
            };
            tally += (1, found);
        }
        tally
    }

    /// A run has ended by itself; where something is left to mend, another one begins.
    fn end<P: Protocol>(&mut self, world: &World, ending: &Ending, luck: Luck) -> Tally {
        let valid = ending.candidates.iter().any(|token| world.is_valid(token));
        let stored = world.is_valid(&world.record.token);
        let bearer_lives = !world.key_left().is_zero();
        let is_anothers = world.server.is_other || world.server.is_gone;
        let newest = ending.candidates.last();
        match ending.verdict {
            Verdict::Rotated | Verdict::NothingHappened => {
                // Somebody else can have changed it since.
                let told = world.lock_lost || ending.record.token.is_same_as(&world.record.token);
                let mut tally = settled(world);
                if !told {
                    tally = lost(world);
                }
                tally
            }
            // What was never sent left the stored secret as it is, or a rotation to be recovered.
            Verdict::NotStarted if world.journal.is_none() => settled(world),
            Verdict::Ruled(Ruling::CredentialLost) if !bearer_lives && !valid && !stored => Tally {
                too_late: 1,
                ..one(world)
            },
            Verdict::Ruled(Ruling::ApiTokenGone) if world.server.is_gone => Tally {
                taken: 1,
                ..one(world)
            },
            // The account's new secret is in the error; or whoever acted when the lock had ended
            // has a newer one, from its own request.
            Verdict::Ruled(Ruling::OtherApiToken)
                if newest.is_some_and(|newest| world.server.is_the_other(newest))
                    || (world.lock_lost && world.server.is_other) =>
            {
                Tally {
                    taken: 1,
                    ..one(world)
                }
            }
            // A service that says so for a while only: the journal is there, and is looked at
            // again.
            Verdict::Ruled(Ruling::ApiTokenGone) if luck.recoveries > 0 => {
                let left = Luck {
                    recoveries: luck.recoveries - 1,
                    ..luck
                };
                self.recovered::<P>(world, left)
            }
            // It was not lost at all.
            Verdict::Ruled(_) => lost(world),
            _ if luck.recoveries > 0 && world.journal.is_some() => {
                let left = Luck {
                    recoveries: luck.recoveries - 1,
                    ..luck
                };
                self.recovered::<P>(world, left)
            }
            // I3: the error carries the secret, or the journal can make another. Where somebody
            // else has taken the API token away, there is none to make.
            _ if valid || bearer_lives || is_anothers => Tally {
                unresolved: 1,
                ..one(world)
            },
            _ => settled(world),
        }
    }

    fn key<P: Protocol>(&self, world: &World, protocol: &P, effect: &Effect, luck: Luck) -> u64 {
        let mut state = DefaultHasher::new();
        let mut names = Names::default();
        world.fingerprint(self.laws, &mut names, &mut state);
        protocol.fingerprint(&mut names, &mut state);
        verified(world, &names, &mut state);
        std::mem::discriminant(effect).hash(&mut state);
        let wait = match effect {
            Effect::Wait(wait) => *wait,
            _ => Duration::ZERO,
        };
        (wait, luck.crashes, luck.recoveries, luck.pauses).hash(&mut state);
        state.finish()
    }
}

fn replaced(old: &World, new: World) -> Vec<(u128, World)> {
    vec![(CRASHES_WITH_OLD, old.clone()), (CRASHES_WITH_NEW, new)]
}

/// Everything is at rest, and no journal is left: the stored secret is the account's, or it is
/// lost.
fn settled(world: &World) -> Tally {
    if !world.is_valid(&world.record.token) {
        let is_anothers = world.server.is_other || world.server.is_gone;
        return if is_anothers {
            // Somebody else has deleted or replaced it, and has what took its place.
            Tally {
                taken: 1,
                ..one(world)
            }
        } else {
            lost(world)
        };
    }
    let rotated = world.record.generation > 0;
    Tally {
        rotated: u128::from(rotated),
        kept: u128::from(!rotated),
        ..one(world)
    }
}

fn lost(world: &World) -> Tally {
    Tally {
        lost: 1,
        ..one(world)
    }
}

/// One schedule, whose outcome is still to be said.
fn one(world: &World) -> Tally {
    Tally {
        schedules: 1,
        violations: u128::from(world.violations),
        ..Tally::default()
    }
}
