//! The access token that processes share: kept in a file, so that two of them log in once.
//!
//! Whether a token is long enough is the caller's question.

use std::borrow::Cow;
use std::path::Path;
use std::time::{Duration, SystemTime};

use pollination_auth::{AccessToken, Document, Secret, StoreError};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::context::{Context, Stored};
use crate::error::CliError;
use crate::kept_files::{KeptFiles, KeptLock};
use crate::progress;
use crate::time;

/// The store's directory, below that of the credentials.
const DIRECTORY: &str = "access-tokens";

/// What the store is told that it keeps; it looks at no document, and protects both kinds alike.
const DOCUMENT: Document = Document::Credential;

/// The version of the file; one that is not known is not used.
const VERSION: u32 = 2;

/// What the file holds at most: the longest access token, and what stands around it.
const CAPACITY: usize = 32 * 1024;

/// How far this machine's clock may be behind the service's: 5 minutes, as Kerberos has it.
///
/// A clock that is further behind may stand still or have been reset, so that it does not tell how
/// much of a token's life has passed.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// An access token with its life by this machine's clock.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) token: AccessToken,
    /// The time just before the login.
    pub(crate) obtained_at: SystemTime,
    pub(crate) expires_at: SystemTime,
}

impl Kept {
    /// Takes a token that is worth keeping: one whose expiry is known.
    ///
    /// `before` is a time before the login.
    pub(crate) fn of(token: &AccessToken, before: SystemTime) -> Option<Self> {
        Some(Self {
            token: token.clone(),
            obtained_at: before,
            expires_at: token.expires_at()?,
        })
    }

    /// Returns the remaining lifetime, zero if any view of it contradicts this machine's clock.
    ///
    /// The clock may have been changed since the login, so it is checked against the time of the
    /// login and, both ways, against the expiry that the token itself claims.
    pub(crate) fn left(&self, now: SystemTime) -> Duration {
        let Ok(lifetime) = self.expires_at.duration_since(self.obtained_at) else {
            return Duration::ZERO;
        };
        let is_from_the_future = now < self.obtained_at;
        let is_contradicted = self.token.claimed_expiry().is_some_and(|expiry| {
            let ahead = expiry.duration_since(now).unwrap_or_default();
            ahead.is_zero() || ahead > lifetime.saturating_add(TOLERANCE)
        });
        if is_from_the_future || is_contradicted {
            return Duration::ZERO;
        }
        self.expires_at.duration_since(now).unwrap_or_default()
    }
}

/// The file of one profile.
pub(crate) struct SharedToken(KeptFiles);

/// What a token belongs to: one with another id or of another generation is not used.
#[derive(PartialEq, Eq)]
pub(crate) struct Owner {
    id: String,
    generation: u64,
}

impl Owner {
    /// Returns `None` while a rotation is unfinished: it is not known what a token belongs to then.
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
    obtained_at: u64,
    expires_at: u64,
    /// Borrowed, so that no copy of it is left behind.
    access_token: &'a str,
}

impl SharedToken {
    /// Opens the store of the access tokens; there is none where the credential is not in one either.
    pub(crate) fn open(context: &Context) -> Result<Option<Self>, CliError> {
        Ok(KeptFiles::open(context, Path::new(DIRECTORY))?.map(Self))
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
        if KeptFiles::is_made(context, Path::new(DIRECTORY)) {
            Self::find(context)
        } else {
            Ok(None)
        }
    }

    /// Returns the kept token if it belongs to this credential. One that others can read is refused.
    pub(crate) async fn read(&self, owner: &Owner) -> Result<Option<Kept>, CliError> {
        let text = match self.0.read(DOCUMENT).await {
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
            && text.base_url == self.0.profile().base_url()
            && text.profile == self.0.profile().name()
            && text.id == owner.id.as_str()
            && text.generation == owner.generation;
        if !belongs {
            return None;
        }
        Some(Kept {
            token: AccessToken::new(text.access_token).ok()?,
            obtained_at: time::of_epoch(text.obtained_at),
            expires_at: time::of_epoch(text.expires_at),
        })
    }

    /// Keeps a token for the next process. Where that fails, the next one logs in by itself.
    pub(crate) async fn keep(
        &self,
        lock: &mut KeptLock,
        owner: &Owner,
        kept: &Kept,
    ) -> Result<(), StoreError> {
        let text = Text {
            version: VERSION,
            base_url: self.0.profile().base_url().into(),
            profile: self.0.profile().name().into(),
            id: owner.id.as_str().into(),
            generation: owner.generation,
            obtained_at: time::epoch(kept.obtained_at),
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
        lock.write(DOCUMENT, &text).await
    }

    /// Waits until no other process logs in; that takes too long where one hangs.
    pub(crate) async fn lock(&self) -> Result<KeptLock, StoreError> {
        self.0.lock().await
    }
}

/// Removes the kept token of a credential that is no more; one that stays is of no use to anybody.
pub(crate) async fn forget(context: &Context) -> Result<(), CliError> {
    if let Some(shared) = SharedToken::look(context)? {
        let lock = progress::watch("waiting for another process", shared.lock()).await;
        lock?.remove(DOCUMENT).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Claims to expire 3600 s after 1970: `{"exp":3600}`.
    const CLAIMS_3600: &str = "e30.eyJleHAiOjM2MDB9.c2ln";

    fn left(token: &str, (obtained_at, expires_at): (u64, u64), now: u64) -> u64 {
        let kept = Kept {
            token: AccessToken::new(token).unwrap(),
            obtained_at: time::of_epoch(obtained_at),
            expires_at: time::of_epoch(expires_at),
        };
        kept.left(time::of_epoch(now)).as_secs()
    }

    #[test]
    fn row_67_a_kept_token_lasts_as_long_as_every_view_allows() {
        // Clock right: by the file and by the claim alike.
        assert_eq!(left(CLAIMS_3600, (0, 3600), 0), 3600);
        assert_eq!(left(CLAIMS_3600, (0, 3600), 3599), 1);
        assert_eq!(left(CLAIMS_3600, (0, 3600), 3600), 0);
        // Clock ahead at the login and right now.
        assert_eq!(left(CLAIMS_3600, (9000, 12600), 1800), 0);
        // Clock ahead at the login, right now, and past that time.
        assert_eq!(left(CLAIMS_3600, (3000, 6600), 3601), 0);
        // Clock behind by a little at both times.
        assert_eq!(left(CLAIMS_3600, (300, 3300), 300), 3000);
        // Clock behind by more than that: it may have been reset in between.
        assert_eq!(left(CLAIMS_3600, (0, 600), 60), 0);
        // Without a claim the file alone counts, and the future never does.
        assert_eq!(left("opaque", (100, 200), 150), 50);
        assert_eq!(left("opaque", (100, 200), 99), 0);
        // No life at all.
        assert_eq!(left("opaque", (200, 100), 50), 0);
    }
}
