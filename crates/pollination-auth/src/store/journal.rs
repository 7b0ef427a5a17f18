//! What a journal document contains: all that the recovery of a rotation needs.
//!
//! `rotation` decides when it is written.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::document::{Sealed, VERSION, belongs, corrupt, json, moment, parse, seconds, token};
use super::error::StoreError;
use super::kind::Document;
use super::record::Record;
use crate::credential::api_token::ApiToken;
use crate::credential::profile_id::ProfileId;
use crate::foundation::digest::sha256_hex;
use crate::foundation::secret::Secret;

/// The journal of a rotation: written before each request, and all that a recovery needs.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    /// The generation of the credential that is rotated.
    pub(crate) generation: u64,
    /// The access token, which can create another secret if one is lost, until it expires.
    pub(crate) access_token: Secret,
    pub(crate) access_token_expires: SystemTime,
    pub(crate) started_at: SystemTime,
    /// The requests that may have been sent, counted before each of them is.
    pub(crate) requests: u32,
    pub(crate) candidates: Vec<Candidate>,
    /// The ruling of the service, if there is one.
    pub(crate) conclusion: Option<Conclusion>,
}

/// The ruling of the service on a rotation that brought no secret of its API token, and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conclusion {
    pub(crate) ruling: Ruling,
    pub(crate) at: SystemTime,
}

/// A ruling of the service that ends a rotation without a new secret of the stored API token.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ruling {
    /// It refuses every known secret, and the access token that could create another one.
    CredentialLost,
    /// It refuses every known secret, and the account has no API token any longer.
    ApiTokenGone,
    /// It has created a secret for another API token than the stored one.
    OtherApiToken,
}

/// A secret that the service returned and that is not yet proven by a login.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) token: ApiToken,
    /// The number of the request that brought it, from 1.
    pub(crate) request: u32,
    /// It comes from a reply that can't be trusted, so it proves nothing by itself.
    pub(crate) doubtful: bool,
}

impl Journal {
    pub(crate) fn write(&self, profile: &ProfileId, record: &Record) -> Result<Secret, StoreError> {
        let candidates = self.candidates.iter().map(|candidate| CandidateText {
            id: candidate.token.id().as_str().to_owned(),
            secret: Sealed(candidate.token.secret().clone()),
            request: candidate.request,
            doubtful: candidate.doubtful,
        });
        let mut text = JournalText {
            version: VERSION,
            base_url: profile.base_url().to_owned(),
            profile: profile.name().to_owned(),
            id: record.token.id().as_str().to_owned(),
            generation: self.generation,
            old_secret_sha256: fingerprint(record.token.secret()),
            jwt: Sealed(self.access_token.clone()),
            jwt_not_after: seconds(self.access_token_expires),
            started_at: seconds(self.started_at),
            requests: self.requests,
            candidates: candidates.collect(),
            conclusion: self.conclusion.map(|conclusion| ConclusionText {
                ruling: conclusion.ruling,
                at: seconds(conclusion.at),
            }),
            sha256: String::new(),
        };
        text.sha256 = checksum(&text)?;
        json(Document::Journal, &text)
    }

    /// Reads a journal and checks that it belongs to the credential beside it.
    ///
    /// Returns `None` if the service has ruled on it and the credential was replaced since: such a
    /// journal was just not removed.
    pub(crate) fn read(
        profile: &ProfileId,
        record: &Record,
        text: &Secret,
    ) -> Result<Option<Self>, StoreError> {
        let (journal, owner) = Self::parse(profile, text)?;
        let is_same_id = owner.id == record.token.id().as_str();
        let of_the_old_secret = owner.old_secret_sha256 == fingerprint(record.token.secret())
            && journal.generation == record.generation;
        let problem = if is_same_id && (of_the_old_secret || journal.is_done(record)) {
            return Ok(Some(journal));
        } else if journal.conclusion.is_some() {
            return Ok(None);
        } else if is_same_id {
            "the stored secret is not the one that was rotated"
        } else {
            "it is of another API token"
        };
        Err(StoreError::Foreign {
            document: Document::Journal,
            problem,
        })
    }

    /// Returns `true` if this journal still has to be recovered before `next` is stored.
    ///
    /// The secret of another API token is only in the journal. Storing that API token or a later
    /// one may remove it, but not storing the one that the service has ruled out.
    pub(crate) fn is_unfinished(
        profile: &ProfileId,
        record: Option<&Record>,
        next: Option<&ApiToken>,
        text: &Secret,
    ) -> bool {
        let Ok((journal, owner)) = Self::parse(profile, text) else {
            return true;
        };
        match journal.conclusion {
            None => !record.is_some_and(|record| journal.is_done(record)),
            Some(conclusion) => {
                conclusion.ruling == Ruling::OtherApiToken
                    && next.is_some_and(|next| next.id().as_str() == owner.id)
            }
        }
    }

    /// Reads a journal, and which credential it belongs to.
    fn parse(profile: &ProfileId, text: &Secret) -> Result<(Self, Owner), StoreError> {
        const DOCUMENT: Document = Document::Journal;
        let mut read: JournalText = parse(DOCUMENT, text)?;
        let claimed = std::mem::take(&mut read.sha256);
        if claimed != checksum(&read)? {
            return Err(corrupt(DOCUMENT, "its checksum is wrong"));
        }
        belongs(DOCUMENT, profile, &read.base_url, &read.profile)?;
        let mut candidates = Vec::with_capacity(read.candidates.len());
        for candidate in read.candidates {
            candidates.push(Candidate {
                token: token(DOCUMENT, candidate.id, &candidate.secret)?,
                request: candidate.request,
                doubtful: candidate.doubtful,
            });
        }
        let journal = Self {
            generation: read.generation,
            access_token: read.jwt.0,
            access_token_expires: moment(read.jwt_not_after),
            started_at: moment(read.started_at),
            requests: read.requests,
            candidates,
            conclusion: read.conclusion.map(|conclusion| Conclusion {
                ruling: conclusion.ruling,
                at: moment(conclusion.at),
            }),
        };
        let owner = Owner {
            id: read.id,
            old_secret_sha256: read.old_secret_sha256,
        };
        Ok((journal, owner))
    }

    /// Returns `true` if the stored credential already is the result of this rotation.
    pub(crate) fn is_done(&self, record: &Record) -> bool {
        record.generation == self.generation.saturating_add(1)
            && self
                .candidates
                .iter()
                .any(|candidate| candidate.token.is_same_as(&record.token))
    }
}

/// The credential that a journal names.
struct Owner {
    id: String,
    old_secret_sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JournalText {
    version: u64,
    base_url: String,
    profile: String,
    id: String,
    generation: u64,
    old_secret_sha256: String,
    jwt: Sealed,
    jwt_not_after: u64,
    started_at: u64,
    requests: u32,
    candidates: Vec<CandidateText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conclusion: Option<ConclusionText>,
    /// The checksum of the document with this field empty.
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConclusionText {
    ruling: Ruling,
    at: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CandidateText {
    id: String,
    secret: Sealed,
    request: u32,
    doubtful: bool,
}

fn checksum(text: &JournalText) -> Result<String, StoreError> {
    let text = json(Document::Journal, text)?;
    Ok(fingerprint(&text))
}

fn fingerprint(secret: &Secret) -> String {
    sha256_hex(secret.expose_secret().as_bytes())
}
