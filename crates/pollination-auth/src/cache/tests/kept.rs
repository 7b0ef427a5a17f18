//! The token that a task keeps fresh: what callers get who never wait.

use std::sync::Arc;
use std::time::Duration;

use super::super::{FreshAccessToken, TokenCache};
use super::support::{Does, FLIGHT_LIMIT, Source, settle};
use crate::error::Error;
use crate::error::failure::Reason;

/// The lifetime of the tokens here; the advisory window is a quarter of it.
const LIFETIME: Duration = Duration::from_secs(100);

fn kept() -> (Arc<Source>, TokenCache, FreshAccessToken) {
    let source = Source::new(LIFETIME);
    let cache = source.cache();
    let kept = cache.keep_fresh(FLIGHT_LIMIT).unwrap();
    (source, cache, kept)
}

/// Lets time pass on the clock and for timers, second by second as they go.
async fn pass(source: &Source, seconds: u64) {
    for _ in 0..seconds {
        source.clock.advance(Duration::from_secs(1));
        tokio::time::advance(Duration::from_secs(1)).await;
        settle().await;
    }
}

fn got(kept: &FreshAccessToken) -> String {
    let token = kept.get();
    token.map_or_else(
        |error| error.failure().reason().to_string(),
        |token| token.expose_secret().to_owned(),
    )
}

#[tokio::test(start_paused = true)]
async fn the_token_is_replaced_before_it_expires_though_nobody_asks() {
    let (source, _cache, kept) = kept();
    settle().await;
    assert_eq!((&*got(&kept), source.logins()), ("token-1", 1));
    pass(&source, LIFETIME.as_secs()).await;
    assert_eq!((&*got(&kept), source.logins()), ("token-2", 2));
    pass(&source, 10 * LIFETIME.as_secs()).await;
    assert!((13..=15).contains(&source.logins()), "{}", source.logins());
}

#[tokio::test(start_paused = true)]
async fn until_the_first_login_has_ended_there_is_no_token() {
    let source = Source::new(LIFETIME);
    source.close();
    let kept = source.cache().keep_fresh(FLIGHT_LIMIT).unwrap();
    settle().await;
    let early = kept.get().unwrap_err();
    assert!(early.is_retryable());
    assert_eq!(early.failure().reason(), &Reason::LoginUnderWay);
    source.open();
    settle().await;
    assert_eq!(got(&kept), "token-1");
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_never_returned_and_the_error_says_why() {
    let (source, _cache, kept) = kept();
    settle().await;
    source.will(Does::FailForNow);
    pass(&source, LIFETIME.as_secs() - 1).await;
    assert_eq!(got(&kept), "token-1");
    pass(&source, 1).await;
    let error = kept.get().unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert_eq!(error.failure().reason(), &Reason::ConnectionLost);
    source.will(Does::Succeed);
    pass(&source, 31).await;
    assert_eq!(got(&kept), "token-2");
}

#[tokio::test(start_paused = true)]
async fn row_44_a_caller_that_finds_the_token_expired_causes_a_login_at_once() {
    let (source, _cache, kept) = kept();
    settle().await;
    // The machine slept: the clock went on, and no timer did.
    source.clock.advance(2 * LIFETIME);
    assert!(kept.get().is_err());
    settle().await;
    assert_eq!((&*got(&kept), source.logins()), ("token-2", 2));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_refused_is_replaced_though_nobody_asks() {
    let (source, cache, kept) = kept();
    settle().await;
    assert!(cache.refuse_token(&kept.get().unwrap()));
    settle().await;
    assert_eq!((&*got(&kept), source.logins()), ("token-2", 2));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_down_all_night_is_asked_twice_a_minute() {
    let (source, _cache, kept) = kept();
    source.will(Does::FailForNow);
    let hour = 3_600;
    pass(&source, hour).await;
    assert!(
        (100..=130).contains(&source.logins()),
        "{}",
        source.logins()
    );
    assert!(kept.get().is_err());
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_last_clone() {
    let (source, _cache, kept) = kept();
    let clone = kept.clone();
    settle().await;
    drop(kept);
    pass(&source, LIFETIME.as_secs()).await;
    assert_eq!(source.logins(), 2);
    drop(clone);
    pass(&source, 3 * LIFETIME.as_secs()).await;
    assert_eq!(source.logins(), 2);
}

#[test]
fn row_49_without_its_runtime_it_lasts_as_long_as_the_token() {
    let source = Source::new(LIFETIME);
    let cache = source.cache();
    let error = cache.keep_fresh(FLIGHT_LIMIT).unwrap_err();
    assert_eq!(error.failure().reason(), &Reason::NoRuntime);

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let kept = runtime.block_on(async {
        let kept = cache.keep_fresh(FLIGHT_LIMIT).unwrap();
        settle().await;
        kept
    });
    drop(runtime);
    assert_eq!(got(&kept), "token-1");
    source.clock.advance(LIFETIME);
    assert_eq!(got(&kept), Reason::NoRuntime.to_string());
}
