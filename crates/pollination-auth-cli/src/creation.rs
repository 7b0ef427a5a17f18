//! The access token of a creation: kept in a file until the new API token logs in.
//!
//! The new secret is seen once, in a reply that can be lost. From then on an access token is the
//! only way to replace it, so the file is written before the request, below the store of the
//! credentials: the new secret needs the same disk.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use pollination_auth::{AccessToken, ApiTokenId, Document, Secret, StoreError};
use serde::{Deserialize, Serialize};

use crate::args::global::Global;
use crate::checked;
use crate::context::Context;
use crate::error::CliError;
use crate::kept_files::{KeptFiles, KeptLock};
use crate::output;
use crate::progress;
use crate::recovery::{Aside, Made, Redo};
use crate::refusal;
use crate::text::quoted;
use crate::variables;

/// The store's directory, below that of the credentials.
const DIRECTORY: &str = "creations";

/// What the store is told that it keeps; it looks at no document, and protects both kinds alike.
const DOCUMENT: Document = Document::Credential;

/// Where the [`Facts`] are kept.
const FACTS: Document = Document::Journal;

/// What is known of a creation, kept beside its access token.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// The API token that is known not to be the creation's: that of the credential that was stored
    /// before, or later for another account. A stored credential with another id is what the creation
    /// made, or has replaced it.
    before: Option<String>,
    /// Whether that is of the same account, so that the creation replaces it.
    is_own: bool,
    /// Where the new API token is that does not log in yet.
    aside: Option<Aside>,
}

impl Facts {
    pub(crate) fn new(before: Option<&ApiTokenId>, is_own: bool) -> Self {
        Self {
            before: before.map(ApiTokenId::to_string),
            is_own,
            aside: None,
        }
    }

    fn read(text: &str) -> Self {
        // An earlier version kept the id alone.
        let id = || (!text.is_empty()).then(|| text.to_owned());
        serde_json::from_str(text).unwrap_or_else(|_id| Self {
            before: id(),
            ..Self::default()
        })
    }

    fn made(&self) -> Made {
        match &self.aside {
            Some(aside) => Made::PutAside(Box::new(aside.clone())),
            None if self.is_own && self.before.is_some() => Made::UnlessStored,
            None => Made::Unknown,
        }
    }
}

/// A creation that this process works on, and no other one of the same profile.
pub(crate) struct Creation {
    place: Place,
    facts: Facts,
    global: Global,
    /// What to do if it is cut off.
    redo: Arc<Mutex<Redo>>,
    /// Whether an interrupted creation left the file.
    was_interrupted: bool,
    /// Where this one has put its API token; the [`Facts`] may be about an earlier one.
    aside: Option<Aside>,
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
    access_token: Secret,
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

    async fn facts(&self) -> Result<Facts, CliError> {
        let facts = self.files.read(FACTS).await?;
        Ok(facts.map_or_else(Facts::default, |facts| Facts::read(facts.expose_secret())))
    }

    async fn lock(&self) -> Result<KeptLock, StoreError> {
        progress::watch("waiting for another process", self.files.lock()).await
    }
}

async fn remove(lock: &mut KeptLock) -> Result<(), StoreError> {
    lock.remove(DOCUMENT).await?;
    lock.remove(FACTS).await
}

async fn write(lock: &mut KeptLock, facts: &Facts) -> Result<(), CliError> {
    let text = serde_json::to_string(facts).map_err(|_error| CliError::Json)?;
    Ok(lock.write(FACTS, &Secret::from(text)).await?)
}

impl Creation {
    /// Keeps the access token, which the next request creates an API token with.
    ///
    /// The access token of an interrupted creation is not replaced by another one.
    pub(crate) async fn begin(
        context: &Context,
        access_token: &AccessToken,
        facts: Facts,
        settle: Duration,
    ) -> Result<Self, CliError> {
        let place = Place::open(context)?.ok_or(CliError::NoDirectory(variables::DIRECTORY))?;
        let mut lock = place.lock().await?;
        let global = &context.global;
        let kept = place.read().await?;
        let is_other = |kept: &Secret| kept.expose_secret() != access_token.expose_secret();
        let mut was_interrupted = kept.is_some();
        let mut facts = facts;
        if let Some(kept) = &kept {
            let known = place.facts().await?;
            if !is_other(kept) {
                facts = known;
            } else if is_dead(context, kept).await {
                check_accepted(context, access_token).await?;
                output::note(format_args!(
                    "the access token of an interrupted creation no longer works; in {}, the new \
                     one replaces it",
                    place.file.display()
                ));
            } else if facts.before.is_some() && kept_came_to_nothing(context, kept, settle).await {
                was_interrupted = false;
            } else {
                let redo = redo(global, &place.file, known.made());
                return Err(CliError::CreationUnfinished { redo });
            }
        }
        if kept.as_ref().is_none_or(is_other) {
            write(&mut lock, &facts).await?;
            let text = Secret::from(access_token.expose_secret().to_owned());
            lock.write(DOCUMENT, &text).await?;
        }
        let redo = redo(global, &place.file, facts.made());
        Ok(Self {
            place,
            facts,
            global: global.clone(),
            redo: Arc::new(Mutex::new(redo)),
            was_interrupted,
            aside: None,
            lock,
        })
    }

