//! The virtual world: a clock, a disk and a service, and every way in which one effect can go.

use std::hash::{Hash, Hasher};
use std::time::{Duration, SystemTime};

use super::server::{Behaviour, Server, access_token, bearer_left, error, number, token};
use crate::credential::api_token::ApiToken;
use crate::error::Error;
use crate::error::failure::Reason;
use crate::foundation::secret::Secret;
use crate::rotation::protocol::fingerprint::{self, Names};
use crate::rotation::protocol::{Event, FreshToken, LoginReply, PutReply, Rules};
use crate::store::journal::Journal;
use crate::store::record::Record;
use crate::store::{Ruling, StoreError};

/// What can happen in a world.
#[derive(Clone, Debug)]
pub(super) struct Laws {
    pub(super) rules: Rules,
    /// What the service does with the first, the second and every further request.
    pub(super) script: Vec<Behaviour>,
    /// With these it does any of them, whatever the number of the request.
    pub(super) any: Vec<Behaviour>,
    /// While a change becomes known, a login with the old or the new secret gets either answer.
    pub(super) arbitrary_logins: bool,
    /// Every change takes this long to be known.
    pub(super) slow: Duration,
    /// How long a request for a secret takes.
    pub(super) put_takes: Duration,
    /// Time that may pass before any effect.
    pub(super) delays: Vec<Duration>,
    /// Time that may pass between a crash and the recovery.
    pub(super) pauses: Vec<Duration>,
    /// How often a run that ended unresolved is followed by a recovery.
    pub(super) recoveries: u8,
    pub(super) bearer_life: Duration,
    /// What another process does, if there is one.
    pub(super) others: Others,
    /// What this machine's clock may be at the start, and at each recovery.
    pub(super) clocks: Vec<Clock>,
}

/// Another process on the same store, which acts while this one is paused or when it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Others {
    Absent,
    /// It compares and swaps; the lock of the paused process has ended, and that one asks.
    Careful,
    /// The control: it writes what it checked before, without comparing again.
    Blind,
    /// The control: the paused process does not ask whether its lock has ended.
    Heedless,
}

/// This machine's clock, beside the service's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Clock {
    Right,
    Behind(Duration),
    Ahead(Duration),
    /// It was never set: it shows 1970.
    Unset,
}

/// The time at which worlds begin: 100 days after 1970, far enough for a clock to be behind.
const BEGIN: Duration = Duration::from_secs(100 * 24 * 60 * 60);

