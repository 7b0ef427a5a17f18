//! The access token of a creation: kept in a file until the new API token logs in.
//!
//! The new secret is seen once, in a reply that can be lost. From then on an access token is the
//! only way to replace it, so the file is written before the request, below the store of the
//! credentials: the new secret needs the same disk.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use pollination_auth::{AccessToken, ApiToken, ApiTokenId, Document, Secret, StoreError};
use serde::{Deserialize, Serialize};

use crate::args::global::Global;
use crate::aside::{self, Copy};
use crate::checked;
use crate::context::Context;
use crate::error::CliError;
use crate::kept_files::{KeptFiles, KeptLock};
use crate::output;
use crate::profiles::CREATIONS;
use crate::progress;
use crate::recovery::{Aside, Made, Redo};
use crate::refusal;
use crate::text::quoted;
use crate::variables;

/// What the store is told that it keeps; it looks at no document, and protects both kinds alike.
const DOCUMENT: Document = Document::Credential;

/// Where the [`Facts`] are kept.
const FACTS: Document = Document::Journal;

/// What is known of a creation, kept beside its access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Facts {
    /// Whose creation it is, as the documents of the credentials say it: `profile list` finds it so.
    base_url: String,
    profile: String,
    /// Tells it from every other creation of this profile, also from one with the same access token.
    number: u64,
    /// The API token that was stored when it began, and so is not the creation's.
    before: Option<String>,
    /// Whether that is of the same account, so that the creation replaces it.
    is_own: bool,
    /// The API token that it has created, once the reply is there.
    made: Option<String>,
    /// Where new API tokens are that have not logged in: of this creation, and of those before it with
    /// an unclear end.
    asides: Vec<Aside>,
}

impl Facts {
    /// Returns those of a creation that begins: what is stored is the API token from before.
    fn new(context: &Context, before: Option<&ApiTokenId>, is_own: bool) -> Self {
        let id = context.profile.id();
        Self {
            base_url: id.base_url().to_owned(),
            profile: id.name().to_owned(),
            // The standard library's random keys: nobody has to be kept from guessing it.
            number: RandomState::new().build_hasher().finish(),
            before: before.map(ApiTokenId::to_string),
            is_own,
            made: None,
            asides: Vec::new(),
        }
    }

    /// Returns what the creation may have made, if these places have new API tokens.
    fn made(&self, asides: Vec<Aside>) -> Made {
        if !asides.is_empty() {
            Made::PutAside(asides)
        } else if self.is_own && self.before.is_some() && self.made.is_none() {
            Made::UnlessStored
        } else {
            Made::Unknown
        }
    }
}

/// A creation that this process works on, and no other one of the same profile.
pub(crate) struct Creation {
    place: Place,
    facts: Facts,
    /// What was known before, if an interrupted creation left the access token.
    interrupted: Option<Option<Facts>>,
    global: Global,
    /// What to do if it is cut off.
    redo: Arc<Mutex<Box<Redo>>>,
    /// Where this one has put its API token.
    aside: Option<Aside>,
    lock: KeptLock,
}

/// A creation that this process found.
pub(crate) struct Found {
    pub(crate) file: PathBuf,
    /// Whether a process works on it.
    pub(crate) under_way: bool,
    /// Whether what it made is stored, so that only a login is missing.
    pub(crate) is_stored: bool,
    /// Whether what is stored is another API token than before, and so may be what it made.
    may_be_stored: bool,
    pub(crate) redo: Box<Redo>,
    /// The new API tokens that have not logged in, and where they are.
    pub(crate) asides: Vec<Aside>,
    number: Option<u64>,
    access_token: Secret,
}

/// Returns the commands that go on from a creation whose access token is in this file. `replaces` is a
/// stored API token that nobody was asked about.
fn redo(global: &Global, file: &Path, made: Made, replaces: Option<String>) -> Box<Redo> {
    let file = quoted(&file.to_string_lossy());
    let line = |command| format!("{} < {file}", global.line(command));
    let create = match replaces {
        None => "token create --yes --access-token-stdin",
        Some(_) => "token create --access-token-stdin",
    };
    Box::new(Redo {
        made,
        delete: line("token delete --yes --access-token-stdin"),
        create: line(create),
        replaces,
    })
}

/// Where the access token of one profile is kept.
struct Place {
    files: KeptFiles,
    file: PathBuf,
}

impl Place {
    fn open(context: &Context) -> Result<Option<Self>, CliError> {
        let files = KeptFiles::open(context, Path::new(CREATIONS))?;
        Ok(files.map(|files| Self {
            file: files.path(DOCUMENT),
            files,
        }))
    }

