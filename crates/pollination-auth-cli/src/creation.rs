//! The access token of a creation: kept in a file until the new API token logs in.
//!
//! The new secret is seen once, in a reply that can be lost. From then on an access token is the
//! only way to replace it, so the file is written before the request, below the store of the
//! credentials: the new secret needs the same disk.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use pollination_auth::{AccessToken, ApiToken, ApiTokenId, Document, Secret, StoreError};

use crate::args::global::Global;
use crate::checked;
use crate::context::Context;
use crate::error::CliError;
use crate::kept_files::{KeptFiles, KeptLock};
use crate::output;
use crate::progress;
use crate::recovery::{Made, Redo};
use crate::refusal;
use crate::rescue::Rescue;
use crate::text::quoted;
use crate::variables;

/// The store's directory, below that of the credentials.
const DIRECTORY: &str = "creations";

/// What the store is told that it keeps; it looks at no document, and protects both kinds alike.
const DOCUMENT: Document = Document::Credential;

/// Where the [`Before`] is kept, or nothing.
///
/// It is that of the credential that was stored before, or later for another account. A stored
/// credential with another id is what the creation made, or has replaced it.
const BEFORE: Document = Document::Journal;

/// A creation that this process works on, and no other one of the same profile.
pub(crate) struct Creation {
    place: Place,
    redo: Redo,
    /// Whether an interrupted creation left the file.
    was_interrupted: bool,
    lock: KeptLock,
}

/// A creation that this process found.
pub(crate) struct Found {
    pub(crate) file: PathBuf,
    /// Whether a process works on it.
    pub(crate) under_way: bool,
    /// Whether a credential was stored since it began, so that only a login is missing.
    pub(crate) is_stored: bool,
    pub(crate) redo: Redo,
}

impl Made {
    /// Returns what is known of a creation that began while this was stored.
    fn unless(before: Option<&Before>) -> Self {
        match before {
            Some(before) if before.is_own => Self::UnlessStored,
            _ => Self::Unknown,
        }
    }
}

/// An API token that is known not to be the creation's.
pub(crate) struct Before {
    id: String,
    /// Whether it is of the same account, so that the creation replaces it.
    is_own: bool,
}

/// The second line of a [`Before`] of the same account; an id has no line break.
const OWN: &str = "\nof this account";

impl Before {
    pub(crate) fn new(id: &ApiTokenId, is_own: bool) -> Self {
        Self {
            id: id.to_string(),
            is_own,
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (id, is_own) = match text.strip_suffix(OWN) {
            Some(id) => (id, true),
            None => (text, false),
        };
        (!id.is_empty()).then(|| Self {
            id: id.to_owned(),
            is_own,
        })
    }
}

impl fmt::Display for Before {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        f.write_str(if self.is_own { OWN } else { "" })
    }
}

/// Returns the commands that go on from a creation whose access token is in this file.
fn redo(global: &Global, file: &Path, made: Made) -> Redo {
    let file = quoted(&file.to_string_lossy());
    let line = |command| format!("{} < {file}", global.line(command));
    Redo {
        made,
        delete: line("token delete --yes --access-token-stdin"),
        create: line("token create --yes --access-token-stdin"),
    }
}

/// Where the access token of one profile is kept.
struct Place {
    files: KeptFiles,
    file: PathBuf,
}

impl Place {
    fn open(context: &Context) -> Result<Option<Self>, CliError> {
        let files = KeptFiles::open(context, Path::new(DIRECTORY))?;
        Ok(files.map(|files| Self {
            file: files.path(DOCUMENT),
            files,
        }))
    }

    /// As [`open`](Self::open), and makes nothing.
    fn look(context: &Context) -> Result<Option<Self>, CliError> {
        if KeptFiles::is_made(context, Path::new(DIRECTORY)) {
            Self::open(context)
        } else {
            Ok(None)
        }
    }

    async fn read(&self) -> Result<Option<Secret>, CliError> {
        let read = self.files.read(DOCUMENT).await;
        read.map_err(|problem| CliError::KeptCreation {
            file: self.file.clone(),
            problem,
        })
    }

    async fn lock(&self) -> Result<KeptLock, StoreError> {
        progress::watch("waiting for another process", self.files.lock()).await
    }
}

