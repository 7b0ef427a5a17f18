//! The command `cargo xtask`: passes its arguments and streams to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::cli::main()
}