    /// Returns `true` if an interrupted creation left its access token, which stays.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.was_interrupted
    }

    /// Returns what to do about it; what is returned follows what becomes of it.
    pub(crate) fn shared_redo(&self) -> Arc<Mutex<Redo>> {
        self.redo.clone()
    }

    /// Returns what to do about it.
    pub(crate) fn redo(&self) -> Redo {
        redo(&self.global, &self.place.file, self.facts.made())
    }

    /// As [`redo`](Self::redo), where the disk still has the access token.
    pub(crate) async fn redo_if_kept(&self) -> Option<Redo> {
        let kept = self.place.read().await.ok().flatten();
        kept.map(|_access_token| self.redo())
    }

    /// Returns where its API token was put that does not log in yet.
    pub(crate) fn aside(&self) -> Option<&Aside> {
        self.aside.as_ref()
    }

    /// Remembers where the new API token is that does not log in yet.
    pub(crate) async fn put_aside(&mut self, aside: Aside) {
        self.facts.aside = Some(aside.clone());
        self.aside = Some(aside);
        if let Ok(mut redo) = self.redo.lock() {
            *redo = self.redo();
        }
        if let Err(error) = write(&mut self.lock, &self.facts).await {
            tracing::debug!(%error, "it is not kept where the new API token is");
        }
    }

    /// Returns the file with the access token.
    pub(crate) fn file(&self) -> &Path {
        &self.place.file
    }

    /// Ends it: the new API token logs in, or nothing was created.
    pub(crate) async fn end(mut self) {
        if let Err(error) = remove(&mut self.lock).await {
            tracing::debug!(%error, "the access token of the creation is left behind");
        }
    }
}

/// Returns the creation of this profile that has not come to its end.
pub(crate) async fn find(context: &Context) -> Result<Option<Found>, CliError> {
    let Some(place) = Place::look(context)? else {
        return Ok(None);
    };
    let Some(access_token) = place.read().await? else {
        return Ok(None);
    };
    let facts = place.facts().await?;
    let stored = context.profile.load().await?;
    let is_stored = stored.is_some_and(|stored| {
        let before = facts.before.as_deref();
        before.is_none_or(|before| before != stored.id().as_str())
    });
    Ok(Some(Found {
        is_stored,
        under_way: place.files.is_locked().await,
        redo: redo(&context.global, &place.file, facts.made()),
        file: place.file,
        access_token,
    }))
}

/// As [`find`], once no process works on one.
///
/// The access token of a creation that this has waited for is nobody's to remove: it may be the only
/// key to what was created.
pub(crate) async fn find_undisturbed(context: &Context) -> Result<Option<Found>, CliError> {
    let found = find(context).await?;
    if !found.as_ref().is_some_and(|found| found.under_way) {
        return Ok(found);
    }
    drop(lock(context).await?);
    match find(context).await? {
        Some(left) if !left.is_stored => Err(CliError::CreationUnfinished { redo: left.redo }),
        found => Ok(found),
    }
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
                    write(lock, &Facts::new(Some(&stored), false)).await?;
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
async fn forget(context: &Context) -> Result<(), CliError> {
    match lock(context).await? {
        Some(mut lock) => Ok(remove(&mut lock).await?),
        None => Ok(()),
    }
}

/// Removes the access token of the creation that was found, and of no later one.
pub(crate) async fn forget_found(context: &Context, found: &Found) -> Result<(), CliError> {
    let Some(mut lock) = lock(context).await? else {
        return Ok(());
    };
    match find(context).await? {
        Some(now) if now.access_token.expose_secret() == found.access_token.expose_secret() => {
            Ok(remove(&mut lock).await?)
        }
        _ => Ok(()),
    }
}

/// Returns the lock of the files, if there are any.
async fn lock(context: &Context) -> Result<Option<KeptLock>, CliError> {
    match Place::look(context)? {
        Some(place) => Ok(Some(place.lock().await?)),
        None => Ok(None),
    }
}
