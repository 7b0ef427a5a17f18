//! Changes of a stored credential: each takes the lock, compares with what was seen, and swaps.

use std::time::{Duration, Instant};

use super::error::StoreError;
use super::profile::{JournalState, Profile};
use super::record::Record;
use super::stored_token::StoredToken;
use super::writer::Writer;
use crate::credential::api_token::ApiToken;

/// How long a change waits for the lock: 250 ms.
///
/// Other changes and a look whether the lock is held take a few milliseconds; a rotation takes
/// longer, and a change does not wait for it.
const LOCK_PATIENCE: Duration = Duration::from_millis(250);

/// The time between two attempts to take the lock: 5 ms, about as long as a change takes.
const LOCK_POLL: Duration = Duration::from_millis(5);

impl Profile {
    /// Stores an API token where none is stored.
    ///
    /// A damaged stored document counts as missing. If exactly this API token is stored
    /// already, nothing is written.
    ///
    /// # Errors
    ///
    /// [`StoreError::Changed`] when another credential is stored; [`replace`](Self::replace) it.
    /// [`StoreError::RotationUnfinished`] when a rotation was interrupted: its journal can hold the
    /// only key to the account. [`StoreError::Locked`] when one is under way, and others when it
    /// can't be stored.
    pub fn save(&self, token: &ApiToken) -> Result<(), StoreError> {
        self.change(Some(token), |writer, stored| match stored {
            Some(stored) if stored.token.is_same_as(token) => Ok(false),
            _ => writer
                .put_record(None, &Record::new(token.clone(), 0))
                .map(|()| true),
        })
    }

    /// Stores an API token if the stored one is still the one that was seen.
    ///
    /// # Errors
    ///
    /// [`StoreError::Changed`] when another one is stored by now: look again. Otherwise those of
    /// [`save`](Self::save).
    pub fn replace(&self, seen: &StoredToken, token: &ApiToken) -> Result<(), StoreError> {
        let generation = seen.generation().saturating_add(1);
        let record = Record::new(token.clone(), generation);
        self.change(Some(token), |writer, _| {
            writer.put_record(Some(&seen.0), &record).map(|()| true)
        })
    }

    /// Removes the stored API token that was seen.
    ///
    /// # Errors
    ///
    /// As for [`replace`](Self::replace).
    pub fn remove(&self, seen: &StoredToken) -> Result<(), StoreError> {
        self.change(None, |writer, _| {
            writer.remove_record(Some(&seen.0)).map(|()| true)
        })
    }

    /// Removes a stored credential that is damaged.
    ///
    /// # Errors
    ///
    /// [`StoreError::Changed`] when a readable one is stored. Otherwise those of
    /// [`save`](Self::save).
    pub fn remove_damaged(&self) -> Result<(), StoreError> {
        self.change(None, |writer, _| writer.remove_record(None).map(|()| true))
    }

    /// Removes the journal of an interrupted rotation, whatever it contains.
    ///
    /// It can hold the only key to the account. Do it only when the account has a new API token
    /// that was created elsewhere, or when the stored one is known to work.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] when a rotation is under way, and others when it can't be removed.
    pub fn discard_journal(&self) -> Result<(), StoreError> {
        self.lock()?.discard_journal()
    }

    /// Changes the credential under the lock, unless a rotation is unfinished.
    ///
    /// `change` returns `true` if it has written anything.
    fn change(
        &self,
        next: Option<&ApiToken>,
        change: impl FnOnce(&mut Writer, Option<Record>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let mut writer = self.lock()?;
        let record = match self.record() {
            Ok(record) => record,
            Err(StoreError::Corrupt { .. }) => None,
            Err(error) => return Err(error),
        };
        let journal = self.journal_state(record.as_ref(), next)?;
        if journal == JournalState::Unfinished {
            return Err(StoreError::RotationUnfinished);
        }
        let has_written = change(&mut writer, record)?;
        if has_written
            && journal == JournalState::Over
            && let Err(error) = writer.discard_journal()
        {
            // It belongs to no stored credential any longer, and is not read as one that does.
            tracing::warn!(%error, "the journal of a rotation was not removed");
        }
        Ok(())
    }

    /// Takes the lock; waits only a moment for another holder.
    pub(crate) fn lock(&self) -> Result<Writer, StoreError> {
        let started = Instant::now();
        loop {
            if let Some(writer) = self.try_lock()? {
                return Ok(writer);
            }
            if started.elapsed() >= LOCK_PATIENCE {
                return Err(StoreError::Locked);
            }
            std::thread::sleep(LOCK_POLL);
        }
    }

    pub(crate) fn try_lock(&self) -> Result<Option<Writer>, StoreError> {
        let lock = self.try_store_lock()?;
        Ok(lock.map(|lock| Writer::new(self.clone(), lock)))
    }
}
