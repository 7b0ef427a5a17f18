//! The file with the access token that processes share, so that two of them log in once.
//!
//! Whether a token is long enough is the caller's question.

use std::path::Path;

use pollination_auth::{Document, KeptAccessToken, StoreError, StoredToken};

use crate::context::Context;
use crate::error::CliError;
use crate::kept_files::{KeptFiles, KeptLock};
use crate::profiles::ACCESS_TOKENS;
use crate::progress;

/// What the store is told that it keeps; it looks at no document, and protects both kinds alike.
const DOCUMENT: Document = Document::Credential;

/// The file of one profile.
pub(crate) struct SharedToken(KeptFiles);

impl SharedToken {
    /// Opens the store of the access tokens. Returns `None` if the credentials have no directory.
    pub(crate) fn open(context: &Context) -> Result<Option<Self>, CliError> {
        Ok(KeptFiles::open(context, Path::new(ACCESS_TOKENS))?.map(Self))
    }

    /// As [`open`](Self::open), but returns `None` if it can't be created, as on a read-only disk.
    pub(crate) fn find(context: &Context) -> Result<Option<Self>, CliError> {
        match Self::open(context) {
            Err(error) if error.is_no_store() => {
                tracing::debug!(%error, "access tokens are not shared");
                Ok(None)
            }
            other => other,
        }
    }

    /// As [`find`](Self::find), but creates nothing.
    pub(crate) fn look(context: &Context) -> Result<Option<Self>, CliError> {
        if KeptFiles::is_made(context, Path::new(ACCESS_TOKENS)) {
            Self::find(context)
        } else {
            Ok(None)
        }
    }

    /// Returns the kept token if it belongs to this credential. One that others can read is refused.
    pub(crate) async fn read(
        &self,
        owner: &StoredToken,
    ) -> Result<Option<KeptAccessToken>, CliError> {
        let text = match self.0.read(DOCUMENT).await {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(StoreError::Unsafe { what, problem }) => {
                let is_file = Path::new(&what) == self.0.path(DOCUMENT);
                let error = StoreError::Unsafe { what, problem };
                return Err(if is_file {
                    CliError::KeptToken(error)
                } else {
                    // The file may be as it should be: it is its directory that can't be trusted.
                    CliError::Store(error)
                });
            }
            Err(error) => {
                tracing::debug!(%error, "the kept access token can't be read");
                return Ok(None);
            }
        };
        let kept = KeptAccessToken::from_document(self.0.profile(), owner, &text);
        if kept.is_none() {
            tracing::debug!("the kept access token does not belong to this credential");
        }
        Ok(kept)
    }

    /// Keeps a token for the next process. Where that fails, the next one logs in by itself.
    pub(crate) async fn keep(
        &self,
        lock: &mut KeptLock,
        owner: &StoredToken,
        kept: &KeptAccessToken,
    ) -> Result<(), StoreError> {
        let document = kept.to_document(self.0.profile(), owner);
        let document = document.ok_or(StoreError::TooLong {
            document: DOCUMENT,
            limit: KeptAccessToken::LIMIT,
        })?;
        lock.write(DOCUMENT, &document).await
    }

    /// Fails where no lock can be taken.
    pub(crate) async fn check_lock(&self) -> Result<(), StoreError> {
        self.0.check_lock().await.map(drop)
    }

    /// Waits until no other process logs in; that takes too long where one hangs.
    pub(crate) async fn lock(&self) -> Result<KeptLock, StoreError> {
        self.0.lock().await
    }
}

/// Removes the kept token of a credential that was removed or replaced.
pub(crate) async fn forget(context: &Context) -> Result<(), CliError> {
    if let Some(shared) = SharedToken::look(context)? {
        let lock = progress::watch("waiting for another process", shared.lock()).await;
        lock?.remove(DOCUMENT).await?;
    }
    Ok(())
}
