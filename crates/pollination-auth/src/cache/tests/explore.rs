//! Every order of events within bounds, and what must hold in each: nobody hangs, gets an expired token or an error
//! that no fault explains, or logs in needlessly.

use std::time::Duration;

use super::super::machine::Ask;
use super::world::{Caller, Control, Found, Phase, Trouble, World};

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
