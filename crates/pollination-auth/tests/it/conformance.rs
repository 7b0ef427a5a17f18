//! The test kit for stores: our own stores pass it, and stores with one fault fail it for that fault.

use std::collections::HashMap;
use std::fs;
use std::future::ready;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use pollination_auth::testing::conformance::{Finding, Harness, Promise, Report, check};
use pollination_auth::{
    CredentialStore, Document, FileStore, MemoryStore, ProfileId, ProfileLock, Secret, StoreError,
    StoreFuture, StoreLock, StoredDocument, Version,
};

struct Memory(MemoryStore);

impl Harness for Memory {
    fn open(&self) -> StoreFuture<'_, Arc<dyn CredentialStore>> {
        Box::pin(ready(Ok(Arc::new(self.0.clone()) as _)))
    }
}

/// A directory; each handle opens it anew, and old versions are looked for in all of its files.
struct Files(PathBuf);

impl Harness for Files {
    fn open(&self) -> StoreFuture<'_, Arc<dyn CredentialStore>> {
        Box::pin(async { Ok(Arc::new(FileStore::open(&self.0)?) as _) })
    }

    fn find<'a>(&'a self, text: &'a str) -> StoreFuture<'a, Option<bool>> {
        let files = fs::read_dir(&self.0).unwrap();
        let mut contents = files.map(|file| fs::read(file.unwrap().path()).unwrap());
        let is_there = contents.any(|content| String::from_utf8_lossy(&content).contains(text));
        Box::pin(ready(Ok(Some(is_there))))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// What is wrong with a store.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    WritesWhateverIsThere,
    EndsSilently,
    RemovesNothing,
    KeepsOldVersions,
    LooksByTaking,
    ForgetsItsEnd,
}

/// A document's versions, each with its text; the last one may be its removal.
type Versions = Vec<(u64, Option<Secret>)>;

#[derive(Default)]
struct State {
    documents: HashMap<(ProfileId, Document), Versions>,
    /// The holders of the locks.
    locks: HashMap<ProfileId, u64>,
    /// The number of writes and locks so far.
    last: u64,
}

/// A store with versions and leases, and with a fault.
#[derive(Clone)]
struct Faulty {
    fault: Fault,
    state: Arc<Mutex<State>>,
}

struct Lease {
    store: Faulty,
    profile: ProfileId,
    holder: u64,
}

impl State {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn stored(&self, profile: &ProfileId, document: Document) -> Option<StoredDocument> {
        let versions = self.documents.get(&(profile.clone(), document))?;
        let (number, text) = versions.last()?;
        let version = Version::new(number.to_string());
        Some(StoredDocument::new(text.clone()?, version))
    }
}

impl Harness for Faulty {
    fn open(&self) -> StoreFuture<'_, Arc<dyn CredentialStore>> {
        Box::pin(ready(Ok(Arc::new(self.clone()) as _)))
    }

    fn end_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
        self.state.lock().unwrap().locks.remove(profile);
        Box::pin(ready(Ok(true)))
    }

    fn find<'a>(&'a self, text: &'a str) -> StoreFuture<'a, Option<bool>> {
        let state = self.state.lock().unwrap();
        let mut texts = state
            .documents
            .values()
            .flatten()
            .flat_map(|(_, text)| text);
        let is_there = texts.any(|there| there.expose_secret().contains(text));
        Box::pin(ready(Ok(Some(is_there))))
    }
}

impl CredentialStore for Faulty {
    fn read<'a>(
        &'a self,
        profile: &'a ProfileId,
        document: Document,
    ) -> StoreFuture<'a, Option<StoredDocument>> {
        let stored = self.state.lock().unwrap().stored(profile, document);
        Box::pin(ready(Ok(stored)))
    }

    fn try_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, Option<StoreLock>> {
        let mut state = self.state.lock().unwrap();
        let holder = state.next();
        let is_free = !state.locks.contains_key(profile);
        if is_free {
            state.locks.insert(profile.clone(), holder);
        }
        let lease = Lease {
            store: self.clone(),
            profile: profile.clone(),
            holder,
        };
        drop(state);
        let lock = if is_free {
            Some(Box::new(lease) as StoreLock)
        } else {
            std::mem::forget(lease);
            None
        };
        Box::pin(ready(Ok(lock)))
    }

    fn is_locked<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            if self.fault != Fault::LooksByTaking {
                return Ok(self.state.lock().unwrap().locks.contains_key(profile));
            }
            let taken = self.try_lock(profile).await?;
            tokio::task::yield_now().await;
            Ok(taken.is_none())
        })
    }
}

impl Lease {
    fn holds(&self, state: &State) -> bool {
        state.locks.get(&self.profile) == Some(&self.holder)
    }

