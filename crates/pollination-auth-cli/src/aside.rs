//! A new API token that is in the rescue directory as long as it is not known to log in.

use pollination_auth::{ApiToken, FileStore, Profile, StoredToken};

use crate::args::global::Global;
use crate::context::Context;
use crate::error::CliError;
use crate::paths;
use crate::profiles;
use crate::recovery::Aside;
use crate::rescue::Rescue;

/// What became of a pair in the rescue directory that is stored in the first place by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copy {
    /// It is not there any longer, or another API token is.
    Gone,
    /// Another secret of the same API token is there, or nobody knows: a rotation there may have made
    /// one, and ended the stored secret.
    MayBeNewer,
}

/// Returns the places for a new API token, the best first: none of them is the first place itself.
pub(crate) fn places(context: &Context, token: &ApiToken) -> Result<Vec<Aside>, CliError> {
    let rescue = Rescue::find()?;
    let own = context.directory.as_ref();
    let is_first_place =
        rescue.is_made() && own.is_some_and(|own| paths::may_be_same(own, rescue.directory()));
    let global = &context.global;
    let profiles = [
        (!is_first_place).then(|| global.profile.clone()),
        Some(beside(global, token.id().as_str())),
    ];
    let place = |profile| Aside {
        directory: rescue.directory().to_owned(),
        profile,
        id: token.id().to_string(),
    };
    Ok(profiles.into_iter().flatten().map(place).collect())
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

fn open(context: &Context, aside: &Aside) -> Result<Profile, CliError> {
    let store = FileStore::open(&aside.directory)?;
    Ok(Profile::new(store, &context.global.host, &aside.profile)?)
}

/// Leaves those of the known places that have their API token, or can't be read, and adds those of the
/// rescue directory that nobody knows of: the note of a place can fail where the place does not.
///
/// `before` is the API token that is not new.
pub(crate) async fn present(
    context: &Context,
    known: &[Aside],
    before: Option<&str>,
) -> Vec<Aside> {
    let mut present = Vec::new();
    for aside in known {
        let is_there = match look(context, aside).await {
            Ok(there) => there.is_some_and(|there| there.api_token().id().as_str() == aside.id),
            Err(_unknown) => true,
        };
        if is_there {
            present.push(aside.clone());
        }
    }
    for aside in unknown(context).await {
        let is_new = before != Some(&*aside.id);
        if is_new && !present.iter().any(|known| known.profile == aside.profile) {
            present.push(aside);
        }
    }
    present
}

/// Returns what the rescue directory has for this profile.
async fn unknown(context: &Context) -> Vec<Aside> {
    let Ok(rescue) = Rescue::find() else {
        return Vec::new();
    };
    let directory = rescue.directory();
    let own = context.directory.as_ref();
    if !rescue.is_made() || own.is_some_and(|own| paths::may_be_same(own, directory)) {
        return Vec::new();
    }
    let (host, name) = (context.profile.id().base_url(), context.profile.id().name());
    let mut found = Vec::new();
    for profile in profiles::find(directory) {
        let is_ours =
            profile.name == name || profile.name.starts_with(&beside(&context.global, ""));
        if profile.host != host || !is_ours {
            continue;
        }
        let mut aside = Aside {
            directory: directory.to_owned(),
            profile: profile.name,
            id: String::new(),
        };
        if let Ok(Some(there)) = look(context, &aside).await {
            aside.id = there.api_token().id().to_string();
            found.push(aside);
        }
    }
    found
}

/// Returns `true` if both have the same id and the same secret.
pub(crate) fn is_copy(one: &ApiToken, other: &ApiToken) -> bool {
    one.id() == other.id() && one.secret().expose_secret() == other.secret().expose_secret()
}

/// Removes a pair that is stored in the first place and logs in.
pub(crate) async fn forget(context: &Context, aside: &Aside, token: &ApiToken) -> Copy {
    let forgotten = async {
        let Some(seen) = look(context, aside).await? else {
            return Ok(Copy::Gone);
        };
        let there = seen.api_token();
        if there.id() != token.id() {
            return Ok(Copy::Gone);
        }
        if !is_copy(there, token) {
            return Ok(Copy::MayBeNewer);
        }
        open(context, aside)?.remove(&seen).await?;
        Ok::<_, CliError>(Copy::Gone)
    };
    forgotten.await.unwrap_or_else(|error| {
        // A rotation may be at work there.
        tracing::debug!(%error, "the new API token stays in the rescue directory");
        Copy::MayBeNewer
    })
}
