//! Prints what is made from the definition of the command line: completions and manual pages.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::Arguments;
use crate::error::CliError;
use crate::output;

pub(crate) fn completions(shell: Shell) -> Result<(), CliError> {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    output::document(&script)
}

pub(crate) fn man(path: &[String]) -> Result<(), CliError> {
    let mut command = Arguments::command();
    command.build();
    let mut chosen = &command;
    for name in path {
        let found = chosen.find_subcommand(name);
        chosen = found.ok_or(CliError::Input(
            "there is no such command to print the page of",
        ))?;
    }
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(chosen.clone()).render(&mut page);
    rendered.map_err(|source| CliError::Io {
        doing: "the page can't be made",
        source,
    })?;
    output::document(&page)
}
