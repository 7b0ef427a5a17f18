//! Changes of a stored credential: each takes the lock, compares with what was seen, and swaps.

use std::time::Duration;

use super::error::StoreError;
use super::kind::Document;
use super::profile::{JournalState, Profile};
use super::record::Record;
use super::stored_document::Version;
use super::stored_token::StoredToken;
use super::task::to_its_end;
use super::writer::Writer;
use crate::credential::api_token::ApiToken;

/// How long a change waits for the lock: 1 s.
///
/// Another change takes a few milliseconds, and some hundred on a store that is far away. A rotation
/// takes longer, and a change does not wait for it.
pub(crate) const CHANGE_PATIENCE: Duration = Duration::from_secs(1);

/// A change of the stored credential.
enum Change {
    Save(ApiToken),
    Replace(Record, ApiToken),
    Remove(Record),
    RemoveDamaged,
}

impl Change {
    /// Returns the API token that is stored afterwards.
    fn next(&self) -> Option<&ApiToken> {
        match self {
            Self::Save(token) | Self::Replace(_, token) => Some(token),
            Self::Remove(_) | Self::RemoveDamaged => None,
        }
    }

    /// Makes the change, and returns `true` if it has written anything.
    async fn make(&self, writer: &mut Writer, stored: Option<&Record>) -> Result<bool, StoreError> {
        match self {
            Self::Save(token) if stored.is_some_and(|stored| stored.token.is_same_as(token)) => {
                return Ok(false);
            }
            Self::Save(token) => {
                let record = Record::new(token.clone(), 0);
                writer.put_record(None, &record).await?;
            }
            Self::Replace(seen, token) => {
                let generation = seen.generation.saturating_add(1);
                let record = Record::new(token.clone(), generation);
                writer.put_record(Some(seen), &record).await?;
            }
            Self::Remove(seen) => writer.remove_record(Some(seen)).await?,
            Self::RemoveDamaged => writer.remove_record(None).await?,
        }
        Ok(true)
    }
}

/// The changes go on to their end if their futures are dropped.
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
    pub async fn save(&self, token: &ApiToken) -> Result<(), StoreError> {
        self.change(Change::Save(token.clone())).await
    }

    /// Stores an API token if the stored one is still the one that was seen.
    ///
    /// # Errors
    ///
    /// [`StoreError::Changed`] when another one is stored by now: look again. Otherwise those of
    /// [`save`](Self::save).
    pub async fn replace(&self, seen: &StoredToken, token: &ApiToken) -> Result<(), StoreError> {
        self.change(Change::Replace(seen.0.clone(), token.clone()))
            .await
    }

    /// Removes the stored API token that was seen.
    ///
    /// # Errors
    ///
    /// As for [`replace`](Self::replace).
    pub async fn remove(&self, seen: &StoredToken) -> Result<(), StoreError> {
        self.change(Change::Remove(seen.0.clone())).await
    }

    /// Removes a stored credential that is damaged.
    ///
    /// # Errors
    ///
    /// [`StoreError::Changed`] when a readable one is stored. Otherwise those of
    /// [`save`](Self::save).
    pub async fn remove_damaged(&self) -> Result<(), StoreError> {
        self.change(Change::RemoveDamaged).await
    }

    /// Returns the version of the journal that a rotation has left, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read or trusted.
    pub async fn journal_version(&self) -> Result<Option<Version>, StoreError> {
        let found = self.read(Document::Journal).await?;
        Ok(found.map(|found| found.version().clone()))
    }

    /// Removes the journal of an interrupted rotation that has this version, whatever it contains.
    ///
    /// It can hold the only key to the account. Do it only when the account has a new API token
    /// that was created elsewhere, or when the stored one is known to work: its last request may
    /// still be on its way, so wait for the settle time after
    /// [`journal_version`](Self::journal_version), and log in.
    ///
    /// # Errors
    ///
    /// [`StoreError::Changed`] when there is another journal or none by now, [`StoreError::Locked`]
    /// when a rotation is under way, and others when it can't be removed.
    pub async fn discard_journal(&self, seen: &Version) -> Result<(), StoreError> {
        let (this, seen) = (self.clone(), seen.clone());
        to_its_end(async move {
            let mut writer = this.lock(CHANGE_PATIENCE).await?;
            let discarded = writer.discard_seen_journal(&seen).await;
            writer.release().await;
            discarded
        })
        .await
    }

    async fn change(&self, change: Change) -> Result<(), StoreError> {
        let this = self.clone();
        to_its_end(async move {
            let mut writer = this.lock(CHANGE_PATIENCE).await?;
            let changed = this.change_with(&mut writer, &change).await;
            writer.release().await;
            changed
        })
        .await
    }

    /// Changes the credential under the lock, unless a rotation is unfinished.
    async fn change_with(&self, writer: &mut Writer, change: &Change) -> Result<(), StoreError> {
        let record = match self.record().await {
            Ok(record) => record,
            Err(StoreError::Corrupt { .. }) => None,
            Err(error) => return Err(error),
        };
        let journal = writer.journal_state(record.as_ref(), change.next()).await?;
        if journal == JournalState::Unfinished {
            return Err(StoreError::RotationUnfinished);
        }
        let has_written = change.make(writer, record.as_ref()).await?;
        if has_written
            && journal == JournalState::Over
            && let Err(error) = writer.discard_journal().await
        {
            // It belongs to no stored credential any longer, and is not read as one that does.
            tracing::warn!(%error, "the journal of a rotation was not removed");
        }
        Ok(())
    }
}