async fn remove(lock: &mut KeptLock) -> Result<(), StoreError> {
    lock.remove(DOCUMENT).await?;
    lock.remove(BEFORE).await
}

impl Creation {
    /// Keeps the access token, which the next request creates an API token with.
    ///
    /// The access token of an interrupted creation is not replaced by another one.
    pub(crate) async fn begin(
        context: &Context,
        access_token: &AccessToken,
        before: Option<Before>,
        settle: Duration,
    ) -> Result<Self, CliError> {
        let place = Place::open(context)?.ok_or(CliError::NoDirectory(variables::DIRECTORY))?;
        let mut lock = place.lock().await?;
        let redo = redo(&context.global, &place.file, Made::unless(before.as_ref()));
        let kept = place.read().await?;
        let is_other = |kept: &Secret| kept.expose_secret() != access_token.expose_secret();
        if let Some(other) = kept.as_ref().filter(|kept| is_other(kept)) {
            if is_dead(context, other).await {
                check_accepted(context, access_token).await?;
                output::note(format_args!(
                    "the access token of an interrupted creation no longer works; in {}, the new \
                     one replaces it",
                    place.file.display()
                ));
            } else if before.is_none() || !kept_came_to_nothing(context, other, settle).await {
                return Err(CliError::CreationUnfinished { redo });
            }
        }
        if kept.as_ref().is_none_or(is_other) {
            let before = before.as_ref().map(Before::to_string).unwrap_or_default();
            lock.write(BEFORE, &Secret::from(before)).await?;
            let text = Secret::from(access_token.expose_secret().to_owned());
            lock.write(DOCUMENT, &text).await?;
        }
        Ok(Self {
            place,
            redo,
            was_interrupted: kept.is_some(),
            lock,
        })
    }

    /// Returns how to replace an API token whose secret nobody knows.
    pub(crate) fn redo(&self) -> Redo {
        self.redo.clone()
    }

    /// As [`redo`](Self::redo), where the disk still has the access token.
    pub(crate) async fn redo_if_kept(&self) -> Option<Redo> {
        let kept = self.place.read().await.ok().flatten();
        kept.map(|_access_token| self.redo())
    }

    /// Returns the file with the access token.
    pub(crate) fn file(&self) -> &Path {
        &self.place.file
    }

    /// Ends it: the new API token logs in.
    pub(crate) async fn end(mut self) {
        if let Err(error) = remove(&mut self.lock).await {
            tracing::debug!(%error, "the access token of the creation is left behind");
        }
    }

    /// Ends it: nothing was created. What an earlier one may have created is still there.
    pub(crate) async fn give_up(self) {
        if !self.was_interrupted {
            self.end().await;
        }
    }
}

/// Returns the creation of this profile that has not come to its end.
pub(crate) async fn find(context: &Context) -> Result<Option<Found>, CliError> {
    let Some(place) = Place::look(context)? else {
        return Ok(None);
    };
    if place.read().await?.is_none() {
        return Ok(None);
    }
    let before = place.files.read(BEFORE).await?;
    let before = before.and_then(|before| Before::read(before.expose_secret()));
    let is_new = |token: &ApiToken| {
        before
            .as_ref()
            .is_none_or(|it| it.id != token.id().as_str())
    };
    let stored = context.profile.load().await?;
    let made = match Rescue::of(&context.global.host, &context.global.profile).await {
        Some((directory, token)) if is_new(&token) => Made::PutAside(directory),
        _ => Made::unless(before.as_ref()),
    };
    Ok(Some(Found {
        is_stored: stored.as_ref().is_some_and(is_new),
        under_way: place.files.is_locked().await,
        redo: redo(&context.global, &place.file, made),
        file: place.file,
    }))
}

/// Asks the service for the API token of an access token's account.
async fn owner(context: &Context, access_token: &AccessToken) -> Result<ApiTokenId, CliError> {
    let builder = context.builder().access_token(access_token.clone());
    let client = builder.build()?;
    let asked = client.get_api_token();
    Ok(progress::watch("asking for the API token", asked).await?)
}

