//! The protocol step by step: which effects follow which replies, and what a recovery does in each
//! state.

use std::ops::Range;
use std::time::Duration;

use super::explore::Protocol;
use super::product::laws;
use super::server::{Behaviour, token};
use super::world::{Laws, World};
use crate::rotation::protocol::{Effect, Ending, Event, Machine, Verdict};

/// A machine that has run to its end, or until an effect was to be carried out whose name is `stop`.
pub(super) struct Run {
    pub(super) world: World,
    pub(super) names: Vec<&'static str>,
    pub(super) waited: Duration,
    pub(super) ending: Option<Box<Ending>>,
}

/// What happens instead of some effects: their name, which ones of that name, from 0, and the result.
pub(super) type Instead<'a> = (&'a str, Range<usize>, fn() -> Event);

fn run(laws: &Laws, world: &World, machine: Machine, stop: Option<(&str, usize)>) -> Run {
    run_with(laws, world, machine, stop, None)
}

fn run_with(
    laws: &Laws,
    world: &World,
    mut machine: Machine,
    stop: Option<(&str, usize)>,
    instead: Option<&Instead>,
) -> Run {
    let mut run = Run {
        world: world.clone(),
        names: Vec::new(),
        waited: Duration::ZERO,
        ending: None,
    };
    let mut reply = Event::Begin;
    loop {
        let effect = Machine::next(&mut machine, reply, run.world.wall());
        let before = run
            .names
            .iter()
            .filter(|name| **name == effect.name())
            .count();
        if stop.is_some_and(|(name, nth)| name == effect.name() && nth == before) {
            return run;
        }
        run.names.push(effect.name());
        if let Some((name, which, event)) = instead
            && *name == effect.name()
            && which.contains(&before)
        {
            reply = event();
            continue;
        }
        let world = &run.world;
        let mut ways = match effect {
            Effect::Finish(ending) => {
                run.names.pop();
                run.ending = Some(ending);
                return run;
            }
            Effect::SaveJournal(journal) => world.stored(world.save_journal(Some(&journal))),
            Effect::SaveRecord(record) => world.stored(world.save_record(&record)),
            Effect::ClearJournal => world.stored(world.save_journal(None)),
            Effect::Login(token) => world.login(&token, laws),
            Effect::Put(access_token) => world.put(&access_token, laws),
            Effect::Wait(time) => {
                run.waited += time;
                vec![(world.after(time), Event::Waited)]
            }
        };
        (run.world, reply) = ways.swap_remove(0);
    }
}

fn rotate(script: &[Behaviour]) -> Run {
    rotate_with(&laws(script), None)
}

pub(super) fn rotate_with(laws: &Laws, instead: Option<&Instead>) -> Run {
    let world = World::new();
    let machine = Machine::start(laws, &world);
    run_with(laws, &world, machine, None, instead)
}

/// Rotates until an effect is about to be carried out, and recovers what is there then.
fn recover_before(script: &[Behaviour], name: &str, nth: usize) -> Run {
    let (laws, world) = (laws(script), World::new());
    let machine = Machine::start(&laws, &world);
    let stopped = run(&laws, &world, machine, Some((name, nth)));
    assert!(stopped.ending.is_none());
    let machine = <Machine as Protocol>::recover(&laws, &stopped.world).unwrap();
    run(&laws, &stopped.world, machine, None)
}

pub(super) fn verdict(run: &Run) -> Verdict {
    run.ending.as_ref().unwrap().verdict
}

pub(super) const LOG_IN: &str = "log in";
pub(super) const ANNOUNCE: &str = "save the journal";
pub(super) const REQUEST: &str = "request a secret";
pub(super) const STORE: &str = "save the credential";
pub(super) const CLEAR: &str = "remove the journal";
pub(super) const WAIT: &str = "wait";

#[test]
fn a_good_rotation_waits_for_nothing() {
    let run = rotate(&[Behaviour::AtOnce]);
    let whole = [LOG_IN, ANNOUNCE, REQUEST, ANNOUNCE, LOG_IN, STORE, CLEAR];
    assert_eq!(
        (run.names.as_slice(), verdict(&run)),
        (&whole[..], Verdict::Rotated)
    );
    assert_eq!(run.waited, Duration::ZERO);
    assert!(run.world.record.token.is_same_as(&token(1)));
}

#[test]
fn row_40_a_lost_reply_settles_and_then_another_secret_is_minted() {
    let run = rotate(&[Behaviour::Lost]);
    let first = [LOG_IN, ANNOUNCE, REQUEST, WAIT, LOG_IN];
    let second = [ANNOUNCE, REQUEST, ANNOUNCE, LOG_IN, STORE, CLEAR];
    assert_eq!(run.names, [&first[..], &second[..]].concat());
    assert_eq!(run.waited, Duration::from_secs(60));
}

#[test]
fn row_24_a_wish_to_be_left_alone_is_heeded_and_the_request_repeated() {
    let run = rotate(&[Behaviour::Refused(429)]);
    assert_eq!(
        (run.waited, verdict(&run)),
        (Duration::from_secs(90), Verdict::Rotated)
    );
}

