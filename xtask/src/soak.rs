//! Runs the soak of the client, which is a benchmark program of its own, in a release build.

use std::io;
use std::path::Path;
use std::process::Command;

/// The program, as arguments to cargo; what stands behind them is given to it.
const PROGRAM: [&str; 8] = [
    "bench",
    "--locked",
    "--quiet",
    "-p",
    "pollination-auth",
    "--bench",
    "soak",
    "--",
];

/// Runs it for so many seconds, and tells whether it found nothing.
///
/// # Errors
///
/// Cargo can't be started.
pub(crate) fn run(root: &Path, seconds: u32) -> io::Result<bool> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(PROGRAM)
        .args(["--seconds", &seconds.to_string()]);
    Ok(command.current_dir(root).status()?.success())
}