/// What lasts when the process ends, and the clock.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) now: Duration,
    pub(super) clock: Clock,
    pub(super) server: Server,
    pub(super) record: Record,
    pub(super) journal: Option<Journal>,
    /// The secrets that have logged in, a bit for each.
    verified: u128,
    /// The lock of the process at work has ended.
    pub(super) lock_lost: bool,
    /// When the last request ended that may change something later.
    unsettled_since: Option<Duration>,
    pub(super) violations: u64,
    pub(super) store_faults: u8,
    pub(super) login_faults: u8,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            now: BEGIN,
            clock: Clock::Right,
            server: Server::new(),
            record: Record::new(token(0), 0),
            journal: None,
            verified: bit(&token(0)),
            lock_lost: false,
            unsettled_since: None,
            violations: 0,
            store_faults: 0,
            login_faults: 0,
        }
    }

    pub(super) fn wall(&self) -> SystemTime {
        let shown = match self.clock {
            Clock::Right => self.now,
            Clock::Behind(time) => self.now.saturating_sub(time),
            Clock::Ahead(time) => self.now + time,
            Clock::Unset => self.now.saturating_sub(BEGIN),
        };
        SystemTime::UNIX_EPOCH + shown
    }

    pub(super) fn with_clock(&self, clock: Clock) -> Self {
        Self {
            clock,
            ..self.clone()
        }
    }

    /// Returns how long the service accepts the journal's access token.
    pub(super) fn key_left(&self) -> Duration {
        let journal = self.journal.as_ref();
        journal.map_or(Duration::ZERO, |journal| {
            bearer_left(&journal.access_token, self.now)
        })
    }

    pub(super) fn after(&self, time: Duration) -> Self {
        let mut later = self.clone();
        later.now += time;
        later
    }

    /// Returns `true` if a secret is the account's when everything has come to rest.
    pub(super) fn is_valid(&self, token: &ApiToken) -> bool {
        if self.server.is_the_other(token) {
            return true;
        }
        let rest = self.now + Duration::from_secs(100_000);
        self.server.logins(token, rest, false) == [true]
    }

    /// Every way in which a login can go.
    pub(super) fn login(&self, token: &ApiToken, laws: &Laws) -> Vec<(Self, Event)> {
        let mut ways = Vec::new();
        for accepted in self.server.logins(token, self.now, laws.arbitrary_logins) {
            let mut world = self.clone();
            let reply = if accepted {
                world.verified |= bit(token);
                LoginReply::Accepted(FreshToken {
                    secret: access_token(self.now, laws.bearer_life),
                    ends: self.wall() + laws.bearer_life,
                    left: laws.bearer_life,
                })
            } else {
                LoginReply::Refused(error(Error::CredentialsRejected, Reason::Status))
            };
            ways.push((world, Event::Login(reply)));
        }
        if self.login_faults > 0 {
            let mut world = self.clone();
            world.login_faults -= 1;
            let unknown = LoginReply::Unknown(error(Error::Unavailable, Reason::TimedOut));
            ways.push((world, Event::Login(unknown)));
        }
        ways
    }

    /// Every way in which a request for a new secret can go.
    pub(super) fn put(&self, access_token: &Secret, laws: &Laws) -> Vec<(Self, Event)> {
        let nth = self
            .server
            .requests
            .min(laws.script.len().saturating_sub(1));
        if self.lock_lost {
            return vec![(self.clone(), Event::NotHeld(StoreError::LockLost))];
        }
        let does = match laws.script.get(nth) {
            Some(does) => vec![*does],
            None => laws.any.clone(),
        };
        does.into_iter()
            .map(|does| {
                // What reaches the service with a dead access token is refused.
                let dead = bearer_left(access_token, self.now).is_zero();
                let reaches = !matches!(does, Behaviour::NotSent | Behaviour::Never);
                if dead && reaches {
                    Behaviour::Refused(401)
                } else {
                    does
                }
            })
            .map(|does| self.put_once(does, laws))
            .collect()
    }

    fn put_once(&self, does: Behaviour, laws: &Laws) -> (Self, Event) {
        let mut world = self.clone();
        let announced = world
            .journal
            .as_ref()
            .is_some_and(|journal| journal.requests > 0);
        let settled = world
            .unsettled_since
            .is_none_or(|since| world.now >= since + laws.rules.settle);
        // I2: nothing is sent that was not announced, and nothing before the last one has settled.
        world.violations += u64::from(!announced) + u64::from(!settled);
        // Another API token's secret is in the journal: one more request would end it.
        world.violations += u64::from(world.is_of_another());
        let reply = world.server.put(does, world.now, laws.slow);
        world.now += laws.put_takes;
        let nothing_done = matches!(
            reply,
            PutReply::NotSent(_) | PutReply::Unauthorized(_) | PutReply::Gone(_)
        );
        if !nothing_done {
            world.unsettled_since = Some(world.now);
        }
        (world, Event::Put(reply))
    }

    /// Returns `true` if the journal says that another API token was rotated.
    fn is_of_another(&self) -> bool {
        let conclusion = self.journal.as_ref().and_then(|journal| journal.conclusion);
        conclusion.is_some_and(|conclusion| conclusion.ruling == Ruling::OtherApiToken)
    }

    pub(super) fn save_record(&self, record: &Record) -> Self {
        let mut world = self.clone();
        if self.lock_lost {
            return world;
        }
        // I1: only a secret that has logged in takes the place of another.
        let proven = world.verified & bit(&record.token) != 0;
        world.violations += u64::from(!proven);
        world.record = record.clone();
        world
    }

    pub(super) fn save_journal(&self, journal: Option<&Journal>) -> Self {
        let mut world = self.clone();
        if self.lock_lost {
            return world;
        }
        world.journal = journal.cloned();
        if journal.is_none() {
            // The rotation is over; the next one has not to wait for its requests.
            world.unsettled_since = None;
        }
        world
    }

    /// The ways in which a write goes: it lasts; or it fails, and lasts or does not.
    pub(super) fn stored(&self, changed: Self) -> Vec<(Self, Event)> {
        if self.lock_lost {
            return vec![(self.clone(), Event::Stored(Err(StoreError::LockLost)))];
        }
        let mut ways = vec![(changed.clone(), Event::Stored(Ok(())))];
        if self.store_faults > 0 {
            for mut world in [self.clone(), changed] {
                world.store_faults -= 1;
                let full = std::io::Error::other("full");
                let failed = Event::Stored(Err(StoreError::failed("write", full)));
                ways.push((world, failed));
            }
        }
        ways
    }

    pub(super) fn fingerprint(&self, laws: &Laws, names: &mut Names, state: &mut impl Hasher) {
        self.server.fingerprint(self.now, names, state);
        self.server.requests.min(laws.script.len()).hash(state);
        fingerprint::record(&self.record, names, state);
        fingerprint::journal(self.journal.as_ref(), names, state);
        if let Some(journal) = &self.journal {
            // The time that the access token has left matters only where it can end.
            let left = journal
                .access_token_expires
                .duration_since(self.wall())
                .unwrap_or_default();
            left.min(laws.rules.horizon).hash(state);
            self.key_left().min(laws.rules.horizon).hash(state);
        }
        let unsettled = self
            .unsettled_since
            .map(|since| self.now.saturating_sub(since));
        unsettled.map(|ago| ago.min(laws.rules.settle)).hash(state);
        (self.clock, self.lock_lost).hash(state);
        (self.violations, self.store_faults, self.login_faults).hash(state);
    }
}

/// Hashes which of the secrets that matter have logged in.
pub(super) fn verified(world: &World, names: &Names, state: &mut impl Hasher) {
    for token in names.seen() {
        (world.verified & bit(token) != 0).hash(state);
    }
}

fn bit(token: &ApiToken) -> u128 {
    number(token).map_or(0, |secret| 1 << secret.min(127))
}
