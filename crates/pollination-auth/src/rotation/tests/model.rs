//! The model of FAULTS 5.2, port of `rotation_model.py`: time in ticks, a service that may do
//! anything with any request, logins that get either answer while a change becomes known, and a
//! tick that may pass before any effect. Its small bounds are walked through completely; the
//! machine that is driven is the very one of the product.

use std::time::Duration;

use super::explore::{Explorer, Tally};
use super::report;
use super::server::Behaviour;
use super::world::{Clock, Laws, Others, World};
use crate::rotation::protocol::{Machine, Rules};

/// One tick of the model.
const TICK: Duration = Duration::from_secs(1);

/// A change comes up to so many ticks late.
const LATE: u64 = 3;

/// A change takes so many ticks to be known everywhere.
const PROPAGATION: u32 = 2;

fn laws(settle: u32) -> Laws {
    let mut any = vec![
        Behaviour::AtOnce,
        Behaviour::Lost,
        Behaviour::Truncated,
        Behaviour::Never,
    ];
    any.extend((1..=LATE).map(Behaviour::Late));
    Laws {
        rules: Rules {
            settle: TICK * settle,
            horizon: TICK * 60,
            requests: 2,
        },
        script: Vec::new(),
        any,
        arbitrary_logins: true,
        slow: TICK * PROPAGATION,
        put_takes: Duration::ZERO,
        delays: vec![Duration::ZERO, TICK],
        pauses: vec![Duration::ZERO, TICK, TICK * 2],
        recoveries: 1,
        bearer_life: Duration::from_secs(1_000_000),
        others: Others::Absent,
        clocks: vec![Clock::Right],
    }
}

fn walk(settle: u32, crashes: u8) -> Tally {
    let laws = laws(settle);
    let mut explorer = Explorer::new(&laws);
    let tally = explorer.explore::<Machine>(&World::new(), crashes);
    report(format_args!(
        "model, settle {settle}, crashes {crashes}: {tally:?} in {} states",
        explorer.states()
    ));
    tally
}

/// The longest that a change can be under way: late, and then becoming known.
fn bound() -> u32 {
    u32::try_from(LATE).unwrap() + PROPAGATION + 1
}

#[test]
fn table_5_2_nothing_is_lost_in_any_schedule_of_the_model() {
    for crashes in [0, 1, 2] {
        let tally = walk(bound(), crashes);
        assert_eq!((tally.lost, tally.violations), (0, 0), "{tally:?}");
        assert!(tally.schedules >= 1_000, "{tally:?}");
    }
}

#[test]
fn table_5_2_the_settle_time_is_what_it_rests_on() {
    let tally = walk(PROPAGATION, 0);
    assert!(tally.lost > 0, "{tally:?}");
}
