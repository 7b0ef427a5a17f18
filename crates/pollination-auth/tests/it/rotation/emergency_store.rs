//! Row 54: what the emergency store keeps, and what a recovery makes of it.

use std::sync::Arc;

use pollination_auth::{
    ApiToken, CredentialStore as _, Document, MemoryStore, Profile, Recovered, RotateError,
    RotateOptions, RotationStatus, Secret,
};
use pollination_auth_fake::{FakeService, Operation};

use super::failing_store::{CALLS, Failing, active};
use super::support::{ID, OLD, builder, client, options, profile};

#[tokio::test]
async fn row_54_the_emergency_store_keeps_the_pair_of_another_api_token_beside_the_new_one() {
    let service = builder().start();
    let (inner, emergency) = (MemoryStore::new(), MemoryStore::new());
    let url = service.base_url();
    let stored = profile(inner.clone(), &url);
    stored
        .save(&ApiToken::new(ID, Secret::from(OLD)).unwrap())
        .await
        .unwrap();
    let place = profile(emergency.clone(), &url);
    let other = ApiToken::new("other-id", Secret::from("planted-other")).unwrap();
    place.save(&other).await.unwrap();
    let options = options()
        .accept_volatile()
        .emergency_store(emergency.clone());
    let mut rescued = 0;
    for nth in 1..=CALLS {
        let failing = Failing {
            inner: inner.clone(),
            calls: Arc::default(),
            fails: |call, nth| call >= nth,
            nth,
        };
        let rotation = client(failing, &url).rotation(options.clone());
        if let Err(RotateError::PersistFailed(failure)) = rotation.rotate().await {
            rescued += 1;
            let id = failure.emergency_profile().unwrap();
            assert_eq!(id.name(), format!("default {ID}"));
            let beside = Profile::new(emergency.clone(), &url, id.name()).unwrap();
            let kept = beside.load().await.unwrap().unwrap();
            assert_eq!(kept.secret().expose_secret(), active(&service), "{nth}");
        }
        let mended = client(inner.clone(), &url).rotation(options.clone());
        let _recovered = mended.recover().await.unwrap();
    }
    assert!(rescued > 0);
    let kept = place.load().await.unwrap().unwrap();
    assert_eq!(
        kept.secret().expose_secret(),
        other.secret().expose_secret()
    );
}

/// A rotation whose new secret is in the emergency store alone.
struct Rescued {
    service: FakeService,
    inner: MemoryStore,
    emergency: MemoryStore,
    options: RotateOptions,
}

impl Rescued {
    /// Rotates with a store that fails later and later, until it has a journal and no new secret.
    ///
    /// The emergency store has a pair before, or none.
    async fn new(before: Option<&ApiToken>) -> Self {
        for nth in 1..=CALLS {
            let service = builder().start();
            let (inner, emergency) = (MemoryStore::new(), MemoryStore::new());
            let url = service.base_url();
            let stored = profile(inner.clone(), &url);
            let old = ApiToken::new(ID, Secret::from(OLD)).unwrap();
            stored.save(&old).await.unwrap();
            if let Some(before) = before {
                profile(emergency.clone(), &url).save(before).await.unwrap();
            }
            let options = options()
                .accept_volatile()
                .emergency_store(emergency.clone());
            let failing = Failing {
                inner: inner.clone(),
                calls: Arc::default(),
                fails: |call, nth| call >= nth,
                nth,
            };
            let rotation = client(failing, &url).rotation(options.clone());
            let outcome = rotation.rotate().await;
            let status = stored.rotation_status().await.unwrap();
            let has_no_secret = matches!(status, RotationStatus::Unfinished { candidates: 0, .. });
            if has_no_secret && matches!(outcome, Err(RotateError::PersistFailed(_))) {
                return Self {
                    service,
                    inner,
                    emergency,
                    options,
                };
            }
        }
        panic!("no journal was without the new secret");
    }

    async fn secret_in(&self, place: &str) -> Option<String> {
        let place = Profile::new(self.emergency.clone(), &self.service.base_url(), place);
        let there = place.unwrap().load().await.unwrap();
        there.map(|there| there.secret().expose_secret().to_owned())
    }

    async fn recover(&self) -> Recovered {
        let client = client(self.inner.clone(), &self.service.base_url());
        let rotation = client.rotation(self.options.clone());
        let recovered = rotation.recover().await.unwrap();
        // No other secret had to be created.
        assert_eq!(self.service.count(Operation::RotateApiTokenSecret), 1);
        recovered
    }
}

