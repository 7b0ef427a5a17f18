//! Row 66: this machine's clock is wrong at the start, at a recovery, or at both; the service
//! judges.

use std::hash::{DefaultHasher, Hash as _};
use std::time::{Duration, SystemTime};

use super::control::ending;
use super::explore::{Explorer, Protocol, Tally};
use super::product::{AFTERWARDS, BEHAVIOURS, laws};
use super::report;
use super::server::Behaviour;
use super::world::{Clock, Laws, World};
use crate::rotation::protocol::fingerprint::Names;
use crate::rotation::protocol::{Effect, Event, Machine, Verdict};
use crate::store::Ruling;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The clocks of a machine: right, a day behind, ten days ahead, and never set.
const CLOCKS: [Clock; 4] = [
    Clock::Right,
    Clock::Behind(DAY),
    Clock::Ahead(Duration::from_secs(10 * 24 * 60 * 60)),
    Clock::Unset,
];

/// Explores every pair of behaviours with every clock at the start and at each recovery.
///
/// Without a service that refuses a living access token: with the clock far ahead such a refusal
/// and that of an expired token look the same, and one is believed.
fn every_clock<P: Protocol>(bearer_life: Duration, pause: Duration, crashes: u8) -> (Tally, usize) {
    let honest = |does: &&Behaviour| **does != Behaviour::Refused(401);
    let (mut sum, mut states) = (Tally::default(), 0);
    for first in BEHAVIOURS.iter().filter(honest) {
        for second in AFTERWARDS.iter().filter(honest) {
            let laws = Laws {
                clocks: CLOCKS.to_vec(),
                bearer_life,
                pauses: vec![pause],
                recoveries: 2,
                ..laws(&[*first, *second])
            };
            let mut explorer = Explorer::new(&laws);
            sum += (1, explorer.explore::<P>(&World::new(), crashes));
            states += explorer.states();
        }
    }
    (sum, states)
}

#[test]
fn row_66_no_clock_at_the_start_or_at_a_recovery_loses_a_secret() {
    let (tally, states) = every_clock::<Machine>(DAY, Duration::ZERO, 1);
    report(format_args!("clocks: {tally:?} in {states} states"));
    let ends = (tally.lost, tally.violations, tally.too_late);
    assert_eq!(ends, (0, 0, 0), "{tally:?}");
    assert!(tally.rotated > 0 && states > 10_000, "{states} {tally:?}");
}

#[test]
fn row_66_what_is_called_lost_is_lost_whatever_the_clock_shows() {
    let (life, pause) = (Duration::from_secs(1_000), Duration::from_secs(990));
    let (tally, states) = every_clock::<Machine>(life, pause, 1);
    report(format_args!(
        "clocks, short access token: {tally:?} in {states} states"
    ));
    assert_eq!((tally.lost, tally.violations), (0, 0), "{tally:?}");
    assert!(tally.too_late > 0 && tally.rotated > 0, "{tally:?}");
}

/// The control: calls a credential lost by the clock, without asking the service.
#[derive(Clone)]
struct ClockJudges {
    machine: Machine,
    access_token_expires: Option<SystemTime>,
}

impl Protocol for ClockJudges {
    fn start(laws: &Laws, world: &World) -> Self {
        Self {
            machine: <Machine as Protocol>::start(laws, world),
            access_token_expires: None,
        }
    }

    fn recover(laws: &Laws, world: &World) -> Option<Self> {
        Some(Self {
            machine: <Machine as Protocol>::recover(laws, world)?,
            access_token_expires: world
                .journal
                .as_ref()
                .map(|journal| journal.access_token_expires),
        })
    }

    fn next(&mut self, event: Event, now: SystemTime) -> Effect {
        let effect = Machine::next(&mut self.machine, event, now);
        match (&effect, self.access_token_expires) {
            (Effect::SaveJournal(journal), Some(ends))
                if journal.candidates.is_empty() && ends <= now =>
            {
                let lost = Verdict::Ruled(Ruling::CredentialLost);
                let record = self.machine.stored().clone();
                Effect::Finish(Box::new(ending(lost, record, Vec::new())))
            }
            _ => effect,
        }
    }

    fn fingerprint(&self, names: &mut Names, state: &mut DefaultHasher) {
        Machine::fingerprint(&self.machine, names, state);
        self.access_token_expires.hash(state);
    }
}

#[test]
fn row_66_control_a_protocol_that_believes_the_clock_loses_secrets_in_the_same_world() {
    let (tally, states) = every_clock::<ClockJudges>(DAY, Duration::ZERO, 1);
    report(format_args!("clock judges: {tally:?} in {states} states"));
    assert!(tally.lost > 0, "{tally:?}");
}
