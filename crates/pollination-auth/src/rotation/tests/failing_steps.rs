//! The protocol where one of its steps fails: the lock is lost, the store fails, a login is not possible.

use std::io;
use std::ops::Range;
use std::time::Duration;

use super::product::laws;
use super::server::{Behaviour, error};
use super::steps::{
    ANNOUNCE, CLEAR, Instead, LOG_IN, REQUEST, Run, STORE, WAIT, rotate_with, verdict,
};
use crate::error::Error;
use crate::error::failure::Reason;
use crate::rotation::cause::RotateCause;
use crate::rotation::protocol::{Event, LoginReply, Verdict};
use crate::store::{Ruling, StoreError};

fn rotate(script: &[Behaviour], instead: Instead) -> Run {
    rotate_with(&laws(script), Some(&instead))
}

fn count(run: &Run, name: &str) -> usize {
    run.names.iter().filter(|one| **one == name).count()
}

fn cause(run: &Run) -> Option<&RotateCause> {
    run.ending.as_ref().unwrap().cause.as_ref()
}

/// The service's behaviour, the effect at which the lock is found to be lost, and the verdict.
type Loss = (Behaviour, &'static str, usize, fn() -> Event, Verdict);

#[test]
fn row_64_a_lock_that_is_lost_ends_a_run_with_what_is_known_by_then() {
    use Behaviour::{AtOnce, Deleted, Lost, NotSent, OtherId, Refused};
    let write = || Event::Stored(Err(StoreError::LockLost));
    let request = || Event::NotHeld(StoreError::LockLost);
    let losses: [Loss; 11] = [
        (AtOnce, ANNOUNCE, 0, write, Verdict::NotStarted),
        (AtOnce, REQUEST, 0, request, Verdict::NotStarted),
        (AtOnce, ANNOUNCE, 1, write, Verdict::PersistFailed),
        (AtOnce, STORE, 0, write, Verdict::Ambiguous),
        (AtOnce, CLEAR, 0, write, Verdict::Rotated),
        (NotSent, CLEAR, 0, write, Verdict::NotStarted),
        (Refused(403), CLEAR, 0, write, Verdict::Ambiguous),
        // The first of two requests may have been acted on.
        (Lost, ANNOUNCE, 1, write, Verdict::Ambiguous),
        (Lost, REQUEST, 1, request, Verdict::Ambiguous),
        // What was created for another API token is in hand; any other ruling is asked for again.
        (
            OtherId,
            ANNOUNCE,
            1,
            write,
            Verdict::Ruled(Ruling::OtherApiToken),
        ),
        (Deleted, ANNOUNCE, 1, write, Verdict::Ambiguous),
    ];
    for (behaviour, name, nth, lost, expected) in losses {
        let run = rotate(&[behaviour], (name, nth..nth + 1, lost));
        let place = format!("{behaviour:?}, {name} {nth}: {:?}", run.names);
        assert_eq!(verdict(&run), expected, "{place}");
        assert_eq!(run.names.last(), Some(&name), "{place}");
        let is_lost = matches!(cause(&run), Some(RotateCause::Store(StoreError::LockLost)));
        assert!(is_lost, "{place}");
    }
}

fn full() -> Event {
    let error = io::Error::other("the disk is full");
    Event::Stored(Err(StoreError::failed("write a file", error)))
}

#[test]
fn row_54_a_write_that_fails_after_the_request_is_tried_once_more() {
    let other = Verdict::Ruled(Ruling::OtherApiToken);
    for (behaviour, name, first, written, expected) in [
        (
            Behaviour::AtOnce,
            ANNOUNCE,
            1,
            3,
            [Verdict::Rotated, Verdict::PersistFailed],
        ),
        (
            Behaviour::AtOnce,
            STORE,
            0,
            2,
            [Verdict::Rotated, Verdict::PersistFailed],
        ),
        (Behaviour::OtherId, ANNOUNCE, 1, 3, [other, other]),
    ] {
        for (times, expected) in (1..).zip(expected) {
            let run = rotate(&[behaviour], (name, first..first + times, full));
            assert_eq!(
                verdict(&run),
                expected,
                "{behaviour:?}, {name}: {:?}",
                run.names
            );
            assert_eq!(
                count(&run, name),
                written,
                "{behaviour:?}, {name}: {:?}",
                run.names
            );
            let is_told = matches!(cause(&run), Some(RotateCause::Store(_)));
            assert_eq!(is_told, times == 2, "{behaviour:?}, {name}");
        }
    }
}

fn unknown() -> Event {
    Event::Login(LoginReply::Unknown(error(
        Error::Unavailable,
        Reason::ConnectionLost,
    )))
}

/// A rotation whose request is lost, and whose logins after it fail.
fn without_logins(which: Range<usize>) -> Run {
    rotate(&[Behaviour::Lost], (LOG_IN, which, unknown))
}

#[test]
fn row_40_secrets_that_can_not_be_tried_are_tried_a_few_times_and_nothing_more_is_requested() {
    let settle = laws(&[]).rules.settle;
    let run = without_logins(1..100);
    assert_eq!(
        (verdict(&run), count(&run, REQUEST)),
        (Verdict::Ambiguous, 1)
    );
    // The settle time, and five rounds of a sixth of it.
    assert_eq!(
        (count(&run, WAIT), run.waited),
        (6, settle + settle / 6 * 5)
    );
    assert!(matches!(
        cause(&run),
        Some(RotateCause::Service(Error::Unavailable(_)))
    ));
    let run = without_logins(1..3);
    assert_eq!((verdict(&run), count(&run, REQUEST)), (Verdict::Rotated, 2));
    assert_eq!(run.waited, settle + settle / 6 * 2);
}

#[test]
fn why_a_rotation_has_not_begun_is_told() {
    let run = rotate(&[Behaviour::AtOnce], (LOG_IN, 0..1, unknown));
    assert_eq!(
        (verdict(&run), run.names.as_slice()),
        (Verdict::NotStarted, &[LOG_IN][..])
    );
    assert!(matches!(
        cause(&run),
        Some(RotateCause::Service(Error::Unavailable(_)))
    ));
}

#[test]
fn a_rotation_begins_with_an_access_token_that_lives_long_enough_for_a_recovery() {
    let mut laws = laws(&[Behaviour::AtOnce]);
    laws.bearer_life = laws.rules.horizon;
    assert_eq!(verdict(&rotate_with(&laws, None)), Verdict::Rotated);
    laws.bearer_life -= Duration::from_secs(1);
    let run = rotate_with(&laws, None);
    assert_eq!(
        (verdict(&run), count(&run, REQUEST)),
        (Verdict::NotStarted, 0)
    );
    assert!(matches!(
        cause(&run),
        Some(RotateCause::AccessTokenTooShort { .. })
    ));
}

#[test]
fn a_401_to_the_last_request_is_followed_by_no_other_one() {
    let mut laws = laws(&[Behaviour::Refused(401)]);
    laws.rules.requests = 1;
    let run = rotate_with(&laws, None);
    assert_eq!(
        (verdict(&run), count(&run, REQUEST)),
        (Verdict::NothingHappened, 1)
    );
}

#[test]
fn a_secret_from_a_reply_that_can_not_be_trusted_is_not_tried_before_the_service_has_settled() {
    let run = rotate_with(&laws(&[Behaviour::TwoSecrets]), None);
    assert_eq!(
        &run.names[..6],
        [LOG_IN, ANNOUNCE, REQUEST, ANNOUNCE, WAIT, LOG_IN]
    );
    assert_eq!(run.waited, Duration::from_secs(60));
}

#[test]
fn a_secret_that_is_the_old_one_is_no_new_one() {
    let run = rotate_with(&laws(&[Behaviour::SameSecret]), None);
    assert_eq!(verdict(&run), Verdict::Rotated);
    assert!(run.ending.unwrap().unchanged);
    assert!(!run.names.contains(&STORE), "{:?}", run.names);
}
