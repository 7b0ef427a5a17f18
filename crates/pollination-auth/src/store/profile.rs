//! One profile in a store: its name, and the credential and journal that are kept for it.
//!
//! It reads and takes the lock; `writer` writes.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};

use super::document::{Journal, Record, hex};
use super::{CredentialStore, Document, StoreError, StoredToken, Writer};
use crate::base_url::{BaseUrl, BaseUrlError};
use crate::credential::ApiToken;
use crate::secret::Secret;

/// The bytes of a hash that tell two profiles apart: 8, for more than a disk holds.
const KEY_HASH_BYTES: usize = 8;

/// The letters of a profile's name that people find in its key: 32.
const KEY_NAME_LIMIT: usize = 32;

/// How long a change waits for the lock: 250 ms.
///
/// Other changes and a look whether the lock is held take a few milliseconds; a rotation takes
/// longer, and is not waited for here.
const LOCK_PATIENCE: Duration = Duration::from_millis(250);

/// The time between two attempts to take the lock: 5 ms, about as long as a change takes.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// Whether a journal is there that still has to be recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JournalState {
    None,
    Unfinished,
    /// Its rotation is done, or the service has ruled on it.
    Over,
}

/// Whether a change of the credential wrote anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Changed {
    Yes,
    No,
}

impl Changed {
    fn yes((): ()) -> Self {
        Self::Yes
    }
}

/// Names a profile: a host, and a name under which a credential for it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProfileId {
    base_url: String,
    name: String,
}

impl ProfileId {
    pub(crate) fn new(base_url: &BaseUrl, name: impl Into<String>) -> Self {
        Self {
            base_url: base_url.prefix().to_owned(),
            name: name.into(),
        }
    }

    /// Gives the base URL of the service, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Gives the profile's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives a text that names the profile, fit to be part of a file's name.
    ///
    /// It is different for every profile, has small letters, digits, `_` and `-` alone, and is at
    /// most 49 bytes long.
    #[must_use]
    pub fn key(&self) -> String {
        let plain = |letter: char| {
            if letter.is_ascii_alphanumeric() {
                letter.to_ascii_lowercase()
            } else {
                '_'
            }
        };
        let name: String = self.name.chars().take(KEY_NAME_LIMIT).map(plain).collect();
        // A base URL has no line break, so no two pairs are the same text.
        let hash = digest(
            &SHA256,
            format!("{}\n{}", self.base_url, self.name).as_bytes(),
        );
        let hash = hash.as_ref().get(..KEY_HASH_BYTES).unwrap_or_default();
        format!("{name}-{}", hex(hash))
    }
}

/// Reaches the credential of one profile in a store. Its calls may block.
///
/// ```
/// use std::sync::Arc;
/// use pollination_auth::{ApiToken, MemoryStore, Profile};
///
/// let store = Arc::new(MemoryStore::new());
/// let profile = Profile::new(store, "https://api.pollination.cloud", "default")?;
/// assert!(profile.load()?.is_none());
/// profile.save(&ApiToken::new("an-id", "a-secret")?)?;
/// assert_eq!(profile.load()?.map(|token| token.id().to_string()).as_deref(), Some("an-id"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Profile {
    store: Arc<dyn CredentialStore>,
    id: ProfileId,
}

impl Profile {
    /// Names a profile of a store; nothing is read yet.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] when the base URL is none, or could leak a secret. Plain `http` is fine
    /// here: whether it may be used is asked when the client is built.
    pub fn new(
        store: Arc<dyn CredentialStore>,
        base_url: &str,
        name: impl Into<String>,
    ) -> Result<Self, BaseUrlError> {
        let base_url = BaseUrl::parse(base_url, true)?;
        Ok(Self::of(store, ProfileId::new(&base_url, name)))
    }

    pub(crate) fn of(store: Arc<dyn CredentialStore>, id: ProfileId) -> Self {
        Self { store, id }
    }

    /// Gives the profile's names.
    #[must_use]
    pub fn id(&self) -> &ProfileId {
        &self.id
    }

    /// Gives the stored API token, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it can't be read or not be trusted.
    pub fn load(&self) -> Result<Option<ApiToken>, StoreError> {
        Ok(self.record()?.map(|record| record.token))
    }

    /// Returns the stored API token as it is now, to replace or remove exactly that one later.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it can't be read or not be trusted.
    pub fn stored(&self) -> Result<Option<StoredToken>, StoreError> {
        Ok(self.record()?.map(StoredToken))
    }

