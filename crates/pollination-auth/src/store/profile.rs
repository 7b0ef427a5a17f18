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
use super::stored_document::StoredDocument;
use super::stored_token::StoredToken;
use super::task::caught;
use crate::credential::api_token::ApiToken;
use crate::credential::profile_id::ProfileId;
use crate::foundation::base_url::{BaseUrl, BaseUrlError};

/// Whether there is a journal that still has to be recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JournalState {
    None,
    Unfinished,
    /// Its rotation is done, or the service has ruled on it.
    Over,
}

/// The credential of one profile in a store.
///
/// ```
/// use pollination_auth::{ApiToken, MemoryStore, Profile, Secret};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let profile = Profile::new(store, "https://api.pollination.cloud", "default")?;
/// assert!(profile.load().await?.is_none());
/// profile.save(&ApiToken::new("an-id", Secret::from("a-secret"))?).await?;
/// let stored = profile.load().await?;
/// assert_eq!(stored.map(|token| token.id().to_string()).as_deref(), Some("an-id"));
/// # Ok(())
/// # }
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
        store: impl CredentialStore,
        base_url: &str,
        name: impl Into<String>,
    ) -> Result<Self, BaseUrlError> {
        let base_url = BaseUrl::parse(base_url, true)?;
        Ok(Self::of(Arc::new(store), ProfileId::new(&base_url, name)))
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
    pub async fn load(&self) -> Result<Option<ApiToken>, StoreError> {
        Ok(self.record().await?.map(|record| record.token))
    }

    /// Returns the stored API token as it is now, to replace or remove exactly that one later.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it can't be read or trusted.
    pub async fn stored(&self) -> Result<Option<StoredToken>, StoreError> {
        Ok(self.record().await?.map(StoredToken))
    }

    /// Takes the store's lock, if it is free.
    pub(super) async fn try_store_lock(&self) -> Result<Option<StoreLock>, StoreError> {
        caught(self.store.try_lock(&self.id)).await
    }

    /// Returns `true` if somebody holds the lock.
    pub(crate) async fn is_locked(&self) -> Result<bool, StoreError> {
        caught(self.store.is_locked(&self.id)).await
    }

    /// Returns the store for the access tokens that processes share, if there is one.
    pub(crate) async fn access_tokens(
        &self,
    ) -> Result<Option<Arc<dyn CredentialStore>>, StoreError> {
        caught(self.store.access_tokens()).await
    }

    pub(crate) fn is_durable(&self) -> bool {
        self.store.is_durable()
    }

    pub(crate) async fn record(&self) -> Result<Option<Record>, StoreError> {
        let found = self.read(Document::Credential).await?;
        self.record_in(found.as_ref())
    }

    pub(super) fn record_in(
        &self,
        found: Option<&StoredDocument>,
    ) -> Result<Option<Record>, StoreError> {
        let read = |found: &StoredDocument| Record::read(&self.id, found.text());
        found.map(read).transpose()
    }

    /// Reads the credential; a missing one is an error.
    pub(crate) async fn required(&self) -> Result<Record, StoreError> {
        self.record().await?.ok_or_else(|| StoreError::Empty {
            profile: self.id.clone(),
        })
    }

    pub(crate) async fn journal(&self, record: &Record) -> Result<Option<Journal>, StoreError> {
        let found = self.read(Document::Journal).await?;
        self.journal_in(found.as_ref(), record)
    }

    pub(super) fn journal_in(
        &self,
        found: Option<&StoredDocument>,
        record: &Record,
    ) -> Result<Option<Journal>, StoreError> {
        match found {
            Some(found) => Journal::read(&self.id, record, found.text()),
            None => Ok(None),
        }
    }

    /// Returns whether a journal still has to be recovered before `next` is stored.
    ///
    /// An unreadable one has to be. One whose rotation is done has not, and neither has one on
    /// which the service has ruled, unless `next` is the API token that it has ruled out.
    pub(crate) async fn journal_state(
        &self,
        record: Option<&Record>,
        next: Option<&ApiToken>,
    ) -> Result<JournalState, StoreError> {
        let found = self.read(Document::Journal).await?;
        Ok(self.journal_state_of(found.as_ref(), record, next))
    }

    pub(super) fn journal_state_of(
        &self,
        found: Option<&StoredDocument>,
        record: Option<&Record>,
        next: Option<&ApiToken>,
    ) -> JournalState {
        match found {
            None => JournalState::None,
            Some(found) if Journal::is_unfinished(&self.id, record, next, found.text()) => {
                JournalState::Unfinished
            }
            Some(_) => JournalState::Over,
        }
    }

    pub(super) async fn read(
        &self,
        document: Document,
    ) -> Result<Option<StoredDocument>, StoreError> {
        caught(self.store.read(&self.id, document)).await
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
