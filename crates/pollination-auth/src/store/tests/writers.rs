//! Rows 63 to 65: a write compares under the lock, stops when the lock has ended, and holds it to
//! its end.

use std::future::ready;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use tokio::sync::oneshot::{Receiver, Sender, channel};

use super::power_loss::{journal, token};
use crate::credential::api_token::ApiToken;
use crate::credential::profile_id::ProfileId;
use crate::foundation::base_url::BaseUrl;
use crate::foundation::secret::Secret;
use crate::store::journal::{Conclusion, Journal, Ruling};
use crate::store::record::Record;
use crate::store::{
    CredentialStore, Document, JournalState, MemoryStore, Profile, ProfileLock, StoreError,
    StoreFuture, StoreLock, StoredDocument, Version,
};

/// Reports that a write has begun, and waits until it may end.
struct Gate {
    begun: Sender<()>,
    may_end: Receiver<()>,
}

/// A store in memory whose lock is a lease.
#[derive(Clone, Default)]
struct Leased {
    inner: MemoryStore,
    /// How often the lock is still refused.
    refusals: Arc<AtomicU32>,
    /// How often the lease is still found to be held; past that, it has ended.
    lasts: Arc<Mutex<Option<u32>>>,
    gate: Arc<Mutex<Option<Gate>>>,
}

struct Lease {
    store: Leased,
    lock: StoreLock,
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
        let fewer = |left: u32| left.checked_sub(1);
        let refused = self
            .refusals
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer);
        Box::pin(async move {
            if refused.is_ok() {
                return Ok(None);
            }
            let store = self.clone();
            let lock = self.inner.try_lock(profile).await?;
            Ok(lock.map(|lock| Box::new(Lease { store, lock }) as StoreLock))
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
        let gate = self.store.gate.lock().unwrap().take();
        Box::pin(async move {
            if let Some(gate) = gate {
                gate.begun.send(()).unwrap();
                gate.may_end.await.unwrap();
            }
            self.lock.write(document, expected, text).await
        })
    }

    fn remove<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, ()> {
        self.lock.remove(document, expected)
    }

    fn is_held<'a>(&'a mut self) -> StoreFuture<'a, bool> {
        let is_held = match &mut *self.store.lasts.lock().unwrap() {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        };
        Box::pin(ready(Ok(is_held)))
    }
}

fn profile(store: &Leased) -> Profile {
    let base_url = BaseUrl::parse("https://api.example", false).unwrap();
    Profile::of(
        Arc::new(store.clone()),
        ProfileId::new(&base_url, "default"),
    )
}

async fn journal_of(profile: &Profile) -> JournalState {
    profile.journal_state(None, None).await.unwrap()
}

async fn stored(profile: &Profile) -> (String, u64) {
    let stored = profile.stored().await.unwrap().unwrap();
    let secret = stored.api_token().secret().expose_secret().to_owned();
    (secret, stored.generation())
}

#[tokio::test]
async fn row_63_a_credential_is_replaced_only_by_who_has_seen_it() {
    let profile = profile(&Leased::default());
    profile.save(&token("old")).await.unwrap();
    let seen = profile.stored().await.unwrap().unwrap();
    // Somebody else stores a newer one between the look and the change.
    profile.replace(&seen, &token("new")).await.unwrap();
    for changed in [
        profile.save(&token("old")).await,
        profile.replace(&seen, &token("old")).await,
        profile.remove(&seen).await,
        profile.remove_damaged().await,
    ] {
        assert!(matches!(changed, Err(StoreError::Changed)), "{changed:?}");
    }
    assert_eq!(stored(&profile).await, ("new".to_owned(), 1));
    profile.save(&token("new")).await.unwrap();
    assert_eq!(stored(&profile).await, ("new".to_owned(), 1));
}

#[tokio::test]
async fn row_63_the_same_secret_of_another_generation_is_another_credential() {
    let profile = profile(&Leased::default());
    profile.save(&token("old")).await.unwrap();
    let seen = profile.stored().await.unwrap().unwrap();
    profile.replace(&seen, &token("old")).await.unwrap();
    let changed = profile.replace(&seen, &token("other")).await;
    assert!(matches!(changed, Err(StoreError::Changed)), "{changed:?}");
}

