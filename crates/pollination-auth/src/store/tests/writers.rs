//! Rows 63 to 65: a write compares under the lock, stops when the lock has ended, and holds it to
//! its end.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::power_loss::{journal, token};
use crate::credential::api_token::ApiToken;
use crate::credential::profile_id::ProfileId;
use crate::foundation::base_url::BaseUrl;
use crate::foundation::secret::Secret;
use crate::store::journal::{Conclusion, Journal, Ruling};
use crate::store::record::Record;
use crate::store::{
    CredentialStore, Document, JournalState, MemoryStore, Profile, ProfileLock, StoreError,
    StoreLock,
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
    fn read(&self, profile: &ProfileId, document: Document) -> Result<Option<Secret>, StoreError> {
        self.inner.read(profile, document)
    }

    fn try_lock(&self, profile: &ProfileId) -> Result<Option<StoreLock>, StoreError> {
        let fewer = |left: u32| left.checked_sub(1);
        let refused = self
            .refusals
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer);
        if refused.is_ok() {
            return Ok(None);
        }
        let store = self.clone();
        let lock = self.inner.try_lock(profile)?;
        Ok(lock.map(|lock| Box::new(Lease { store, lock }) as StoreLock))
    }
}

impl ProfileLock for Lease {
    fn write(&mut self, document: Document, text: &Secret) -> Result<(), StoreError> {
        if let Some(gate) = self.store.gate.lock().unwrap().take() {
            gate.begun.send(()).unwrap();
            gate.may_end.recv().unwrap();
        }
        self.lock.write(document, text)
    }

    fn remove(&mut self, document: Document) -> Result<(), StoreError> {
        self.lock.remove(document)
    }

    fn is_held(&mut self) -> Result<bool, StoreError> {
        Ok(match &mut *self.store.lasts.lock().unwrap() {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        })
    }
}

fn profile(store: &Leased) -> Profile {
    let base_url = BaseUrl::parse("https://api.example", false).unwrap();
    Profile::of(
        Arc::new(store.clone()),
        ProfileId::new(&base_url, "default"),
    )
}

fn journal_of(profile: &Profile) -> JournalState {
    profile.journal_state(None, None).unwrap()
}

fn stored(profile: &Profile) -> (String, u64) {
    let stored = profile.stored().unwrap().unwrap();
    let secret = stored.api_token().secret().expose_secret().to_owned();
    (secret, stored.generation())
}

#[test]
fn row_63_a_credential_is_replaced_only_by_who_has_seen_it() {
    let profile = profile(&Leased::default());
    profile.save(&token("old")).unwrap();
    let seen = profile.stored().unwrap().unwrap();
    // Somebody else stores a newer one between the look and the change.
    profile.replace(&seen, &token("new")).unwrap();
    for changed in [
        profile.save(&token("old")),
        profile.replace(&seen, &token("old")),
        profile.remove(&seen),
        profile.remove_damaged(),
    ] {
        assert!(matches!(changed, Err(StoreError::Changed)), "{changed:?}");
    }
    assert_eq!(stored(&profile), ("new".to_owned(), 1));
    profile.save(&token("new")).unwrap();
    assert_eq!(stored(&profile), ("new".to_owned(), 1));
}

#[test]
fn row_63_the_same_secret_of_another_generation_is_another_credential() {
    let profile = profile(&Leased::default());
    profile.save(&token("old")).unwrap();
    let seen = profile.stored().unwrap().unwrap();
    profile.replace(&seen, &token("old")).unwrap();
    let changed = profile.replace(&seen, &token("other"));
    assert!(matches!(changed, Err(StoreError::Changed)), "{changed:?}");
}

#[test]
fn row_63_a_damaged_credential_counts_as_none() {
    let store = Leased::default();
    let profile = profile(&store);
    let damage = || {
        let mut lock = store.try_lock(profile.id()).unwrap().unwrap();
        let text = Secret::from("{".to_owned());
        lock.write(Document::Credential, &text).unwrap();
    };
    damage();
    profile.save(&token("new")).unwrap();
    assert_eq!(stored(&profile), ("new".to_owned(), 0));
    damage();
    profile.remove_damaged().unwrap();
    assert!(profile.load().unwrap().is_none());
}

#[test]
fn row_63_a_journal_is_written_and_removed_only_beside_its_credential() {
    let profile = profile(&Leased::default());
    profile.save(&token("new")).unwrap();
    let old = Record::new(token("old"), 0);
    let mut writer = profile.lock().unwrap();
    let announced = writer.put_journal(&old, &journal(1, &[]));
    assert!(matches!(announced, Err(StoreError::Changed)));
    assert_eq!(journal_of(&profile), JournalState::None);
    let new = profile.required().unwrap();
    writer.put_journal(&new, &journal(1, &[])).unwrap();
    let cleared = writer.clear_journal(&old);
    assert!(matches!(cleared, Err(StoreError::Changed)));
    assert_eq!(journal_of(&profile), JournalState::Unfinished);
}

#[test]
fn a_write_that_failed_behind_its_end_can_be_made_again() {
    let profile = profile(&Leased::default());
    profile.save(&token("old")).unwrap();
    let old = profile.required().unwrap();
    let new = Record::new(token("new"), 1);
    let mut writer = profile.lock().unwrap();
    for _ in 0..2 {
        writer.put_record(Some(&old), &new).unwrap();
    }
    assert_eq!(stored(&profile), ("new".to_owned(), 1));
}

