//! Builds and runs the programs that measure the client, in release builds: the benchmarks, which
//! are a package of their own, and the soak.

use std::io;
use std::path::Path;
use std::process::Command;

/// The benchmarks, as arguments to cargo. Their programs run each other, so all of them are built.
const PACKAGE: [&str; 5] = [
    "--locked",
    "--quiet",
    "--release",
    "--package",
    "pollination-auth-bench",
];

/// The soak, as arguments to cargo; its own arguments follow.
const SOAK: [&str; 8] = [
    "bench",
    "--locked",
    "--quiet",
    "-p",
    "pollination-auth",
    "--bench",
    "soak",
    "--",
];

/// Runs the benchmarks with some arguments, and returns `true` if they pass.
///
/// # Errors
///
/// Cargo can't be started.
pub(crate) fn run(root: &Path, arguments: &[String]) -> io::Result<bool> {
    let with = |task: &str| {
        let mut command = cargo(root);
        command.arg(task).args(PACKAGE);
        command
    };
    if !with("build").arg("--bins").status()?.success() {
        return Ok(false);
    }
    Ok(with("run").arg("--").args(arguments).status()?.success())
}

/// Runs the soak for a number of seconds, and returns `true` if it passes.
///
/// # Errors
///
/// Cargo can't be started.
pub(crate) fn soak(root: &Path, seconds: u32) -> io::Result<bool> {
    let seconds = seconds.to_string();
    let mut command = cargo(root);
    Ok(command
        .args(SOAK)
        .args(["--seconds", &seconds])
        .status()?
        .success())
}

fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}
