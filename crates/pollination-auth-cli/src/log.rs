//! What `--verbose` shows: the events of the library and of this command, on stderr.

use std::io;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Shows the events from here on.
///
/// Those of other crates are left out: what they log is not checked for secrets here.
pub(crate) fn show() {
    let ours = Targets::new()
        .with_target("pollination_auth", Level::DEBUG)
        .with_target(env!("CARGO_CRATE_NAME"), Level::DEBUG);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false);
    // It fails only if there is one already, which then shows them.
    let _shown = tracing_subscriber::registry()
        .with(ours)
        .with(lines)
        .try_init();
}
