//! Row 47: whoever gives up, the others get their answer, and nothing starts twice.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::super::TokenCache;
use super::support::{Does, Source, in_time, said, settle};

const HOUR: Duration = Duration::from_secs(3_600);

/// No caller needs more polls than this; a sweep that gets here has found a hang.
const MOST_POLLS: usize = 100;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Polls a caller this often and drops it; returns `true` if it was done by then.
async fn poll_and_drop(cache: &TokenCache, polls: usize) -> bool {
    let mut caller = pin!(cache.get(Duration::ZERO, in_time()));
    for _ in 0..polls {
        let polled = poll_fn(|context| Poll::Ready(caller.as_mut().poll(context))).await;
        if polled.is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

#[tokio::test(start_paused = true)]
async fn row_47_the_leader_may_be_dropped_after_any_poll() {
    for does in [
        Does::Succeed,
        Does::FailForNow,
        Does::FailForGood,
        Does::Panic,
    ] {
        let mut polls = 0;
        loop {
            let source = Source::new(HOUR);
            source.will(does);
            let cache = source.cache();
            let done = poll_and_drop(&cache, polls).await;
            let expected = match does {
                Does::FailForNow => "unavailable",
                Does::FailForGood => "rejected",
                Does::Panic => "a task of the client panicked",
                _ => "token-1",
            };
            assert_eq!(
                said(cache.get(Duration::ZERO, in_time()).await),
                expected,
                "after {polls} polls"
            );
            assert_eq!(source.logins(), 1, "{does:?} after {polls} polls");
            if done {
                break;
            }
            polls += 1;
            assert!(polls < MOST_POLLS, "it never ends");
        }
        assert!(
            polls >= 2,
            "the sweep saw no point at which the leader waits"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn row_47_a_follower_may_be_dropped_after_any_poll() {
    for polls in 0..8 {
        let source = Source::new(HOUR);
        let cache = source.cache();
        source.close();
        let leader = tokio::spawn({
            let cache = cache.clone();
            async move { said(cache.get(Duration::ZERO, in_time()).await) }
        });
        settle().await;
        assert!(!poll_and_drop(&cache, polls).await);
        source.open();
        assert_eq!(leader.await.unwrap(), "token-1");
        assert_eq!(source.logins(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn row_47_a_leader_that_panics_itself_disturbs_nobody() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    source.close();
    let leader = tokio::spawn({
        let cache = cache.clone();
        async move {
            assert!(!poll_and_drop(&cache, 1).await);
            panic!("as the test told it");
        }
    });
    assert!(leader.await.unwrap_err().is_panic());
    source.open();
    assert_eq!(said(cache.get(Duration::ZERO, in_time()).await), "token-1");
    assert_eq!(source.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn row_49_a_login_that_nobody_drives_is_given_up() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    // A runtime that started the login and is no longer driven, as after a `block_on`.
    let idle = runtime();
    {
        let _inside = idle.enter();
        assert!(!poll_and_drop(&cache, 1).await);
    }
    // Paused time runs on by itself while everybody waits.
    assert_eq!(said(cache.get(Duration::ZERO, in_time()).await), "token-1");
    assert_eq!(source.logins(), 1, "the idle runtime has not even begun");
    idle.shutdown_background();
}

#[test]
fn row_49_a_login_that_dies_with_its_runtime_is_made_again_on_another() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    source.close();
    let first = runtime();
    assert!(!first.block_on(poll_and_drop(&cache, 3)));
    let second = runtime();
    let waiting = second.spawn({
        let cache = cache.clone();
        async move { said(cache.get(Duration::ZERO, in_time()).await) }
    });
    second.block_on(settle());
    assert!(!waiting.is_finished());
    drop(first);
    source.open();
    assert_eq!(second.block_on(waiting).unwrap(), "token-1");
    assert_eq!(source.logins(), 2);
}

#[test]
fn row_49_without_a_runtime_a_good_token_is_served_and_a_login_is_an_error() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    let answer = |cache: &TokenCache| {
        let mut asked = pin!(cache.get(Duration::ZERO, in_time()));
        match asked
            .as_mut()
            .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
        {
            Poll::Ready(result) => said(result),
            Poll::Pending => "pending".to_owned(),
        }
    };
    assert_eq!(answer(&cache), "there is no running Tokio runtime");
    let runtime = runtime();
    assert_eq!(
        said(runtime.block_on(cache.get(Duration::ZERO, in_time()))),
        "token-1"
    );
    drop(runtime);
    source.clock.advance(Duration::from_secs(3_400));
    assert_eq!(answer(&cache), "token-1");
    source.clock.advance(HOUR);
    assert_eq!(answer(&cache), "there is no running Tokio runtime");
}

#[test]
fn row_49_a_lost_login_does_not_end_the_one_that_took_its_place() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    source.close();
    let first = runtime();
    assert!(!first.block_on(poll_and_drop(&cache, 3)));
    // Voided, so that the next caller starts another one.
    cache.clear();
    let second = runtime();
    assert!(!second.block_on(poll_and_drop(&cache, 3)));
    drop(first);
    source.open();
    assert_eq!(
        said(second.block_on(cache.get(Duration::ZERO, in_time()))),
        "token-1"
    );
    assert_eq!(source.logins(), 2);
}
