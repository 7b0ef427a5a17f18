//! The API token that a client logs in with: its own, that of a store, of files or of a provider.
//!
//! Other processes may change a store and files at any time, so each use reads them again.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::credential::api_token::ApiToken;
use crate::credential::credential_provider::CredentialProvider;
use crate::error::Error;
use crate::error::failure::{Facts, Reason};
use crate::foundation::operation::Operation;
use crate::store::credential_files::CredentialFiles;
use crate::store::{JournalState, Profile, StoreError, Unfinished, on_blocking_thread};

/// The API token of a client; clones share it.
#[derive(Clone)]
pub(crate) struct Held {
    place: Place,
    /// Whether a request to change it is on its way, so that nobody knows which secret is valid.
    changing: Arc<watch::Sender<bool>>,
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
    /// Only asked: the program keeps it itself.
    Provided(CredentialProvider),
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

    pub(crate) fn provided(provider: CredentialProvider) -> Self {
        Self::at(Place::Provided(provider))
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            changing: Arc::new(watch::Sender::new(false)),
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
            Place::Stored(_) | Place::Files(_) | Place::Provided(_) => {
                tokio::time::sleep_until(next_look).await;
            }
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
            Place::Files(_) | Place::Provided(_) => {
                let now = self.get(Operation::Login).await?;
                return Ok(if now.is_same_as(refused) {
                    Look::Same
                } else {
                    Look::Other(now)
                });
            }
            Place::Stored(profile) => profile,
        };
        let look = look_in_store(profile, refused).await;
        look.map_err(|error| store_failed(Operation::Login, error))
    }

    pub(crate) fn profile(&self) -> Option<&Profile> {
        match &self.place {
            Place::Own(_) | Place::Files(_) | Place::Provided(_) => None,
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
            Place::Provided(provider) => {
                let provided = provider.get().await.map(Arc::new);
                provided.map_err(|cause| {
                    let facts = Facts {
                        source: Some(cause),
                        ..Facts::new(operation, Reason::CredentialProvider)
                    };
                    Error::StoreFailed(facts.into())
                })
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

    /// Takes a new API token for logins; files and stores are not written.
    pub(crate) fn replace(&self, token: ApiToken) {
        if let Place::Own(own) = &self.place {
            own.store(Arc::new(token));
        }
    }
}

async fn look_in_store(profile: &Profile, refused: &ApiToken) -> Result<Look, StoreError> {
    let locked = profile.is_locked().await?;
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
    let has_begun = profile.is_locked().await?;
    if has_begun || profile.journal_state(Some(&record), None).await? != JournalState::Unfinished {
        return Ok(Look::UnderWay);
    }
    Ok(Look::CutOff)
}

pub(crate) fn store_failed(operation: Operation, error: StoreError) -> Error {
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
