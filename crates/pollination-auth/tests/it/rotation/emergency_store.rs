//! Row 54: what the emergency store keeps, and what a recovery makes of it.

use pollination_auth::{
    ApiToken, CredentialStore, Document, MemoryStore, Profile, Recovered, RotateError, Rotated,
    Rotation, RotationStatus, Secret,
};
use pollination_auth_fake::{FakeService, Operation};

use super::failing_store::{CALLS, Failing, active};
use super::support::{ID, OLD, builder, client, options, profile};

/// A service whose credential is in one store, and an emergency store.
struct World {
    service: FakeService,
    inner: MemoryStore,
    emergency: MemoryStore,
}

impl World {
    async fn new() -> Self {
        let world = Self {
            service: builder().start(),
            inner: MemoryStore::new(),
            emergency: MemoryStore::new(),
        };
        world.stored().save(&pair(OLD)).await.unwrap();
        world
    }

    /// Rotates until the new secret is in the emergency store alone, beside a journal without it.
    ///
    /// The emergency store has a pair before, or none.
    async fn rescued(before: Option<&ApiToken>) -> Self {
        for nth in 1..=CALLS {
            let world = Self::new().await;
            if let Some(before) = before {
                world.place("default").save(before).await.unwrap();
            }
            let outcome = world.rotate_failing_from(nth).await;
            let status = world.stored().rotation_status().await.unwrap();
            let has_no_secret = matches!(status, RotationStatus::Unfinished { candidates: 0, .. });
            if has_no_secret && matches!(outcome, Err(RotateError::PersistFailed(_))) {
                return world;
            }
        }
        panic!("each journal has the new secret");
    }

    fn rotation(&self, store: impl CredentialStore) -> Rotation {
        let options = options()
            .accept_volatile()
            .emergency_store(self.emergency.clone());
        client(store, &self.service.base_url()).rotation(options)
    }

    fn failing_from(&self, nth: u32) -> Rotation {
        self.rotation(Failing::new(&self.inner, nth, |call, nth| call >= nth))
    }

    async fn rotate_failing_from(&self, nth: u32) -> Result<Rotated, RotateError> {
        self.failing_from(nth).rotate().await
    }

    async fn recover(&self) -> Recovered {
        self.rotation(self.inner.clone()).recover().await.unwrap()
    }

    /// Recovers, and checks that no other secret had to be created.
    async fn recover_without_a_request(&self) -> Recovered {
        let recovered = self.recover().await;
        assert_eq!(self.service.count(Operation::RotateApiTokenSecret), 1);
        recovered
    }

    fn stored(&self) -> Profile {
        profile(self.inner.clone(), &self.service.base_url())
    }

    fn place(&self, name: &str) -> Profile {
        Profile::new(self.emergency.clone(), &self.service.base_url(), name).unwrap()
    }

    async fn secret_in(&self, name: &str) -> Option<String> {
        secret_of(&self.place(name)).await
    }
}

fn pair(secret: &str) -> ApiToken {
    ApiToken::new(ID, Secret::from(secret)).unwrap()
}

fn beside() -> String {
    format!("default {ID}")
}

async fn secret_of(place: &Profile) -> Option<String> {
    let there = place.load().await.unwrap();
    there.map(|there| there.secret().expose_secret().to_owned())
}

#[tokio::test]
async fn row_54_the_emergency_store_keeps_the_pair_of_another_api_token_beside_the_new_one() {
    let world = World::new().await;
    let other = ApiToken::new("other-id", Secret::from("planted-other")).unwrap();
    world.place("default").save(&other).await.unwrap();
    let mut rescued = 0;
    for nth in 1..=CALLS {
        if let Err(RotateError::PersistFailed(failure)) = world.rotate_failing_from(nth).await {
            rescued += 1;
            assert_eq!(failure.emergency_profile().unwrap().name(), beside());
            let kept = world.secret_in(&beside()).await;
            assert_eq!(kept, Some(active(&world.service)), "{nth}");
        }
        let _recovered = world.recover().await;
    }
    assert!(rescued > 0);
    let kept = world.secret_in("default").await;
    assert_eq!(kept.as_deref(), Some("planted-other"));
}

#[tokio::test]
async fn row_54_a_recovery_tries_the_secret_that_only_the_emergency_store_has() {
    let world = World::rescued(None).await;
    let newest = active(&world.service);
    let recovered = world.recover_without_a_request().await;
    assert!(matches!(recovered, Recovered::Rotated(_)), "{recovered:?}");
    assert_eq!(secret_of(&world.stored()).await, Some(newest));
    // It logs in where it belongs, so the copy is needless.
    assert_eq!(world.secret_in("default").await, None);
}

#[tokio::test]
async fn row_54_the_emergency_store_replaces_no_secret() {
    let world = World::rescued(Some(&pair("planted-before"))).await;
    let newest = active(&world.service);
    let kept = world.secret_in("default").await;
    assert_eq!(kept.as_deref(), Some("planted-before"));
    assert_eq!(world.secret_in(&beside()).await, Some(newest));
    let recovered = world.recover_without_a_request().await;
    assert!(matches!(recovered, Recovered::Rotated(_)), "{recovered:?}");
    // Nobody knows whether this one is older.
    let kept = world.secret_in("default").await;
    assert_eq!(kept.as_deref(), Some("planted-before"));
    assert_eq!(world.secret_in(&beside()).await, None);
}

/// A secret that is tried has to be in the journal, or the journal belongs to nothing once it is stored.
#[tokio::test]
async fn row_54_a_recovery_from_the_emergency_store_that_is_cut_off_can_be_resumed() {
    for nth in 1..=CALLS {
        let world = World::rescued(None).await;
        let newest = active(&world.service);
        let cut_off = world.failing_from(nth).recover().await.is_err();
        let _recovered = world.recover_without_a_request().await;
        let status = world.stored().rotation_status().await.unwrap();
        assert!(
            matches!(status, RotationStatus::Settled { .. }),
            "{nth}: {status:?}"
        );
        assert_eq!(secret_of(&world.stored()).await, Some(newest), "{nth}");
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
        let world = World::new().await;
        let _outcome = world.rotate_failing_from(nth).await;
        let stored = world.stored();
        let journal = world.inner.read(stored.id(), Document::Journal);
        let has_journal = journal.await.unwrap().is_some();
        let status = stored.rotation_status().await.unwrap();
        if !has_journal || !matches!(status, RotationStatus::Settled { .. }) {
            continue;
        }
        finished += 1;
        let newer = pair("planted-newer");
        world.place(&beside()).save(&newer).await.unwrap();
        let _recovered = world.recover().await;
        let kept = world.secret_in(&beside()).await;
        assert_eq!(kept.as_deref(), Some("planted-newer"));
    }
    assert!(finished > 0);
}
