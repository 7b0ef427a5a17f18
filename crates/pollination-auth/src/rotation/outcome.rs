//! The result of a rotation: types that can't be overlooked and that print no secret.
//!
//! The protocol decides which result it is.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::cause::RotateCause;
use super::protocol::{Ending, Verdict};
use crate::credential::api_token::{ApiToken, ApiTokenId};
use crate::credential::profile_id::ProfileId;
use crate::foundation::secret::SecretBytes;
use crate::store::Ruling;

/// The result of a rotation: the API token with its new secret, which is stored and has logged in.
#[must_use = "other holders of the old secret need the new one"]
#[derive(Clone, Debug)]
pub struct Rotated {
    pub(super) token: ApiToken,
    pub(super) generation: u64,
    pub(super) verified_at: SystemTime,
    pub(super) recovered: bool,
    pub(super) unchanged: bool,
    pub(super) by_another: bool,
    pub(super) requests: u32,
}

impl Rotated {
    /// Returns the API token with its new secret.
    #[must_use]
    pub fn api_token(&self) -> &ApiToken {
        &self.token
    }

    /// Returns the number of changes of the stored credential, including this one.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the time at which it was known to work, by the client's clock.
    #[must_use]
    pub fn verified_at(&self) -> SystemTime {
        self.verified_at
    }

    /// Returns `true` if this is the result of an earlier, interrupted rotation.
    #[must_use]
    pub fn was_recovered(&self) -> bool {
        self.recovered
    }

    /// Returns `true` if the service returned the old secret.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.unchanged
    }

    /// Returns `true` if another process rotated while this one waited for the lock.
    #[must_use]
    pub fn by_another(&self) -> bool {
        self.by_another
    }

    /// Returns the number of requests; the secrets of earlier ones no longer work.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.requests
    }
}

/// The result of a recovery.
#[must_use = "a recovery can have changed the secret"]
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Recovered {
    /// No rotation was unfinished.
    NothingToDo,
    /// The rotation never happened: the stored secret works.
    NothingHappened,
    /// The rotation is done.
    Rotated(Rotated),
}

/// Error of a rotation; its variant is what to do next.
///
/// Neither `Display` nor `Debug` nor a source shows a secret.
///
/// ```
/// use pollination_auth::{Client, RotateError, RotateOptions};
///
/// async fn nightly(client: &Client) {
///     match client.rotation(RotateOptions::default()).rotate().await {
///         Ok(rotated) => println!("generation {}", rotated.generation()),
///         Err(error) if error.is_safe_to_retry() => println!("tomorrow again: {error}"),
///         Err(RotateError::PersistFailed(failure)) => {
///             for token in failure.expose_candidates() {
///                 // Keep it: the store could not.
/// #               let _ = token;
///             }
///         }
///         Err(error) => println!("recover before {:?}: {error}", error.recovery_deadline()),
///     }
/// }
/// ```
#[must_use]
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum RotateError {
    /// No request for a new secret was sent. Remove the cause and try again.
    NotStarted(RotateFailure),
    /// The service refused or did nothing; the stored secret works.
    Rejected(RotateFailure),
    /// It is not known which secret is valid. Recover before the deadline.
    Ambiguous(RotateFailure),
    /// It is not known, and a reply that can't be used may hold the secret. Recover.
    UnusableReply(RotateFailure),
    /// The new secret could not be stored. Keep it, repair the store, and recover.
    PersistFailed(RotateFailure),
    /// The service returned a new secret and accepts the old one. Keep both, and recover.
    Unverified(RotateFailure),
    /// No known secret works any longer, and none can be created. Create a new API token in the web
    /// interface.
    CredentialLost(RotateFailure),
    /// The account has no API token any longer. Create a new one.
    ApiTokenGone(RotateFailure),
    /// The service has rotated another API token than the stored one. Log in with that one.
    ///
    /// It is the newest of [`expose_candidates`](RotateFailure::expose_candidates), with its own
    /// id, and otherwise only in the journal. The stored one no longer belongs to the account.
    OtherApiToken(RotateFailure),
}

/// What is known of a failed rotation.
#[derive(Clone)]
pub struct RotateFailure(Arc<Details>);

#[derive(Default)]
struct Details {
    /// The id of the stored API token.
    id: Option<ApiTokenId>,
    /// The time of the end, by this machine's clock.
    at: Option<SystemTime>,
    cause: Option<RotateCause>,
    candidates: Vec<ApiToken>,
    raw: Vec<SecretBytes>,
    requests: u32,
    started_at: Option<SystemTime>,
    recover_by: Option<SystemTime>,
    emergency: Option<ProfileId>,
}

impl RotateFailure {
    /// Returns the cause, if it is one call or one file.
    #[must_use]
    pub fn cause(&self) -> Option<&RotateCause> {
        self.0.cause.as_ref()
    }

    /// Returns every secret that may be the valid one, the newest last.
    #[must_use]
    pub fn expose_candidates(&self) -> &[ApiToken] {
        &self.0.candidates
    }

    /// Returns the replies from which no secret could be read.
    #[must_use]
    pub fn expose_raw_replies(&self) -> &[SecretBytes] {
        &self.0.raw
    }

    /// Returns the id of the stored API token.
    pub(super) fn id(&self) -> Option<&ApiTokenId> {
        self.0.id.as_ref()
    }

    /// Returns the number of requests that the service may have acted on.
    #[must_use]
    pub fn requests(&self) -> u32 {
        self.0.requests
    }

    /// Returns the time at which the rotation began.
    #[must_use]
    pub fn started_at(&self) -> Option<SystemTime> {
        self.0.started_at
    }

