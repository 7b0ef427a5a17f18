//! The access token of a creation: kept in a file until the new API token logs in.
//!
//! The new secret is seen once, in a reply that can be lost. From then on an access token is the
//! only way to replace it, so the file is written before the request, below the store of the
//! credentials: the new secret needs the same disk.

mod found;
mod kept;
mod outcome;
mod seen;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pollination_auth::{AccessToken, ApiTokenId, Secret};

use self::kept::{DOCUMENT, Facts, Place, remove, write};
use self::outcome::{Kept, check_accepted, judge, kept_came_to_nothing};
use self::seen::{look_at, name, redo};
use crate::args::global::Global;
use crate::aside;
use crate::context::Context;
use crate::error::CliError;
use crate::kept_files::KeptLock;
use crate::output;
use crate::recovery::{Aside, Made, Redo};
use crate::variables;

pub(crate) use self::found::{INTERRUPTED, complete, find, find_undisturbed, forget_found};
pub(crate) use self::outcome::came_to_nothing;

/// A creation that this process works on, and no other one of the same profile.
pub(crate) struct Creation {
    place: Place,
    facts: Facts,
    /// What is known of an interrupted creation that has left an access token.
    interrupted: Option<Interrupted>,
    global: Global,
    /// What to do if it is cut off.
    redo: Arc<Mutex<Box<Redo>>>,
    /// Where this one has put its API token.
    aside: Option<Aside>,
    lock: KeptLock,
}

/// What is known of a creation that a later one goes on from.
enum Interrupted {
    /// It was with the same access token.
    Same(Option<Facts>),
    /// Its access token no longer works.
    Dead,
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
            interrupted = if is_other(kept) {
                let has_stored = before.is_some();
                give_up(context, &place, kept, access_token, has_stored, settle).await?
            } else {
                let known = place.facts().await?;
                if let Some(known) = &known {
                    facts.is_own |= known.is_own && known.before == facts.before;
                    facts.asides.clone_from(&known.asides);
                }
                facts.follows_unclear = true;
                Some(Interrupted::Same(known))
            };
        }
        write(&mut lock, &facts).await?;
        if kept.as_ref().is_none_or(is_other) {
            let text = Secret::from(access_token.expose_secret().to_owned());
            lock.write(DOCUMENT, &text).await?;
        }
        let redo = look_at(context, &place, Some(&facts)).await?.redo;
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

    /// Returns what to do about it as things are now.
    pub(crate) async fn look(&self, context: &Context) -> Result<Box<Redo>, CliError> {
        Ok(look_at(context, &self.place, Some(&self.facts)).await?.redo)
    }

    /// As [`redo`](Self::redo), where the disk still has the access token.
    pub(crate) async fn redo_if_kept(&self) -> Option<Box<Redo>> {
        let kept = self.place.read().await.ok().flatten();
        kept.map(|_access_token| self.redo())
    }

    /// Returns `true` if one before it may still be acted on, with the same access token.
    pub(crate) fn follows_unclear(&self) -> bool {
        self.facts.follows_unclear
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
        self.facts
            .asides
            .retain(|known| !known.is_same_place(&aside));
        self.facts.asides.push(aside);
        self.note().await;
    }

    /// Makes the advice name the place that has the new API token.
    pub(crate) fn is_aside(&mut self, aside: Aside) {
        let made = Made::PutAside(vec![aside.clone()]);
        self.aside = Some(aside);
        let replaced = self.facts.before.as_deref();
        let redo = redo(&self.global, &self.place.file, made, replaced, None);
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
    ///
    /// Names the places of API tokens that creations before it have made.
    pub(crate) async fn end(mut self, context: &Context) {
        self.facts
            .asides
            .retain(|aside| Some(&aside.id) != self.facts.made.as_ref());
        for aside in aside::remaining(context, &self.facts.asides).await {
            name(&aside);
        }
        if let Err(error) = remove(&mut self.lock).await {
            tracing::debug!(%error, "the access token of the creation is left behind");
        }
    }

    /// Ends it where nothing was created, unless an interrupted creation has left an access token: what is
    /// known of that one stays, and what to do about it is returned.
    ///
    /// `stored_works` says that the stored API token logs in, so that no other one is needed in its place.
    pub(crate) async fn refused(
        mut self,
        context: &Context,
        stored_works: bool,
    ) -> Result<Option<Box<Redo>>, CliError> {
        match self.interrupted.take() {
            None => {
                self.end(context).await;
                return Ok(None);
            }
            Some(Interrupted::Dead) if stored_works => {
                self.end(context).await;
                return Ok(None);
            }
            Some(Interrupted::Same(Some(before))) => {
                self.facts = before;
                self.note().await;
            }
            Some(Interrupted::Same(None) | Interrupted::Dead) => {}
        }
        self.look(context).await.map(Some)
    }
}

/// Gives up an interrupted creation, so that another access token can be kept.
///
/// It fails unless that creation has made nothing, or its access token no longer works.
async fn give_up(
    context: &Context,
    place: &Place,
    kept: &Secret,
    access_token: &AccessToken,
    has_stored: bool,
    settle: Duration,
) -> Result<Option<Interrupted>, CliError> {
    let known = place.facts().await?;
    match judge(context, kept, settle).await {
        Kept::Dead => {
            check_accepted(context, access_token).await?;
            output::note(format_args!(
                "the access token of an interrupted creation no longer works; in {}, the new one \
                 replaces it",
                place.file.display()
            ));
            // The new access token may be of another account, and is no advice about these.
            let asides = known.map_or_else(Vec::new, |known| known.asides);
            for aside in aside::remaining(context, &asides).await {
                name(&aside);
            }
            Ok(Some(Interrupted::Dead))
        }
        Kept::Refused => Err(CliError::CreationRefused(place.file.clone())),
        Kept::Open if has_stored && kept_came_to_nothing(context, kept, settle).await => Ok(None),
        Kept::Open => {
            let seen = look_at(context, place, known.as_ref()).await?;
            Err(CliError::CreationUnfinished { redo: seen.redo })
        }
    }
}
