//! The command `cargo xtask`: hands its arguments and streams to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::cli::main()
}
