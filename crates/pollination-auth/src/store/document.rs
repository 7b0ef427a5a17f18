//! What both documents share: strict JSON with a version, and the check whose they are.
//!
//! An error names what is wrong without a word of the text.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::kind::{DOCUMENT_LIMIT, Document};
use crate::credential::api_token::ApiToken;
use crate::credential::profile_id::ProfileId;
use crate::foundation::secret::Secret;

/// The version of both documents, which is the first there is; a reader refuses every other one.
pub(super) const VERSION: u64 = 1;

/// A secret on its way into or out of a document.
pub(super) struct Sealed(pub(super) Secret);

impl Serialize for Sealed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::from(text)))
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

pub(super) fn parse<'a, T: Deserialize<'a>>(
    document: Document,
    text: &'a Secret,
) -> Result<T, StoreError> {
    let text = text.expose_secret();
    let Versioned { version } = serde_json::from_str(text)
        .map_err(|_unread| corrupt(document, "it is not JSON with a version"))?;
    if version > VERSION {
        return Err(StoreError::Newer { document, version });
    }
    if version < VERSION {
        let problem = "its version is none that this program knows";
        return Err(corrupt(document, problem));
    }
    // The parser's message is dropped, because it quotes the unexpected value.
    serde_json::from_str(text).map_err(|_unread| corrupt(document, "it lacks or has extra fields"))
}

pub(super) fn json<T: Serialize>(document: Document, value: &T) -> Result<Secret, StoreError> {
    let failed = |_error| corrupt(document, "it can't be written as JSON");
    // Allocated at full size, because growing would leave copies that nobody wipes.
    let mut text = Vec::with_capacity(DOCUMENT_LIMIT);
    serde_json::to_writer_pretty(&mut text, value).map_err(failed)?;
    text.push(b'\n');
    let text = zeroize::Zeroizing::new(text);
    let text = std::str::from_utf8(&text)
        .map_err(|_not_text| corrupt(document, "it can't be written as JSON"))?;
    if text.len() > DOCUMENT_LIMIT {
        return Err(StoreError::TooLong {
            document,
            limit: DOCUMENT_LIMIT,
        });
    }
    Ok(Secret::from(text.to_owned()))
}

pub(super) fn belongs(
    document: Document,
    profile: &ProfileId,
    base_url: &str,
    name: &str,
) -> Result<(), StoreError> {
    let problem = if base_url != profile.base_url() {
        "it is of another host"
    } else if name != profile.name() {
        "it is of another profile"
    } else {
        return Ok(());
    };
    Err(StoreError::Foreign { document, problem })
}

pub(super) fn token(
    document: Document,
    id: String,
    secret: &Sealed,
) -> Result<ApiToken, StoreError> {
    ApiToken::new(id, secret.0.clone())
        .map_err(|_unusable| corrupt(document, "an id or a secret in it can't be used"))
}

pub(super) fn corrupt(document: Document, problem: &'static str) -> StoreError {
    StoreError::Corrupt { document, problem }
}

pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// Returns the time, or the oldest one if the clock can't express it.
pub(super) fn moment(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}
