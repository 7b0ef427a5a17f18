//! The API token that a client logs in with: its own, that of a store, or that of files.
//!
//! Other processes may change a store and files at any time, so each use reads them again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::credential::api_token::ApiToken;
use crate::error::Error;
use crate::error::failure::{Facts, Reason};
use crate::foundation::operation::Operation;
use crate::foundation::secret::SecretBytes;
use crate::store::credential_files::CredentialFiles;
use crate::store::record::Record;
use crate::store::{
    JournalState, Profile, StoreError, Unfinished, Writer, on_blocking_thread, to_its_end,
};

/// The API token of a client; clones share it.
#[derive(Clone)]
pub(crate) struct Held {
    place: Place,
    /// Whether a request to change it is on its way, so that nobody knows which secret is valid.
    changing: Arc<watch::Sender<bool>>,
    /// Whether this client holds the store's lock for a change of its own.
    holds_lock: Arc<AtomicBool>,
}

/// What became of an API token that was refused.
pub(super) enum Look {
    /// Another one is there now.
    Other(Arc<ApiToken>),
    /// It is being changed.
    UnderWay,
    /// A rotation of it was cut off.
    CutOff,
    /// It is still there, and nobody changes it.
    Same,
}

/// Where the API token is.
#[derive(Clone)]
enum Place {
    Own(Arc<ArcSwap<ApiToken>>),
    Stored(Profile),
    /// Only read: whoever mounts the files also replaces them.
    Files(CredentialFiles),
}

/// A change of the API token; nobody else changes it until this is dropped.
pub(crate) struct Change {
    pub(crate) token: Arc<ApiToken>,
    held: Held,
    /// With a store, what holds the lock, and what is stored.
    stored: Option<(Writer, Record)>,
    _holds_lock: HoldsLock,
}

/// Marks a client as the holder of its store's lock until it is dropped.
struct HoldsLock(Arc<AtomicBool>);

impl Drop for HoldsLock {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Held {
    pub(crate) fn own(token: ApiToken) -> Self {
        Self::at(Place::Own(Arc::new(ArcSwap::from_pointee(token))))
    }

    pub(crate) fn stored(profile: Profile) -> Self {
        Self::at(Place::Stored(profile))
    }

    pub(crate) fn files(files: CredentialFiles) -> Self {
        Self::at(Place::Files(files))
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            changing: Arc::new(watch::Sender::new(false)),
            holds_lock: Arc::default(),
        }
    }

    /// Sets whether a request to change the secret is on its way.
    pub(crate) fn set_changing(&self, changing: bool) {
        self.changing.send_replace(changing);
    }

    /// Waits until this client's own change of the API token has ended, if it can know that, or
    /// until it is time to look again.
    pub(super) async fn changed(&self, next_look: Instant) {
        match &self.place {
            Place::Own(_) => {
                let mut changing = self.changing.subscribe();
                let ended = changing.wait_for(|changing| !changing);
                let _not_yet = tokio::time::timeout_at(next_look, ended).await;
            }
            Place::Stored(_) | Place::Files(_) => tokio::time::sleep_until(next_look).await,
        }
    }

    /// Looks at what became of an API token that was refused.
    pub(super) async fn look(&self, refused: &Arc<ApiToken>) -> Result<Look, Error> {
        let changing = *self.changing.borrow();
        let profile = match &self.place {
            Place::Own(token) => {
                let token = token.load_full();
                return Ok(if !token.is_same_as(refused) {
                    Look::Other(token)
                } else if changing {
                    Look::UnderWay
                } else {
                    Look::Same
                });
            }
            Place::Files(_) => {
                let now = self.get(Operation::Login).await?;
                return Ok(if now.is_same_as(refused) {
                    Look::Same
                } else {
                    Look::Other(now)
                });
            }
            Place::Stored(profile) => profile,
        };
        // While this client changes the secret it holds the lock itself, and must not wait for
        // itself.
        let own = self.holds_lock.load(Ordering::SeqCst) && !changing;
        let look = look_in_store(profile, refused, own).await;
        look.map_err(|error| store_failed(Operation::Login, error))
    }

    pub(crate) fn profile(&self) -> Option<&Profile> {
        match &self.place {
            Place::Own(_) | Place::Files(_) => None,
            Place::Stored(profile) => Some(profile),
        }
    }

    /// Returns the API token as it is now.
    pub(super) async fn get(&self, operation: Operation) -> Result<Arc<ApiToken>, Error> {
        match &self.place {
            Place::Own(token) => Ok(token.load_full()),
            Place::Stored(profile) => {
                let record = profile.required().await;
                let record = record.map_err(|error| store_failed(operation, error))?;
                Ok(Arc::new(record.token))
            }
            Place::Files(files) => {
                let files = files.clone();
                let read = on_blocking_thread(move || files.read()).await;
                read.map(Arc::new).map_err(|unfinished| match unfinished {
                    Unfinished::Failed(error) => {
                        failed_because(operation, Reason::CredentialFile, error)
                    }
                    Unfinished::Stopped(reason) => Error::internal(operation, reason),
                })
            }
        }
    }

