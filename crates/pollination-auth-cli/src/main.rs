//! The program `pollination-auth`; all of it is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    pollination_auth_cli::main()
}
