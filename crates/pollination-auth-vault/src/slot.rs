//! What one KV secret contains: both documents of a profile, and who holds its lock.

use std::time::Duration;

use hmac_sha256::Hash;
use pollination_auth::{Document, Secret};
use serde::{Deserialize, Serialize};

use crate::text::Text;

/// The content of a profile's KV secret.
///
/// The fields are plain texts and numbers, so that people can read them with `vault kv get`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Slot {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credential: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    journal: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<Holder>,
    /// The mark of the write that made this version: a writer that got no reply finds its own.
    #[serde(default)]
    pub(crate) write: Mark,
}

/// Who holds the lock, and for how long after its last write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) id: Mark,
    lease_ms: u64,
}

/// A random name, so that no two writers or writes have the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark(String);

impl Mark {
    pub(crate) fn new() -> Self {
        Self(format!("{:032x}", fastrand::u128(..)))
    }
}

impl Holder {
    pub(crate) fn new(lease: Duration) -> Self {
        Self {
            id: Mark::new(),
            lease_ms: u64::try_from(lease.as_millis()).unwrap_or(u64::MAX),
        }
    }

    pub(crate) fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }
}

impl Slot {
    pub(crate) fn get(&self, document: Document) -> Option<&Text> {
        match document {
            Document::Credential => self.credential.as_ref(),
            Document::Journal => self.journal.as_ref(),
        }
    }

    pub(crate) fn set(&mut self, document: Document, text: Option<&Secret>) {
        let text = text.map(Text::from);
        match document {
            Document::Credential => self.credential = text,
            Document::Journal => self.journal = text,
        }
    }

    pub(crate) fn holder(&self) -> Option<&Holder> {
        self.holder.as_ref()
    }

    pub(crate) fn set_holder(&mut self, holder: Option<Holder>) {
        self.holder = holder;
    }

    /// Returns the version of a document: a digest of its text, since every renewal of the lock
    /// makes a new version of the KV secret.
    pub(crate) fn version(&self, document: Document) -> Option<String> {
        self.get(document).map(|text| version_of(text.as_str()))
    }

    /// Returns the length of all texts in it.
    pub(crate) fn size(&self) -> usize {
        let texts = [&self.credential, &self.journal];
        texts
            .into_iter()
            .flatten()
            .map(|text| text.as_str().len())
            .sum()
    }
}

/// Returns the version of a document with this text.
pub(crate) fn version_of(text: &str) -> String {
    Hash::hash(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
