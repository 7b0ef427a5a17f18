//! Rows 63 and 64: another process on the same store acts at every step, while this one is paused
//! and its lock ends, or after it.

use super::explore::{Explorer, Protocol, Tally};
use super::product::{AFTERWARDS, BEHAVIOURS, laws};
use super::report;
use super::server::token;
use super::world::{Laws, Others, World};
use crate::credential::api_token::ApiToken;
use crate::rotation::protocol::{Effect, Event, Machine};
use crate::store::Ruling;
use crate::store::record::Record;

/// What another process can do: it saves the old secret that it checked before all of this; creates
/// another API token and saves that; and rotates, or recovers what it finds.
pub(super) fn act(world: &World, laws: &Laws) -> Vec<World> {
    let mut created = world.clone();
    let other = created.server.create(created.now);
    vec![
        saved(world, token(0), laws),
        saved(&created, other, laws),
        rotated(world, laws),
    ]
}

/// Replaces the credential that was stored at the beginning, as `Profile::replace` does.
fn saved(world: &World, token: ApiToken, laws: &Laws) -> World {
    let mut world = world.clone();
    let seen = World::new().record;
    let is_unfinished = match &world.journal {
        None => false,
        Some(journal) => match journal.conclusion {
            None => !journal.is_done(&world.record),
            Some(conclusion) => {
                conclusion.ruling == Ruling::OtherApiToken && token.id() == seen.token.id()
            }
        },
    };
    let as_seen = world.record.is_same_as(&seen) || laws.others == Others::Blind;
    if as_seen && !is_unfinished {
        world.record = Record::new(token, world.record.generation + 1);
        world.journal = None;
    }
    world
}

/// Runs a whole rotation or recovery, to its end and with the service's next behaviours.
fn rotated(world: &World, laws: &Laws) -> World {
    let mut world = world.clone();
    world.lock_lost = false;
    let recovery = <Machine as Protocol>::recover(laws, &world);
    let mut machine = recovery.unwrap_or_else(|| <Machine as Protocol>::start(laws, &world));
    let mut reply = Event::Begin;
    loop {
        let mut ways = match Machine::next(&mut machine, reply, world.wall()) {
            Effect::Finish(_) => return world,
            Effect::SaveJournal(journal) => world.stored(world.save_journal(Some(&journal))),
            Effect::SaveRecord(record) => world.stored(world.save_record(&record)),
            Effect::ClearJournal => world.stored(world.save_journal(None)),
            Effect::Login(token) => world.login(&token, laws),
            Effect::Put(access_token) => world.put(&access_token, laws),
            Effect::Wait(time) => vec![(world.after(time), Event::Waited)],
        };
        (world, reply) = ways.swap_remove(0);
    }
}

fn beside(others: Others, crashes: u8) -> (Tally, usize) {
    let (mut sum, mut states) = (Tally::default(), 0);
    for first in BEHAVIOURS {
        for second in AFTERWARDS {
            let laws = Laws {
                others,
                recoveries: 2,
                ..laws(&[first, second])
            };
            let mut explorer = Explorer::new(&laws);
            sum += (1, explorer.explore::<Machine>(&World::new(), crashes));
            states += explorer.states();
        }
    }
    (sum, states)
}

#[test]
fn rows_63_and_64_another_process_at_any_step_loses_no_secret() {
    let (tally, states) = beside(Others::Careful, 1);
    report(format_args!(
        "another process: {tally:?} in {states} states"
    ));
    assert_eq!((tally.lost, tally.violations), (0, 0), "{tally:?}");
    assert!(tally.rotated > 0 && states > 10_000, "{states} {tally:?}");
}

#[test]
fn row_63_control_without_compare_and_swap_secrets_are_lost_in_the_same_world() {
    let (tally, states) = beside(Others::Blind, 0);
    report(format_args!(
        "without compare and swap: {tally:?} in {states} states"
    ));
    assert!(tally.lost > 0, "{tally:?}");
}

#[test]
fn row_64_control_without_asking_for_the_lock_secrets_are_lost_in_the_same_world() {
    let (tally, states) = beside(Others::Heedless, 0);
    report(format_args!(
        "without asking for the lock: {tally:?} in {states} states"
    ));
    assert!(tally.lost > 0, "{tally:?}");
}
