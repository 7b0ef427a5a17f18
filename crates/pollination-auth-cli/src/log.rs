//! The log on stderr: sentences with `-v`, every event as it is with `-vv`.
//!
//! Events of other crates are left out: what they log is not checked for secrets here.

mod sentences;

use std::io;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::sentences::Sentences;

/// Shows the events from here on; `verbose` counts the options.
pub(crate) fn show(verbose: u8) {
    let ours = Targets::new()
        .with_target("pollination_auth", Level::DEBUG)
        .with_target(env!("CARGO_CRATE_NAME"), Level::DEBUG);
    let registry = tracing_subscriber::registry().with(ours);
    // It fails only if there is a log already, which then shows them.
    let _shown = match verbose {
        0 => Ok(()),
        1 => registry.with(Sentences).try_init(),
        _ => {
            let lines = tracing_subscriber::fmt::layer()
                .with_writer(io::stderr)
                .with_ansi(false);
            registry.with(lines).try_init()
        }
    };
}
