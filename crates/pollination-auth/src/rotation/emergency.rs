//! The second place for new secrets whose first one fails.
//!
//! What is there may be the only copy of a secret, so nothing is replaced: a place has one pair for as
//! long as that may be needed, and the next pair gets the next place.

use super::options::RotateOptions;
use super::protocol::Ending;
use crate::credential::api_token::{ApiToken, ApiTokenId};
use crate::credential::profile_id::ProfileId;
use crate::store::journal::{Candidate, Journal};
use crate::store::record::Record;
use crate::store::{CHANGE_PATIENCE, Profile, StoreError};

/// The most places for one API token: 8, more than the secrets of one rotation. By default it sends three
/// requests, and a reply can have two.
const PLACES: usize = 8;

/// Returns the places for an API token, the best first.
fn places<'a>(
    options: &'a RotateOptions,
    profile: &'a ProfileId,
    id: &'a ApiTokenId,
) -> impl Iterator<Item = Profile> + 'a {
    let name = profile.name();
    options.emergency.iter().flat_map(move |store| {
        (0..PLACES).map(move |number| {
            let id = match number {
                0 => profile.clone(),
                1 => profile.named(format!("{name} {id}")),
                _ => profile.named(format!("{name} {id} {number}")),
            };
            Profile::of(store.clone(), id)
        })
    })
}

/// Stores the new secrets in the emergency store; returns the profile that has the newest.
pub(super) async fn keep(
    options: &RotateOptions,
    profile: &ProfileId,
    ending: &Ending,
) -> Option<ProfileId> {
    let newest = ending.candidates.last()?;
    let kept = keep_one(options, profile, newest, ending).await;
    for older in ending.candidates.iter().rev().skip(1) {
        // Any other one was of no use when the service created one for another API token.
        if older.id() == newest.id() {
            keep_one(options, profile, older, ending).await;
        }
    }
    kept
}

async fn keep_one(
    options: &RotateOptions,
    profile: &ProfileId,
    token: &ApiToken,
    ending: &Ending,
) -> Option<ProfileId> {
    let generation = ending.record.generation.saturating_add(1);
    for place in places(options, profile, token.id()) {
        match put(&place, token, generation).await {
            Ok(true) => return Some(place.id().clone()),
            Ok(false) => {}
            Err(cause) => {
                tracing::error!(%cause, profile = place.id().name(), "the emergency store failed too");
            }
        }
    }
    None
}

/// Stores an API token unless another secret is there; returns whether it is there.
async fn put(place: &Profile, token: &ApiToken, generation: u64) -> Result<bool, StoreError> {
    let mut writer = place.lock(CHANGE_PATIENCE).await?;
    let put = async {
        if let Some(there) = place.record().await? {
            return Ok(there.token.is_same_as(token));
        }
        let record = Record::new(token.clone(), generation);
        writer.put_record(None, &record).await?;
        Ok(true)
    };
    let put = put.await;
    writer.release().await;
    put
}

/// Adds the secrets of the API token in the emergency store to a journal that could not have them;
/// returns whether there were any.
///
/// They prove nothing by themselves: they may be older than what the journal has.
pub(super) async fn recall(
    options: &RotateOptions,
    profile: &ProfileId,
    record: &Record,
    journal: &mut Journal,
) -> bool {
    let before = journal.candidates.len();
    for place in places(options, profile, record.token.id()) {
        let there = match place.record().await {
            Ok(Some(there)) => there.token,
            Ok(None) => continue,
            Err(cause) => {
                tracing::warn!(%cause, profile = place.id().name(), "can't read the emergency store");
                continue;
            }
        };
        let known = journal.candidates.iter().map(|candidate| &candidate.token);
        let is_known = known
            .chain([&record.token])
            .any(|known| known.is_same_as(&there));
        if there.id() == record.token.id() && !is_known {
            let candidate = Candidate {
                token: there,
                request: 0,
                doubtful: true,
            };
            journal.candidates.insert(0, candidate);
        }
    }
    journal.candidates.len() > before
}

/// Removes copies of the secret that a recovery has stored.
///
/// Other secrets stay: one can be newer than that, from a rotation in the emergency store itself.
pub(super) async fn forget(options: &RotateOptions, profile: &ProfileId, ending: &Ending) {
    let stored = &ending.record.token;
    for place in places(options, profile, stored.id()) {
        let forgotten = async {
            // The caller holds the lock of the stored credential, so this can be its store, where no copy
            // is.
            if place.is_locked().await? {
                return Ok(false);
            }
            let there = place.stored().await?;
            if let Some(copy) = there.filter(|there| there.api_token().is_same_as(stored)) {
                place.remove(&copy).await?;
            }
            Ok::<_, StoreError>(true)
        };
        match forgotten.await {
            Ok(true) => {}
            Ok(false) => return,
            Err(cause) => {
                tracing::debug!(%cause, profile = place.id().name(), "a needless copy stays");
            }
        }
    }
}
