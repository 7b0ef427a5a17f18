//! The access token that processes share: kept in a file, so that two of them log in once.
//!
//! The file is that of a store of its own below the one of the credentials, so it is protected,
//! replaced and locked as they are. Whether a token is long enough is the caller's question.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pollination_auth::{
    AccessToken, CredentialStore as _, Document, FileStore, ProfileId, Secret, StoreError,
    StoreLock,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::context::{self, Context, Stored};
use crate::directory;
use crate::error::CliError;
use crate::patience;
use crate::progress;
use crate::time;

/// The store's directory, below that of the credentials.
const DIRECTORY: &str = "access-tokens";

/// What the store is told that it keeps; it looks at no document, and protects both kinds alike.
const DOCUMENT: Document = Document::Credential;

/// The version of the file; one that is not known is not used.
const VERSION: u32 = 1;

/// What the file holds at most: the longest access token, and what stands around it.
const CAPACITY: usize = 32 * 1024;

/// An access token with its end.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) token: AccessToken,
    pub(crate) expires_at: SystemTime,
}

impl Kept {
    /// Takes a token that is worth keeping: one whose end is known.
    pub(crate) fn of(token: &AccessToken) -> Option<Self> {
        Some(Self {
            token: token.clone(),
            expires_at: token.expires_at()?,
        })
    }

    /// Gives the time that is left, zero when there is none.
    pub(crate) fn left(&self, now: SystemTime) -> Duration {
        self.expires_at.duration_since(now).unwrap_or_default()
    }
}

/// The file of one profile.
pub(crate) struct SharedToken {
    store: Arc<FileStore>,
    profile: ProfileId,
}

/// What a token belongs to: one with another id or of another generation is not used.
pub(crate) struct Owner {
    id: String,
    generation: u64,
}

impl Owner {
    /// Gives none while a rotation is unfinished: it is not known what a token belongs to then.
    pub(crate) fn of(stored: &Stored) -> Option<Self> {
        Some(Self {
            id: stored.token.id().to_string(),
            generation: stored.generation()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text<'a> {
    version: u32,
    base_url: Cow<'a, str>,
    profile: Cow<'a, str>,
    id: Cow<'a, str>,
    generation: u64,
    expires_at: u64,
    /// Borrowed, so that no copy of it is left behind.
    access_token: &'a str,
}

impl SharedToken {
    /// Opens the store of the access tokens; there is none where the credential is not in one either.
    pub(crate) fn open(context: &Context) -> Result<Option<Self>, CliError> {
        let Some(directory) = &context.directory else {
            return Ok(None);
        };
        Ok(Some(Self {
            store: context::open_store(directory.join(DIRECTORY))?,
            profile: context.profile.id().clone(),
        }))
    }

    /// As [`open`](Self::open), and gives none where it can't be made, as on a disk that is read-only.
    pub(crate) fn find(context: &Context) -> Result<Option<Self>, CliError> {
        match Self::open(context) {
            Err(error) if error.is_no_store() => {
                tracing::debug!(%error, "access tokens are not shared");
                Ok(None)
            }
            other => other,
        }
    }

    /// As [`find`](Self::find), and makes nothing.
    pub(crate) fn look(context: &Context) -> Result<Option<Self>, CliError> {
        let directory = context.directory.as_ref().map(|at| at.join(DIRECTORY));
        match directory {
            Some(directory) if !directory::is_missing(&directory) => Self::find(context),
            _ => Ok(None),
        }
    }

    /// Gives the kept token if it belongs to this credential; one that others can read is refused.
    pub(crate) fn read(&self, owner: &Owner) -> Result<Option<Kept>, CliError> {
        let text = match self.store.read(&self.profile, DOCUMENT) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(error @ StoreError::Unsafe { .. }) => return Err(CliError::KeptToken(error)),
            Err(error) => {
                tracing::debug!(%error, "the kept access token can't be read");
                return Ok(None);
            }
        };
        let kept = self.parse(owner, &text);
        if kept.is_none() {
            tracing::debug!("the kept access token does not belong to this credential");
        }
        Ok(kept)
    }

    fn parse(&self, owner: &Owner, text: &Secret) -> Option<Kept> {
        // What the parser would say quotes the text.
        let text: Text<'_> = serde_json::from_str(text.expose_secret()).ok()?;
        let belongs = text.version == VERSION
            && text.base_url == self.profile.base_url()
            && text.profile == self.profile.name()
            && text.id == owner.id.as_str()
            && text.generation == owner.generation;
        if !belongs {
            return None;
        }
        Some(Kept {
            token: AccessToken::new(text.access_token).ok()?,
            expires_at: time::of_epoch(text.expires_at),
        })
    }

    /// Keeps a token for the next process. Where that fails, the next one logs in by itself.
    pub(crate) fn keep(
        &self,
        lock: &mut StoreLock,
        owner: &Owner,
        kept: &Kept,
    ) -> Result<(), StoreError> {
        let text = Text {
            version: VERSION,
            base_url: self.profile.base_url().into(),
            profile: self.profile.name().into(),
            id: owner.id.as_str().into(),
            generation: owner.generation,
            expires_at: time::epoch(kept.expires_at),
            access_token: kept.token.expose_secret(),
        };
        // Of the full size at once, or growing would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(CAPACITY));
        let written = serde_json::to_writer(&mut *bytes, &text);
        let (Ok(()), Ok(text)) = (written, std::str::from_utf8(&bytes)) else {
            // A token longer than any is what it could be; nothing else can go wrong there.
            return Err(StoreError::TooLong {
                document: DOCUMENT,
                limit: CAPACITY,
            });
        };
        let text = Secret::from(text.to_owned());
        lock.write(DOCUMENT, &text)
    }

    /// Waits until no other process logs in; that takes too long where one hangs.
    pub(crate) async fn lock(&self) -> Result<StoreLock, StoreError> {
        let lock = || {
            self.store
                .try_lock(&self.profile)?
                .ok_or(StoreError::Locked)
        };
        patience::outwait_unseen(lock).await
    }
}

/// Removes the kept token of a credential that is no more; one that stays is of no use to anybody.
pub(crate) async fn forget(context: &Context) -> Result<(), CliError> {
    if let Some(shared) = SharedToken::look(context)? {
        let lock = progress::watch("waiting for another process", shared.lock()).await;
        lock?.remove(DOCUMENT)?;
    }
    Ok(())
}
