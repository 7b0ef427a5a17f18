//! Row 54 and point 5.7.7: a store whose n-th call fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use pollination_auth::{
    ApiToken, CredentialStore, Document, MemoryStore, ProfileId, ProfileLock, RotateCause,
    RotateError, RotationStatus, Secret, StoreError, StoreFuture, StoreLock, StoredDocument,
    Version,
};
use pollination_auth_fake::{FakeService, Operation};

use super::support::{ID, OLD, assert_clean, builder, client, options, profile};

/// The most calls to the store that are tried: more than a rotation makes.
pub(super) const CALLS: u32 = 40;

/// A store whose n-th call fails, alone or with all later ones.
#[derive(Clone)]
pub(super) struct Failing {
    inner: MemoryStore,
    calls: Arc<AtomicU32>,
    fails: fn(u32, u32) -> bool,
    nth: u32,
}

impl Failing {
    /// Creates a store whose calls fail if `fails` says so of their number, from 1, and of `nth`.
    pub(super) fn new(inner: &MemoryStore, nth: u32, fails: fn(u32, u32) -> bool) -> Self {
        Self {
            inner: inner.clone(),
            calls: Arc::default(),
            fails,
            nth,
        }
    }

    fn call(&self) -> Result<(), StoreError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if (self.fails)(call, self.nth) {
            return Err(StoreError::failed(
                "write",
                std::io::Error::other("disk full"),
            ));
        }
        Ok(())
    }
}

impl CredentialStore for Failing {
    fn read<'a>(
        &'a self,
        profile: &'a ProfileId,
        document: Document,
    ) -> StoreFuture<'a, Option<StoredDocument>> {
        Box::pin(async move {
            self.call()?;
            self.inner.read(profile, document).await
        })
    }

    fn try_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, Option<StoreLock>> {
        Box::pin(async {
            self.call()?;
            let store = self.clone();
            let lock = self.inner.try_lock(profile).await?;
            Ok(lock.map(|lock| Box::new(FailingLock { store, lock }) as StoreLock))
        })
    }

    fn is_locked<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
        self.inner.is_locked(profile)
    }
}

struct FailingLock {
    store: Failing,
    lock: StoreLock,
}

impl ProfileLock for FailingLock {
    fn write<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
        text: &'a Secret,
    ) -> StoreFuture<'a, Version> {
        Box::pin(async move {
            self.store.call()?;
            self.lock.write(document, expected, text).await
        })
    }

    fn remove<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.store.call()?;
            self.lock.remove(document, expected).await
        })
    }

    fn is_held<'a>(&'a mut self) -> StoreFuture<'a, bool> {
        Box::pin(async {
            self.store.call()?;
            self.lock.is_held().await
        })
    }
}

pub(super) fn active(service: &FakeService) -> String {
    service.secret().unwrap().expose_secret().to_owned()
}

/// Rotates on a failing store, and checks the result.
async fn rotated_on(nth: u32, fails: fn(u32, u32) -> bool) -> (bool, bool) {
    let service = builder().start();
    let inner = MemoryStore::new();
    let emergency = MemoryStore::new();
    let url = service.base_url();
    let stored = profile(inner.clone(), &url);
    stored
        .save(&ApiToken::new(ID, Secret::from(OLD)).unwrap())
        .await
        .unwrap();
    let failing = Failing::new(&inner, nth, fails);
    let options = options()
        .accept_volatile()
        .emergency_store(emergency.clone());
    let rotation = client(failing, &url).rotation(options.clone());
    let outcome = rotation.rotate().await;
    let mut persist_failed = false;
    match &outcome {
        Ok(rotated) => {
            assert_eq!(
                rotated.api_token().secret().expose_secret(),
                active(&service)
            );
            let kept = stored.load().await.unwrap().unwrap();
            assert_eq!(kept.secret().expose_secret(), active(&service), "{nth}");
        }
        Err(error) if error.is_safe_to_retry() => {
            assert_eq!(active(&service), OLD, "{nth}: {error:?}");
        }
        Err(error @ RotateError::PersistFailed(failure)) => {
            persist_failed = true;
            let newest = failure.expose_candidates().last().unwrap();
            assert_eq!(newest.secret().expose_secret(), active(&service), "{nth}");
            let place = profile(emergency, &url);
            assert_eq!(failure.emergency_profile(), Some(place.id()));
            let saved = place.load().await.unwrap().unwrap();
            assert_eq!(saved.secret().expose_secret(), active(&service), "{nth}");
            assert!(error.recovery_deadline().is_some());
        }
        Err(other) => panic!("{nth}: {other:?}"),
    }
    if let Err(error) = &outcome {
        assert_clean(&format!(
            "{error} {error:?} {:?}",
            std::error::Error::source(error)
        ));
    }
    // The store works again, and its documents are enough to recover.
    let mended = client(inner, &url).rotation(options);
    let recovered = mended.recover().await.unwrap();
    let kept = stored.load().await.unwrap().unwrap();
    assert_eq!(
        kept.secret().expose_secret(),
        active(&service),
        "{nth}: {recovered:?}"
    );
    (outcome.is_ok(), persist_failed)
}

