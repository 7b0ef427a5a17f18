//! Builds and runs the programs that measure the client, in release builds: the benchmarks, which
//! are a package of their own, and the soak.

use std::io;
use std::path::Path;

use crate::workspace::cargo;

/// Builds the benchmarks: their programs run each other.
const BUILD: &str = "build --locked --quiet --release --package pollination-auth-bench --bins";

/// Runs the benchmarks; their own arguments follow.
const RUN: &str = "run --locked --quiet --release --package pollination-auth-bench --";

/// Runs the soak; its own arguments follow.
const SOAK: &str = "bench --locked --quiet --package pollination-auth --bench soak -- --seconds";

/// Runs the benchmarks with some arguments, and returns `true` if they pass.
///
/// # Errors
///
/// Cargo can't be started.
pub(crate) fn run(root: &Path, arguments: &[String]) -> io::Result<bool> {
    let is_built = cargo(root, BUILD).status()?.success();
    Ok(is_built && cargo(root, RUN).args(arguments).status()?.success())
}

/// Runs the soak for a number of seconds, and returns `true` if it passes.
///
/// # Errors
///
/// Cargo can't be started.
pub(crate) fn soak(root: &Path, seconds: u32) -> io::Result<bool> {
    let status = cargo(root, SOAK).arg(seconds.to_string()).status()?;
    Ok(status.success())
}
