//! One profile in a store: its name, and the credential and journal that are kept for it.
//!
//! It reads; `change` takes the lock, and `writer` writes.

use std::fmt;
use std::sync::Arc;

use super::credential_store::{CredentialStore, StoreLock};
use super::error::StoreError;
use super::journal::Journal;
use super::kind::Document;
use super::record::Record;
use super::stored_token::StoredToken;
use crate::credential::api_token::ApiToken;
use crate::credential::profile_id::ProfileId;
use crate::foundation::base_url::{BaseUrl, BaseUrlError};
use crate::foundation::secret::Secret;

/// Whether there is a journal that still has to be recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JournalState {
    None,
    Unfinished,
    /// Its rotation is done, or the service has ruled on it.
    Over,
}

/// The credential of one profile in a store. Its calls may block.
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
    /// Creates the profile of a store without reading it.
    ///
    /// # Errors
    ///
    /// [`BaseUrlError`] when the base URL is invalid or could leak a secret. Plain `http` is
    /// accepted here; building a client checks it.
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

    /// Returns the host and the name of the profile.
    #[must_use]
    pub fn id(&self) -> &ProfileId {
        &self.id
    }

    /// Returns the stored API token, or `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it can't be read or trusted.
    pub fn load(&self) -> Result<Option<ApiToken>, StoreError> {
        Ok(self.record()?.map(|record| record.token))
    }

    /// Returns the stored API token as it is now, to replace or remove exactly that one later.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it can't be read or trusted.
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

    pub(crate) fn record(&self) -> Result<Option<Record>, StoreError> {
        match self.read(Document::Credential)? {
            Some(text) => Record::read(&self.id, &text).map(Some),
            None => Ok(None),
        }
    }

    /// Reads the credential; a missing one is an error.
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

    /// Returns whether a journal still has to be recovered before `next` is stored.
    ///
    /// An unreadable one has to be. One whose rotation is done has not, and neither has one on
    /// which the service has ruled, unless `next` is the API token that it has ruled out.
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
