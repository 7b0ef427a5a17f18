//! A new API token that is in a second place as long as it is not known to log in.

use std::path::Path;

use pollination_auth::{ApiToken, FileStore, Profile, StoredToken};

use crate::args::global::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::paths;
use crate::profiles;
use crate::recovery::Aside;
use crate::rescue::Rescue;

/// What is left in the rescue directory of an API token that is stored in the first place by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    Nothing,
    /// Another secret, or nobody knows: a rotation there may have made one, and ended the stored secret.
    MayBeNewer,
}

/// Returns the places for a new API token, the best first: none of them is one of the store's own files.
///
/// The last one is beside the stored credential, for where the rescue directory can't be written.
pub(crate) fn places(context: &Context, token: &ApiToken) -> Vec<Aside> {
    let global = &context.global;
    let store = context.directory.as_deref();
    let beside = || beside(global, token.id().as_str());
    let place = |directory: &Path, profile| Aside {
        directory: directory.to_owned(),
        profile,
        id: token.id().to_string(),
        is_sure: true,
    };
    let mut places = Vec::new();
    if let Ok(rescue) = Rescue::find() {
        // What a path means is known once the directory is there; whether it can be used is seen later.
        let _ = rescue.make();
        let directory = rescue.directory();
        let is_in_store =
            rescue.is_made() && (is_first(context, directory) || rescue.is_among_own_files(store));
        if !is_in_store {
            places.push(place(directory, global.profile.clone()));
        }
        places.push(place(directory, beside()));
    }
    places.extend(store.map(|store| place(store, beside())));
    places
}

/// Returns the profile of an API token beside another one.
fn beside(global: &Global, id: &str) -> String {
    format!("{} {id}", global.profile)
}

/// Returns what is in a place; a directory that is missing is not made.
pub(crate) async fn look(
    context: &Context,
    aside: &Aside,
) -> Result<Option<StoredToken>, CliError> {
    if paths::is_missing(&aside.directory) {
        return Ok(None);
    }
    Ok(open(context, aside)?.stored().await?)
}

/// Opens a place; a directory that is missing is made.
pub(crate) fn open(context: &Context, aside: &Aside) -> Result<Profile, CliError> {
    let store = FileStore::open(&aside.directory)?;
    Ok(Profile::new(store, &context.global.host, &aside.profile)?)
}

/// Leaves those of the known places that have their API token or can't be looked at, and adds what is
/// found beside this profile: the note of a place can fail where the place does not.
///
/// `before` is the API token that is not new, and `made` the new one, if that is known.
pub(crate) async fn present(
    context: &Context,
    known: &[Aside],
    before: Option<&str>,
    made: Option<&str>,
) -> Vec<Aside> {
    let mut present = remaining(context, known).await;
    for aside in found(context).await {
        let may_be_new = match made {
            Some(made) => aside.id == made,
            None => before != Some(&*aside.id),
        };
        if may_be_new && !present.iter().any(|known| known.is_same_place(&aside)) {
            present.push(aside);
        }
    }
    present
}

/// Leaves those of the known places that have their API token or can't be looked at.
pub(crate) async fn remaining(context: &Context, known: &[Aside]) -> Vec<Aside> {
    let mut present = Vec::new();
    for aside in known {
        let is_sure = match look(context, aside).await {
            Ok(there) if there.as_ref().is_some_and(|there| is_of(there, &aside.id)) => true,
            // It may be on a disk that is not there now.
            Ok(None) if paths::is_missing(&aside.directory) => false,
            Ok(_gone) => continue,
            Err(_unknown) => false,
        };
        present.push(Aside {
            is_sure,
            ..aside.clone()
        });
    }
    present
}

fn is_of(there: &StoredToken, id: &str) -> bool {
    there.api_token().id().as_str() == id
}

/// Returns what the rescue directory and the store have beside this profile, be it of a creation or not.
async fn found(context: &Context) -> Vec<Aside> {
    let rescue = Rescue::made().filter(|rescue| !is_first(context, rescue));
    let mut found = Vec::new();
    for directory in rescue.iter().chain(&context.directory) {
        found_in(context, directory, &mut found).await;
    }
    found
}

async fn found_in(context: &Context, directory: &Path, found: &mut Vec<Aside>) {
    let (host, name) = (context.profile.id().base_url(), context.profile.id().name());
    for profile in profiles::find(directory) {
        let id = profile.name.strip_prefix(&beside(&context.global, ""));
        let is_stored = profile.name == name && is_first(context, directory);
        if profile.host != host || (profile.name != name && id.is_none()) || is_stored {
            continue;
        }
        let mut aside = Aside {
            directory: directory.to_owned(),
            id: id.unwrap_or_default().to_owned(),
            profile: profile.name,
            is_sure: false,
        };
        let Ok(Some(there)) = look(context, &aside).await else {
            continue;
        };
        // Another profile may be called like this one and a word.
        if aside.profile == name {
            aside.id = there.api_token().id().to_string();
        }
        if is_of(&there, &aside.id) {
            found.push(aside);
        }
    }
}

/// Returns `true` if a directory is that of the credentials.
fn is_first(context: &Context, directory: &Path) -> bool {
    let own = context.directory.as_ref();
    own.is_some_and(|own| paths::may_be_same(own, directory))
}

/// Returns `true` if both have the same id and the same secret.
pub(crate) fn is_copy(one: &ApiToken, other: &ApiToken) -> bool {
    one.id() == other.id() && one.secret().expose_secret() == other.secret().expose_secret()
}

/// Removes a pair that is stored in the first place and logs in.
pub(crate) async fn forget(context: &Context, aside: &Aside, token: &ApiToken) -> Left {
    // A link may lead back to the first place by now, where no copy is.
    if is_first(context, &aside.directory) && aside.profile == context.profile.id().name() {
        return Left::Nothing;
    }
    let forgotten = async {
        let Some(seen) = look(context, aside).await? else {
            return Ok(Left::Nothing);
        };
        let there = seen.api_token();
        if there.id() != token.id() {
            return Ok(Left::Nothing);
        }
        if !is_copy(there, token) {
            return Ok(Left::MayBeNewer);
        }
        open(context, aside)?.remove(&seen).await?;
        Ok::<_, CliError>(Left::Nothing)
    };
    forgotten.await.unwrap_or_else(|error| {
        // A rotation may be at work there.
        tracing::debug!(%error, "the new API token stays in the rescue directory");
        Left::MayBeNewer
    })
}