#[tokio::test]
async fn row_63_a_damaged_credential_counts_as_none() {
    let store = Leased::default();
    let profile = profile(&store);
    let damage = async || {
        let stored = store
            .read(profile.id(), Document::Credential)
            .await
            .unwrap();
        let version = stored.as_ref().map(StoredDocument::version);
        let mut lock = store.try_lock(profile.id()).await.unwrap().unwrap();
        let text = Secret::from("{");
        let written = lock.write(Document::Credential, version, &text).await;
        written.unwrap();
    };
    damage().await;
    profile.save(&token("new")).await.unwrap();
    assert_eq!(stored(&profile).await, ("new".to_owned(), 0));
    damage().await;
    profile.remove_damaged().await.unwrap();
    assert!(profile.load().await.unwrap().is_none());
}

#[tokio::test]
async fn row_63_a_journal_is_written_and_removed_only_beside_its_credential() {
    let profile = profile(&Leased::default());
    profile.save(&token("new")).await.unwrap();
    let old = Record::new(token("old"), 0);
    let mut writer = profile.try_lock().await.unwrap().unwrap();
    let announced = writer.put_journal(&old, &journal(1, &[])).await;
    assert!(matches!(announced, Err(StoreError::Changed)));
    assert_eq!(journal_of(&profile).await, JournalState::None);
    let new = profile.required().await.unwrap();
    writer.put_journal(&new, &journal(1, &[])).await.unwrap();
    let cleared = writer.clear_journal(&old).await;
    assert!(matches!(cleared, Err(StoreError::Changed)));
    assert_eq!(journal_of(&profile).await, JournalState::Unfinished);
}

#[tokio::test]
async fn a_write_that_failed_behind_its_end_can_be_made_again() {
    let profile = profile(&Leased::default());
    profile.save(&token("old")).await.unwrap();
    let old = profile.required().await.unwrap();
    let new = Record::new(token("new"), 1);
    let mut writer = profile.try_lock().await.unwrap().unwrap();
    for _ in 0..2 {
        writer.put_record(Some(&old), &new).await.unwrap();
    }
    assert_eq!(stored(&profile).await, ("new".to_owned(), 1));
}

#[tokio::test]
async fn row_64_a_lock_that_has_ended_writes_and_removes_nothing() {
    let store = Leased::default();
    let profile = profile(&store);
    profile.save(&token("old")).await.unwrap();
    let seen = profile.stored().await.unwrap().unwrap();
    let old = profile.required().await.unwrap();
    *store.lasts.lock().unwrap() = Some(0);
    let mut writer = profile.try_lock().await.unwrap().unwrap();
    for lost in [
        writer
            .put_record(Some(&old), &Record::new(token("new"), 1))
            .await,
        writer.put_journal(&old, &journal(1, &[])).await,
        writer.clear_journal(&old).await,
        writer.discard_journal().await,
        writer.remove_record(Some(&old)).await,
    ] {
        assert!(matches!(lost, Err(StoreError::LockLost)), "{lost:?}");
    }
    drop(writer);
    for lost in [
        profile.replace(&seen, &token("new")).await,
        profile.remove(&seen).await,
        profile.discard_journal(&Version::new("1")).await,
    ] {
        assert!(matches!(lost, Err(StoreError::LockLost)), "{lost:?}");
    }
    assert_eq!(stored(&profile).await, ("old".to_owned(), 0));
    assert_eq!(journal_of(&profile).await, JournalState::None);
}

#[tokio::test(start_paused = true)]
async fn row_63_a_lock_that_is_held_for_a_moment_is_waited_for() {
    let store = Leased::default();
    let profile = profile(&store);
    // As by somebody who looks whether it is held, or who saves.
    store.refusals.store(3, Ordering::SeqCst);
    profile.save(&token("old")).await.unwrap();
    assert_eq!(store.refusals.load(Ordering::SeqCst), 0);
    let _held = profile.try_lock().await.unwrap().unwrap();
    let seen = profile.stored().await.unwrap().unwrap();
    let locked = profile.replace(&seen, &token("new")).await;
    assert!(matches!(locked, Err(StoreError::Locked)), "{locked:?}");
}

#[tokio::test]
async fn row_65_a_change_goes_on_under_the_lock_when_nobody_waits_for_it_any_more() {
    let store = Leased::default();
    let profile = profile(&store);
    let ((begun, has_begun), (end, may_end)) = (channel(), channel());
    *store.gate.lock().unwrap() = Some(Gate { begun, may_end });
    let saving = profile.clone();
    let abandoned = tokio::spawn(async move { saving.save(&token("new")).await });
    has_begun.await.unwrap();
    abandoned.abort();
    assert!(abandoned.await.is_err_and(|error| error.is_cancelled()));
    assert!(profile.is_locked().await.unwrap());
    end.send(()).unwrap();
    while profile.is_locked().await.unwrap() {
        tokio::task::yield_now().await;
    }
    assert_eq!(stored(&profile).await, ("new".to_owned(), 0));
}

