//! Prints what is made from the definition of the command line: completions and manual pages.

use std::io::{self, Write as _};

use clap::CommandFactory as _;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::{self, Arguments};
use crate::error::CliError;
use crate::exit;
use crate::output;

/// What lets every formatter set an apostrophe as it is.
const APOSTROPHE: [&str; 2] = [r".ie \n(.g .ds Aq \(aq", ".el .ds Aq '"];

pub(crate) fn completions(shell: Shell) -> Result<(), CliError> {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, &name, &mut script);
    if shell == Shell::Bash {
        script = with_one_name(&script, &name);
    }
    output::document(&script)
}

/// Lets the script for bash find its arms: it sets one name for this program, and asks for another.
///
/// A hyphen in the name becomes `__` where the name is set, and `__subcmd__` in the arms
/// (<https://github.com/clap-rs/clap/issues/6421>). Where that is mended, this changes nothing.
fn with_one_name(script: &[u8], name: &str) -> Vec<u8> {
    let script = String::from_utf8_lossy(script);
    let asked = name.replace('-', "__subcmd__");
    let set = name.replace('-', "__");
    script.replace(&asked, &set).into_bytes()
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
    let page = page(chosen.clone()).map_err(|source| CliError::Io {
        doing: "the page can't be made",
        source,
    })?;
    output::document(&page)
}

/// Makes a page; what stands in columns is set as it is, which the whole of it would not be.
fn page(mut command: clap::Command) -> io::Result<Vec<u8>> {
    // That of the page would list every option, and none with its value.
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    let is_whole = command.get_after_long_help().is_some();
    let has_commands = command.has_subcommands();
    let page = Man::new(command.override_usage(usage));
    let mut sections = Vec::new();
    page.render_name_section(&mut sections)?;
    page.render_synopsis_section(&mut sections)?;
    page.render_description_section(&mut sections)?;
    page.render_options_section(&mut sections)?;
    if has_commands {
        page.render_subcommands_section(&mut sections)?;
    }
    let mut text = Vec::new();
    let title = page.get_filename();
    head(&mut text, title.trim_end_matches(".1"))?;
    for line in String::from_utf8_lossy(&sections).lines() {
        // Each section comes with them.
        if !APOSTROPHE.contains(&line) {
            writeln!(text, "{line}")?;
        }
    }
    if is_whole {
        columns(&mut text, "ENVIRONMENT", &args::variables())?;
        columns(&mut text, "EXIT STATUS", &exit::list())?;
    }
    Ok(text)
}

/// Writes the title: that of the renderer has no date and leaves it out, so that the next one is it.
fn head(page: &mut Vec<u8>, title: &str) -> io::Result<()> {
    let (name, version) = (args::NAME, env!("CARGO_PKG_VERSION"));
    writeln!(page, r#".TH "{title}" "1" "" "{name} {version}" "{name}""#)?;
    APOSTROPHE
        .iter()
        .try_for_each(|line| writeln!(page, "{line}"))
}

/// Writes a section whose lines stay as they are.
fn columns(page: &mut Vec<u8>, title: &str, lines: &str) -> io::Result<()> {
    writeln!(page, ".SH \"{title}\"\n.nf")?;
    for line in lines.lines() {
        let line = line.replace('\\', r"\e").replace('-', r"\-");
        // What begins with a dot or an apostrophe would be a request; this is an empty character.
        writeln!(page, r"\&{line}")?;
    }
    writeln!(page, ".fi")
}