#[tokio::test]
async fn point_5_7_7_a_store_that_fails_once_at_its_nth_call_never_loses_the_secret() {
    for nth in 1..=CALLS {
        rotated_on(nth, |call, nth| call == nth).await;
    }
}

#[tokio::test]
async fn point_5_7_7_a_store_that_fails_from_its_nth_call_on_gives_the_secret_in_the_error() {
    let (mut succeeded, mut persist_failed) = (0, 0);
    for nth in 1..=CALLS {
        let (ok, failed) = rotated_on(nth, |call, nth| call >= nth).await;
        succeeded += usize::from(ok);
        persist_failed += usize::from(failed);
    }
    assert!(
        succeeded > 0 && persist_failed > 0,
        "{succeeded}, {persist_failed}"
    );
}

#[tokio::test]
async fn a_volatile_store_is_refused_unless_it_is_accepted() {
    let service = builder().start();
    let store = Arc::new(MemoryStore::new());
    let url = service.base_url();
    profile(store.clone(), &url)
        .save(&ApiToken::new(ID, Secret::from(OLD)).unwrap())
        .await
        .unwrap();
    let client = client(store, &url);
    let error = client.rotation(options()).rotate().await.unwrap_err();
    assert!(
        matches!(error.failure().cause(), Some(RotateCause::Volatile)),
        "{error:?}"
    );
    assert_eq!(active(&service), OLD);
    let rotated = client.rotation(options().accept_volatile()).rotate().await;
    assert_eq!(
        rotated.unwrap().api_token().secret().expose_secret(),
        active(&service)
    );
}

#[tokio::test]
async fn the_short_call_recovers_an_interrupted_rotation() {
    let mut recovered = 0;
    for nth in 1..=CALLS {
        let service = builder().start();
        let inner = MemoryStore::new();
        let url = service.base_url();
        let stored = profile(inner.clone(), &url);
        stored
            .save(&ApiToken::new(ID, Secret::from(OLD)).unwrap())
            .await
            .unwrap();
        let failing = Failing::new(&inner, nth, |call, nth| call >= nth);
        let options = options().accept_volatile();
        let failed = client(failing, &url).rotation(options).rotate().await;
        let Err(RotateError::PersistFailed(_)) = failed else {
            continue;
        };
        let rotation = client(inner.clone(), &url).rotation(self::options().accept_volatile());
        let RotationStatus::Unfinished { candidates: 1, .. } = rotation.status().await.unwrap()
        else {
            continue;
        };
        // The journal has the new secret, so there is nothing to wait for.
        let token = client(inner, &url).rotate_api_token_secret().await.unwrap();
        assert_eq!(token.secret().expose_secret(), active(&service), "{nth}");
        assert_eq!(service.count(Operation::RotateApiTokenSecret), 1, "{nth}");
        recovered += 1;
    }
    assert!(recovered > 0);
}
