//! A store that reports each call under its lock, and stops its own process before one of them.

use std::fmt::Display;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use pollination_auth::{
    CredentialStore, Document, ProfileId, ProfileLock, Secret, StoreError, StoreFuture, StoreLock,
    StoredDocument, Version,
};
use pollination_auth_vault::VaultStore;
use rustix::process::{Signal, getpid, kill_process};
use rustix::time::{ClockId, clock_gettime};

use super::member::PREFIX;

/// Prints a line for the parent.
pub(super) fn say(line: impl Display) {
    let mut stdout = std::io::stdout().lock();
    // A parent that is gone ends this process too.
    let _closed = writeln!(stdout, "{PREFIX}{line}").and_then(|()| stdout.flush());
}

/// Returns the time of a clock that all processes of a machine share, in nanoseconds.
fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap()
}

/// The store of a member.
pub(super) struct Stepped {
    store: VaultStore,
    steps: Arc<Steps>,
}

struct Steps {
    stop_at: Option<u32>,
    steps: AtomicU32,
    locks: AtomicU64,
}

impl Steps {
    /// Counts a call under the lock, and stops the process if it is the one that was drawn.
    fn step(&self, before: &str) {
        let step = self.steps.fetch_add(1, Ordering::SeqCst);
        if self.stop_at == Some(step) {
            say(format_args!("stopping {before} {step}"));
            kill_process(getpid(), Signal::STOP).unwrap();
        }
    }
}

impl Stepped {
    pub(super) fn new(store: VaultStore, stop_at: Option<u32>) -> Self {
        Self {
            store,
            steps: Arc::new(Steps {
                stop_at,
                steps: AtomicU32::new(0),
                locks: AtomicU64::new(0),
            }),
        }
    }
}

impl CredentialStore for Stepped {
    fn read<'a>(
        &'a self,
        profile: &'a ProfileId,
        document: Document,
    ) -> StoreFuture<'a, Option<StoredDocument>> {
        self.store.read(profile, document)
    }

    fn try_lock<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, Option<StoreLock>> {
        Box::pin(async move {
            let Some(lock) = self.store.try_lock(profile).await? else {
                return Ok(None);
            };
            let lock = SteppedLock {
                lock: Some(lock),
                steps: self.steps.clone(),
                number: self.steps.locks.fetch_add(1, Ordering::SeqCst),
            };
            lock.held(now());
            Ok(Some(Box::new(lock) as StoreLock))
        })
    }

    fn is_locked<'a>(&'a self, profile: &'a ProfileId) -> StoreFuture<'a, bool> {
        self.store.is_locked(profile)
    }
}

struct SteppedLock {
    /// `None` once it was released.
    lock: Option<StoreLock>,
    steps: Arc<Steps>,
    number: u64,
}

impl SteppedLock {
    /// Prints that the lock was held at this time.
    fn held(&self, at: u64) {
        say(format_args!("held {} {at}", self.number));
    }

    fn lock(&mut self) -> Result<&mut StoreLock, StoreError> {
        self.lock.as_mut().ok_or(StoreError::LockLost)
    }
}

impl ProfileLock for SteppedLock {
    fn write<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
        text: &'a Secret,
    ) -> StoreFuture<'a, Version> {
        Box::pin(async move {
            self.steps.step("write");
            let started = now();
            let written = self.lock()?.write(document, expected, text).await;
            if written.is_ok() {
                self.held(started);
            }
            written
        })
    }

    fn remove<'a>(
        &'a mut self,
        document: Document,
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.steps.step("remove");
            let started = now();
            let removed = self.lock()?.remove(document, expected).await;
            if removed.is_ok() {
                self.held(started);
            }
            removed
        })
    }

    fn is_held(&mut self) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            self.steps.step("is_held");
            let started = now();
            let held = self.lock()?.is_held().await;
            if matches!(held, Ok(true)) {
                self.held(started);
            }
            held
        })
    }

    fn release(mut self: Box<Self>) -> StoreFuture<'static, ()> {
        self.steps.step("release");
        match self.lock.take() {
            Some(lock) => lock.release(),
            None => Box::pin(std::future::ready(Ok(()))),
        }
    }
}
