//! Interrupts while something runs that must not be cut off. What to do about one is the caller's.

use std::io;

/// Hears interrupts, which end the process no more from now on.
#[cfg(unix)]
pub(crate) struct Interrupts {
    interrupt: tokio::signal::unix::Signal,
    terminate: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Interrupts {
    /// Hears SIGINT and SIGTERM.
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: Some(signal(SignalKind::terminate())?),
            ..Self::listen_to_keyboard()?
        })
    }

    /// Hears SIGINT alone.
    pub(crate) fn listen_to_keyboard() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
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
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) fn listen_to_keyboard() -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn next(&mut self) {
        let _heard = tokio::signal::ctrl_c().await;
    }
}
