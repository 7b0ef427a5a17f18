//! From the arguments of the process to its exit code.

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::Arguments;
use crate::error::CliError;
use crate::exit::Exit;
use crate::{argument_error, command, interrupt, log, output};

/// Runs the command with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return unparsed(error).into(),
    };
    if arguments.global.verbose > 0 {
        log::show();
    }
    ended(run(&arguments), &arguments.global.host).into()
}

fn run(arguments: &Arguments) -> Result<(), CliError> {
    // One command does one thing: a thread for it, and those that block on files.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|source| CliError::Io {
        doing: "the command can't start",
        source,
    })?;
    let result = runtime.block_on(async {
        interrupt::outlast_the_limit_of_files();
        command::run(arguments).await
    });
    // What was given up is not waited for: a second interrupt ends at once.
    runtime.shutdown_background();
    result
}

fn ended(result: Result<(), CliError>, host: &str) -> Exit {
    match result {
        Ok(()) => Exit::Done,
        Err(error) => {
            output::error(&error, host);
            error.exit()
        }
    }
}

/// Shows the help, or what is wrong with the arguments but not the arguments.
fn unparsed(error: clap::Error) -> Exit {
    if error.use_stderr() {
        let error = argument_error::without_values(error);
        output::tell(format_args!(
            "{}{}",
            error.render().ansi(),
            argument_error::tip(&error)
        ));
        Exit::Usage
    } else {
        ended(output::help(&error.render()), "")
    }
}