    /// Returns the profile of the emergency store that has the newest secret, if one has it.
    ///
    /// It is the client's own, or one with the id of the API token in its name: the pair of another
    /// API token is never replaced.
    #[must_use]
    pub fn emergency_profile(&self) -> Option<&ProfileId> {
        self.0.emergency.as_ref()
    }
}

impl RotateError {
    /// Returns the details.
    #[must_use]
    pub fn failure(&self) -> &RotateFailure {
        match self {
            Self::NotStarted(failure)
            | Self::Rejected(failure)
            | Self::Ambiguous(failure)
            | Self::UnusableReply(failure)
            | Self::PersistFailed(failure)
            | Self::Unverified(failure)
            | Self::CredentialLost(failure)
            | Self::ApiTokenGone(failure)
            | Self::OtherApiToken(failure) => failure,
        }
    }

    /// Returns `true` if nothing was changed, so that no recovery is needed first.
    #[must_use]
    pub fn is_safe_to_retry(&self) -> bool {
        matches!(self, Self::NotStarted(_) | Self::Rejected(_))
    }

    /// Returns the time until which a recovery can create another secret.
    #[must_use]
    pub fn recovery_deadline(&self) -> Option<SystemTime> {
        let is_over = matches!(
            self,
            Self::CredentialLost(_) | Self::ApiTokenGone(_) | Self::OtherApiToken(_)
        );
        if self.is_safe_to_retry() || is_over {
            return None;
        }
        self.failure().0.recover_by
    }

    pub(crate) fn not_started(cause: RotateCause) -> Self {
        Self::NotStarted(RotateFailure::of(cause))
    }

    /// The task that ran it was lost; what it had announced is in the journal.
    pub(crate) fn interrupted(cause: RotateCause) -> Self {
        Self::Ambiguous(RotateFailure::of(cause))
    }

    pub(super) fn from_ending(ending: Ending, emergency: Option<ProfileId>) -> Self {
        let verdict = ending.verdict;
        let unusable = !ending.raw.is_empty();
        let failure = RotateFailure(Arc::new(Details {
            id: Some(ending.record.token.id().clone()),
            at: Some(ending.at),
            cause: ending.cause,
            candidates: ending.candidates,
            raw: ending.raw,
            requests: ending.requests,
            started_at: ending.started_at,
            recover_by: ending.recover_by,
            emergency,
        }));
        match verdict {
            Verdict::NotStarted => Self::NotStarted(failure),
            Verdict::NothingHappened => Self::Rejected(failure),
            Verdict::PersistFailed => Self::PersistFailed(failure),
            Verdict::Unverified => Self::Unverified(failure),
            Verdict::Ruled(Ruling::CredentialLost) => Self::CredentialLost(failure),
            Verdict::Ruled(Ruling::ApiTokenGone) => Self::ApiTokenGone(failure),
            Verdict::Ruled(Ruling::OtherApiToken) => Self::OtherApiToken(failure),
            _ if unusable => Self::UnusableReply(failure),
            _ => Self::Ambiguous(failure),
        }
    }
}

impl RotateFailure {
    fn name_both_ids(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.id, self.0.candidates.last()) {
            (Some(stored), Some(other)) => write!(f, "; stored: {stored}, rotated: {}", other.id()),
            _ => Ok(()),
        }
    }

    /// Names this machine's clock if it contradicts the times of the rotation.
    fn name_the_clock(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_before = |time: Option<SystemTime>| self.0.at.zip(time).map(|(at, time)| at < time);
        if is_before(self.0.started_at) == Some(true) {
            f.write_str(
                "; by this machine's clock the rotation began in the future, so check the clock",
            )
        } else if is_before(self.0.recover_by) == Some(false) {
            f.write_str("; by this machine's clock the access token for the recovery has expired, so check the clock")
        } else {
            Ok(())
        }
    }

    fn of(cause: RotateCause) -> Self {
        Self(Arc::new(Details {
            cause: Some(cause),
            ..Details::default()
        }))
    }
}

impl fmt::Display for RotateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStarted(_) => "the rotation was not started, and nothing was changed",
            Self::Rejected(_) => "the secret was not rotated, and the stored one is valid",
            Self::Ambiguous(_) => "it is not known which secret is valid; recover the rotation",
            Self::UnusableReply(_) => {
                "the service's reply can't be used, and may hold the new secret; recover the \
                 rotation"
            }
            Self::PersistFailed(_) => {
                "the new secret could not be stored; keep it, and recover the rotation"
            }
            Self::Unverified(_) => {
                "the new secret does not log in and the old one does; keep both, and recover the \
                 rotation"
            }
            Self::CredentialLost(_) => {
                "no known secret works any longer; create a new API token in the web interface"
            }
            Self::ApiTokenGone(_) => "the account has no API token any longer; create a new one",
            Self::OtherApiToken(_) => {
                "the service has rotated another API token than the stored one; log in with that \
                 one"
            }
        })?;
        if let Self::OtherApiToken(failure) = self {
            failure.name_both_ids(f)?;
        }
        if let Self::CredentialLost(failure) = self {
            failure.name_the_clock(f)?;
        }
        match self.failure().cause() {
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}

impl StdError for RotateError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self.failure().cause()? {
            RotateCause::Service(error) => Some(error),
            RotateCause::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Debug for RotateFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotateFailure")
            .field("cause", &self.0.cause)
            .field("candidates", &self.0.candidates.len())
            .field("raw_replies", &self.0.raw.len())
            .field("requests", &self.0.requests)
            .field("started_at", &self.0.started_at)
            .field("recover_by", &self.0.recover_by)
            .field("emergency", &self.0.emergency)
            .finish()
    }
}
