//! Interrupts: they end a command, except for what must not be cut off.

#[cfg(unix)]
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::CliError;
use crate::progress;

/// How many things go on that deal with interrupts themselves.
static OWN: AtomicUsize = AtomicUsize::new(0);

/// Deals with interrupts itself, until this is dropped.
struct Own;

impl Own {
    fn begin() -> Self {
        OWN.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        OWN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs a command until it ends or is interrupted.
pub(crate) async fn ends<T>(
    command: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    let mut interrupts = Interrupts::listen()?;
    tokio::pin!(command);
    loop {
        tokio::select! {
            biased;
            ended = &mut command => return ended,
            () = interrupts.next() => {
                if OWN.load(Ordering::Relaxed) == 0 {
                    return Err(CliError::Interrupted);
                }
            }
        }
    }
}

/// Runs a thing to its end that could lose a secret if it were cut off; `what` names it.
///
/// The first interrupt is told to wait. A second one is obeyed, and then `cut_off` says what is
/// left. The end of the terminal is ignored: nobody is left who could have meant it twice.
pub(crate) async fn outlast<T>(
    what: &str,
    work: impl Future<Output = Result<T, CliError>>,
    cut_off: impl FnOnce() -> CliError,
) -> Result<T, CliError> {
    let _own = Own::begin();
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
                    "interrupted; {what} finishes first. Interrupt again to stop it"
                ));
            }
        }
    }
}

/// Does what the command succeeds without; an interrupt skips the rest of it.
pub(crate) async fn skippable<T>(work: impl Future<Output = T>) -> Result<Option<T>, CliError> {
    let _own = Own::begin();
    let mut interrupts = Interrupts::listen()?;
    tokio::select! {
        biased;
        done = work => Ok(Some(done)),
        () = interrupts.next() => Ok(None),
    }
}

#[cfg(unix)]
fn unheard(source: io::Error) -> CliError {
    CliError::Io {
        doing: "interrupts can't be received",
        source,
    }
}

/// Hears SIGINT, SIGTERM, SIGHUP and SIGQUIT, which no longer end the process by themselves.
#[cfg(unix)]
struct Interrupts {
    interrupt: Heard,
    terminate: Heard,
    hang_up: Heard,
    quit: Heard,
}

/// A signal that is heard; `None` if this process was started to ignore it, as `nohup` does.
///
/// It stays ignored then, here and in the program that `exec` runs.
#[cfg(unix)]
struct Heard(Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Heard {
    fn listen(kind: tokio::signal::unix::SignalKind) -> Result<Self, CliError> {
        if is_ignored(kind) {
            return Ok(Self(None));
        }
        let signal = tokio::signal::unix::signal(kind).map_err(unheard)?;
        Ok(Self(Some(signal)))
    }

    async fn recv(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
}

/// Returns `true` if a signal is ignored, as far as the system shows it: Linux does.
#[cfg(unix)]
fn is_ignored(kind: tokio::signal::unix::SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The first signal is number 1, and the lowest bit.
    let bit = kind
        .as_raw_value()
        .checked_sub(1)
        .and_then(|bit| u32::try_from(bit).ok());
    match (mask, bit) {
        (Some(mask), Some(bit)) => mask.checked_shr(bit).is_some_and(|mask| mask & 1 == 1),
        _ => false,
    }
}

#[cfg(unix)]
impl Interrupts {
    fn listen() -> Result<Self, CliError> {
        use tokio::signal::unix::SignalKind;
        Ok(Self {
            interrupt: Heard::listen(SignalKind::interrupt())?,
            terminate: Heard::listen(SignalKind::terminate())?,
            hang_up: Heard::listen(SignalKind::hangup())?,
            quit: Heard::listen(SignalKind::quit())?,
        })
    }

    /// Waits for any of them.
    async fn next(&mut self) {
        tokio::select! {
            () = self.interrupt.recv() => {}
            () = self.terminate.recv() => {}
            () = self.hang_up.recv() => {}
            () = self.quit.recv() => {}
        }
    }

    /// Waits for one that somebody sends on purpose, and not for the end of the terminal.
    async fn next_by_hand(&mut self) {
        tokio::select! {
            () = self.interrupt.recv() => {}
            () = self.terminate.recv() => {}
            () = self.quit.recv() => {}
        }
    }
}

/// Hears Ctrl-C, which no longer ends the process by itself.
#[cfg(not(unix))]
struct Interrupts;

#[cfg(not(unix))]
impl Interrupts {
    fn listen() -> Result<Self, CliError> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _heard = tokio::signal::ctrl_c().await;
    }

    async fn next_by_hand(&mut self) {
        self.next().await;
    }
}
