//! The one place that writes: under the lock, compared with what is expected, and read back.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::blocking::{Unfinished, on_store};
use super::credential_store::StoreLock;
use super::error::StoreError;
use super::journal::Journal;
use super::kind::Document;
use super::profile::Profile;
use super::record::Record;
use crate::foundation::secret::Secret;

/// A profile whose lock is held; dropping it unlocks the profile.
///
/// Every write checks that the lock is still held, and that the stored credential is the one that
/// the writer knows. A lease can have expired, and then another process may have written.
pub(crate) struct Writer {
    profile: Profile,
    lock: StoreLock,
}

impl Writer {
    pub(super) fn new(profile: Profile, lock: StoreLock) -> Self {
        Self { profile, lock }
    }

    /// Runs work on a thread that may block, and returns with its result.
    ///
    /// Dropping the future does not unlock the profile: the work holds the lock until it is done. A
    /// panic of the store counts as its failure, and the lock is still held.
    pub(crate) async fn run<T: Send + 'static>(
        mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<(Self, Result<T, StoreError>), Unfinished> {
        on_store(move || {
            let done = catch_unwind(AssertUnwindSafe(|| work(&mut self)));
            let panicked = |_| {
                Err(StoreError::failed(
                    "finish",
                    io::Error::other("it panicked"),
                ))
            };
            let result = done.unwrap_or_else(panicked);
            Ok((self, result))
        })
        .await
    }

    /// Fails if the lock is no longer held.
    pub(crate) fn check_held(&mut self) -> Result<(), StoreError> {
        if self.lock.is_held()? {
            Ok(())
        } else {
            Err(StoreError::LockLost)
        }
    }

    /// Replaces the expected credential.
    ///
    /// `None` expects no readable credential. A retry finds its own credential if the first write
    /// failed only after the document was replaced, and writes it again.
    pub(crate) fn put_record(
        &mut self,
        expected: Option<&Record>,
        record: &Record,
    ) -> Result<(), StoreError> {
        let text = record.write(self.profile.id())?;
        self.check(expected.into_iter().chain([record]), expected.is_none())?;
        self.put(Document::Credential, &text)
    }

    /// Stores the journal of a rotation of the expected credential.
    pub(crate) fn put_journal(
        &mut self,
        expected: &Record,
        journal: &Journal,
    ) -> Result<(), StoreError> {
        let text = journal.write(self.profile.id(), expected)?;
        self.check([expected], false)?;
        self.put(Document::Journal, &text)
    }

    /// Removes the expected credential; `None` expects no readable one.
    pub(crate) fn remove_record(&mut self, expected: Option<&Record>) -> Result<(), StoreError> {
        self.check(expected, expected.is_none())?;
        self.lock.remove(Document::Credential)
    }

    /// Removes the journal of a rotation that left this credential.
    pub(crate) fn clear_journal(&mut self, expected: &Record) -> Result<(), StoreError> {
        self.check([expected], false)?;
        self.lock.remove(Document::Journal)
    }

    /// Removes the journal, whatever it contains.
    pub(crate) fn discard_journal(&mut self) -> Result<(), StoreError> {
        self.check_held()?;
        self.lock.remove(Document::Journal)
    }

    /// Fails unless the stored credential is one of these, or may be missing and is.
    fn check<'a>(
        &mut self,
        expected: impl IntoIterator<Item = &'a Record>,
        or_none: bool,
    ) -> Result<(), StoreError> {
        self.check_held()?;
        let as_expected = match self.profile.record() {
            Ok(Some(stored)) => expected.into_iter().any(|one| one.is_same_as(&stored)),
            Ok(None) => or_none,
            // An unreadable credential counts as missing, and may be replaced.
            Err(StoreError::Corrupt { .. }) if or_none => true,
            Err(error) => return Err(error),
        };
        if as_expected {
            Ok(())
        } else {
            Err(StoreError::Changed)
        }
    }

    /// Writes and reads back, because a store may keep something else.
    fn put(&mut self, document: Document, text: &Secret) -> Result<(), StoreError> {
        self.lock.write(document, text)?;
        let kept = self.profile.read(document)?;
        if kept.is_some_and(|kept| kept.expose_secret() == text.expose_secret()) {
            Ok(())
        } else {
            Err(StoreError::NotKept { document })
        }
    }
}
