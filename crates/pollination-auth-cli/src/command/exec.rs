//! Runs a program with an access token in its environment, where no other user can read it.

use std::convert::Infallible;
use std::io;
use std::process::Command;

use crate::args::Exec;
use crate::context::Context;
use crate::current_token;
use crate::error::CliError;
use crate::variables::{ACCESS_TOKEN, ID, ID_FILE, SECRET, SECRET_FILE};

/// The API token in the environment, which the program does not get: whoever needs an access token
/// need not know what creates more of them.
///
/// The id goes with the secret, because one without the other is an error to those who read them.
const REMOVED: [&str; 4] = [ID, SECRET, ID_FILE, SECRET_FILE];

/// Returns only if the program can't be run.
pub(crate) async fn run(context: &Context, exec: &Exec) -> Result<Infallible, CliError> {
    let Some((program, arguments)) = exec.command.split_first() else {
        return Err(CliError::Input("there is no command to run"));
    };
    let token = current_token::get(context, exec.wanted).await?;
    let mut command = Command::new(program);
    command.args(arguments);
    for variable in REMOVED {
        command.env_remove(variable);
    }
    command.env(ACCESS_TOKEN, token.expose_secret());
    Err(CliError::NotRun {
        program: program.to_string_lossy().into_owned(),
        source: replace(command),
    })
}

/// Lets the program take the place of this process, so that its exit code and its signals are its
/// own.
#[cfg(unix)]
fn replace(mut command: Command) -> io::Error {
    use std::os::unix::process::CommandExt as _;
    crate::limits::allow_core_images_again();
    command.exec()
}

/// Waits for the program, and ends with its exit code. Ctrl-C reaches both.
#[cfg(not(unix))]
fn replace(mut command: Command) -> io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}