/// Checks that the service does not refuse an access token, before it replaces a kept one.
async fn check_accepted(context: &Context, access_token: &AccessToken) -> Result<(), CliError> {
    match owner(context, access_token).await {
        Err(CliError::Service(error)) if refusal::of_credential(&error) => {
            Err(CliError::Service(error))
        }
        _ => Ok(()),
    }
}

/// Returns the stored API token if the creation with an access token has certainly replaced nothing:
/// after the settle time it logs in, and is still the account's.
pub(crate) async fn came_to_nothing(
    context: &Context,
    access_token: &AccessToken,
    settle: Duration,
) -> Option<ApiTokenId> {
    let stored = checked::outlives_creation(context, settle).await?;
    // The access token may be of another account than the stored API token.
    let own = owner(context, access_token).await.ok()?;
    (own == stored).then_some(stored)
}

async fn kept_came_to_nothing(context: &Context, kept: &Secret, settle: Duration) -> bool {
    match AccessToken::new(kept.expose_secret()) {
        Ok(kept) => came_to_nothing(context, &kept, settle).await.is_some(),
        Err(_) => false,
    }
}

/// Returns `true` if a kept access token has expired and the service refuses it.
///
/// One alone is no proof: the clock of this machine may be wrong, and a refusal may come from a
/// part of the service that does not know the access token.
async fn is_dead(context: &Context, kept: &Secret) -> bool {
    let Ok(kept) = AccessToken::new(kept.expose_secret()) else {
        return false;
    };
    kept.claimed_expiry()
        .is_some_and(|at| at < SystemTime::now())
        && matches!(
            owner(context, &kept).await,
            Err(CliError::Service(error)) if refusal::of_credential(&error)
        )
}

/// Removes the access token of a creation after a login, if the stored credential replaces it.
///
/// That is proven if the credential was stored after the creation began, and the access token is
/// of the account that has that API token. Returns the file of one that stays. A file that can't be
/// removed is no reason to call the login failed.
pub(crate) async fn complete(context: &Context) -> Option<PathBuf> {
    let completed = async {
        let Some(found) = find(context).await?.filter(|found| !found.under_way) else {
            return Ok(None);
        };
        if !found.is_stored {
            return Ok(Some(found.file));
        }
        match owner_of_kept(context).await? {
            Owner::Stored => forget(context).await.map(|()| None),
            Owner::Other(stored) => {
                // The next login with it completes nothing either.
                let mut lock = lock(context).await?;
                if let Some(lock) = &mut lock {
                    let before = Before::new(&stored, false).to_string();
                    lock.write(BEFORE, &Secret::from(before)).await?;
                }
                Ok(Some(found.file))
            }
            Owner::Unknown => Ok(Some(found.file)),
        }
    };
    completed.await.unwrap_or_else(|error: CliError| {
        tracing::debug!(%error, "the access token of a creation is left behind");
        None
    })
}

/// Whose account the access token of a creation is of.
enum Owner {
    /// It is that of the stored API token.
    Stored,
    /// It is another one than that of the stored API token, which has this id.
    Other(ApiTokenId),
    Unknown,
}

async fn owner_of_kept(context: &Context) -> Result<Owner, CliError> {
    let Some(place) = Place::look(context)? else {
        return Ok(Owner::Unknown);
    };
    let kept = place.read().await?;
    let stored = context.profile.load().await?;
    let (Some(kept), Some(stored)) = (kept, stored) else {
        return Ok(Owner::Unknown);
    };
    let Ok(kept) = AccessToken::new(kept.expose_secret()) else {
        return Ok(Owner::Unknown);
    };
    Ok(match owner(context, &kept).await {
        Ok(id) if &id == stored.id() => Owner::Stored,
        Ok(_other) => Owner::Other(stored.id().clone()),
        Err(_unasked) => Owner::Unknown,
    })
}

/// Removes the access token of an interrupted creation.
pub(crate) async fn forget(context: &Context) -> Result<(), CliError> {
    match lock(context).await? {
        Some(mut lock) => Ok(remove(&mut lock).await?),
        None => Ok(()),
    }
}

/// Returns the lock of the files, if there are any.
async fn lock(context: &Context) -> Result<Option<KeptLock>, CliError> {
    match Place::look(context)? {
        Some(place) => Ok(Some(place.lock().await?)),
        None => Ok(None),
    }
}
