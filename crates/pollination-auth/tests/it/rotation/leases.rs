//! Row 64: the lock is a lease and expires in the middle of a rotation.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use pollination_auth::{
    ApiToken, CredentialStore, Document, Error, MemoryStore, ProfileId, ProfileLock, RotateCause,
    RotateError, Secret, StoreError, StoreFuture, StoreLock, StoredDocument, Version,
};
use pollination_auth_fake::Operation;

use super::support::{ID, OLD, builder, client, options, profile};

/// The most checks of the lease that are tried: more than a rotation makes.
const LOOKS: u32 = 20;

/// A store whose lease has expired after this many checks.
#[derive(Clone)]
struct Leased {
    inner: MemoryStore,
    looks: Arc<AtomicU32>,
}

struct Lease {
    lock: StoreLock,
    looks: Arc<AtomicU32>,
}

impl CredentialStore for Leased {
    fn read<'a>(
        &'a self,
        profile: &'a ProfileId,
        document: Document,
    ) -> StoreFuture<'a, Option<StoredDocument>> {
        self.inner.read(profile, document)
    }

    fn try_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, Option<StoreLock>> {
        Box::pin(async {
            let looks = self.looks.clone();
            let lock = self.inner.try_lock(profile).await?;
            Ok(lock.map(|lock| Box::new(Lease { lock, looks }) as StoreLock))
        })
    }

    fn is_locked<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
        self.inner.is_locked(profile)
    }
}

impl ProfileLock for Lease {
    fn write<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
        text: &'a Secret,
    ) -> StoreFuture<'a, Version> {
        self.lock.write(document, expected, text)
    }

    fn remove<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, ()> {
        self.lock.remove(document, expected)
    }

    fn is_held<'a>(&'a mut self) -> StoreFuture<'a, bool> {
        let fewer = |left: u32| left.checked_sub(1);
        let left = self
            .looks
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer);
        Box::pin(std::future::ready(Ok(left.is_ok())))
    }
}

#[tokio::test]
async fn row_64_a_lease_that_ends_at_any_look_sends_and_writes_nothing_more() {
    let mut ends = [0; 4];
    for looks in 0..LOOKS {
        let service = builder().start();
        let inner = MemoryStore::new();
        let url = service.base_url();
        let stored = profile(inner.clone(), &url);
        stored
            .save(&ApiToken::new(ID, Secret::from(OLD)).unwrap())
            .await
            .unwrap();
        let leased = Leased {
            inner: inner.clone(),
            looks: Arc::new(AtomicU32::new(looks)),
        };
        let rotation = client(leased, &url).rotation(options().accept_volatile());
        let outcome = rotation.rotate().await;
        let sent = service.count(Operation::RotateApiTokenSecret);
        match &outcome {
            Err(error @ RotateError::NotStarted(failure)) => {
                ends[0] += 1;
                assert_eq!(sent, 0, "{looks}: {error:?}");
                let lost = RotateCause::Store(StoreError::LockLost);
                assert_eq!(
                    failure.cause().map(ToString::to_string),
                    Some(lost.to_string())
                );
            }
            Err(RotateError::PersistFailed(failure)) => {
                ends[1] += 1;
                let newest = failure.expose_candidates().last().unwrap();
                let active = service.secret().unwrap();
                assert_eq!(newest.secret().expose_secret(), active.expose_secret());
            }
            Err(RotateError::Ambiguous(failure)) => {
                ends[2] += 1;
                assert_eq!(failure.expose_candidates().len(), 1, "{looks}");
            }
            Ok(_) => ends[3] += 1,
            Err(other) => panic!("{looks}: {other:?}"),
        }
        assert!(sent <= 1, "{looks}");
        let again = client(inner, &url).rotation(options().accept_volatile());
        let recovered = again.recover().await.unwrap();
        let kept = stored.load().await.unwrap().unwrap();
        let active = service.secret().unwrap();
        assert_eq!(
            kept.secret().expose_secret(),
            active.expose_secret(),
            "{looks}: {recovered:?}"
        );
    }
    assert!(ends.iter().all(|times| *times > 0), "{ends:?}");
}

#[tokio::test]
async fn row_64_the_short_call_whose_lease_has_ended_sends_nothing() {
    let service = builder().start();
    let inner = MemoryStore::new();
    let url = service.base_url();
    let stored = profile(inner.clone(), &url);
    stored
        .save(&ApiToken::new(ID, Secret::from(OLD)).unwrap())
        .await
        .unwrap();
    let leased = Leased {
        inner,
        looks: Arc::default(),
    };
    let short = client(leased, &url).rotate_api_token_secret().await;
    let error = short.unwrap_err();
    assert!(matches!(error, Error::StoreFailed(_)), "{error:?}");
    let source = std::error::Error::source(&error).unwrap();
    assert!(
        matches!(source.downcast_ref(), Some(StoreError::LockLost)),
        "{source:?}"
    );
    assert_eq!(service.count(Operation::RotateApiTokenSecret), 0);
    let kept = stored.load().await.unwrap().unwrap();
    assert_eq!(kept.secret().expose_secret(), OLD);
}
