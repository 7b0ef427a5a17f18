//! What the client logs in with, and the login itself as the cache's source of access tokens.
//!
//! The API token is the client's own, or that of a store which other processes change as well.

use std::pin::Pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::cache::TokenSource;
use crate::calls::SharedCalls;
use crate::credential::ApiToken;
use crate::error::Error;
use crate::failure::{Facts, Reason};
use crate::operation::Operation;
use crate::store::document::Record;
use crate::store::{self, Profile, StoreError, Unfinished, Writer};
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
}

/// A change of the API token; nobody else changes it until this is dropped.
pub(crate) struct Change {
    pub(crate) token: Arc<ApiToken>,
    held: Held,
    /// With a store, what holds the lock, and what is stored.
    stored: Option<(Writer, Record)>,
}

impl Held {
    pub(crate) fn own(token: ApiToken) -> Self {
        Self::at(Place::Own(Arc::new(ArcSwap::from_pointee(token))))
    }

    pub(crate) fn stored(profile: Profile) -> Self {
        Self::at(Place::Stored(profile))
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
            Place::Own(_) => None,
            Place::Stored(profile) => Some(profile),
        }
    }

    /// Gives the API token as it is now.
    async fn get(&self, operation: Operation) -> Result<Arc<ApiToken>, Error> {
        match &self.place {
            Place::Own(token) => Ok(token.load_full()),
            Place::Stored(profile) => {
                let record = on_store(profile, operation, Profile::required).await?;
                Ok(Arc::new(record.token))
            }
        }
    }

    /// Prepares to replace the API token; with a store, its lock is held from here on.
    pub(crate) async fn begin_change(&self, operation: Operation) -> Result<Change, Error> {
        let stored = match &self.place {
            Place::Own(_) => None,
            Place::Stored(profile) => {
                let lock = |profile: &Profile| {
                    let writer = profile.lock()?;
                    if profile.has_journal()? {
                        return Err(StoreError::RotationUnfinished);
                    }
                    Ok((writer, profile.required()?))
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
        let (writer, old) = match (self.held.place, self.stored) {
            (Place::Own(own), _) => {
                own.store(Arc::new(token));
                return Ok(());
            }
            (Place::Stored(_), Some(stored)) => stored,
            (Place::Stored(_), None) => return Ok(()),
        };
        let generation = old.generation.saturating_add(1);
        let new = Record::new(token.clone(), generation);
        let put = writer.run(move |writer| writer.put_record(Some(&old), &new));
        let source = match put.await {
            Ok((_writer, Ok(()))) => return Ok(()),
            Ok((_writer, Err(error))) => Some(error),
            Err(Unfinished::Store(error)) => Some(error),
            Err(Unfinished::Panicked | Unfinished::NoRuntime) => None,
        };
        // The new secret exists nowhere else.
        let facts = Facts {
            raw: Some(as_reply(&token)),
            source: source.map(|error| Arc::new(error) as _),
            ..Facts::new(operation, Reason::Store)
        };
        Err(Error::StoreFailed(facts.into()))
    }
}

/// The most bytes that JSON takes for one byte of a text: 6, as in `\u0001`.
const LONGEST_ESCAPE: usize = 6;

/// What stands around the texts of a reply.
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
    // Of the full size at once: a buffer that grows leaves copies behind that nobody wipes.
    let mut bytes = Vec::with_capacity(LONGEST_ESCAPE.saturating_mul(texts) + FRAME.len());
    let written = serde_json::to_writer(&mut bytes, &document);
    debug_assert!(written.is_ok(), "two texts in a buffer can't fail");
    SecretBytes::from(bytes)
}

/// Does something with a store on a thread that may block.
async fn on_store<T: Send + 'static>(
    profile: &Profile,
    operation: Operation,
    work: impl FnOnce(&Profile) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Error> {
    let profile = profile.clone();
    let failed = |reason| Facts::new(operation, reason);
    let done = store::on_store(move || work(&profile)).await;
    done.map_err(|error| match error {
        Unfinished::Store(error) => store_failed(operation, error),
        Unfinished::Panicked => Error::Internal(failed(Reason::Panicked).into()),
        Unfinished::NoRuntime => Error::Internal(failed(Reason::NoRuntime).into()),
    })
}

fn store_failed(operation: Operation, error: StoreError) -> Error {
    let reason = match &error {
        StoreError::Empty { profile } => Reason::NothingStored(profile.clone()),
        _ => Reason::Store,
    };
    let facts = Facts {
        source: Some(Arc::new(error)),
        ..Facts::new(operation, reason)
    };
    Error::StoreFailed(facts.into())
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
        if failed.class != Class::Status(401) || read_again {
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
