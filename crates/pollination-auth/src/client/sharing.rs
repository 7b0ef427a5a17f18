//! A login that processes share: the first one logs in, and the others take its access token.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::call::SharedCalls;
use crate::credential::access_token::AccessToken;
use crate::credential::api_token::ApiToken;
use crate::credential::grant::Grant;
use crate::credential::validity::Validity;
use crate::error::Error;
use crate::foundation::chance;
use crate::foundation::clock::Moment;
use crate::store::{
    CredentialStore, Document, JournalState, KeptAccessToken, Profile, StoreError, StoredDocument,
    StoredToken,
};

/// Where the token is in its store, which looks at no document.
const DOCUMENT: Document = Document::Credential;

/// The least time that a kept token must have left: 1 minute.
///
/// A token with less is about to be replaced by those who have it.
const LEAST_LEFT: Duration = Duration::from_secs(60);

/// The part of a call's time that may be spent on waiting for the login of another process: a third.
const WAIT_SHARE: u32 = 3;

/// The first wait for the login of another process: 20 ms.
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// The longest wait between two looks: 250 ms, less than a login to a service far away takes.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// What a client shares its access token with.
pub(super) struct Sharing {
    calls: SharedCalls,
    profile: Profile,
    /// The last token of this client; the service has refused it, or it is about to expire.
    last: Mutex<Option<AccessToken>>,
}

/// Where the token of one credential is.
struct Place {
    store: Arc<dyn CredentialStore>,
    stored: StoredToken,
}

impl Sharing {
    pub(super) fn new(calls: SharedCalls, profile: Profile) -> Self {
        Self {
            calls,
            profile,
            last: Mutex::default(),
        }
    }

    /// Returns the kept access token, or that of a login, which is then kept.
    ///
    /// Whatever goes wrong with sharing, the login is made.
    pub(super) async fn fetch(
        &self,
        login: impl Future<Output = Result<(Grant, Arc<ApiToken>), Error>>,
    ) -> Result<Grant, Error> {
        let grant = match self.place().await {
            Ok(Some(place)) => self.fetch_at(&place, login).await?,
            Ok(None) => login.await?.0,
            Err(error) => {
                warn(&error);
                login.await?.0
            }
        };
        *self.last() = Some(grant.access_token.clone());
        Ok(grant)
    }

    /// Finds the place of the token; `None` if it can't be known to what a token belongs.
    async fn place(&self) -> Result<Option<Place>, StoreError> {
        // What is wrong with the credential, the login says.
        let Ok(record) = self.profile.required().await else {
            return Ok(None);
        };
        let journal = self.profile.journal_state(Some(&record), None).await;
        if !matches!(journal, Ok(JournalState::None | JournalState::Over)) {
            return Ok(None);
        }
        let store = self.profile.access_tokens().await?;
        let stored = StoredToken(record);
        Ok(store.map(|store| Place { store, stored }))
    }

    async fn fetch_at(
        &self,
        place: &Place,
        login: impl Future<Output = Result<(Grant, Arc<ApiToken>), Error>>,
    ) -> Result<Grant, Error> {
        let id = self.profile.id();
        let give_up = Instant::now() + self.calls.total_timeout / WAIT_SHARE;
        let mut wait = FIRST_WAIT;
        let mut lock = loop {
            let looked = async {
                if let Some(grant) = self.usable(place, self.read(place).await?.as_ref()) {
                    return Ok((Some(grant), None));
                }
                Ok::<_, StoreError>((None, place.store.try_lock(id).await?))
            };
            match looked.await {
                Ok((Some(grant), _)) => return Ok(grant),
                Ok((None, Some(lock))) => break lock,
                Ok((None, None)) if Instant::now() + wait < give_up => sleep(wait).await,
                Ok((None, None)) => {
                    warn(&StoreError::Locked);
                    return Ok(login.await?.0);
                }
                Err(error) => {
                    warn(&error);
                    return Ok(login.await?.0);
                }
            }
            wait = LONGEST_WAIT.min(wait * 2);
        };
        // Whoever held the lock before may have kept a token.
        let found = self.read(place).await;
        if let Ok(found) = &found
            && let Some(grant) = self.usable(place, found.as_ref())
        {
            return Ok(grant);
        }
        let obtained_at = self.calls.wire.clock.now().wall;
        let (grant, used) = login.await?;
        // The stored API token may be another one by now: a token is kept for the one that logged in.
        let kept = KeptAccessToken::new(grant.access_token.clone(), obtained_at)
            .filter(|_| used.is_same_as(place.stored.api_token()))
            .and_then(|kept| kept.to_document(id, &place.stored));
        if let Some(text) = kept {
            let kept = async {
                let found = found?;
                let version = found.as_ref().map(StoredDocument::version);
                lock.write(DOCUMENT, version, &text).await?;
                lock.release().await
            };
            if let Err(error) = kept.await {
                warn(&error);
            }
        }
        Ok(grant)
    }

    async fn read(&self, place: &Place) -> Result<Option<StoredDocument>, StoreError> {
        place.store.read(self.profile.id(), DOCUMENT).await
    }

    /// Returns a kept token as the grant of a login, unless it is too old or the one that this
    /// client has.
    fn usable(&self, place: &Place, found: Option<&StoredDocument>) -> Option<Grant> {
        let kept = KeptAccessToken::from_document(self.profile.id(), &place.stored, found?.text())?;
        let is_last = self
            .last()
            .as_ref()
            .is_some_and(|last| last.is_same_as(kept.access_token()));
        let now = self.calls.wire.clock.now();
        if is_last || kept.remaining(now.wall) < LEAST_LEFT {
            return None;
        }
        self.calls
            .wire
            .known
            .add(kept.access_token().expose_secret());
        Some(grant(&kept, now))
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<AccessToken>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn grant(kept: &KeptAccessToken, now: Moment) -> Grant {
    let validity = Validity::refreshable(now, kept.remaining(now.wall), chance::fraction());
    Grant {
        is_shared: true,
        ..Grant::new(
            kept.access_token().bearer().clone(),
            Some(kept.expires_at()),
            validity,
        )
    }
}

/// Warns that this client logs in on its own, and why: the service may count logins.
fn warn(error: &StoreError) {
    tracing::warn!(%error, "the access token is not shared with other processes");
}
