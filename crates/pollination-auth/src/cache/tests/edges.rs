//! The cache at the edges of its bounds: just before a time and at it, and after something failed.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::JoinHandle;

use super::super::machine::{Ask, REFUSAL_PAUSE, Seen, then};
use super::super::shared::Shared as Inside;
use super::super::wait::{STALL, wait};
use super::support::{Does, FLIGHT_LIMIT, Source, in_time, said, settle};
use crate::credential::access_token::CachedToken;
use crate::error::Error;
use crate::foundation::clock::Clock as _;
use crate::foundation::clock::tests::ManualClock;

const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

#[test]
fn row_56_only_a_caller_of_another_runtime_gives_a_login_up() {
    let now = ManualClock::new().now();
    let then = |seen, is_elsewhere| {
        let then = then::<(), Infallible>(seen, is_elsewhere, None, &now);
        format!("{then:?}")
    };
    let nothing = || Seen::Nothing {
        is_still: true,
        is_late: false,
    };
    assert_eq!(then(nothing(), true), "GiveUp");
    assert_eq!(then(nothing(), false), "WaitOn");
    assert_eq!(then(Seen::Unfit, true), "LookAgain");
    assert_eq!(then(Seen::Unfit, false), "Unfit");
}

/// Starts a login that does not end, and waits for it.
fn start(inside: &Arc<Inside>) -> JoinHandle<Result<Arc<CachedToken>, Error>> {
    let inside = inside.clone();
    tokio::spawn(async move { wait(&inside, Ask::NewToken, in_time()).await })
}

#[tokio::test(start_paused = true)]
async fn row_56_a_login_beats_within_the_time_after_which_it_counts_as_stalled() {
    let source = Source::new(HOUR);
    let inside = source.inside();
    source.close();
    let caller = start(&inside);
    settle().await;
    let flight = inside.lock().flight.clone().unwrap();
    for _ in 0..3 {
        let before = flight.beats();
        tokio::time::advance(STALL).await;
        settle().await;
        assert!(flight.beats() > before);
    }
    assert!(!flight.is_lost());
    source.open();
    assert_eq!(said(caller.await.unwrap()), "token-1");
}

#[test]
fn row_56_a_login_whose_runtime_is_gone_is_lost() {
    let source = Source::new(HOUR);
    let inside = source.inside();
    source.close();
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    first.block_on(async {
        drop(start(&inside));
        settle().await;
    });
    let flight = inside.lock().flight.clone().unwrap();
    assert!(!flight.is_lost());
    drop(first);
    assert!(flight.is_lost());
    source.open();
    let next = runtime().block_on(async { start(&inside).await.unwrap() });
    assert_eq!(said(next), "token-1");
}

#[test]
fn row_56_a_login_on_another_runtime_that_goes_on_is_waited_for() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    source.close();
    let other = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let other = other.unwrap();
    let first = {
        let cache = cache.clone();
        other.spawn(async move { said(cache.get(Duration::ZERO, in_time()).await) })
    };
    for _ in 0..10_000 {
        if source.logins() > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let own = Builder::new_current_thread().enable_all().build().unwrap();
    let second = own.block_on(async {
        let mut get = pin!(cache.get(Duration::ZERO, in_time()));
        let first_poll = poll_fn(|context| Poll::Ready(get.as_mut().poll(context).is_pending()));
        assert!(first_poll.await);
        settle().await;
        source.open();
        said(get.await)
    });
    assert_eq!((second.as_str(), source.logins()), ("token-1", 1));
    assert_eq!(own.block_on(first).unwrap(), "token-1");
}

#[tokio::test(start_paused = true)]
async fn a_login_is_joined_until_it_has_taken_as_long_as_one_may() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    source.close();
    let ask = || {
        let cache = cache.clone();
        tokio::spawn(async move { said(cache.get(Duration::ZERO, in_time()).await) })
    };
    let mut callers = vec![ask()];
    settle().await;
    source.clock.advance(FLIGHT_LIMIT - SECOND);
    callers.push(ask());
    settle().await;
    assert_eq!(source.logins(), 1);
    source.clock.advance(SECOND);
    callers.push(ask());
    settle().await;
    assert_eq!(source.logins(), 2);
    source.open();
    for caller in callers {
        assert!(caller.await.unwrap().starts_with("token-"));
    }
}

#[tokio::test]
async fn row_27_a_token_is_dropped_for_a_401_once_in_a_pause_or_after_one_was_accepted() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    let generation = async || {
        let token = cache.get(Duration::ZERO, in_time()).await;
        token.unwrap().generation
    };
    assert!(cache.refuse(generation().await));
    let second = generation().await;
    source.clock.advance(REFUSAL_PAUSE - SECOND);
    assert!(!cache.refuse(second));
    source.clock.advance(SECOND);
    assert!(cache.refuse(second));
    let third = generation().await;
    assert!(!cache.refuse(third));
    cache.accepted();
    assert!(cache.refuse(third));
}

#[tokio::test]
async fn a_login_may_bring_exactly_the_lifetime_that_a_caller_asks_for() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    assert_eq!(said(cache.get(HOUR, in_time()).await), "token-1");
    source.clock.advance(SECOND);
    assert_eq!(said(cache.get(HOUR, in_time()).await), "token-2");
    assert_eq!(said(cache.get(HOUR + SECOND, in_time()).await), "too short");
    assert_eq!(source.logins(), 2);
}

#[tokio::test(start_paused = true)]
async fn row_34_a_token_with_seconds_left_is_not_used_while_a_login_may_bring_the_next_one() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    assert_eq!(said(cache.get(Duration::ZERO, in_time()).await), "token-1");
    source.clock.advance(HOUR - SECOND);
    source.close();
    let caller = {
        let cache = cache.clone();
        tokio::spawn(async move { said(cache.get(Duration::ZERO, in_time()).await) })
    };
    settle().await;
    assert!(!caller.is_finished());
    source.open();
    assert_eq!(caller.await.unwrap(), "token-2");
}

#[tokio::test]
async fn row_48_after_a_login_that_panicked_the_next_one_succeeds() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    source.will(Does::Panic);
    assert!(cache.get(Duration::ZERO, in_time()).await.is_err());
    source.will(Does::Succeed);
    // Longer than a failure is shared, and shorter than a login may take.
    source.clock.advance(FLIGHT_LIMIT - SECOND);
    assert_eq!(said(cache.get(Duration::ZERO, in_time()).await), "token-1");
}

/// Its memory is wiped when nobody has it any more.
#[tokio::test]
async fn a_token_that_was_dropped_is_nowhere_in_the_cache() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    let token = cache.get(Duration::ZERO, in_time()).await.unwrap();
    settle().await;
    let kept = Arc::downgrade(&token);
    drop(token);
    assert!(kept.upgrade().is_some());
    cache.clear();
    assert!(kept.upgrade().is_none());
}
