//! What is said about a wrong command line, without the values on it: one may be a secret.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Stands for what was on the command line.
const HIDDEN: &str = "(not shown)";

/// The longest name of an option that is shown when it is none of ours: 24 letters.
const LONGEST_NAME: usize = 24;

/// The longest value of `--output` that is shown: 6 letters, such as `yaml`, and no secret.
const LONGEST_FORMAT: usize = 6;

/// The letters that a suggestion has to share with what was written, from the first one.
///
/// What only looks alike is another command, and one of them forgets the credential.
const SHARED_START: usize = 2;

const TIP: &str =
    "\n  tip: an id or a secret is never an argument; see 'pollination-auth login --help'\n";

const HIDDEN_TIP: &str = "\n  what was given is not shown, as it may be a secret\n";

/// Takes out of an error of the parser what the user wrote.
pub(crate) fn without_values(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::MissingSubcommand {
        // What it names is this program.
        return error;
    }
    keep_near_suggestions(&mut error);
    let mut values = vec![ContextKind::InvalidSubcommand];
    if !is_value_harmless(&error) {
        values.push(ContextKind::InvalidValue);
    }
    for kind in values {
        if error.get(kind).is_some() {
            error.insert(kind, ContextValue::String(HIDDEN.to_owned()));
        }
    }
    let unknown = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => !is_name(argument),
        _ => false,
    };
    if unknown && error.kind() == ErrorKind::UnknownArgument {
        error.insert(
            ContextKind::InvalidArg,
            ContextValue::String(HIDDEN.to_owned()),
        );
    }
    // It quotes the argument too.
    error.remove(ContextKind::Suggested);
    without_host(&mut error);
    error
}

/// Takes the host out of the usage, which lists it as needed where the environment has one.
fn without_host(error: &mut clap::Error) {
    const HOST: &str = "--host <URL> ";
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        let plain = usage.to_string();
        if plain.contains(HOST) {
            let usage = plain.replace(HOST, "").into();
            error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
        }
    }
}

/// Returns `true` if an invalid value can be shown: one that was left out, or a name of a format.
fn is_value_harmless(error: &clap::Error) -> bool {
    let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) else {
        return true;
    };
    let is_format = matches!(
        error.get(ContextKind::InvalidArg),
        Some(ContextValue::String(argument)) if argument.starts_with("--output ")
    );
    value.is_empty()
        || (is_format
            && value.len() <= LONGEST_FORMAT
            && value.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// Leaves of the suggested commands those that begin like what was written.
fn keep_near_suggestions(error: &mut clap::Error) {
    let kind = ContextKind::SuggestedSubcommand;
    let (Some(ContextValue::String(written)), Some(ContextValue::Strings(suggested))) =
        (error.get(ContextKind::InvalidSubcommand), error.get(kind))
    else {
        return;
    };
    let start: String = written.chars().take(SHARED_START).collect();
    let near = suggested.iter().filter(|name| name.starts_with(&start));
    let near: Vec<String> = near.cloned().collect();
    error.remove(kind);
    if !near.is_empty() {
        error.insert(kind, ContextValue::Strings(near));
    }
}

/// Returns more advice, where a secret may have been meant.
pub(crate) fn tip(error: &clap::Error) -> &'static str {
    match error.kind() {
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand => TIP,
        ErrorKind::InvalidValue | ErrorKind::ValueValidation if is_hidden(error) => HIDDEN_TIP,
        _ => "",
    }
}

fn is_hidden(error: &clap::Error) -> bool {
    let value = error.get(ContextKind::InvalidValue);
    matches!(value, Some(ContextValue::String(value)) if value == HIDDEN)
}

/// A mistyped option is worth showing, and looks like no secret.
fn is_name(argument: &str) -> bool {
    let Some(name) = argument.strip_prefix("--") else {
        return false;
    };
    name.len() <= LONGEST_NAME
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Arguments;

    #[test]
    fn row_55_no_value_of_the_command_line_is_in_an_error() {
        for arguments in [
            &["login", "planted"][..],
            &["login", "--id", "planted"],
            &["login", "--secret=planted"],
            &["login", "-splanted"],
            &["login", "--Planted-planted1"],
            &["login", "--yes=planted"],
            &["planted"],
            &["status", "--output", "planted"],
            &["status", "--output=planted"],
            &["token", "planted"],
            &["access-token", "--valid-for", "planted"],
            &["access-token", "--valid-for", "1planted"],
            &["completions", "planted"],
            &["token", "rotate", "--", "planted"],
        ] {
            let line = [&["pollination-auth"], arguments].concat();
            let error = without_values(Arguments::try_parse_from(line).unwrap_err());
            let text = format!("{}{error:?}", error.render());
            assert!(
                !text.to_lowercase().contains("planted"),
                "{arguments:?}: {text}"
            );
        }
    }

    #[test]
    fn the_name_of_a_mistyped_option_is_shown() {
        let line = ["pollination-auth", "status", "--profil", "x"];
        let error = without_values(Arguments::try_parse_from(line).unwrap_err());
        assert!(error.render().to_string().contains("'--profil'"));
    }
}
