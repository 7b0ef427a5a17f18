//! The lock on a real server: exclusive, renewed, taken over, and never written past.

use std::time::Duration;

use pollination_auth::{CredentialStore as _, Document, StoreError};

use crate::engine::Engine;
use crate::support::{lock, profile, secret};

/// A short lease: 1 s, the minimum.
const LEASE: Duration = Duration::from_secs(1);

/// More attempts to take a lock over than its lease has time for.
const ATTEMPTS: u32 = 3000;

#[tokio::test]
async fn one_process_holds_the_lock_and_others_see_it() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    let (one, profile) = (engine.store().build().unwrap(), profile("a"));
    let other = engine.store().build().unwrap();
    assert!(!other.is_locked(&profile).await.unwrap());
    let held = lock(&one, &profile).await;
    for store in [&one, &other] {
        assert!(store.is_locked(&profile).await.unwrap());
        assert!(store.try_lock(&profile).await.unwrap().is_none());
    }
    held.release().await.unwrap();
    assert!(!other.is_locked(&profile).await.unwrap());
    lock(&other, &profile).await.release().await.unwrap();
}

#[tokio::test]
async fn a_dropped_lock_is_released() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    let (store, profile) = (engine.store().build().unwrap(), profile("a"));
    drop(lock(&store, &profile).await);
    // Long before the lease is over.
    for _ in 0..ATTEMPTS {
        if store.try_lock(&profile).await.unwrap().is_some() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the lock is still held");
}

#[tokio::test]
async fn a_lease_is_renewed_while_the_lock_is_held() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    let store = || engine.store().lease(LEASE).build().unwrap();
    let (one, other, profile) = (store(), store(), profile("a"));
    let mut held = lock(&one, &profile).await;
    let started = std::time::Instant::now();
    while started.elapsed() < 3 * LEASE {
        assert!(other.try_lock(&profile).await.unwrap().is_none());
        tokio::time::sleep(LEASE / 10).await;
    }
    assert!(held.is_held().await.unwrap());
}

/// Lets one store take the lock, on a runtime that stands still afterwards, and another take it
/// over. The first lock is handed back with its runtime.
#[test]
fn row_64_a_holder_that_stood_still_for_its_lease_writes_nothing_more() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let (paused, running) = (runtime(), runtime());
    let Some(engine) = running.block_on(Engine::start()) else {
        return;
    };
    let store = || engine.store().lease(LEASE).build().unwrap();
    let (one, other, profile) = (store(), store(), profile("a"));
    let (mut old, version) = paused.block_on(async {
        let mut old = lock(&one, &profile).await;
        let version = old
            .write(Document::Credential, None, &secret("one"))
            .await
            .unwrap();
        (old, version)
    });

    let mut new = running.block_on(async {
        for _ in 0..ATTEMPTS {
            if let Some(lock) = other.try_lock(&profile).await.unwrap() {
                return lock;
            }
            tokio::time::sleep(LEASE / 100).await;
        }
        panic!("the lock was not taken over");
    });

    paused.block_on(async {
        // Its expected version is still there: the comparison of the document alone stops nothing.
        let written = old
            .write(Document::Credential, Some(&version), &secret("old"))
            .await;
        assert!(matches!(written, Err(StoreError::LockLost)), "{written:?}");
        let removed = old.remove(Document::Credential, Some(&version)).await;
        assert!(matches!(removed, Err(StoreError::LockLost)), "{removed:?}");
        assert!(!old.is_held().await.unwrap());
        old.release().await.unwrap();
    });
    running.block_on(async {
        assert!(new.is_held().await.unwrap());
        let written = new
            .write(Document::Credential, Some(&version), &secret("new"))
            .await;
        written.unwrap();
        new.release().await.unwrap();
        let read = other
            .read(&profile, Document::Credential)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(read.text().expose_secret(), "new");
    });
}

#[tokio::test]
async fn row_65_a_write_that_nobody_waits_for_is_done_before_the_lock_is_free() {
    let Some(engine) = Engine::start().await else {
        return;
    };
    let (store, profile) = (engine.store().build().unwrap(), profile("a"));
    let other = engine.store().build().unwrap();
    let mut held = lock(&store, &profile).await;
    let text = secret("one");
    let mut write = held.write(Document::Credential, None, &text);
    // The request is begun, and then the caller gives up.
    let begun = std::future::poll_fn(|context| {
        assert!(write.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    });
    begun.await;
    drop(write);
    drop(held);
    for _ in 0..ATTEMPTS {
        if other.try_lock(&profile).await.unwrap().is_some() {
            let read = other
                .read(&profile, Document::Credential)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(read.text().expose_secret(), "one");
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the lock is still held");
}

#[tokio::test]
async fn a_lock_survives_that_the_server_is_sealed_killed_and_restarted() {
    let Some(mut engine) = Engine::start_durable().await else {
        return;
    };
    let (store, profile) = (engine.store().build().unwrap(), profile("a"));
    let mut held = lock(&store, &profile).await;
    engine.seal().await;
    let write = async {
        let text = secret("one");
        let written = held.write(Document::Credential, None, &text).await;
        (held, written)
    };
    let restart = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        engine.restart().await;
        engine.unseal().await;
    };
    let ((mut held, written), ()) = tokio::join!(write, restart);
    written.unwrap();
    assert!(held.is_held().await.unwrap());
    let read = store
        .read(&profile, Document::Credential)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read.text().expose_secret(), "one");
}
