//! What the client logs in with, and the login itself as the cache's source of access tokens.
//!
//! The API token is the client's own, or that of a store which other processes change as well.

use std::pin::Pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::cache::TokenSource;
use crate::calls::SharedCalls;
use crate::credential::ApiToken;
use crate::credential_files::CredentialFiles;
use crate::error::Error;
use crate::failure::{Facts, Reason};
use crate::operation::Operation;
use crate::store::document::Record;
use crate::store::{Profile, StoreError, StoreLock};
use crate::verdict::Class;
use crate::wire::{Grant, SecretBytes};

/// The API token of a client; clones share it.
#[derive(Clone)]
pub(crate) struct Held {
    place: Place,
    /// Whether a request to change it is on its way, so that nobody knows which secret is valid.
    changing: Arc<watch::Sender<bool>>,
}

/// Where it is.
#[derive(Clone)]
enum Place {
    Own(Arc<ArcSwap<ApiToken>>),
    Stored(Profile),
    /// Read, and never written: what a change brings reaches them from elsewhere.
    Files(CredentialFiles),
}

/// A change of the API token; nobody else changes it until this is dropped.
pub(crate) struct Change {
    pub(crate) token: Arc<ApiToken>,
    held: Held,
    stored: Option<(StoreLock, Record)>,
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
        }
    }

    /// Says that a request to change the secret goes out, or that its end is known.
    pub(crate) fn set_changing(&self, changing: bool) {
        self.changing.send_replace(changing);
    }

    /// Waits for the end of a request to change the secret, if there is one.
    async fn settled(&self, deadline: Instant) {
        let mut changing = self.changing.subscribe();
        let settled = changing.wait_for(|changing| !changing);
        // At the deadline the login gives its own answer.
        let _late = tokio::time::timeout_at(deadline, settled).await;
    }

    pub(crate) fn profile(&self) -> Option<&Profile> {
        match &self.place {
            Place::Own(_) | Place::Files(_) => None,
            Place::Stored(profile) => Some(profile),
        }
    }

    /// Gives the API token as it is now.
    async fn get(&self, operation: Operation) -> Result<Arc<ApiToken>, Error> {
        match &self.place {
            Place::Own(token) => Ok(token.load_full()),
            Place::Stored(profile) => {
                let load = |profile: &Profile| profile.load()?.ok_or(StoreError::Empty);
                on_store(profile, operation, load).await.map(Arc::new)
            }
            Place::Files(files) => {
                let files = files.clone();
                let read = blocking(operation, Reason::CredentialFile, move || files.read());
                read.await.map(Arc::new)
            }
        }
    }

    /// Prepares to replace the API token; with a store, its lock is held from here on.
    pub(crate) async fn begin_change(&self, operation: Operation) -> Result<Change, Error> {
        let stored = match &self.place {
            Place::Own(_) | Place::Files(_) => None,
            Place::Stored(profile) => {
                let lock = |profile: &Profile| {
                    let lock = profile.try_lock()?.ok_or(StoreError::Locked)?;
                    if profile.has_journal()? {
                        return Err(StoreError::RotationUnfinished);
                    }
                    let record = profile.record()?.ok_or(StoreError::Empty)?;
                    Ok((lock, record))
                };
                Some(on_store(profile, operation, lock).await?)
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
        })
    }
}

impl Change {
    /// Puts the new API token in the place of the old one.
    pub(crate) async fn finish(self, operation: Operation, token: ApiToken) -> Result<(), Error> {
        let (profile, (_lock, record)) = match (self.held.place, self.stored) {
            (Place::Own(own), _) => {
                own.store(Arc::new(token));
                return Ok(());
            }
            (Place::Stored(profile), Some(stored)) => (profile, stored),
            (Place::Stored(_), None) | (Place::Files(_), _) => return Ok(()),
        };
        let generation = record.generation.saturating_add(1);
        let record = Record::new(token.clone(), generation);
        let put = move |profile: &Profile| profile.put_record(&record);
        let Err(error) = on_store(&profile, operation, put).await else {
            return Ok(());
        };
        // It exists nowhere else.
        let document = serde_json::json!({
            "id": token.id().as_str(),
            "secret": token.secret().expose_secret(),
        });
        let raw = SecretBytes::from(document.to_string().into_bytes());
        Err(match error {
            Error::StoreFailed(failure) => Error::StoreFailed(failure.with_raw(raw)),
            _ => {
                let facts = Facts::new(operation, Reason::Store);
                Error::StoreFailed(
                    Facts {
                        raw: Some(raw),
                        ..facts
                    }
                    .into(),
                )
            }
        })
    }
}

/// Does something with a store, where blocking is no harm.
async fn on_store<T: Send + 'static>(
    profile: &Profile,
    operation: Operation,
    work: impl FnOnce(&Profile) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Error> {
    let profile = profile.clone();
    blocking(operation, Reason::Store, move || work(&profile)).await
}

/// Does what blocks on a thread that is there for that; the reason is that of its failure.
async fn blocking<T, E>(
    operation: Operation,
    failed: Reason,
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Error>
where
    T: Send + 'static,
    E: std::error::Error + Send + Sync + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(|error| {
            let facts = Facts {
                source: Some(Arc::new(error)),
                ..Facts::new(operation, failed)
            };
            Error::StoreFailed(facts.into())
        }),
        Err(error) => {
            let reason = if error.is_panic() {
                Reason::Panicked
            } else {
                Reason::NoRuntime
            };
            Err(Error::Internal(Facts::new(operation, reason).into()))
        }
    }
}

/// Logs in with the API token that the client holds.
pub(crate) struct Login {
    calls: SharedCalls,
    held: Held,
}

impl Login {
    pub(crate) fn new(calls: SharedCalls, held: Held) -> Self {
        Self { calls, held }
    }
}

impl TokenSource for Login {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<Grant, Error>> + Send>> {
        Box::pin(login(self.calls.clone(), self.held.clone()))
    }
}

async fn login(calls: SharedCalls, held: Held) -> Result<Grant, Error> {
    let deadline = calls.deadline();
    let mut token = held.get(Operation::Login).await?;
    let mut read_again = false;
    loop {
        let attempt = calls
            .call(Operation::Login, deadline, |number, timeout| {
                calls.observe(Operation::Login, number, calls.wire.login(&token, timeout))
            })
            .await;
        let failed = match attempt {
            Ok(grant) => return Ok(grant),
            Err(failed) => failed,
        };
        if !matches!(failed.class, Class::Status(401 | 403)) || read_again {
            return Err(failed.into_error());
        }
        // A rotation may have replaced the secret while the old one was on its way, or be about to.
        held.settled(deadline).await;
        match held.get(Operation::Login).await {
            Ok(current) if !current.is_same_as(&token) => token = current,
            _ => return Err(failed.into_error()),
        }
        read_again = true;
    }
}

/// Stands in for a login where there is nothing to log in with.
pub(crate) struct NoLogin;

impl TokenSource for NoLogin {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = Result<Grant, Error>> + Send>> {
        let facts = Facts::new(Operation::Login, Reason::Expired);
        Box::pin(std::future::ready(Err(Error::AccessTokenExpired(
            facts.into(),
        ))))
    }
}
