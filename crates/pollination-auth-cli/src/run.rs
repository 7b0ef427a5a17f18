//! From the arguments of the process to its exit code.

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use clap_complete::CompleteEnv;

use crate::args::Arguments;
use crate::error::CliError;
use crate::exit::Exit;
use crate::output::Format;
use crate::{argument_error, command, interrupt, limits, log, output, variables};

/// Runs the command with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    limits::forbid_core_images();
    let completions = CompleteEnv::with_factory(Arguments::command).var(variables::COMPLETE);
    match completions.try_complete(env::args_os(), env::current_dir().ok().as_deref()) {
        Ok(true) => return Exit::Done.into(),
        Ok(false) => {}
        // A shell that asks in a way that is not known gets nothing offered.
        Err(_unknown) => return Exit::Usage.into(),
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return unparsed(error).into(),
    };
    log::show(arguments.global.verbose);
    let global = &arguments.global;
    ended(run(&arguments), global.output, &global.host).into()
}

fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    // One command does one thing: a thread for it, and those that block on files.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|source| CliError::Io {
        doing: "the command can't start",
        source,
    })?;
    let result = runtime.block_on(async {
        limits::outlast_the_limit_of_files();
        interrupt::ends(command::run(arguments)).await
    });
    // What was given up is not waited for: a second interrupt ends at once.
    runtime.shutdown_background();
    result
}

fn ended(result: Result<Exit, CliError>, format: Format, host: &str) -> Exit {
    match result {
        Ok(exit) => exit,
        Err(error) => {
            output::error(format, &error, host);
            error.exit()
        }
    }
}

/// Shows the help, or what is wrong with the arguments but not the arguments.
fn unparsed(error: clap::Error) -> Exit {
    if !error.use_stderr() {
        let shown = output::help(&error.render()).map(|()| Exit::Done);
        return ended(shown, Format::Text, "");
    }
    let error = argument_error::without_secrets(error);
    let tip = argument_error::tip(&error);
    if wants_json(env::args_os()) {
        let message = format!("{}{tip}", error.render());
        output::error_json(Exit::Usage, message.trim_end(), Vec::new());
    } else {
        output::say(format_args!("{}{tip}", error.render().ansi()));
    }
    Exit::Usage
}

/// Returns `true` if a command line that can't be parsed asks for JSON.
fn wants_json(arguments: impl Iterator<Item = OsString>) -> bool {
    let arguments: Vec<_> = arguments.collect();
    let is_pair = |pair: &[OsString]| matches!(pair, [option, value] if option == "--output" && value == "json");
    arguments.iter().any(|argument| argument == "--output=json")
        || arguments.windows(2).any(is_pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_command_line_may_ask_for_json_too() {
        let wants = |line: &[&str]| wants_json(line.iter().map(OsString::from));
        assert!(wants(&["p", "--output", "json", "nonsense"]));
        assert!(wants(&["p", "nonsense", "--output=json"]));
        assert!(!wants(&["p", "--output", "text", "json"]));
    }
}
