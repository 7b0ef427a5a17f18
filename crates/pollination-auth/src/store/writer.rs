//! The one place that writes: under the lock, compared with what is expected, and read back.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::credential_store::StoreLock;
use super::error::StoreError;
use super::journal::Journal;
use super::kind::Document;
use super::profile::{JournalState, Profile};
use super::record::Record;
use super::stored_document::{StoredDocument, Version};
use super::task::caught;
use crate::credential::api_token::ApiToken;
use crate::foundation::secret::Secret;

/// How long a written document may take to be seen by a reader: 10 s.
///
/// The replicas of a service follow each other within a second, or a few under load. A store that
/// takes longer can't be told from one that has lost the document.
const READ_BACK: Duration = Duration::from_secs(10);

/// The first wait for it: 20 ms, about one round trip to a service.
const FIRST_READ_BACK: Duration = Duration::from_millis(20);

/// The longest wait between two looks: 1 s, so that the last one is not far behind the end.
const LONGEST_READ_BACK: Duration = Duration::from_secs(1);

/// A profile whose lock is held; dropping it unlocks the profile.
///
/// Every write checks that the lock is still held, and that the stored credential is the one that
/// the writer knows; the store then compares the document's version once more as it writes. A lease
/// can have expired, and then another process may have written.
pub(crate) struct Writer {
    profile: Profile,
    lock: StoreLock,
    /// The version of the credential that this writer has written.
    written: Option<Version>,
    journal: KnownJournal,
}

/// What a writer knows of the journal.
#[derive(Default)]
struct KnownJournal {
    /// Its version when this writer last saw or wrote it; `None` before the first look.
    ///
    /// Another journal is that of another process, and may hold its only key.
    version: Option<Option<Version>>,
    /// The texts of failed writes, which may be there all the same; `None` is a failed removal.
    tried: Vec<Option<Secret>>,
}

impl KnownJournal {
    /// Takes note of what is there, unless it is neither what was there nor what was tried.
    fn see(&mut self, found: Option<&StoredDocument>) -> Result<(), StoreError> {
        let version = found.map(|found| found.version().clone());
        let text = found.map(|found| found.text().expose_secret());
        let is_own = match &self.version {
            None => true,
            Some(known) => {
                *known == version
                    || self
                        .tried
                        .iter()
                        .any(|tried| tried.as_ref().map(|tried| tried.expose_secret()) == text)
            }
        };
        if !is_own {
            return Err(StoreError::Changed);
        }
        self.version = Some(version);
        Ok(())
    }

    fn is_certain(&self) -> bool {
        self.version.is_some() && self.tried.is_empty()
    }

    /// Takes note of what this writer has just put there.
    fn now(&mut self, version: Option<Version>) {
        self.version = Some(version);
        self.tried.clear();
    }
}

impl Writer {
    pub(super) fn new(profile: Profile, lock: StoreLock) -> Self {
        Self {
            profile,
            lock,
            written: None,
            journal: KnownJournal::default(),
        }
    }

    /// Unlocks the profile, and waits until that is done.
    pub(crate) async fn release(self) {
        if let Err(error) = caught(self.lock.release()).await {
            tracing::warn!(%error, "the lock of the credential store was not released");
        }
    }

    /// Fails if the lock is no longer held.
    pub(crate) async fn check_held(&mut self) -> Result<(), StoreError> {
        if caught(self.lock.is_held()).await? {
            Ok(())
        } else {
            Err(StoreError::LockLost)
        }
    }

    /// Reads the journal beside a credential.
    pub(crate) async fn journal(&mut self, record: &Record) -> Result<Option<Journal>, StoreError> {
        let found = self.look_at_journal().await?;
        self.profile.journal_in(found.as_ref(), record)
    }

    /// Returns whether a journal still has to be recovered before `next` is stored.
    pub(crate) async fn journal_state(
        &mut self,
        record: Option<&Record>,
        next: Option<&ApiToken>,
    ) -> Result<JournalState, StoreError> {
        let found = self.look_at_journal().await?;
        Ok(self.profile.journal_state_of(found.as_ref(), record, next))
    }

    /// Replaces the expected credential.
    ///
    /// `None` expects no readable credential. A retry finds its own credential if the first write
    /// failed only after the document was replaced, and writes it again.
    pub(crate) async fn put_record(
        &mut self,
        expected: Option<&Record>,
        record: &Record,
    ) -> Result<(), StoreError> {
        const DOCUMENT: Document = Document::Credential;
        let text = record.write(self.profile.id())?;
        let allowed = [expected, Some(record)];
        let version = self.check(&allowed, expected.is_none()).await?;
        let written = self.lock.write(DOCUMENT, version.as_ref(), &text);
        let written = caught(written).await?;
        self.written = Some(written.clone());
        self.read_back(DOCUMENT, &written, &text).await
    }

