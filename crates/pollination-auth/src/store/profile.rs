//! One profile in a store: its name, and the credential and journal that are kept for it.
//!
//! It reads; `change` takes the lock, and `writer` writes.

use std::fmt;
use std::sync::Arc;

use super::credential_store::{CredentialStore, StoreLock};
use super::document::{Journal, Record};
use super::error::StoreError;
use super::kind::Document;
use super::stored_token::StoredToken;
use crate::credential::api_token::ApiToken;
use crate::credential::profile_id::ProfileId;
use crate::foundation::base_url::{BaseUrl, BaseUrlError};
use crate::foundation::secret::Secret;

/// Whether a journal is there that still has to be recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JournalState {
    None,
    Unfinished,
    /// Its rotation is done, or the service has ruled on it.
    Over,
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

    /// Takes the store's lock, if it is free.
    pub(super) fn try_store_lock(&self) -> Result<Option<StoreLock>, StoreError> {
        self.store.try_lock(&self.id)
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
