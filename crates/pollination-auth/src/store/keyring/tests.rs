//! The store on a keyring in memory, which fails where a test says so.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex as StdMutex, mpsc};

use pollination_auth_fake::FakeService;
use tempfile::TempDir;
use tokio::task::spawn_blocking;
use tokio::time::{advance, sleep};
use zeroize::Zeroizing;

use super::*;
use crate::client::Client;
use crate::credential::api_token::ApiToken;
use crate::rotation::RotateOptions;
use crate::store::Profile;

const ID: &str = "an-id";
const SECRET: &str = "planted-secret";
const HOST: &str = "https://h";

/// More calls than a rotation, or its recovery, makes to a keyring: 100.
const MOST_CALLS: usize = 100;

/// How often the end of a write is looked for: 3 000 times in a minute.
const MOST_LOOKS: u32 = 3000;
const LOOK: Duration = Duration::from_millis(20);

/// More calls, or bytes, than there are.
const NEVER: usize = usize::MAX;

/// A keyring in memory.
struct Memory {
    entries: StdMutex<HashMap<String, Vec<u8>>>,
    /// The number of calls so far.
    calls: AtomicUsize,
    /// The number of calls from which on every call fails.
    works_for: AtomicUsize,
    /// Whether it does what a failing call asks for before the call fails.
    fails_late: AtomicBool,
    /// Whether it keeps something else than it is given.
    spoils: AtomicBool,
    limit: usize,
    /// Blocks a write: it signals that it has begun, and waits for permission to go on.
    gate: StdMutex<Option<(mpsc::Sender<()>, mpsc::Receiver<()>)>>,
}

impl Memory {
    fn new() -> Arc<Self> {
        Self::with_limit(NEVER)
    }

    fn with_limit(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            entries: StdMutex::default(),
            calls: AtomicUsize::new(0),
            works_for: AtomicUsize::new(NEVER),
            fails_late: AtomicBool::new(false),
            spoils: AtomicBool::new(false),
            limit,
            gate: StdMutex::default(),
        })
    }

    fn call<T>(
        &self,
        work: impl FnOnce(&mut HashMap<String, Vec<u8>>) -> T,
    ) -> Result<T, KeyringError> {
        let fails =
            self.calls.fetch_add(1, Ordering::Relaxed) >= self.works_for.load(Ordering::Relaxed);
        let failed = || KeyringError::Missing("it was told to fail".to_owned());
        if fails && !self.fails_late.load(Ordering::Relaxed) {
            return Err(failed());
        }
        let done = work(&mut self.entries.lock().unwrap());
        if fails { Err(failed()) } else { Ok(done) }
    }

    fn fail_after(&self, calls: usize, late: bool) {
        self.calls.store(0, Ordering::Relaxed);
        self.works_for.store(calls, Ordering::Relaxed);
        self.fails_late.store(late, Ordering::Relaxed);
    }

    /// Blocks the next write: it reports when it begins, and continues when the test allows it.
    fn hold_next_write(&self) -> (mpsc::Receiver<()>, mpsc::Sender<()>) {
        let (begun, begins) = mpsc::channel();
        let (go, held) = mpsc::channel();
        *self.gate.lock().unwrap() = Some((begun, held));
        (begins, go)
    }

    fn has_failed(&self) -> bool {
        self.calls.load(Ordering::Relaxed) > self.works_for.load(Ordering::Relaxed)
    }

    fn len(&self) -> usize {
        self.entries.lock().unwrap().len()
    }
}

impl Keyring for Memory {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        self.call(|entries| entries.get(name).cloned().map(Zeroizing::new))
    }

    fn set(&self, name: &str, text: &Secret) -> Result<(), KeyringError> {
        let text = match self.spoils.load(Ordering::Relaxed) {
            true => "something else",
            false => text.expose_secret(),
        };
        if let Some((begun, go)) = self.gate.lock().unwrap().take() {
            begun.send(()).unwrap();
            go.recv().unwrap();
        }
        self.call(|entries| drop(entries.insert(name.to_owned(), text.into())))
    }

    fn remove(&self, name: &str) -> Result<(), KeyringError> {
        self.call(|entries| drop(entries.remove(name)))
    }

    fn limit(&self) -> usize {
        self.limit
    }
}

