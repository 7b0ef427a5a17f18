//! What the checks share: handles, profiles of their own, and readers that may lag.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::harness::Harness;
use super::report::{Checked, Unkept, ensure};
use crate::credential::profile_id::ProfileId;
use crate::foundation::base_url::BaseUrl;
use crate::foundation::chance;
use crate::foundation::secret::Secret;
use crate::store::{
    CredentialStore, Document, Profile, ProfileLock, StoreError, StoreLock, StoredDocument, Version,
};

/// How long to wait for a lock whose holder has ended: 60 s, as long as a usual lease.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// How long a reader may lag behind a write: 10 s, as long as a rotation waits for it.
pub(super) const LAG: Duration = Duration::from_secs(10);

/// The wait between two looks: 20 ms, about one round trip to a service.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// What the checks share: the harness, and profiles of their own.
pub(super) struct Stage<'a, H: ?Sized> {
    pub(super) harness: &'a H,
    /// Distinguishes this run from others on the same store.
    pub(super) run: u64,
}

/// The names of the profiles of one run: a check has its own, so that what one leaves behind breaks
/// no promise of another.
const NAMES: [&str; 10] = [
    "keeps",
    "beside",
    "compares",
    "replaces",
    "removes",
    "destroys",
    "excludes",
    "looks",
    "ends",
    "rotations",
];

impl<'a, H: Harness + ?Sized> Stage<'a, H> {
    pub(super) fn new(harness: &'a H) -> Self {
        Self {
            harness,
            run: chance::number(),
        }
    }

    pub(super) fn id(&self, name: &str) -> Result<ProfileId, Unkept> {
        let base_url = BaseUrl::parse("https://conformance.invalid", false);
        let base_url = base_url.map_err(|error| Unkept::Broken(error.to_string()))?;
        Ok(ProfileId::new(
            &base_url,
            format!("{name} {:016x}", self.run),
        ))
    }

    pub(super) async fn open(&self) -> Result<Arc<dyn CredentialStore>, Unkept> {
        let opened = self.harness.open().await;
        opened.map_err(|error| Unkept::Broken(format!("the store can't be opened: {error}")))
    }

    pub(super) async fn profile(&self, name: &str) -> Result<Profile, Unkept> {
        Ok(Profile::of(self.open().await?, self.id(name)?))
    }

    /// Takes the lock of a profile that nobody holds, or whose holder has just ended.
    pub(super) async fn lock(
        &self,
        store: &dyn CredentialStore,
        id: &ProfileId,
    ) -> Result<StoreLock, Unkept> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(lock) = store.try_lock(id).await? {
                return Ok(lock);
            }
            ensure(Instant::now() < until, || {
                format!(
                    "the lock is held {} s after its holder ended",
                    PATIENCE.as_secs()
                )
            })?;
            sleep(LOOK).await;
        }
    }

    /// Removes both documents of a profile.
    pub(super) async fn reset(&self, id: &ProfileId) -> Checked {
        let store = self.open().await?;
        let mut lock = self.lock(&*store, id).await?;
        for document in [Document::Journal, Document::Credential] {
            remove(&*store, &mut *lock, id, document).await?;
        }
        Ok(lock.release().await?)
    }

    pub(super) async fn clean(&self) {
        for name in NAMES {
            if let Ok(id) = self.id(name) {
                let _left_over = self.reset(&id).await;
            }
        }
    }
}

/// Removes whatever document is there, which a lagging reader may see late.
async fn remove(
    store: &dyn CredentialStore,
    lock: &mut dyn ProfileLock,
    id: &ProfileId,
    document: Document,
) -> Checked {
    let until = Instant::now() + LAG;
    loop {
        let found = store.read(id, document).await?;
        let version = found.as_ref().map(StoredDocument::version);
        match lock.remove(document, version).await {
            Err(StoreError::Changed) if Instant::now() < until => {
                sleep(LOOK).await;
            }
            removed => return Ok(removed?),
        }
    }
}

/// Returns `true` once a reader sees this text, or that there is no document.
pub(super) async fn shows(
    store: &dyn CredentialStore,
    id: &ProfileId,
    document: Document,
    text: Option<&str>,
    version: Option<&Version>,
) -> Result<bool, Unkept> {
    let until = Instant::now() + LAG;
    loop {
        let found = store.read(id, document).await?;
        let is_text = found.as_ref().map(|found| found.text().expose_secret()) == text;
        if is_text && found.as_ref().map(StoredDocument::version) == version {
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
        sleep(LOOK).await;
    }
}

pub(super) fn text(text: &str) -> Secret {
    Secret::from(text.to_owned())
}
