//! FAULTS 5.7, points 1, 2 and 4: crashes before and after every effect, times every behaviour of
//! the service for the first two requests, times up to two crashes during recovery.

use std::time::Duration;

use super::explore::{Explorer, Tally};
use super::report;
use super::server::Behaviour;
use super::world::{Clock, Laws, Others, World};
use crate::rotation::options::RotateOptions;
use crate::rotation::protocol::Machine;

/// All behaviours. What is late and slow together stays below the settle time of 60 s.
pub(super) const BEHAVIOURS: [Behaviour; 22] = [
    Behaviour::Never,
    Behaviour::AtOnce,
    Behaviour::Lost,
    Behaviour::Truncated,
    Behaviour::NoSecret,
    Behaviour::OtherId,
    Behaviour::Deleted,
    Behaviour::TwoSecrets,
    Behaviour::SameSecret,
    Behaviour::Late(1),
    Behaviour::Late(58),
    Behaviour::LateAndSlow(25),
    Behaviour::Slow,
    Behaviour::Refused(401),
    Behaviour::Refused(403),
    Behaviour::Refused(404),
    Behaviour::Refused(429),
    Behaviour::Refused(307),
    Behaviour::Failed(500),
    Behaviour::DoneAndFailed(502),
    Behaviour::DoneAndFailed(302),
    Behaviour::NotSent,
];

/// One behaviour of each kind, for a second request where more would only repeat the first.
pub(super) const AFTERWARDS: [Behaviour; 5] = [
    Behaviour::AtOnce,
    Behaviour::Lost,
    Behaviour::LateAndSlow(25),
    Behaviour::Refused(401),
    Behaviour::TwoSecrets,
];

/// How often a program recovers, at most, before it gives up: 4 times.
const RECOVERIES: u8 = 4;

/// The laws of a service that does this with the first requests, and then what it should.
pub(super) fn laws(first: &[Behaviour]) -> Laws {
    let mut script = first.to_vec();
    script.push(Behaviour::AtOnce);
    Laws {
        rules: RotateOptions::default().rules(),
        script,
        any: Vec::new(),
        arbitrary_logins: false,
        slow: Duration::ZERO,
        put_takes: Duration::from_secs(1),
        delays: vec![Duration::ZERO],
        pauses: vec![Duration::ZERO, Duration::from_secs(61)],
        recoveries: RECOVERIES,
        bearer_life: Duration::from_secs(24 * 60 * 60),
        others: Others::Absent,
        clocks: vec![Clock::Right],
    }
}

/// Explores every pair of behaviours, on all cores; gives the sum and the number of states.
pub(super) fn every_pair(
    seconds: &[Behaviour],
    explore: impl Fn(&Laws) -> (Tally, usize) + Sync,
) -> (Tally, usize) {
    let worker = |half: usize| {
        let (mut sum, mut states) = (Tally::default(), 0);
        for first in BEHAVIOURS.iter().skip(half).step_by(2) {
            for second in seconds {
                let (tally, seen) = explore(&laws(&[*first, *second]));
                sum += (1, tally);
                states += seen;
            }
        }
        (sum, states)
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| worker(1));
        let (mut sum, states) = worker(0);
        let (tally, seen) = other.join().unwrap();
        sum += (1, tally);
        (sum, states + seen)
    })
}

#[test]
fn point_5_7_1_no_schedule_of_three_crashes_and_two_faults_loses_a_secret() {
    let (tally, states) = every_pair(&BEHAVIOURS, |laws| {
        let mut explorer = Explorer::new(laws);
        let tally = explorer.explore::<Machine>(&World::new(), 3);
        (tally, explorer.states())
    });
    report(format_args!("product: {tally:?} in {states} states"));
    assert_eq!((tally.lost, tally.violations), (0, 0), "{tally:?}");
    assert_eq!((tally.too_late, tally.unresolved), (0, 0), "{tally:?}");
    assert!(
        tally.schedules > 100_000_000 && states > 50_000,
        "{tally:?}"
    );
    assert_eq!(tally.schedules, tally.rotated + tally.kept + tally.taken);
}

#[test]
fn point_5_7_7_no_store_that_fails_twice_and_no_login_that_fails_loses_a_secret() {
    let (tally, states) = every_pair(&AFTERWARDS, |laws| {
        let mut world = World::new();
        (world.store_faults, world.login_faults) = (2, 1);
        let mut explorer = Explorer::new(laws);
        let tally = explorer.explore::<Machine>(&world, 1);
        (tally, explorer.states())
    });
    report(format_args!("failing store: {tally:?} in {states} states"));
    assert_eq!((tally.lost, tally.violations), (0, 0), "{tally:?}");
    assert_eq!(tally.too_late, 0, "{tally:?}");
}

#[test]
fn point_5_7_6_an_access_token_that_ends_in_recovery_is_the_only_way_to_lose_and_is_reported() {
    let (tally, states) = every_pair(&BEHAVIOURS, |laws| {
        let mut laws = laws.clone();
        laws.bearer_life = Duration::from_secs(1_000);
        laws.pauses = vec![Duration::ZERO, Duration::from_secs(990)];
        let mut world = World::new();
        world.login_faults = 1;
        let mut explorer = Explorer::new(&laws);
        let tally = explorer.explore::<Machine>(&world, 2);
        (tally, explorer.states())
    });
    report(format_args!(
        "short access token: {tally:?} in {states} states"
    ));
    assert_eq!((tally.lost, tally.violations), (0, 0), "{tally:?}");
    assert!(tally.too_late > 0 && tally.rotated > 0, "{tally:?}");
}
