//! A thousand callers at once, on several threads, with exact counts of logins.

use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use rand::seq::SliceRandom as _;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::super::TokenCache;
use super::support::{Does, Source, in_time, said, settle};

const HERD: usize = 1_000;
const HOUR: Duration = Duration::from_secs(3_600);

/// Lets a herd ask, and no login end before every task of it is running.
async fn ask_all(source: &Arc<Source>, cache: &TokenCache) -> Vec<String> {
    source.close();
    let running = Arc::new(Barrier::new(HERD + 1));
    let mut herd = JoinSet::new();
    for _ in 0..HERD {
        let (cache, running) = (cache.clone(), running.clone());
        herd.spawn(async move {
            running.wait().await;
            said(cache.get(Duration::ZERO, in_time()).await)
        });
    }
    running.wait().await;
    source.open();
    herd.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cold_herd_makes_one_login() {
    let source = Source::new(HOUR);
    let answers = ask_all(&source, &source.cache()).await;
    assert_eq!(answers, vec!["token-1"; HERD]);
    assert_eq!(source.logins(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_herd_with_a_failing_service_makes_one_login_and_shares_its_error() {
    for (does, answer) in [
        (Does::FailForGood, "rejected"),
        (Does::FailForNow, "unavailable"),
    ] {
        let source = Source::new(HOUR);
        source.will(does);
        let answers = ask_all(&source, &source.cache()).await;
        assert_eq!(answers, vec![answer; HERD]);
        assert_eq!(source.logins(), 1, "{does:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_herd_in_the_advisory_window_makes_one_login_and_never_waits() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    assert_eq!(said(cache.get(Duration::ZERO, in_time()).await), "token-1");
    source.clock.advance(Duration::from_secs(3_400));
    source.close();
    let mut herd = JoinSet::new();
    for _ in 0..HERD {
        let cache = cache.clone();
        herd.spawn(async move { said(cache.get(Duration::ZERO, in_time()).await) });
    }
    // The login can't end before the whole herd has its answer.
    assert_eq!(herd.join_all().await, vec!["token-1"; HERD]);
    source.open();
    let mut changes = cache.changes();
    while changes.latest().unwrap().expose_secret() != "token-2" {
        changes.changed().await.unwrap();
    }
    assert_eq!(source.logins(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn row_27_a_thousand_late_401s_make_one_login() {
    for seed in 0..8 {
        let source = Source::new(HOUR);
        let cache = source.cache();
        let old = cache
            .get(Duration::ZERO, in_time())
            .await
            .unwrap()
            .generation;
        let barrier = Arc::new(Barrier::new(HERD));
        let mut order: Vec<usize> = (0..HERD).collect();
        order.shuffle(&mut SmallRng::seed_from_u64(seed));
        let mut herd = JoinSet::new();
        for place in order {
            let (cache, barrier) = (cache.clone(), barrier.clone());
            herd.spawn(async move {
                barrier.wait().await;
                // Some come with their 401 long after the next token is there.
                for _ in 0..place % 7 {
                    tokio::task::yield_now().await;
                }
                assert!(cache.refuse(old), "there is another token");
                said(cache.get(Duration::ZERO, in_time()).await)
            });
        }
        let answers = herd.join_all().await;
        assert_eq!(answers, vec!["token-2"; HERD], "seed {seed}");
        assert_eq!(source.logins(), 2, "seed {seed}");
    }
}

#[tokio::test]
async fn forced_logins_at_the_same_time_share_one() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    source.close();
    let mut herd = JoinSet::new();
    for _ in 0..HERD {
        let cache = cache.clone();
        herd.spawn(async move { said(cache.refresh(in_time()).await) });
    }
    // On one thread every task of the herd runs before this one does again.
    settle().await;
    source.open();
    assert_eq!(herd.join_all().await, vec!["token-1"; HERD]);
    assert_eq!(source.logins(), 1);
}

#[tokio::test]
async fn row_30_a_login_under_way_at_a_clear_is_good_for_those_who_waited_alone() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    source.close();
    let waiting = tokio::spawn({
        let cache = cache.clone();
        async move { said(cache.get(Duration::ZERO, in_time()).await) }
    });
    settle().await;
    cache.clear();
    source.open();
    assert_eq!(waiting.await.unwrap(), "token-1");
    assert_eq!(said(cache.get(Duration::ZERO, in_time()).await), "token-2");
}

#[tokio::test]
async fn a_failure_is_forgotten_when_the_credential_has_changed() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    source.will(Does::FailForGood);
    assert_eq!(said(cache.get(Duration::ZERO, in_time()).await), "rejected");
    source.will(Does::Succeed);
    assert_eq!(said(cache.get(Duration::ZERO, in_time()).await), "rejected");
    cache.forget_failure();
    assert_eq!(said(cache.get(Duration::ZERO, in_time()).await), "token-1");
}

#[tokio::test(start_paused = true)]
async fn row_34_a_login_that_hangs_does_not_withhold_a_token_with_seconds_left() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    assert_eq!(said(cache.get(Duration::ZERO, in_time()).await), "token-1");
    source.close();
    source.clock.advance(HOUR - Duration::from_secs(9));
    // Paused time runs on by itself while everybody waits.
    assert_eq!(said(cache.get(Duration::ZERO, in_time()).await), "token-1");
    assert_eq!(source.logins(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_comes_too_late_for_its_token_gets_the_next_one() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    let mut caller = std::pin::pin!(cache.get(Duration::ZERO, in_time()));
    let poll = std::future::poll_fn(|context| {
        std::task::Poll::Ready(caller.as_mut().poll(context).is_ready())
    });
    assert!(!poll.await);
    settle().await;
    source.clock.advance(HOUR);
    assert_eq!(said(caller.await), "token-2");
    assert_eq!(source.logins(), 2);
}

#[tokio::test]
async fn row_24_a_failure_is_shared_for_as_long_as_the_service_asked() {
    let source = Source::new(HOUR);
    let cache = source.cache();
    source.will(Does::AskToWait(10));
    assert_eq!(
        said(cache.get(Duration::ZERO, in_time()).await),
        "rate limited"
    );
    source.will(Does::Succeed);
    source.clock.advance(Duration::from_secs(9));
    assert_eq!(
        said(cache.get(Duration::ZERO, in_time()).await),
        "rate limited"
    );
    source.clock.advance(Duration::from_secs(1));
    assert_eq!(said(cache.get(Duration::ZERO, in_time()).await), "token-1");
    source.clock.advance(HOUR);
    source.will(Does::AskToWait(1_000_000));
    assert_eq!(
        said(cache.get(Duration::ZERO, in_time()).await),
        "rate limited"
    );
    source.will(Does::Succeed);
    source.clock.advance(Duration::from_secs(59 * 60));
    assert_eq!(
        said(cache.get(Duration::ZERO, in_time()).await),
        "rate limited"
    );
    source.clock.advance(Duration::from_secs(61));
    assert_eq!(said(cache.get(Duration::ZERO, in_time()).await), "token-2");
}
