//! What a credential document contains: the API token and how often its secret was rotated.

use std::time::SystemTime;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::document::{Sealed, VERSION, belongs, json, moment, parse, seconds, token};
use super::error::StoreError;
use super::kind::Document;
use crate::credential::api_token::ApiToken;
use crate::credential::profile_id::ProfileId;
use crate::foundation::secret::Secret;

/// The credential of a profile.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) token: ApiToken,
    /// The number of changes, which shows whether the rotation of a journal is done.
    pub(crate) generation: u64,
    pub(crate) rotated_at: Option<SystemTime>,
}

impl Record {
    pub(crate) fn new(token: ApiToken, generation: u64) -> Self {
        Self {
            token,
            generation,
            rotated_at: None,
        }
    }

    /// Returns `true` if this is the same state of the same credential.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.generation == other.generation && self.token.is_same_as(&other.token)
    }

    pub(crate) fn write(&self, profile: &ProfileId) -> Result<Secret, StoreError> {
        json(
            Document::Credential,
            &CredentialText {
                version: VERSION,
                base_url: profile.base_url().to_owned(),
                profile: profile.name().to_owned(),
                id: self.token.id().as_str().to_owned(),
                current: Sealed(self.token.secret().clone()),
                previous: IgnoredAny,
                generation: self.generation,
                rotated_at: self.rotated_at.map(seconds),
            },
        )
    }

    pub(crate) fn read(profile: &ProfileId, text: &Secret) -> Result<Self, StoreError> {
        const DOCUMENT: Document = Document::Credential;
        let read: CredentialText = parse(DOCUMENT, text)?;
        belongs(DOCUMENT, profile, &read.base_url, &read.profile)?;
        Ok(Self {
            token: token(DOCUMENT, read.id, &read.current)?,
            generation: read.generation,
            rotated_at: read.rotated_at.map(moment),
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialText {
    version: u64,
    base_url: String,
    profile: String,
    id: String,
    current: Sealed,
    /// The secret before the last rotation, which earlier versions kept and nothing uses.
    #[serde(default, skip_serializing)]
    #[expect(dead_code, reason = "its name alone lets a document have the field")]
    previous: IgnoredAny,
    generation: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rotated_at: Option<u64>,
}
