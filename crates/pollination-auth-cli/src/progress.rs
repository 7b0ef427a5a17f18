//! Shows that a wait goes on: as a line that counts where a line can be wiped, elsewhere as a plain one.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::output;

/// The time after which a wait is shown, and between two changes of the line: 1 s.
///
/// People begin to wonder then; what is over sooner is not worth a line.
const STEP: Duration = Duration::from_secs(1);

/// Goes to the start of the line and wipes it.
const WIPE: &str = "\r\x1b[K";

/// Writes a note while a wait is shown, replacing its line.
pub(crate) fn note(text: impl fmt::Display) {
    let start = if output::can_wipe() { WIPE } else { "" };
    output::note(format_args!("{start}{text}"));
}

/// Waits for something, and says what it waits for when it takes long.
pub(crate) async fn watch<F: Future>(what: &str, work: F) -> F::Output {
    tokio::pin!(work);
    let started = Instant::now();
    let mut steps = interval_at(started + STEP, STEP);
    steps.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let counts = output::can_wipe();
    let mut shown = false;
    loop {
        tokio::select! {
            biased;
            done = &mut work => {
                if shown && counts {
                    output::tell(WIPE);
                }
                return done;
            }
            _ = steps.tick() => {
                if counts {
                    let seconds = started.elapsed().as_secs();
                    output::tell(format_args!("{WIPE}{what} ... {seconds} s"));
                } else if !shown {
                    output::note(format_args!("{what} ..."));
                }
                shown = true;
            }
        }
    }
}
