//! The second place for a new secret whose first one fails.

use super::options::RotateOptions;
use super::protocol::Ending;
use crate::credential::api_token::ApiToken;
use crate::credential::profile_id::ProfileId;
use crate::store::record::Record;
use crate::store::{CHANGE_PATIENCE, Profile, StoreError};

/// Stores the newest secret in the emergency store; returns the profile that has it.
///
/// What is there may be the only copy of another API token's secret, so the two are kept side by
/// side.
pub(super) async fn keep(
    options: &RotateOptions,
    profile: &ProfileId,
    ending: &Ending,
) -> Option<ProfileId> {
    let (Some(store), Some(token)) = (&options.emergency, ending.candidates.last()) else {
        return None;
    };
    let generation = ending.record.generation.saturating_add(1);
    let beside = profile.named(format!("{} {}", profile.name(), token.id()));
    for id in [profile.clone(), beside] {
        let place = Profile::of(store.clone(), id);
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

/// Stores an API token unless another one is there; returns whether it did.
async fn put(place: &Profile, token: &ApiToken, generation: u64) -> Result<bool, StoreError> {
    let mut writer = place.lock(CHANGE_PATIENCE).await?;
    let put = async {
        let older = place.record().await?;
        if older
            .as_ref()
            .is_some_and(|older| older.token.id() != token.id())
        {
            return Ok(false);
        }
        let record = Record::new(token.clone(), generation);
        writer.put_record(older.as_ref(), &record).await?;
        Ok(true)
    };
    let put = put.await;
    writer.release().await;
    put
}
