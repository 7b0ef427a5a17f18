//! The end of a run: the verdict, and everything that must not be lost.

use std::time::SystemTime;

use crate::credential::api_token::ApiToken;
use crate::foundation::secret::SecretBytes;
use crate::rotation::cause::RotateCause;
use crate::store::Ruling;
use crate::store::record::Record;

/// What is known at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::rotation) enum Verdict {
    /// The stored secret is new, and has logged in.
    Rotated,
    /// The service has settled, and the stored secret works.
    NothingHappened,
    /// No request was sent.
    NotStarted,
    /// It is not known which secret is the account's.
    Ambiguous,
    /// A new secret is here, and not in the store.
    PersistFailed,
    /// There is a new secret, and the old one still works.
    Unverified,
    /// The service has ruled; the journal says so, where it could be written.
    Ruled(Ruling),
}

/// The end of a run.
#[cfg_attr(test, derive(Clone))]
pub(in crate::rotation) struct Ending {
    pub(in crate::rotation) verdict: Verdict,
    /// The credential; stored, unless the verdict is that it could not be.
    pub(in crate::rotation) record: Record,
    pub(in crate::rotation) recovered: bool,
    pub(in crate::rotation) unchanged: bool,
    /// The requests that were made for this change, by all runs.
    pub(in crate::rotation) requests: u32,
    /// The time of the end, by this machine's clock.
    pub(in crate::rotation) at: SystemTime,
    pub(in crate::rotation) started_at: Option<SystemTime>,
    /// Until then a recovery can create another secret.
    pub(in crate::rotation) recover_by: Option<SystemTime>,
    pub(in crate::rotation) candidates: Vec<ApiToken>,
    pub(in crate::rotation) raw: Vec<SecretBytes>,
    pub(in crate::rotation) cause: Option<RotateCause>,
}