/// A directory with the store in files, and with the store in a keyring beside it.
struct World {
    directory: TempDir,
    keyring: Arc<Memory>,
}

impl World {
    fn new(keyring: Arc<Memory>) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            keyring,
        }
    }

    fn files(&self, host: &str) -> Profile {
        let files = FileStore::open(self.directory.path()).unwrap();
        Profile::new(files, host, "default").unwrap()
    }

    fn store(&self) -> KeyringStore {
        let files = FileStore::open(self.directory.path()).unwrap();
        KeyringStore::beside(files, self.directory.path(), self.keyring.clone()).unwrap()
    }

    fn profile(&self, host: &str) -> Profile {
        Profile::new(self.store(), host, "default").unwrap()
    }

    fn is_marked(&self) -> bool {
        let profile = self.files(HOST);
        FileStore::belongs_in_keyring(self.directory.path(), profile.id())
    }

    /// Replaces the credential of a file by the same one in the keyring.
    async fn move_in(&self) -> Result<(), StoreError> {
        let profile = self.profile(HOST);
        let seen = profile.stored().await?.unwrap();
        profile.replace(&seen, seen.api_token()).await
    }
}

fn api_token() -> ApiToken {
    ApiToken::new(ID, Secret::from(SECRET)).unwrap()
}

async fn secret(profile: &Profile) -> Option<String> {
    let token = profile.load().await.unwrap();
    token.map(|token| token.secret().expose_secret().to_owned())
}

#[tokio::test]
async fn a_credential_is_moved_from_its_file_and_removed_without_a_trace() {
    let world = World::new(Memory::new());
    world.files(HOST).save(&api_token()).await.unwrap();
    world.move_in().await.unwrap();
    assert_eq!(secret(&world.files(HOST)).await, None);
    let profile = world.profile(HOST);
    assert_eq!(secret(&profile).await.as_deref(), Some(SECRET));
    assert!(world.is_marked());

    let seen = profile.stored().await.unwrap().unwrap();
    profile.remove(&seen).await.unwrap();
    assert_eq!(secret(&profile).await, None);
    assert_eq!((world.keyring.len(), world.is_marked()), (0, false));
}

#[tokio::test]
async fn what_is_too_long_is_refused_before_the_keyring_is_asked() {
    let world = World::new(Memory::with_limit(SECRET.len()));
    let saved = world.profile(HOST).save(&api_token()).await;
    assert!(matches!(saved, Err(StoreError::TooLong { limit, .. }) if limit == SECRET.len()));
    assert_eq!(world.keyring.calls.load(Ordering::Relaxed), 0);
    assert!(!world.is_marked());
}

#[tokio::test]
async fn a_file_stays_until_the_keyring_has_returned_what_was_written() {
    let world = World::new(Memory::new());
    world.files(HOST).save(&api_token()).await.unwrap();
    world.keyring.spoils.store(true, Ordering::Relaxed);
    let moved = world.move_in().await;
    assert!(
        matches!(moved, Err(StoreError::NotKept { .. })),
        "{moved:?}"
    );
    assert_eq!(secret(&world.files(HOST)).await.as_deref(), Some(SECRET));
    // Nothing is left, so that the next rotation does not ask for the keyring.
    assert_eq!((world.keyring.len(), world.is_marked()), (0, false));
}

/// Each call to the keyring is the last one of a move once: whatever is there then is whole.
#[tokio::test]
async fn a_move_that_is_cut_off_anywhere_leaves_the_credential_readable() {
    for late in [false, true] {
        for calls in 0..MOST_CALLS {
            let world = World::new(Memory::new());
            world.files(HOST).save(&api_token()).await.unwrap();
            world.keyring.fail_after(calls, late);
            let moved = world.move_in().await;
            let was_cut_off = world.keyring.has_failed();
            assert!(moved.is_err() || !was_cut_off, "{calls} {late}");
            assert!(
                world.keyring.len() == 0 || world.is_marked(),
                "{calls} {late}"
            );
            world.keyring.fail_after(NEVER, false);
            let profile = world.profile(HOST);
            assert_eq!(secret(&profile).await.as_deref(), Some(SECRET));
            world.move_in().await.unwrap();
            assert_eq!(secret(&world.files(HOST)).await, None);
            if !was_cut_off {
                break;
            }
            assert!(calls + 1 < MOST_CALLS);
        }
    }
}

