//! A store whose readers see a write some time later, and many who wait for its lock.

use std::collections::HashMap;
use std::future::ready;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::power_loss::{journal, token};
use crate::credential::profile_id::ProfileId;
use crate::foundation::base_url::BaseUrl;
use crate::foundation::secret::Secret;
use crate::store::record::Record;
use crate::store::{
    CredentialStore, Document, JournalState, MemoryStore, Profile, ProfileLock, StoreError,
    StoreFuture, StoreLock, StoredDocument, Version,
};

/// The states of a document, each with the time since which readers see it.
type History = Arc<Mutex<HashMap<Document, Vec<(Instant, Option<StoredDocument>)>>>>;

/// A store in memory with a replica that lags behind, which all reads go to.
#[derive(Clone)]
struct Lagging {
    inner: MemoryStore,
    lag: Duration,
    seen: History,
    attempts: Arc<AtomicU32>,
}

struct LaggingLock {
    store: Lagging,
    profile: ProfileId,
    lock: StoreLock,
}

impl Lagging {
    fn by(lag: Duration) -> Self {
        Self {
            inner: MemoryStore::new(),
            lag,
            seen: Arc::default(),
            attempts: Arc::default(),
        }
    }

    async fn note(&self, profile: &ProfileId, document: Document) {
        let now = self.inner.read(profile, document).await.unwrap();
        let mut seen = self.seen.lock().unwrap();
        let states = seen.entry(document).or_default();
        states.push((Instant::now() + self.lag, now));
    }
}

impl CredentialStore for Lagging {
    fn read<'a>(
        &'a self,
        _: &'a ProfileId,
        document: Document,
    ) -> StoreFuture<'a, Option<StoredDocument>> {
        let seen = self.seen.lock().unwrap();
        let states = seen.get(&document).map_or(&[][..], Vec::as_slice);
        let last = states.iter().rfind(|(since, _)| *since <= Instant::now());
        Box::pin(ready(Ok(last.and_then(|(_, document)| document.clone()))))
    }

    fn try_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, Option<StoreLock>> {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        Box::pin(async {
            let lock = self.inner.try_lock(profile).await?;
            let (store, profile) = (self.clone(), profile.clone());
            Ok(lock.map(|lock| {
                Box::new(LaggingLock {
                    store,
                    profile,
                    lock,
                }) as StoreLock
            }))
        })
    }

    fn is_locked<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
        self.inner.is_locked(profile)
    }
}

impl ProfileLock for LaggingLock {
    fn write<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
        text: &'a Secret,
    ) -> StoreFuture<'a, Version> {
        Box::pin(async move {
            let version = self.lock.write(document, expected, text).await?;
            self.store.note(&self.profile, document).await;
            Ok(version)
        })
    }

    fn remove<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.lock.remove(document, expected).await?;
            self.store.note(&self.profile, document).await;
            Ok(())
        })
    }

    fn is_held<'a>(&'a mut self) -> StoreFuture<'a, bool> {
        self.lock.is_held()
    }
}

fn profile(store: impl CredentialStore) -> Profile {
    let base_url = BaseUrl::parse("https://api.example", false).unwrap();
    Profile::of(Arc::new(store), ProfileId::new(&base_url, "default"))
}

#[tokio::test(start_paused = true)]
async fn a_store_that_shows_a_write_seconds_later_takes_a_whole_rotation() {
    let profile = profile(Lagging::by(Duration::from_secs(3)));
    let (old, new) = (Record::new(token("old"), 0), Record::new(token("new"), 1));
    let mut writer = profile.try_lock().await.unwrap().unwrap();
    writer.put_record(None, &old).await.unwrap();
    writer.put_journal(&old, &journal(1, &[])).await.unwrap();
    writer
        .put_journal(&old, &journal(1, &["new"]))
        .await
        .unwrap();
    writer.put_record(Some(&old), &new).await.unwrap();
    writer.clear_journal(&new).await.unwrap();
    // The next rotation, by the same writer, whose replica still shows the journal of the last one.
    let next = journal(1, &[]);
    writer.put_journal(&new, &next).await.unwrap();
    assert!(profile.required().await.unwrap().is_same_as(&new));
    let state = profile.journal_state(Some(&new), None).await.unwrap();
    assert_eq!(state, JournalState::Unfinished);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_never_shows_what_was_written_has_not_kept_it() {
    let profile = profile(Lagging::by(Duration::from_secs(60 * 60)));
    let started = Instant::now();
    let saved = profile.save(&token("old")).await;
    let document = Document::Credential;
    assert!(
        matches!(saved, Err(StoreError::NotKept { document: of }) if of == document),
        "{saved:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[tokio::test(start_paused = true)]
async fn row_63_a_conflict_is_told_at_once_by_a_store_that_lags() {
    let store = Lagging::by(Duration::from_secs(3));
    let profile = profile(store.clone());
    profile.save(&token("old")).await.unwrap();
    let seen = profile.stored().await.unwrap().unwrap();
    // Another process replaces it, which readers see later.
    let stored = store.inner.read(profile.id(), Document::Credential).await;
    let mut lock = store.try_lock(profile.id()).await.unwrap().unwrap();
    let new = Record::new(token("new"), 1).write(profile.id()).unwrap();
    let version = stored.unwrap().map(|stored| stored.version().clone());
    let written = lock.write(Document::Credential, version.as_ref(), &new);
    written.await.unwrap();
    drop(lock);
    let started = Instant::now();
    let replaced = profile.replace(&seen, &token("older")).await;
    assert!(matches!(replaced, Err(StoreError::Changed)), "{replaced:?}");
    assert_eq!(started.elapsed(), Duration::ZERO);
}

/// Half of the longest wait, in seconds, for each of 50 who wait.
const MOST_ATTEMPTS_IN_A_MINUTE: u32 = 50 * 60 * 2 / 5;

#[tokio::test(start_paused = true)]
async fn row_53_fifty_who_wait_for_a_lock_ask_for_it_twenty_times_a_second_at_most() {
    let store = Lagging::by(Duration::ZERO);
    let profile = profile(store.clone());
    let started = Instant::now();
    let held = profile.try_lock().await.unwrap().unwrap();
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let profile = profile.clone();
            tokio::spawn(async move { profile.lock(Duration::from_secs(600)).await.map(drop) })
        })
        .collect();
    // They begin at the same time, and drift apart.
    sleep_until(started + Duration::from_secs(60)).await;
    let before = store.attempts.load(Ordering::Relaxed);
    sleep_until(started + Duration::from_secs(120)).await;
    let asked = store.attempts.load(Ordering::Relaxed) - before;
    assert!(asked > 0 && asked <= MOST_ATTEMPTS_IN_A_MINUTE, "{asked}");
    drop(held);
    for waiting in waiting {
        waiting.await.unwrap().unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(130));
}

#[tokio::test(start_paused = true)]
async fn row_53_a_lock_is_given_up_when_the_patience_ends() {
    let profile = profile(MemoryStore::new());
    let _held = profile.try_lock().await.unwrap().unwrap();
    let started = Instant::now();
    let waited = profile.lock(Duration::from_secs(20)).await.map(drop);
    assert!(matches!(waited, Err(StoreError::Locked)), "{waited:?}");
    assert_eq!(started.elapsed(), Duration::from_secs(20));
}
