//! What is said about a wrong command line, without the values on it: one may be a secret.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Stands for what was on the command line.
const HIDDEN: &str = "(not shown)";

/// The longest name of an option that is shown when it is none of ours: 24 letters.
const LONGEST_NAME: usize = 24;

const TIP: &str =
    "\n  tip: an id or a secret is never an argument; see 'pollination-auth login --help'\n";

/// Takes out of an error of the parser what the user wrote.
pub(crate) fn without_values(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::MissingSubcommand {
        // What it names is this program.
        return error;
    }
    for kind in [ContextKind::InvalidValue, ContextKind::InvalidSubcommand] {
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
    error
}

/// Gives more advice, where a secret may have been meant.
pub(crate) fn tip(error: &clap::Error) -> &'static str {
    match error.kind() {
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand => TIP,
        _ => "",
    }
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
