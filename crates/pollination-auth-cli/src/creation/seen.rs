//! What a creation without a clear end has made, and what to do about it.

use std::path::Path;

use super::kept::{Facts, Place};
use crate::args::global::Global;
use crate::aside;
use crate::context::Context;
use crate::error::CliError;
use crate::output;
use crate::recovery::{Aside, Made, Redo};
use crate::text::{option, quoted};

/// What a look at the store and the rescue directory says about a creation.
pub(super) struct Seen {
    pub(super) stored: Option<String>,
    pub(super) asides: Vec<Aside>,
    pub(super) redo: Box<Redo>,
}

pub(super) async fn look_at(
    context: &Context,
    place: &Place,
    facts: Option<&Facts>,
) -> Result<Seen, CliError> {
    let stored = context.profile.load().await?;
    let stored = stored.map(|stored| stored.id().to_string());
    let before = facts.and_then(|facts| facts.before.as_deref());
    let made = facts.and_then(|facts| facts.made.as_deref());
    let known: &[Aside] = facts.map_or(&[], |facts| &facts.asides);
    let asides = aside::present(context, known, before, made).await;
    let made_what = facts.map_or(Made::Unknown, |facts| {
        facts.made(stored.as_deref(), asides.clone())
    });
    let replaced = match &made_what {
        Made::Stored(_) => stored.as_deref(),
        _ => before,
    };
    let asks = stored.clone().filter(|stored| replaced != Some(stored));
    Ok(Seen {
        redo: redo(&context.global, &place.file, made_what, replaced, asks),
        stored,
        asides,
    })
}

/// Returns the commands that go on from a creation whose access token is in this file.
///
/// `replaced` is the API token that may be replaced without asking. Another one can be stored at any time,
/// so no line answers the question about that.
pub(super) fn redo(
    global: &Global,
    file: &Path,
    made: Made,
    replaced: Option<&str>,
    asks: Option<String>,
) -> Box<Redo> {
    let file = quoted(&file.to_string_lossy());
    let line = |command: &str| format!("{} < {file}", global.line(command));
    let replace = replaced.map_or_else(String::new, |id| format!(" {}", option("--replace", id)));
    Box::new(Redo {
        made,
        delete: line("token delete --yes --access-token-stdin"),
        create: line(&format!("token create{replace} --access-token-stdin")),
        asks,
    })
}

/// Prints where the API token of an earlier creation is. Nothing else names that place afterwards.
pub(super) fn name(aside: &Aside) {
    output::note(format_args!(
        "an API token of an earlier creation: {}; {}",
        aside.is_where(),
        aside.how_to_use()
    ));
}
