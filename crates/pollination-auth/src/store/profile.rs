//! One profile in a store: its name, and the credential and journal that are kept for it.
//!
//! Everything that is written here is read back. What is written when is decided in `rotation`.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use super::document::{Journal, Record, hex};
use super::{CredentialStore, Document, StoreError, StoreLock};
use crate::base_url::{BaseUrl, BaseUrlError};
use crate::credential::ApiToken;
use crate::secret::Secret;

/// The bytes of a hash that tell two profiles apart: 8, for more than a disk holds.
const KEY_HASH_BYTES: usize = 8;

/// The letters of a profile's name that people find in its key: 32.
const KEY_NAME_LIMIT: usize = 32;

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

    /// Stores an API token in the place of what is there.
    ///
    /// # Errors
    ///
    /// [`StoreError::RotationUnfinished`] when a rotation was interrupted: its journal can hold the
    /// only key to the account. [`StoreError::Locked`] when one is under way, and others when it
    /// can't be stored.
    pub fn save(&self, token: &ApiToken) -> Result<(), StoreError> {
        let _lock = self.lock_settled()?;
        let generation = match self.record() {
            Ok(record) => record.map_or(0, |record| record.generation.saturating_add(1)),
            // What can't be read as a credential is none, and is replaced.
            Err(StoreError::Corrupt { .. }) => 0,
            Err(error) => return Err(error),
        };
        self.put_record(&Record::new(token.clone(), generation))
    }

    /// Removes the stored API token.
    ///
    /// # Errors
    ///
    /// As for [`save`](Self::save).
    pub fn remove(&self) -> Result<(), StoreError> {
        let _lock = self.lock_settled()?;
        self.store.remove(&self.id, Document::Credential)
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
        let _lock = self.try_lock()?.ok_or(StoreError::Locked)?;
        self.clear_journal()
    }

    fn lock_settled(&self) -> Result<StoreLock, StoreError> {
        let lock = self.try_lock()?.ok_or(StoreError::Locked)?;
        match self.store.read(&self.id, Document::Journal)? {
            Some(_unfinished) => Err(StoreError::RotationUnfinished),
            None => Ok(lock),
        }
    }

    pub(crate) fn try_lock(&self) -> Result<Option<StoreLock>, StoreError> {
        self.store.try_lock(&self.id)
    }

    pub(crate) fn is_durable(&self) -> bool {
        self.store.is_durable()
    }

    pub(crate) fn capacity(&self) -> Option<usize> {
        self.store.capacity()
    }

    pub(crate) fn record(&self) -> Result<Option<Record>, StoreError> {
        match self.store.read(&self.id, Document::Credential)? {
            Some(text) => Record::read(&self.id, &text).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn journal(&self, record: &Record) -> Result<Option<Journal>, StoreError> {
        match self.store.read(&self.id, Document::Journal)? {
            Some(text) => Journal::read(&self.id, record, &text).map(Some),
            None => Ok(None),
        }
    }

    /// Tells whether there is a journal, readable or not.
    pub(crate) fn has_journal(&self) -> Result<bool, StoreError> {
        Ok(self.store.read(&self.id, Document::Journal)?.is_some())
    }

    pub(crate) fn put_record(&self, record: &Record) -> Result<(), StoreError> {
        self.put(Document::Credential, &record.write(&self.id)?)
    }

    pub(crate) fn put_journal(&self, journal: &Journal, record: &Record) -> Result<(), StoreError> {
        self.put(Document::Journal, &journal.write(&self.id, record)?)
    }

    pub(crate) fn clear_journal(&self) -> Result<(), StoreError> {
        self.store.remove(&self.id, Document::Journal)
    }

    /// Writes and reads back, to find out a store that keeps something else.
    fn put(&self, document: Document, text: &Secret) -> Result<(), StoreError> {
        if let Some(limit) = self
            .capacity()
            .filter(|limit| text.expose_secret().len() > *limit)
        {
            return Err(StoreError::TooLong { document, limit });
        }
        self.store.write(&self.id, document, text)?;
        let kept = self.store.read(&self.id, document)?;
        if kept.is_some_and(|kept| kept.expose_secret() == text.expose_secret()) {
            Ok(())
        } else {
            Err(StoreError::NotKept { document })
        }
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