    /// Prepares to replace the API token; with a store, its lock is held from here on.
    pub(crate) async fn begin_change(&self, operation: Operation) -> Result<Change, Error> {
        let stored = match &self.place {
            Place::Own(_) | Place::Files(_) => None,
            Place::Stored(profile) => {
                let stored = lock(profile).await;
                let stored = stored.map_err(|error| store_failed(operation, error))?;
                self.holds_lock.store(true, Ordering::SeqCst);
                Some(stored)
            }
        };
        let token = match &stored {
            Some((_, record)) => Arc::new(record.token.clone()),
            None => self.get(operation).await?,
        };
        Ok(Change {
            token,
            held: self.clone(),
            stored,
            _holds_lock: HoldsLock(self.holds_lock.clone()),
        })
    }
}

impl Change {
    /// Replaces the API token.
    pub(crate) async fn finish(self, operation: Operation, token: ApiToken) -> Result<(), Error> {
        let (mut writer, old) = match (self.held.place, self.stored) {
            (Place::Own(own), _) => {
                own.store(Arc::new(token));
                return Ok(());
            }
            (Place::Stored(_), Some(stored)) => stored,
            (Place::Stored(_), None) | (Place::Files(_), _) => return Ok(()),
        };
        let generation = old.generation.saturating_add(1);
        let new = Record::new(token.clone(), generation);
        let put = to_its_end(async move {
            let put = writer.put_record(Some(&old), &new).await;
            writer.release().await;
            put
        });
        let Err(error) = put.await else {
            return Ok(());
        };
        // The new secret exists nowhere else.
        let facts = Facts {
            raw: Some(as_reply(&token)),
            source: Some(Arc::new(error)),
            ..Facts::new(operation, Reason::Store)
        };
        Err(Error::StoreFailed(facts.into()))
    }
}

/// The most bytes that JSON takes for one byte of a text: 6, as in `\u0001`.
const LONGEST_ESCAPE: usize = 6;

/// The rest of a reply, around the two texts.
const FRAME: &str = r#"{"id":"","secret":""}"#;

/// Returns an API token as the service would send it.
fn as_reply(token: &ApiToken) -> SecretBytes {
    #[derive(Serialize)]
    struct Document<'a> {
        id: &'a str,
        secret: &'a str,
    }
    let document = Document {
        id: token.id().as_str(),
        secret: token.secret().expose_secret(),
    };
    let texts = document.id.len() + document.secret.len();
    // Full size from the start: a buffer that grows leaves copies that nobody wipes.
    let mut bytes = Vec::with_capacity(LONGEST_ESCAPE.saturating_mul(texts) + FRAME.len());
    let written = serde_json::to_writer(&mut bytes, &document);
    debug_assert!(written.is_ok(), "two texts in a buffer can't fail");
    SecretBytes::from(bytes)
}

async fn look_in_store(
    profile: &Profile,
    refused: &ApiToken,
    own: bool,
) -> Result<Look, StoreError> {
    let locked = !own && profile.is_locked().await?;
    // Read after the look at the lock: its holder may just have stored a new one.
    let record = profile.required().await?;
    if !record.token.is_same_as(refused) {
        return Ok(Look::Other(Arc::new(record.token)));
    }
    if locked {
        return Ok(Look::UnderWay);
    }
    if profile.journal_state(Some(&record), None).await? != JournalState::Unfinished {
        return Ok(Look::Same);
    }
    // Cut off only if nobody has begun or finished it since the first look.
    let has_begun = !own && profile.is_locked().await?;
    if has_begun || profile.journal_state(Some(&record), None).await? != JournalState::Unfinished {
        return Ok(Look::UnderWay);
    }
    Ok(Look::CutOff)
}

/// Takes the lock of a store that has a credential and no unfinished rotation.
async fn lock(profile: &Profile) -> Result<(Writer, Record), StoreError> {
    let mut writer = profile.lock().await?;
    let record = profile.required().await?;
    let state = writer.journal_state(Some(&record), Some(&record.token));
    if state.await? == JournalState::Unfinished {
        return Err(StoreError::RotationUnfinished);
    }
    Ok((writer, record))
}

pub(super) fn store_failed(operation: Operation, error: StoreError) -> Error {
    let reason = match &error {
        StoreError::NoRuntime => return Error::internal(operation, Reason::NoRuntime),
        StoreError::Empty { profile } => Reason::NothingStored(profile.clone()),
        StoreError::RotationUnfinished => Reason::RotationUnfinished,
        _ => Reason::Store,
    };
    failed_because(operation, reason, error)
}

fn failed_because(
    operation: Operation,
    reason: Reason,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    let facts = Facts {
        source: Some(Arc::new(error)),
        ..Facts::new(operation, reason)
    };
    Error::StoreFailed(facts.into())
}
