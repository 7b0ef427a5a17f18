//! Prints what is made from the definition of the command line: completions and manual pages.

use std::io::{self, Write as _};

use clap::CommandFactory as _;
use clap_complete::env::{Bash, Elvish, EnvCompleter, Fish, Powershell, Zsh};
use clap_complete_nushell::Nushell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::args::{Arguments, Shell, help};
use crate::error::CliError;
use crate::exit;
use crate::output;
use crate::variables;

/// The request that lets every formatter set an apostrophe as it is.
const APOSTROPHE: [&str; 2] = [r".ie \n(.g .ds Aq \(aq", ".el .ds Aq '"];

/// Prints a script that completes commands, options and profiles.
///
/// It asks this program for them. Nushell's gets no profiles: there is no way yet to ask from it.
pub(crate) fn completions(shell: Shell) -> Result<(), CliError> {
    let mut script = Vec::new();
    let asking: &dyn EnvCompleter = match shell {
        Shell::Bash => &Bash,
        Shell::Elvish => &Elvish,
        Shell::Fish => &Fish,
        Shell::Powershell => &Powershell,
        Shell::Zsh => &Zsh,
        Shell::Nushell => {
            clap_complete::generate(Nushell, &mut Arguments::command(), help::NAME, &mut script);
            return output::document(&script);
        }
    };
    asking
        .write_registration(
            variables::COMPLETE,
            help::NAME,
            help::NAME,
            help::NAME,
            &mut script,
        )
        .map_err(|source| CliError::Io {
            doing: "the completions can't be generated",
            source,
        })?;
    output::document(&script)
}

pub(crate) fn man(path: &[String]) -> Result<(), CliError> {
    let mut command = Arguments::command();
    command.build();
    let mut chosen = &command;
    for name in path {
        let found = chosen.find_subcommand(name);
        chosen = found.ok_or(CliError::Input(
            "there is no such command; run `pollination-auth help` for a list",
        ))?;
    }
    let page = page(chosen.clone(), path.is_empty()).map_err(|source| CliError::Io {
        doing: "the manual page can't be generated",
        source,
    })?;
    output::document(&page)
}

/// Returns a page, whose lists are set as lists: the whole of it would be filled to one paragraph.
fn page(mut command: clap::Command, is_whole: bool) -> io::Result<Vec<u8>> {
    // That of the page would list every option, and none with its value.
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    let has_commands = command.has_subcommands();
    let examples = command.get_after_long_help().filter(|_| !is_whole);
    let examples = examples.map(ToString::to_string);
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
    if let Some(examples) = examples {
        as_it_stands(&mut text, &examples)?;
    }
    if is_whole {
        list(
            &mut text,
            "ENVIRONMENT",
            help::VARIABLES.map(|(name, meaning)| (name.to_owned(), meaning)),
        )?;
        list(
            &mut text,
            "EXIT STATUS",
            exit::MEANINGS.map(|(exit, meaning)| ((exit as u8).to_string(), meaning)),
        )?;
    }
    Ok(text)
}

/// Writes the title: that of the renderer has no date and leaves it out, so that the next one is
/// it.
fn head(page: &mut Vec<u8>, title: &str) -> io::Result<()> {
    let (name, version) = (help::NAME, env!("CARGO_PKG_VERSION"));
    writeln!(page, r#".TH "{title}" "1" "" "{name} {version}" "{name}""#)?;
    APOSTROPHE
        .iter()
        .try_for_each(|line| writeln!(page, "{line}"))
}

/// Writes a section that is a list of terms, each with its meaning.
fn list<const N: usize>(
    page: &mut Vec<u8>,
    title: &str,
    entries: [(String, &str); N],
) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    for (term, meaning) in entries {
        roff.control("TP", []);
        roff.text([bold(term)]);
        roff.text([roman(meaning)]);
    }
    without_head(page, &roff)
}

/// Writes a section of examples, whose lines stay as they are.
fn as_it_stands(page: &mut Vec<u8>, text: &str) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", ["EXAMPLES"]);
    roff.control("nf", []);
    for line in text.trim_start_matches("Examples:\n").lines() {
        roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    roff.control("fi", []);
    without_head(page, &roff)
}

fn without_head(page: &mut Vec<u8>, roff: &Roff) -> io::Result<()> {
    for line in roff
        .render()
        .lines()
        .filter(|line| !APOSTROPHE.contains(line))
    {
        writeln!(page, "{line}")?;
    }
    Ok(())
}
