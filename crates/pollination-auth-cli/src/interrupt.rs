//! Interrupts while something runs that must not be cut off: the first one waits, the second ends.

#[cfg(unix)]
use std::io;

use crate::error::CliError;
use crate::progress;

/// Brings a thing to its end that could lose a secret if it were cut off; `what` names it.
///
/// An interrupt is told to wait. A second one is obeyed, and then `cut_off` says what is left. The
/// end of the terminal is outlasted: nobody is left who could have meant it twice.
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
            () = interrupts.next_by_hand() => {
                if is_told {
                    return Err(cut_off());
                }
                is_told = true;
                progress::note(format_args!(
                    "interrupted; {what} comes to its end first. Interrupt again to end at once"
                ));
            }
        }
    }
}

/// Lets a write beyond the limit of the process fail, where it would end the process otherwise.
///
/// That end leaves an image of the memory on the disk, with the secrets in it.
#[cfg(unix)]
pub(crate) fn outlast_the_limit_of_files() {
    use rustix::process::Signal;
    use tokio::signal::unix::{SignalKind, signal};
    // It is never listened to; to be heard is enough. Without it the end is as ever.
    let _heard = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()));
}

#[cfg(not(unix))]
pub(crate) fn outlast_the_limit_of_files() {}

#[cfg(unix)]
fn unheard(source: io::Error) -> CliError {
    CliError::Io {
        doing: "interrupts can't be heard",
        source,
    }
}

/// Hears SIGINT, SIGTERM, SIGHUP and SIGQUIT, which end the process no more from now on.
#[cfg(unix)]
pub(crate) struct Interrupts {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
    quit: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Interrupts {
    pub(crate) fn listen() -> Result<Self, CliError> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(unheard);
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
            quit: listen(SignalKind::quit())?,
        })
    }

    /// Waits for any of them.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
            _ = self.quit.recv() => {}
        }
    }

    /// Waits for one that somebody sends on purpose, and not for the end of the terminal.
    async fn next_by_hand(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.quit.recv() => {}
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

    pub(crate) async fn next(&mut self) {
        let _heard = tokio::signal::ctrl_c().await;
    }

    async fn next_by_hand(&mut self) {
        self.next().await;
    }
}