    fn change(
        &self,
        document: Document,
        expected: Option<&Version>,
        text: Option<&Secret>,
    ) -> Result<Version, StoreError> {
        let fault = self.store.fault;
        let mut state = self.store.state.lock().unwrap();
        if !self.holds(&state) && fault != Fault::EndsSilently {
            return Err(StoreError::LockLost);
        }
        let stored = state.stored(&self.profile, document);
        let version = stored.as_ref().map(StoredDocument::version);
        let removes_none = text.is_none() && version.is_none();
        if version != expected && !removes_none && fault != Fault::WritesWhateverIsThere {
            return Err(StoreError::Changed);
        }
        let number = state.next();
        let versions = state
            .documents
            .entry((self.profile.clone(), document))
            .or_default();
        match text {
            None if fault == Fault::RemovesNothing => {}
            None if fault != Fault::KeepsOldVersions => versions.clear(),
            text => versions.push((number, text.cloned())),
        }
        Ok(Version::new(number.to_string()))
    }
}

impl ProfileLock for Lease {
    fn write<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
        text: &'a Secret,
    ) -> StoreFuture<'a, Version> {
        Box::pin(ready(self.change(document, expected, Some(text))))
    }

    fn remove<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, ()> {
        Box::pin(ready(self.change(document, expected, None).map(drop)))
    }

    fn is_held<'a>(&'a mut self) -> StoreFuture<'a, bool> {
        let holds = self.holds(&self.store.state.lock().unwrap());
        let says = holds || self.store.fault == Fault::EndsSilently;
        Box::pin(ready(Ok(says)))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.store.state.lock().unwrap();
        if self.holds(&state) && self.store.fault != Fault::ForgetsItsEnd {
            state.locks.remove(&self.profile);
        }
    }
}

/// Returns the broken promises.
fn broken(report: &Report) -> Vec<Promise> {
    let findings = report.findings().iter();
    let broken = findings.filter(|(_, finding)| matches!(finding, Finding::Broken(_)));
    broken.map(|(promise, _)| *promise).collect()
}

async fn checked(fault: Fault) -> (Report, State) {
    let store = Faulty {
        fault,
        state: Arc::default(),
    };
    let report = check(&store).await;
    let state = std::mem::take(&mut *store.state.lock().unwrap());
    (report, state)
}

/// Returns a report with broken promises, after rotations.
pub(crate) async fn report_of_a_broken_store() -> Report {
    checked(Fault::EndsSilently).await.0
}

#[tokio::test]
async fn the_file_store_keeps_every_promise() {
    let name = format!("conformance-{}", std::process::id());
    let files = Files(std::env::temp_dir().join(name));
    let report = check(&files).await;
    assert!(report.is_kept(), "{report}");
    let not_checked = report.to_string().matches("not checked").count();
    // The system's lock ends with its holder alone.
    assert_eq!(not_checked, 2, "{report}");
    let left = fs::read_dir(&files.0).unwrap();
    let mut names = left.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(names.all(|name| name.ends_with(".lock")));
}

#[tokio::test]
async fn the_memory_store_keeps_every_promise() {
    let report = check(&Memory(MemoryStore::new())).await;
    assert!(report.is_kept(), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_store_with_leases_and_versions_keeps_every_promise_and_all_are_checked() {
    let (report, state) = checked(Fault::None).await;
    let mut findings = report.findings().iter();
    assert!(
        findings.all(|(_, finding)| *finding == Finding::Kept),
        "{report}"
    );
    assert!(state.documents.values().all(Vec::is_empty), "it cleans up");
}

#[tokio::test(start_paused = true)]
async fn row_63_a_store_that_does_not_compare_and_swap_is_found_out() {
    let (report, _) = checked(Fault::WritesWhateverIsThere).await;
    assert_eq!(broken(&report), [Promise::ComparesAndSwaps], "{report}");
    assert!(
        report
            .to_string()
            .contains("that expects no document succeeds"),
        "{report}"
    );
}

#[tokio::test(start_paused = true)]
async fn row_64_a_store_whose_lock_ends_silently_is_found_out_and_loses_a_secret() {
    let (report, _) = checked(Fault::EndsSilently).await;
    let expected = [Promise::TellsOfAnEndedLock, Promise::SurvivesEndedLocks];
    assert_eq!(broken(&report), expected, "{report}");
    let told = report.to_string();
    assert!(told.contains("by now says that it is held"), "{report}");
    assert!(
        told.contains("does not accept the stored secret"),
        "{report}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_whose_removal_removes_nothing_is_found_out() {
    let (report, _) = checked(Fault::RemovesNothing).await;
    assert!(broken(&report).contains(&Promise::Removes), "{report}");
    assert!(
        !broken(&report).contains(&Promise::ComparesAndSwaps),
        "{report}"
    );
    assert!(
        report.to_string().contains("still read after its removal"),
        "{report}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_store_that_keeps_old_versions_of_what_was_removed_is_found_out() {
    let (report, _) = checked(Fault::KeepsOldVersions).await;
    assert_eq!(broken(&report), [Promise::Destroys], "{report}");
}

#[tokio::test(start_paused = true)]
async fn row_53_a_store_whose_looks_take_the_lock_is_found_out() {
    let (report, _) = checked(Fault::LooksByTaking).await;
    assert_eq!(broken(&report), [Promise::LooksWithoutTaking], "{report}");
}

#[tokio::test(start_paused = true)]
async fn row_53_a_store_whose_dropped_lock_stays_held_is_found_out() {
    let (report, _) = checked(Fault::ForgetsItsEnd).await;
    assert!(broken(&report).contains(&Promise::Excludes), "{report}");
}