#[tokio::test]
async fn row_63_a_writer_that_expects_another_version_writes_nothing() {
    let world = World::new(Memory::new());
    let store = world.store();
    let profile = world.profile(HOST);
    profile.save(&api_token()).await.unwrap();
    let id = profile.id();
    let mut lock = store.try_lock(id).await.unwrap().unwrap();
    assert!(store.try_lock(id).await.unwrap().is_none());
    let (old, text) = (Version::new("old"), Secret::from("{}"));
    for expected in [None, Some(&old)] {
        let written = lock.write(CREDENTIAL, expected, &text).await;
        assert!(matches!(written, Err(StoreError::Changed)), "{written:?}");
        let removed = lock.remove(CREDENTIAL, expected).await;
        assert!(matches!(removed, Err(StoreError::Changed)), "{removed:?}");
    }
    assert_eq!(secret(&profile).await.as_deref(), Some(SECRET));
}

#[tokio::test]
async fn row_65_a_write_that_nobody_waits_for_keeps_the_lock() {
    let world = World::new(Memory::new());
    let (store, profile) = (world.store(), world.profile(HOST));
    let (begins, go) = world.keyring.hold_next_write();
    let mut lock = store.try_lock(profile.id()).await.unwrap().unwrap();
    let text = Secret::from("{}");
    tokio::select! {
        written = lock.write(CREDENTIAL, None, &text) => panic!("{written:?}"),
        begun = spawn_blocking(move || begins.recv()) => begun.unwrap().unwrap(),
    }
    // Before there is an entry: one that is not marked would never be removed.
    assert!(world.is_marked());
    drop(lock);
    assert!(store.is_locked(profile.id()).await.unwrap());
    go.send(()).unwrap();
    let mut looks = 0..MOST_LOOKS;
    while store.is_locked(profile.id()).await.unwrap() {
        assert!(looks.next().is_some(), "the lock is still held");
        sleep(LOOK).await;
    }
    assert_eq!(world.keyring.len(), 1);
}

/// It may be waiting for a password that nobody enters.
#[tokio::test(start_paused = true)]
async fn a_keyring_that_does_not_answer_is_given_up_under_the_lock() {
    let world = World::new(Memory::new());
    let (store, profile) = (world.store(), world.profile(HOST));
    let (begins, go) = world.keyring.hold_next_write();
    let mut lock = store.try_lock(profile.id()).await.unwrap().unwrap();
    let text = Secret::from("{}");
    let mut write = lock.write(CREDENTIAL, None, &text);
    tokio::select! {
        written = &mut write => panic!("{written:?}"),
        begun = spawn_blocking(move || begins.recv()) => begun.unwrap().unwrap(),
    }
    advance(PATIENCE).await;
    let error = write.await.unwrap_err().to_string();
    assert!(
        error.contains("it did not answer within 2 minutes"),
        "{error}"
    );
    drop(lock);
    assert!(store.is_locked(profile.id()).await.unwrap());
    go.send(()).unwrap();
}

/// The keyring fails for good at each of its calls once; then it is back, and the rotation goes on.
#[tokio::test]
async fn a_rotation_loses_no_secret_wherever_the_keyring_fails() {
    for late in [false, true] {
        for calls in 0..MOST_CALLS {
            let service = FakeService::builder().id(ID).secret(SECRET).start();
            let host = service.base_url();
            let world = World::new(Memory::new());
            world.profile(&host).save(&api_token()).await.unwrap();
            let client = Client::builder().store(world.store()).base_url(&host);
            let client = client.build().unwrap();
            let options = || RotateOptions::default().settle(Duration::from_millis(1));

            world.keyring.fail_after(calls, late);
            // It may succeed: that its journal can't be removed at the end is no failure.
            let _rotated = client.rotation(options()).rotate().await;
            let was_cut_off = world.keyring.has_failed();
            world.keyring.fail_after(NEVER, false);
            drop(client.rotation(options()).recover().await.unwrap());

            let valid = service.secret().unwrap();
            let stored = secret(&world.profile(&host)).await;
            assert_eq!(stored.as_deref(), Some(valid.expose_secret()), "{calls}");
            if !was_cut_off {
                break;
            }
            assert!(calls + 1 < MOST_CALLS);
        }
    }
}