    /// Stores an API token where none is stored.
    ///
    /// A stored document that is damaged counts as none. If exactly this API token is stored
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
            Some(stored) if stored.token.is_same_as(token) => Ok(Changed::No),
            _ => writer
                .put_record(None, &Record::new(token.clone(), 0))
                .map(Changed::yes),
        })
    }

    /// Stores an API token in place of the one that was seen.
    ///
    /// # Errors
    ///
    /// [`StoreError::Changed`] when another one is stored by now: look again. Otherwise those of
    /// [`save`](Self::save).
    pub fn replace(&self, seen: &StoredToken, token: &ApiToken) -> Result<(), StoreError> {
        let generation = seen.generation().saturating_add(1);
        let record = Record::new(token.clone(), generation);
        self.change(Some(token), |writer, _| {
            writer.put_record(Some(&seen.0), &record).map(Changed::yes)
        })
    }

    /// Removes the stored API token that was seen.
    ///
    /// # Errors
    ///
    /// As for [`replace`](Self::replace).
    pub fn remove(&self, seen: &StoredToken) -> Result<(), StoreError> {
        self.change(None, |writer, _| {
            writer.remove_record(Some(&seen.0)).map(Changed::yes)
        })
    }

    /// Removes a stored credential that is damaged.
    ///
    /// # Errors
    ///
    /// [`StoreError::Changed`] when a readable one is stored. Otherwise those of
    /// [`save`](Self::save).
    pub fn remove_damaged(&self) -> Result<(), StoreError> {
        self.change(None, |writer, _| {
            writer.remove_record(None).map(Changed::yes)
        })
    }

    /// Removes the journal of an interrupted rotation, whatever stands in it.
    ///
    /// It can hold the only key to the account. Do it only when the account has a new API token
    /// that was made elsewhere, or when the stored one is known to log in.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] when a rotation is under way, and others when it can't be removed.
    pub fn discard_journal(&self) -> Result<(), StoreError> {
        self.lock()?.discard_journal()
    }

    /// Changes the credential under the lock, unless a rotation is unfinished.
    fn change(
        &self,
        next: Option<&ApiToken>,
        change: impl FnOnce(&mut Writer, Option<Record>) -> Result<Changed, StoreError>,
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
        let changed = change(&mut writer, record)?;
        if changed == Changed::Yes
            && journal == JournalState::Over
            && let Err(error) = writer.discard_journal()
        {
            // It belongs to no stored credential by now, and is not read as one that does.
            tracing::warn!(%error, "the journal of a rotation is left behind");
        }
        Ok(())
    }

    /// Takes the lock, waiting for those who hold it for a moment only.
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
        let lock = self.store.try_lock(&self.id)?;
        Ok(lock.map(|lock| Writer::new(self.clone(), lock)))
    }

    /// Returns `true` if somebody holds the lock.
    pub(crate) fn is_locked(&self) -> Result<bool, StoreError> {
        self.store.is_locked(&self.id)
    }

    pub(crate) fn is_durable(&self) -> bool {
        self.store.is_durable()
    }

    pub(crate) fn capacity(&self) -> Option<usize> {
        self.store.capacity()
    }

    pub(crate) fn record(&self) -> Result<Option<Record>, StoreError> {
        match self.read(Document::Credential)? {
            Some(text) => Record::read(&self.id, &text).map(Some),
            None => Ok(None),
        }
    }

    /// Reads the credential; it is an error if there is none.
    pub(crate) fn required(&self) -> Result<Record, StoreError> {
        self.record()?.ok_or_else(|| StoreError::Empty {
            profile: self.id.clone(),
        })
    }

    pub(crate) fn journal(&self, record: &Record) -> Result<Option<Journal>, StoreError> {
        match self.read(Document::Journal)? {
            Some(text) => Journal::read(&self.id, record, &text),
            None => Ok(None),
        }
    }

    /// Looks for a journal beside a credential: does one still have to be recovered?
    ///
    /// One that can't be read does. One that its rotation left behind at its end does not, and
    /// neither does one on which the service has ruled, unless `next`, which is to be stored, is the
    /// very API token that it has ruled out.
    pub(crate) fn journal_state(
        &self,
        record: Option<&Record>,
        next: Option<&ApiToken>,
    ) -> Result<JournalState, StoreError> {
        Ok(match self.read(Document::Journal)? {
            None => JournalState::None,
            Some(text) if Journal::is_unfinished(&self.id, record, next, &text) => {
                JournalState::Unfinished
            }
            Some(_) => JournalState::Over,
        })
    }

    pub(super) fn read(&self, document: Document) -> Result<Option<Secret>, StoreError> {
        self.store.read(&self.id, document)
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