    /// Stores the journal of a rotation of the expected credential.
    pub(crate) async fn put_journal(
        &mut self,
        expected: &Record,
        journal: &Journal,
    ) -> Result<(), StoreError> {
        const DOCUMENT: Document = Document::Journal;
        let text = journal.write(self.profile.id(), expected)?;
        self.check(&[Some(expected)], false).await?;
        let version = self.journal_version().await?;
        match caught(self.lock.write(DOCUMENT, version.as_ref(), &text)).await {
            Ok(written) => {
                self.journal.now(Some(written.clone()));
                self.read_back(DOCUMENT, &written, &text).await
            }
            Err(error) => {
                self.journal.tried.push(Some(text));
                Err(error)
            }
        }
    }

    /// Removes the expected credential; `None` expects no readable one.
    pub(crate) async fn remove_record(
        &mut self,
        expected: Option<&Record>,
    ) -> Result<(), StoreError> {
        let version = self.check(&[expected], expected.is_none()).await?;
        caught(self.lock.remove(Document::Credential, version.as_ref())).await
    }

    /// Removes the journal of a rotation that left this credential.
    pub(crate) async fn clear_journal(&mut self, expected: &Record) -> Result<(), StoreError> {
        self.check(&[Some(expected)], false).await?;
        self.remove_journal().await
    }

    /// Removes the journal, whatever it contains.
    pub(crate) async fn discard_journal(&mut self) -> Result<(), StoreError> {
        self.check_held().await?;
        self.remove_journal().await
    }

    /// Removes the journal if it has this version, whatever it contains.
    pub(crate) async fn discard_seen_journal(&mut self, seen: &Version) -> Result<(), StoreError> {
        self.check_held().await?;
        let found = self.look_at_journal().await?;
        if found.is_none_or(|found| found.version() != seen) {
            return Err(StoreError::Changed);
        }
        self.remove_journal().await
    }

    async fn remove_journal(&mut self) -> Result<(), StoreError> {
        let version = self.journal_version().await?;
        let removed = caught(self.lock.remove(Document::Journal, version.as_ref())).await;
        match removed {
            Ok(()) => self.journal.now(None),
            Err(_) => self.journal.tried.push(None),
        }
        removed
    }

    async fn look_at_journal(&mut self) -> Result<Option<StoredDocument>, StoreError> {
        let found = self.profile.read(Document::Journal).await?;
        self.journal.see(found.as_ref())?;
        Ok(found)
    }

    /// Returns the version of the journal that this writer may replace.
    async fn journal_version(&mut self) -> Result<Option<Version>, StoreError> {
        if !self.journal.is_certain() {
            self.look_at_journal().await?;
        }
        Ok(self.journal.version.clone().flatten())
    }

    /// Returns the version of the stored credential, if it is one of these, or may be missing and
    /// is.
    async fn check(
        &mut self,
        expected: &[Option<&Record>],
        or_none: bool,
    ) -> Result<Option<Version>, StoreError> {
        self.check_held().await?;
        let mut looks = Looks::begin();
        loop {
            let found = self.profile.read(Document::Credential).await?;
            let as_expected = match self.profile.record_in(found.as_ref()) {
                Ok(Some(stored)) => {
                    let mut expected = expected.iter().flatten();
                    expected.any(|one| one.is_same_as(&stored))
                }
                Ok(None) => or_none,
                // An unreadable credential counts as missing, and may be replaced.
                Err(StoreError::Corrupt { .. }) if or_none => true,
                Err(error) => return Err(error),
            };
            let version = found.map(|found| found.version().clone());
            if as_expected {
                return Ok(version);
            }
            // A replica may not show yet what this writer has written.
            let is_late = self.written.is_some() && self.written != version;
            if !is_late || !looks.again().await {
                return Err(StoreError::Changed);
            }
        }
    }

    /// Waits until a reader sees what was written, because a store may keep something else.
    async fn read_back(
        &mut self,
        document: Document,
        written: &Version,
        text: &Secret,
    ) -> Result<(), StoreError> {
        let mut looks = Looks::begin();
        loop {
            let found = self.profile.read(document).await?;
            let is_kept =
                |found: &StoredDocument| found.text().expose_secret() == text.expose_secret();
            if found.as_ref().is_some_and(is_kept) {
                return Ok(());
            }
            let is_changed = found.is_some_and(|found| found.version() == written);
            if is_changed || !looks.again().await {
                return Err(StoreError::NotKept { document });
            }
        }
    }
}

/// Looks at a document until its replicas show what was written.
struct Looks {
    until: Instant,
    wait: Duration,
}

impl Looks {
    fn begin() -> Self {
        Self {
            until: Instant::now() + READ_BACK,
            wait: FIRST_READ_BACK,
        }
    }

    /// Waits for the next look; returns `false` if there is none.
    async fn again(&mut self) -> bool {
        if Instant::now() >= self.until {
            return false;
        }
        sleep(self.wait).await;
        self.wait = LONGEST_READ_BACK.min(self.wait * 2);
        true
    }
}
