//! What is kept of a creation: its access token, and what is known of it.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::{Path, PathBuf};

use pollination_auth::{ApiTokenId, Document, Secret, StoreError};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::CliError;
use crate::kept_files::{KeptFiles, KeptLock};
use crate::profiles::CREATIONS;
use crate::progress;
use crate::recovery::{Aside, Made};

/// What the store is told that it keeps; it looks at no document, and protects both kinds alike.
pub(super) const DOCUMENT: Document = Document::Credential;

/// Where the [`Facts`] are kept.
const FACTS: Document = Document::Journal;

/// What is known of a creation, kept beside its access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Facts {
    /// Whose creation it is, as the documents of the credentials say it: `profile list` finds it so.
    base_url: String,
    profile: String,
    /// Identifies the creation: a later one can have the same profile and access token.
    pub(super) number: u64,
    /// The API token that was stored when it began, and so is not the creation's.
    pub(super) before: Option<String>,
    /// Whether that is of the same account, so that the creation replaces it.
    pub(super) is_own: bool,
    /// Whether one before it with the same access token may still be acted on.
    pub(super) follows_unclear: bool,
    /// The API token that it has created, once the reply is there.
    pub(super) made: Option<String>,
    /// Where new API tokens are that have not logged in: of this creation, and of those before it with
    /// an unclear end.
    pub(super) asides: Vec<Aside>,
}

impl Facts {
    /// Returns those of a creation that begins: what is stored is the API token from before.
    pub(super) fn new(context: &Context, before: Option<&ApiTokenId>, is_own: bool) -> Self {
        let id = context.profile.id();
        Self {
            base_url: id.base_url().to_owned(),
            profile: id.name().to_owned(),
            // The standard library's random keys: nobody has to be kept from guessing it.
            number: RandomState::new().build_hasher().finish(),
            before: before.map(ApiTokenId::to_string),
            is_own,
            follows_unclear: false,
            made: None,
            asides: Vec::new(),
        }
    }

    /// Returns `true` if a stored API token is what the creation has made. A service that keeps the id
    /// leaves that open.
    pub(super) fn has_made(&self, stored: &str) -> bool {
        self.made.as_deref() == Some(stored) && self.made != self.before
    }

    /// Returns what the creation may have made, if this is stored and these places have new API tokens.
    pub(super) fn made(&self, stored: Option<&str>, asides: Vec<Aside>) -> Made {
        let is_from_before = stored.is_some() && stored == self.before.as_deref();
        if let Some(stored) = stored.filter(|stored| self.has_made(stored)) {
            Made::Stored(
                asides
                    .into_iter()
                    .filter(|aside| aside.id == stored)
                    .collect(),
            )
        } else if !asides.is_empty() {
            Made::PutAside(asides)
        } else if self.is_own && is_from_before && self.made.is_none() {
            Made::UnlessStored
        } else {
            Made::Unknown
        }
    }
}

/// Where the access token of one profile is kept.
pub(super) struct Place {
    pub(super) files: KeptFiles,
    pub(super) file: PathBuf,
}

impl Place {
    pub(super) fn open(context: &Context) -> Result<Option<Self>, CliError> {
        let files = KeptFiles::open(context, Path::new(CREATIONS))?;
        Ok(files.map(|files| Self {
            file: files.path(DOCUMENT),
            files,
        }))
    }

    /// As [`open`](Self::open), and makes nothing.
    pub(super) fn look(context: &Context) -> Result<Option<Self>, CliError> {
        if KeptFiles::is_made(context, Path::new(CREATIONS)) {
            Self::open(context)
        } else {
            Ok(None)
        }
    }

    pub(super) async fn read(&self) -> Result<Option<Secret>, CliError> {
        let read = self.files.read(DOCUMENT).await;
        read.map_err(|problem| CliError::KeptCreation {
            file: self.file.clone(),
            problem,
        })
    }

    /// Returns what is known of the creation, which may be nothing.
    pub(super) async fn facts(&self) -> Result<Option<Facts>, CliError> {
        let facts = self.files.read(FACTS).await;
        let facts = facts.map_err(|problem| CliError::KeptCreation {
            file: self.files.path(FACTS),
            problem,
        })?;
        Ok(facts.and_then(|facts| serde_json::from_str(facts.expose_secret()).ok()))
    }

    pub(super) async fn lock(&self) -> Result<KeptLock, StoreError> {
        progress::watch("waiting for another process", self.files.lock()).await
    }
}

pub(super) async fn remove(lock: &mut KeptLock) -> Result<(), StoreError> {
    lock.remove(DOCUMENT).await?;
    lock.remove(FACTS).await
}

pub(super) async fn write(lock: &mut KeptLock, facts: &Facts) -> Result<(), CliError> {
    let text = serde_json::to_string(facts).map_err(|_error| CliError::Json)?;
    Ok(lock.write(FACTS, &Secret::from(text)).await?)
}
