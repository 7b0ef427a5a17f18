//! Limits of this process, set so that no image of its memory, with the secrets in it, lands on a
//! disk.

#[cfg(unix)]
use std::sync::OnceLock;

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The limit before this process lowered it.
#[cfg(unix)]
static BEFORE: OnceLock<Rlimit> = OnceLock::new();

/// Lets a crash leave no image of the memory.
#[cfg(unix)]
pub(crate) fn forbid_core_images() {
    let before = getrlimit(Resource::Core);
    let lowered = Rlimit {
        current: Some(0),
        ..before
    };
    // Lowering a limit is always allowed. If it still fails, a crash leaves an image as before.
    if setrlimit(Resource::Core, lowered).is_ok() {
        let _once = BEFORE.set(before);
    }
}

/// Restores the limit for a program that replaces this one.
#[cfg(unix)]
pub(crate) fn allow_core_images_again() {
    if let Some(before) = BEFORE.get() {
        let _as_before = setrlimit(Resource::Core, *before);
    }
}

/// Turns a write beyond the limit of the file size into an error, where it would end the process.
///
/// That end leaves an image of the memory too.
#[cfg(unix)]
pub(crate) fn outlast_the_limit_of_files() {
    use rustix::process::Signal;
    use tokio::signal::unix::{SignalKind, signal};
    // It is never listened to; to be heard is enough. Without it the end is as ever.
    let _heard = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()));
}

#[cfg(not(unix))]
pub(crate) fn forbid_core_images() {}

#[cfg(not(unix))]
pub(crate) fn outlast_the_limit_of_files() {}