#[test]
fn row_49_without_a_runtime_a_change_is_an_error() {
    let profile = profile(&Leased::default());
    let token = token("new");
    let mut save = pin!(profile.save(&token));
    let saved = save.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(
        matches!(saved, Poll::Ready(Err(StoreError::NoRuntime))),
        "{saved:?}"
    );
}

#[tokio::test]
async fn row_64_a_journal_that_another_process_wrote_meanwhile_is_not_replaced() {
    let store = Leased::default();
    let profile = profile(&store);
    profile.save(&token("old")).await.unwrap();
    let record = profile.required().await.unwrap();
    let mut writer = profile.try_lock().await.unwrap().unwrap();
    let first = journal(1, &[]);
    writer.put_journal(&record, &first).await.unwrap();
    // The lease ends, and the store says that it is held all the same.
    store.inner.end_lock(profile.id());
    let mut other = profile.try_lock().await.unwrap().unwrap();
    let theirs = journal(2, &["new"]);
    other.put_journal(&record, &theirs).await.unwrap();
    for changed in [
        writer.put_journal(&record, &first).await,
        writer.clear_journal(&record).await,
        writer.put_journal(&record, &first).await,
    ] {
        assert!(matches!(changed, Err(StoreError::Changed)), "{changed:?}");
    }
    let kept = profile.journal(&record).await.unwrap().unwrap();
    assert_eq!((kept.requests, kept.candidates.len()), (2, 1));
}

/// A profile whose rotation the service has ruled on.
async fn ruled(store: &Leased, ruling: Ruling) -> Profile {
    let profile = profile(store);
    profile.save(&token("old")).await.unwrap();
    let record = profile.required().await.unwrap();
    let journal = Journal {
        conclusion: Some(Conclusion {
            ruling,
            at: SystemTime::UNIX_EPOCH,
        }),
        ..journal(3, &[])
    };
    let mut writer = profile.try_lock().await.unwrap().unwrap();
    writer.put_journal(&record, &journal).await.unwrap();
    drop(writer);
    assert_eq!(journal_of(&profile).await, JournalState::Over);
    profile
}

#[tokio::test]
async fn row_66_a_journal_that_the_service_has_ruled_on_goes_with_the_credential_that_takes_its_place()
 {
    let profile = ruled(&Leased::default(), Ruling::CredentialLost).await;
    let seen = profile.stored().await.unwrap().unwrap();
    profile.replace(&seen, &token("new")).await.unwrap();
    assert_eq!(journal_of(&profile).await, JournalState::None);
    let profile = ruled(&Leased::default(), Ruling::CredentialLost).await;
    let seen = profile.stored().await.unwrap().unwrap();
    profile.remove(&seen).await.unwrap();
    assert_eq!(journal_of(&profile).await, JournalState::None);
}

#[tokio::test]
async fn row_66_a_ruled_journal_that_is_left_behind_belongs_to_no_later_credential() {
    let store = Leased::default();
    let profile = ruled(&store, Ruling::ApiTokenGone).await;
    let old = profile.required().await.unwrap();
    assert!(profile.journal(&old).await.unwrap().is_some());
    // As if the process had ended before the journal was removed.
    let new = Record::new(token("new"), 1);
    let mut writer = profile.try_lock().await.unwrap().unwrap();
    writer.put_record(Some(&old), &new).await.unwrap();
    assert!(profile.journal(&new).await.unwrap().is_none());
}

#[tokio::test]
async fn row_66_a_change_that_writes_nothing_keeps_the_ruled_journal() {
    let profile = ruled(&Leased::default(), Ruling::CredentialLost).await;
    let other = profile.save(&token("other")).await;
    assert!(matches!(other, Err(StoreError::Changed)), "{other:?}");
    profile.save(&token("old")).await.unwrap();
    assert_eq!(journal_of(&profile).await, JournalState::Over);
}

#[tokio::test]
async fn row_71_the_only_copy_of_another_api_tokens_secret_makes_no_way_for_the_one_that_is_ruled_out()
 {
    let profile = ruled(&Leased::default(), Ruling::OtherApiToken).await;
    let seen = profile.stored().await.unwrap().unwrap();
    let old = profile.replace(&seen, &token("old")).await;
    assert!(
        matches!(old, Err(StoreError::RotationUnfinished)),
        "{old:?}"
    );
    assert_eq!(journal_of(&profile).await, JournalState::Over);
    let other = ApiToken::new("other-id", Secret::from("other")).unwrap();
    profile.replace(&seen, &other).await.unwrap();
    assert_eq!(journal_of(&profile).await, JournalState::None);
}
