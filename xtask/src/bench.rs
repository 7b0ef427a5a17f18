//! Builds and runs the benchmarks, which are a package of their own, in a release build.

use std::io;
use std::path::Path;
use std::process::Command;

/// The package, as arguments to cargo: its programs run each other, so all of them are built.
const PACKAGE: [&str; 5] = [
    "--locked",
    "--quiet",
    "--release",
    "--package",
    "pollination-auth-bench",
];

/// Hands the arguments on, and tells whether the benchmarks are content.
///
/// # Errors
///
/// Cargo can't be started.
pub(crate) fn run(root: &Path, arguments: &[String]) -> io::Result<bool> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let with = |task: &str| {
        let mut command = Command::new(&cargo);
        command.current_dir(root).arg(task).args(PACKAGE);
        command
    };
    if !with("build").arg("--bins").status()?.success() {
        return Ok(false);
    }
    Ok(with("run").arg("--").args(arguments).status()?.success())
}