    /// As [`open`](Self::open), and makes nothing.
    fn look(context: &Context) -> Result<Option<Self>, CliError> {
        if KeptFiles::is_made(context, Path::new(CREATIONS)) {
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

    /// Returns what is known of the creation, which may be nothing.
    async fn facts(&self) -> Result<Option<Facts>, CliError> {
        let facts = self.files.read(FACTS).await;
        let facts = facts.map_err(|problem| CliError::KeptCreation {
            file: self.files.path(FACTS),
            problem,
        })?;
        Ok(facts.and_then(|facts| serde_json::from_str(facts.expose_secret()).ok()))
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
    /// The access token of an interrupted creation is not replaced by another one. `before` is the stored
    /// API token that may be replaced; if another one is stored by now, nothing begins.
    pub(crate) async fn begin(
        context: &Context,
        access_token: &AccessToken,
        before: Option<&ApiTokenId>,
        is_own: bool,
        settle: Duration,
    ) -> Result<Self, CliError> {
        let place = Place::open(context)?.ok_or(CliError::NoDirectory(variables::DIRECTORY))?;
        let mut lock = place.lock().await?;
        let stored = context.profile.load().await?;
        if let Some(other) = stored.filter(|stored| Some(stored.id()) != before) {
            return Err(CliError::StoredMeanwhile {
                id: other.id().to_string(),
            });
        }
        let global = &context.global;
        let kept = place.read().await?;
        let is_other = |kept: &Secret| kept.expose_secret() != access_token.expose_secret();
        let mut facts = Facts::new(context, before, is_own);
        let mut interrupted = None;
        if let Some(kept) = &kept {
            let known = place.facts().await?;
            let mut came_to_nothing = false;
            if !is_other(kept) {
                let is_same = |known: &&Facts| known.before == facts.before && known.is_own;
                facts.is_own |= known.as_ref().is_some_and(|known| is_same(&known));
            } else if is_dead(context, kept).await {
                check_accepted(context, access_token).await?;
                output::note(format_args!(
                    "the access token of an interrupted creation no longer works; in {}, the new \
                     one replaces it",
                    place.file.display()
                ));
            } else if before.is_some() && kept_came_to_nothing(context, kept, settle).await {
                came_to_nothing = true;
            } else {
                let found = found(context, place, kept.clone()).await?;
                return Err(CliError::CreationUnfinished { redo: found.redo });
            }
            if let Some(known) = &known {
                facts.asides.clone_from(&known.asides);
            }
            interrupted = (!came_to_nothing).then_some(known);
        }
        write(&mut lock, &facts).await?;
        if kept.as_ref().is_none_or(is_other) {
            let text = Secret::from(access_token.expose_secret().to_owned());
            lock.write(DOCUMENT, &text).await?;
        }
        let made =
            facts.made(aside::present(context, &facts.asides, facts.before.as_deref()).await);
        let redo = redo(global, &place.file, made, None);
        Ok(Self {
            place,
            facts,
            interrupted,
            global: global.clone(),
            redo: Arc::new(Mutex::new(redo)),
            aside: None,
            lock,
        })
    }

    /// Returns what to do about it; what is returned follows what becomes of it.
    pub(crate) fn shared_redo(&self) -> Arc<Mutex<Box<Redo>>> {
        self.redo.clone()
    }

    /// Returns what to do about it.
    pub(crate) fn redo(&self) -> Box<Redo> {
        self.redo
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// As [`redo`](Self::redo), where the disk still has the access token.
    pub(crate) async fn redo_if_kept(&self) -> Option<Box<Redo>> {
        let kept = self.place.read().await.ok().flatten();
        kept.map(|_access_token| self.redo())
    }

    /// Returns where its API token was put that does not log in yet.
    pub(crate) fn aside(&self) -> Option<&Aside> {
        self.aside.as_ref()
    }

    /// Remembers the new API token, so that it is known when it is stored.
    pub(crate) async fn made(&mut self, id: &ApiTokenId) {
        self.facts.made = Some(id.to_string());
        self.note().await;
    }

    /// Remembers where the new API token is about to be put. It is noted before it is there: whoever
    /// reads the note looks whether it is.
    pub(crate) async fn put_aside(&mut self, aside: Aside) {
        self.facts.asides.retain(|known| *known != aside);
        self.facts.asides.push(aside);
        self.note().await;
    }

    /// Says from now on that the new API token is in a place.
    pub(crate) fn is_aside(&mut self, aside: Aside) {
        let made = Made::PutAside(vec![aside.clone()]);
        self.aside = Some(aside);
        let redo = redo(&self.global, &self.place.file, made, None);
        *self.redo.lock().unwrap_or_else(PoisonError::into_inner) = redo;
    }

    async fn note(&mut self) {
        if let Err(error) = write(&mut self.lock, &self.facts).await {
            tracing::debug!(%error, "what is known of the creation is not kept");
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

    /// Ends it where nothing was created. What an interrupted creation left stays, and is returned as
    /// what to do about that one.
    pub(crate) async fn refused(mut self) -> Option<Box<Redo>> {
        let Some(before) = self.interrupted.take() else {
            self.end().await;
            return None;
        };
        if let Some(before) = before {
            self.facts = before;
            self.note().await;
        }
        Some(self.redo())
    }
}

/// Returns the creation of this profile that has not come to its end.
pub(crate) async fn find(context: &Context) -> Result<Option<Found>, CliError> {
    let Some(place) = Place::look(context)? else {
        return Ok(None);
    };
    match place.read().await? {
        Some(access_token) => found(context, place, access_token).await.map(Some),
        None => Ok(None),
    }
}

async fn found(context: &Context, place: Place, access_token: Secret) -> Result<Found, CliError> {
    let facts = place.facts().await?;
    let stored = context.profile.load().await?;
    let stored = stored.map(|stored| stored.id().to_string());
    let before = facts.as_ref().and_then(|facts| facts.before.clone());
    let made = facts.as_ref().and_then(|facts| facts.made.clone());
    let known: &[Aside] = facts.as_ref().map_or(&[], |facts| &facts.asides);
    let asides = aside::present(context, known, before.as_deref()).await;
    let made_what = facts
        .as_ref()
        .map_or(Made::Unknown, |facts| facts.made(asides.clone()));
    let is_stored = stored.is_some() && stored == made;
    let is_asked = stored == before || is_stored;
    Ok(Found {
        under_way: place.files.is_locked().await,
        is_stored,
        may_be_stored: facts.is_some() && stored.is_some() && stored != before,
        redo: redo(
            &context.global,
            &place.file,
            made_what,
            stored.filter(|_| !is_asked),
        ),
        asides,
        number: facts.map(|facts| facts.number),
        file: place.file,
        access_token,
    })
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

/// Removes the access token of a creation after a login with an API token, if that is what was created,
/// or has replaced it.
///
/// It is the one where the reply has named it. Where there was no reply, it was stored after the creation
/// began, and the access token is of the account that has it. Returns the file of one that stays. A file
/// that can't be removed is no reason to call the login failed.
pub(crate) async fn complete(context: &Context, logged_in: &ApiToken) -> Option<PathBuf> {
    let completed = async {
        let Some(found) = find(context).await?.filter(|found| !found.under_way) else {
            return Ok(None);
        };
        let stays = Ok(Some(found.file.clone()));
        let is_current = is_stored(context, logged_in).await?;
        if !(is_current && (found.is_stored || is_owner(context, &found, logged_in.id()).await)) {
            return stays;
        }
        let own = found
            .asides
            .iter()
            .filter(|aside| aside.id == logged_in.id().as_str());
        for aside in own {
            if aside::forget(context, aside, logged_in).await == Copy::MayBeNewer {
                return stays;
            }
        }
        let lock = match Place::look(context)? {
            Some(place) => place.files.try_lock().await?,
            None => None,
        };
        // Whoever has the lock creates again.
        let Some(lock) = lock else {
            return Ok(None);
        };
        Ok((!forget_under(lock, context, &found).await?).then_some(found.file))
    };
    completed.await.unwrap_or_else(|error: CliError| {
        tracing::debug!(%error, "the access token of a creation is left behind");
        None
    })
}

async fn is_stored(context: &Context, token: &ApiToken) -> Result<bool, CliError> {
    let stored = context.profile.load().await?;
    Ok(stored.is_some_and(|stored| stored.id() == token.id()))
}

/// Returns `true` if the access token of a creation is of the account that has an API token, which was
/// stored after the creation began.
async fn is_owner(context: &Context, found: &Found, id: &ApiTokenId) -> bool {
    let Ok(kept) = AccessToken::new(found.access_token.expose_secret()) else {
        return false;
    };
    found.may_be_stored && owner(context, &kept).await.is_ok_and(|own| own == *id)
}

/// Removes the access token of the creation that was found, and of no later one. Returns `false` if
/// there is a later one.
pub(crate) async fn forget_found(context: &Context, found: &Found) -> Result<bool, CliError> {
    match lock(context).await? {
        Some(lock) => forget_under(lock, context, found).await,
        None => Ok(true),
    }
}

async fn forget_under(
    mut lock: KeptLock,
    context: &Context,
    found: &Found,
) -> Result<bool, CliError> {
    let Some(now) = find(context).await? else {
        return Ok(true);
    };
    let is_same = now.number == found.number
        && now.access_token.expose_secret() == found.access_token.expose_secret();
    if is_same {
        remove(&mut lock).await?;
    }
    Ok(is_same)
}

/// Returns the lock of the files, if there are any.
async fn lock(context: &Context) -> Result<Option<KeptLock>, CliError> {
    match Place::look(context)? {
        Some(place) => Ok(Some(place.lock().await?)),
        None => Ok(None),
    }
}