#[test]
fn row_41_a_change_that_comes_late_is_seen_before_anything_is_repeated() {
    let run = rotate(&[Behaviour::Late(58)]);
    assert_eq!(
        (run.world.server.requests, verdict(&run)),
        (2, Verdict::Rotated)
    );
    assert!(run.world.is_valid(&run.world.record.token));
}

#[test]
fn row_42_a_new_secret_is_tried_again_while_the_service_settles() {
    let run = rotate(&[Behaviour::Slow]);
    assert_eq!(
        (run.world.server.requests, verdict(&run)),
        (1, Verdict::Rotated)
    );
    assert!(run.waited > Duration::from_secs(29) && run.waited < Duration::from_secs(41));
}

#[test]
fn a_refusal_is_not_repeated_and_leaves_everything_as_it_was() {
    let run = rotate(&[Behaviour::Refused(403)]);
    let whole = [LOG_IN, ANNOUNCE, REQUEST, WAIT, LOG_IN, CLEAR];
    assert_eq!(run.names, whole);
    assert_eq!(verdict(&run), Verdict::NothingHappened);
}

#[test]
fn table_5_6_a_401_is_answered_by_one_login_and_one_request_more() {
    let run = rotate(&[Behaviour::Refused(401)]);
    let first = [LOG_IN, ANNOUNCE, REQUEST, LOG_IN];
    let second = [ANNOUNCE, REQUEST, ANNOUNCE, LOG_IN, STORE, CLEAR];
    assert_eq!(run.names, [&first[..], &second[..]].concat());
    let twice = rotate(&[Behaviour::Refused(401), Behaviour::Refused(401)]);
    assert_eq!(twice.world.server.requests, 2);
    assert_eq!(verdict(&twice), Verdict::NothingHappened);
}

#[test]
fn what_was_not_sent_waits_for_nothing_and_leaves_no_journal() {
    let run = rotate(&[Behaviour::NotSent]);
    assert_eq!(run.names, [LOG_IN, ANNOUNCE, REQUEST, CLEAR]);
    assert_eq!(
        (run.waited, verdict(&run)),
        (Duration::ZERO, Verdict::NotStarted)
    );
}

#[test]
fn requests_are_bounded_and_the_last_word_is_honest() {
    let run = rotate(&[Behaviour::Failed(500); 4]);
    assert_eq!(
        (run.world.server.requests, verdict(&run)),
        (3, Verdict::NothingHappened)
    );
    let run = rotate(&[Behaviour::Lost; 4]);
    assert_eq!(
        (run.world.server.requests, verdict(&run)),
        (3, Verdict::Ambiguous)
    );
}

#[test]
fn a_secret_that_was_promised_and_never_came_is_kept_until_the_access_token_ends() {
    let mut laws = laws(&[Behaviour::AtOnce]);
    laws.slow = Duration::from_secs(1_000_000);
    let world = World::new();
    let machine = Machine::start(&laws, &world);
    let first = run(&laws, &world, machine, None);
    assert_eq!(verdict(&first), Verdict::Unverified);
    // Cut into slices, and still no shorter than twice the whole.
    assert!(first.waited >= laws.rules.settle * 2);
    assert!(first.waited < laws.rules.settle * 3);
    for (later, expected) in [
        (Duration::from_secs(60), Verdict::Unverified),
        (laws.bearer_life, Verdict::NothingHappened),
    ] {
        let world = first.world.after(later);
        let machine = <Machine as Protocol>::recover(&laws, &world).unwrap();
        assert_eq!(verdict(&run(&laws, &world, machine, None)), expected);
    }
}

#[test]
fn state_s1_a_recovery_of_what_was_not_sent_settles_and_keeps_the_old_secret() {
    let run = recover_before(&[Behaviour::AtOnce], REQUEST, 0);
    assert_eq!(run.names, [WAIT, LOG_IN, CLEAR]);
    assert_eq!(verdict(&run), Verdict::NothingHappened);
    assert_eq!(run.world.server.requests, 0);
}

#[test]
fn state_s2_a_recovery_of_what_was_sent_mints_another_secret() {
    let run = recover_before(&[Behaviour::AtOnce], ANNOUNCE, 1);
    let whole = [
        WAIT, LOG_IN, ANNOUNCE, REQUEST, ANNOUNCE, LOG_IN, STORE, CLEAR,
    ];
    assert_eq!(
        (run.names.as_slice(), verdict(&run)),
        (&whole[..], Verdict::Rotated)
    );
    assert!(run.ending.unwrap().recovered);
}

#[test]
fn state_s3_a_recovery_with_the_new_secret_in_hand_sends_nothing_and_waits_for_nothing() {
    let run = recover_before(&[Behaviour::AtOnce], STORE, 0);
    assert_eq!(run.names, [LOG_IN, STORE, CLEAR]);
    assert_eq!(
        (run.world.server.requests, verdict(&run)),
        (1, Verdict::Rotated)
    );
}

#[test]
fn state_s5_a_recovery_of_what_is_done_removes_the_journal_alone() {
    let run = recover_before(&[Behaviour::AtOnce], CLEAR, 0);
    assert_eq!(run.names, [CLEAR]);
    assert_eq!(verdict(&run), Verdict::Rotated);
}
