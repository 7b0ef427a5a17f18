//! The two documents as JSON: the credential, and the journal of a rotation.
//!
//! It reads strictly and says what is wrong without a word of the text. Where the text lies is the
//! store's business; when which document is written is that of `rotation`.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::kind::{DOCUMENT_LIMIT, Document};
use crate::credential::api_token::ApiToken;
use crate::credential::profile_id::ProfileId;
use crate::foundation::digest::sha256_hex;
use crate::foundation::secret::Secret;

/// The version of both documents, which is the first there is; a reader refuses every other one.
const VERSION: u64 = 1;

/// The credential of a profile.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) token: ApiToken,
    /// The secret before the last rotation, until it is known to be dead.
    pub(crate) previous: Option<Secret>,
    /// Counts the rotations, so that a journal can tell whether its own is done.
    pub(crate) generation: u64,
    pub(crate) rotated_at: Option<SystemTime>,
}

/// What is written ahead of a rotation, and all that a recovery needs.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    /// The generation of the credential that is rotated.
    pub(crate) generation: u64,
    /// The access token: as long as it lives, it mints another secret if one is lost.
    pub(crate) bearer: Secret,
    pub(crate) bearer_ends: SystemTime,
    pub(crate) started_at: SystemTime,
    /// The requests that may have been sent, counted before each of them is.
    pub(crate) requests: u32,
    pub(crate) candidates: Vec<Candidate>,
    /// What the service has ruled, if it has.
    pub(crate) conclusion: Option<Conclusion>,
}

/// What the service has ruled on a rotation that brought no secret of its API token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conclusion {
    pub(crate) ruling: Ruling,
    pub(crate) at: SystemTime,
}

/// How the service has ruled.
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

/// A secret that the service gave, and that has not logged in yet.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) token: ApiToken,
    /// The number of the request that brought it, from 1.
    pub(crate) request: u32,
    /// Something was odd about the reply, so it proves nothing by itself.
    pub(crate) doubtful: bool,
}

impl Record {
    pub(crate) fn new(token: ApiToken, generation: u64) -> Self {
        Self {
            token,
            previous: None,
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
                previous: self.previous.clone().map(Sealed),
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
            previous: read.previous.map(|sealed| sealed.0),
            generation: read.generation,
            rotated_at: read.rotated_at.map(moment),
        })
    }
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
            jwt: Sealed(self.bearer.clone()),
            jwt_not_after: seconds(self.bearer_ends),
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
    /// Returns `None` if the service has ruled on it and the credential was replaced since: then it
    /// was only left behind.
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
    /// A secret of another API token is in the journal alone. It makes way for that API token and
    /// for later ones, but not for the one of which the service has said that it is not the account's.
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
            bearer: read.jwt.0,
            bearer_ends: moment(read.jwt_not_after),
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

    /// Tells whether the credential already is the one that this rotation brought.
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
struct CredentialText {
    version: u64,
    base_url: String,
    profile: String,
    id: String,
    current: Sealed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Sealed>,
    generation: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rotated_at: Option<u64>,
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
    /// Over the document with this field empty.
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

/// A secret on its way into or out of a document.
struct Sealed(Secret);

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

fn parse<'a, T: Deserialize<'a>>(document: Document, text: &'a Secret) -> Result<T, StoreError> {
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
    // What the parser says is dropped: it quotes the value that it did not expect.
    serde_json::from_str(text).map_err(|_unread| corrupt(document, "it lacks or has extra fields"))
}

fn json<T: Serialize>(document: Document, value: &T) -> Result<Secret, StoreError> {
    let failed = |_error| corrupt(document, "it can't be written as JSON");
    // Of the full size at once, or growing would leave copies behind that nobody wipes.
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

fn checksum(text: &JournalText) -> Result<String, StoreError> {
    let text = json(Document::Journal, text)?;
    Ok(fingerprint(&text))
}

fn fingerprint(secret: &Secret) -> String {
    sha256_hex(secret.expose_secret().as_bytes())
}

fn belongs(
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

fn token(document: Document, id: String, secret: &Sealed) -> Result<ApiToken, StoreError> {
    ApiToken::new(id, secret.0.expose_secret())
        .map_err(|_unusable| corrupt(document, "an id or a secret in it can't be used"))
}

fn corrupt(document: Document, problem: &'static str) -> StoreError {
    StoreError::Corrupt { document, problem }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// Gives a time; one that the clock can't express is the oldest one.
fn moment(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .unwrap_or(SystemTime::UNIX_EPOCH)
}