#[test]
fn row_64_a_lock_that_has_ended_writes_and_removes_nothing() {
    let store = Leased::default();
    let profile = profile(&store);
    profile.save(&token("old")).unwrap();
    let seen = profile.stored().unwrap().unwrap();
    let old = profile.required().unwrap();
    *store.lasts.lock().unwrap() = Some(0);
    let mut writer = profile.lock().unwrap();
    for lost in [
        writer.put_record(Some(&old), &Record::new(token("new"), 1)),
        writer.put_journal(&old, &journal(1, &[])),
        writer.clear_journal(&old),
        writer.discard_journal(),
        writer.remove_record(Some(&old)),
    ] {
        assert!(matches!(lost, Err(StoreError::LockLost)), "{lost:?}");
    }
    drop(writer);
    for lost in [
        profile.replace(&seen, &token("new")),
        profile.remove(&seen),
        profile.discard_journal(),
    ] {
        assert!(matches!(lost, Err(StoreError::LockLost)), "{lost:?}");
    }
    assert_eq!(stored(&profile), ("old".to_owned(), 0));
    assert_eq!(journal_of(&profile), JournalState::None);
}

#[test]
fn row_63_a_lock_that_is_held_for_a_moment_is_waited_for() {
    let store = Leased::default();
    let profile = profile(&store);
    // As by somebody who looks whether it is held, or who saves.
    store.refusals.store(3, Ordering::SeqCst);
    profile.save(&token("old")).unwrap();
    assert_eq!(store.refusals.load(Ordering::SeqCst), 0);
    let _held = profile.lock().unwrap();
    let seen = profile.stored().unwrap().unwrap();
    let locked = profile.replace(&seen, &token("new"));
    assert!(matches!(locked, Err(StoreError::Locked)), "{locked:?}");
}

#[tokio::test]
async fn row_65_a_write_holds_the_lock_to_its_end_when_nobody_waits_for_it_any_more() {
    let store = Leased::default();
    let profile = profile(&store);
    let ((begun, has_begun), (end, may_end)) = (channel(), channel());
    *store.gate.lock().unwrap() = Some(Gate { begun, may_end });
    let writer = profile.lock().unwrap();
    let new = Record::new(token("new"), 0);
    let writing = writer.run(move |writer| writer.put_record(None, &new));
    let abandoned = tokio::spawn(writing);
    tokio::task::spawn_blocking(move || has_begun.recv().unwrap())
        .await
        .unwrap();
    abandoned.abort();
    assert!(abandoned.await.is_err_and(|error| error.is_cancelled()));
    assert!(profile.is_locked().unwrap());
    end.send(()).unwrap();
    while profile.is_locked().unwrap() {
        tokio::task::yield_now().await;
    }
    assert_eq!(stored(&profile), ("new".to_owned(), 0));
}

/// A profile whose rotation the service has ruled on.
fn ruled(store: &Leased, ruling: Ruling) -> Profile {
    let profile = profile(store);
    profile.save(&token("old")).unwrap();
    let record = profile.required().unwrap();
    let journal = Journal {
        conclusion: Some(Conclusion {
            ruling,
            at: SystemTime::UNIX_EPOCH,
        }),
        ..journal(3, &[])
    };
    profile
        .lock()
        .unwrap()
        .put_journal(&record, &journal)
        .unwrap();
    assert_eq!(journal_of(&profile), JournalState::Over);
    profile
}

#[test]
fn row_66_a_journal_that_the_service_has_ruled_on_goes_with_the_credential_that_takes_its_place() {
    let profile = ruled(&Leased::default(), Ruling::CredentialLost);
    let seen = profile.stored().unwrap().unwrap();
    profile.replace(&seen, &token("new")).unwrap();
    assert_eq!(journal_of(&profile), JournalState::None);
    let profile = ruled(&Leased::default(), Ruling::CredentialLost);
    let seen = profile.stored().unwrap().unwrap();
    profile.remove(&seen).unwrap();
    assert_eq!(journal_of(&profile), JournalState::None);
}

#[test]
fn row_66_a_ruled_journal_that_is_left_behind_belongs_to_no_later_credential() {
    let store = Leased::default();
    let profile = ruled(&store, Ruling::ApiTokenGone);
    let old = profile.required().unwrap();
    assert!(profile.journal(&old).unwrap().is_some());
    // As if the process had ended before the journal was removed.
    let new = Record::new(token("new"), 1);
    let mut writer = profile.lock().unwrap();
    writer.put_record(Some(&old), &new).unwrap();
    assert!(profile.journal(&new).unwrap().is_none());
}

#[test]
fn row_66_a_change_that_writes_nothing_keeps_the_ruled_journal() {
    let profile = ruled(&Leased::default(), Ruling::CredentialLost);
    let other = profile.save(&token("other"));
    assert!(matches!(other, Err(StoreError::Changed)), "{other:?}");
    profile.save(&token("old")).unwrap();
    assert_eq!(journal_of(&profile), JournalState::Over);
}

#[test]
fn row_71_the_only_copy_of_another_api_tokens_secret_makes_no_way_for_the_one_that_is_ruled_out() {
    let profile = ruled(&Leased::default(), Ruling::OtherApiToken);
    let seen = profile.stored().unwrap().unwrap();
    let old = profile.replace(&seen, &token("old"));
    assert!(
        matches!(old, Err(StoreError::RotationUnfinished)),
        "{old:?}"
    );
    assert_eq!(journal_of(&profile), JournalState::Over);
    let other = ApiToken::new("other-id", "other").unwrap();
    profile.replace(&seen, &other).unwrap();
    assert_eq!(journal_of(&profile), JournalState::None);
}