#[tokio::test]
async fn row_54_a_recovery_tries_the_secret_that_only_the_emergency_store_has() {
    let rescued = Rescued::new(None).await;
    let newest = active(&rescued.service);
    let recovered = rescued.recover().await;
    assert!(matches!(recovered, Recovered::Rotated(_)), "{recovered:?}");
    let stored = profile(rescued.inner.clone(), &rescued.service.base_url());
    let stored = stored.load().await.unwrap().unwrap();
    assert_eq!(stored.secret().expose_secret(), newest);
    // It logs in where it belongs, so the copy is needless.
    assert_eq!(rescued.secret_in("default").await, None);
}

#[tokio::test]
async fn row_54_the_emergency_store_replaces_no_secret() {
    let before = ApiToken::new(ID, Secret::from("planted-before")).unwrap();
    let rescued = Rescued::new(Some(&before)).await;
    let newest = active(&rescued.service);
    let kept = rescued.secret_in("default").await;
    assert_eq!(kept.as_deref(), Some("planted-before"));
    let beside = format!("default {ID}");
    assert_eq!(rescued.secret_in(&beside).await, Some(newest));
    let recovered = rescued.recover().await;
    assert!(matches!(recovered, Recovered::Rotated(_)), "{recovered:?}");
    // Nobody knows whether this one is older.
    let kept = rescued.secret_in("default").await;
    assert_eq!(kept.as_deref(), Some("planted-before"));
    assert_eq!(rescued.secret_in(&beside).await, None);
}

/// A secret that is tried has to be in the journal, or the journal belongs to nothing once it is stored.
#[tokio::test]
async fn row_54_a_recovery_from_the_emergency_store_that_is_cut_off_can_be_resumed() {
    for nth in 1..=CALLS {
        let rescued = Rescued::new(None).await;
        let newest = active(&rescued.service);
        let url = rescued.service.base_url();
        let failing = Failing {
            inner: rescued.inner.clone(),
            calls: Arc::default(),
            fails: |call, nth| call >= nth,
            nth,
        };
        let rotation = client(failing, &url).rotation(rescued.options.clone());
        let cut_off = rotation.recover().await.is_err();
        let _recovered = rescued.recover().await;
        let stored = profile(rescued.inner.clone(), &url);
        let status = stored.rotation_status().await.unwrap();
        assert!(
            matches!(status, RotationStatus::Settled { .. }),
            "{nth}: {status:?}"
        );
        let stored = stored.load().await.unwrap().unwrap();
        assert_eq!(stored.secret().expose_secret(), newest, "{nth}");
        if !cut_off {
            assert!(nth > 1);
            return;
        }
    }
    panic!("no recovery came to its end");
}

/// It can be newer than the one that the finished rotation has stored.
#[tokio::test]
async fn row_54_a_finished_rotation_removes_no_other_secret_from_the_emergency_store() {
    let mut finished = 0;
    for nth in 1..=CALLS {
        let service = builder().start();
        let (inner, emergency) = (MemoryStore::new(), MemoryStore::new());
        let url = service.base_url();
        let stored = profile(inner.clone(), &url);
        let old = ApiToken::new(ID, Secret::from(OLD)).unwrap();
        stored.save(&old).await.unwrap();
        let failing = Failing {
            inner: inner.clone(),
            calls: Arc::default(),
            fails: |call, nth| call >= nth,
            nth,
        };
        let options = options()
            .accept_volatile()
            .emergency_store(emergency.clone());
        let rotation = client(failing, &url).rotation(options.clone());
        let _outcome = rotation.rotate().await;
        let journal = inner.read(stored.id(), Document::Journal).await.unwrap();
        let status = stored.rotation_status().await.unwrap();
        if journal.is_none() || !matches!(status, RotationStatus::Settled { .. }) {
            continue;
        }
        finished += 1;
        let place = Profile::new(emergency.clone(), &url, format!("default {ID}")).unwrap();
        let newer = ApiToken::new(ID, Secret::from("planted-newer")).unwrap();
        place.save(&newer).await.unwrap();
        let mended = client(inner.clone(), &url).rotation(options);
        let _recovered = mended.recover().await.unwrap();
        let kept = place.load().await.unwrap().unwrap();
        assert_eq!(kept.secret().expose_secret(), "planted-newer");
    }
    assert!(finished > 0);
}
