//! Interrupts while something runs that must not be cut off: the first one waits, the second ends.

use std::io;

use crate::error::CliError;
use crate::output;
use crate::progress;

/// Brings a thing to its end that could lose a secret if it were cut off; `what` names it.
///
/// An interrupt is told to wait. A second one is obeyed, and then `cut_off` says what is left.
pub(crate) async fn outlast<T>(
    what: &str,
    work: impl Future<Output = Result<T, CliError>>,
    cut_off: impl FnOnce() -> CliError,
) -> Result<T, CliError> {
    let mut interrupts = Interrupts::listen()?;
    tokio::pin!(work);
    let mut is_told = false;
    loop {
        tokio::select! {
            biased;
            ended = &mut work => return ended,
            () = interrupts.next() => {
                if is_told {
                    return Err(cut_off());
                }
                is_told = true;
                let start = if output::is_watched() { progress::WIPE } else { "" };
                output::note(format_args!(
                    "{start}interrupted; {what} comes to its end first. Interrupt again to end at once"
                ));
            }
        }
    }
}

fn unheard(source: io::Error) -> CliError {
    CliError::Io {
        doing: "interrupts can't be heard",
        source,
    }
}

/// Hears interrupts, which end the process no more from now on.
#[cfg(unix)]
pub(crate) struct Interrupts {
    interrupt: tokio::signal::unix::Signal,
    terminate: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Interrupts {
    /// Hears SIGINT and SIGTERM.
    pub(crate) fn listen() -> Result<Self, CliError> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: Some(signal(SignalKind::terminate()).map_err(unheard)?),
            ..Self::listen_to_keyboard()?
        })
    }

    /// Hears SIGINT alone.
    pub(crate) fn listen_to_keyboard() -> Result<Self, CliError> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(unheard)?,
            terminate: None,
        })
    }

    pub(crate) async fn next(&mut self) {
        let Some(terminate) = &mut self.terminate else {
            self.interrupt.recv().await;
            return;
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

/// Hears Ctrl-C, which ends the process no more from now on.
#[cfg(not(unix))]
pub(crate) struct Interrupts;

#[cfg(not(unix))]
impl Interrupts {
    pub(crate) fn listen() -> Result<Self, CliError> {
        Ok(Self)
    }

    pub(crate) fn listen_to_keyboard() -> Result<Self, CliError> {
        Ok(Self)
    }

    pub(crate) async fn next(&mut self) {
        let _heard = tokio::signal::ctrl_c().await;
    }
}
