//! Errors of the command line, without what may be a secret on it.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Stands for what was on the command line.
const HIDDEN: &str = "(not shown)";

/// The longest word that is shown: 16 small letters or hyphens.
///
/// A mistyped command or option looks like that. A secret is longer, or has digits and capitals.
const LONGEST_WORD: usize = 16;

/// The longest of other values that is shown: 8 characters, such as `90 secs`. A secret is longer.
const LONGEST_VALUE: usize = 8;

/// The letters that a suggestion has to share with what was written, from the first one.
///
/// What only looks alike is another command, and one of them removes the credential.
const SHARED_START: usize = 2;

const TIP: &str =
    "\n  tip: an id or a secret is never an argument; see 'pollination-auth login --help'\n";

const HIDDEN_TIP: &str = "\n  what was given is not shown, as it may be a secret\n";

/// Takes out of an error of the parser what the user wrote, if it may be a secret.
pub(crate) fn without_secrets(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::MissingSubcommand {
        // It names this program.
        return error;
    }
    keep_near_suggestions(&mut error);
    let mut kinds = vec![ContextKind::InvalidSubcommand, ContextKind::InvalidValue];
    if error.kind() == ErrorKind::UnknownArgument {
        kinds.push(ContextKind::InvalidArg);
    }
    for kind in kinds {
        if matches!(error.get(kind), Some(ContextValue::String(text)) if !is_harmless(text)) {
            error.insert(kind, ContextValue::String(HIDDEN.to_owned()));
        }
    }
    // It quotes the argument too.
    error.remove(ContextKind::Suggested);
    without_variables(&mut error);
    error
}

/// Takes the options that the environment sets out of the usage, which lists them as required.
fn without_variables(error: &mut clap::Error) {
    const SET: [&str; 2] = ["--profile <NAME> ", "--host <URL> "];
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        let plain = usage.to_string();
        let without = SET
            .iter()
            .fold(plain.clone(), |usage, option| usage.replace(option, ""));
        if without != plain {
            error.insert(ContextKind::Usage, ContextValue::StyledStr(without.into()));
        }
    }
}

/// Returns `true` if a text is too short and too plain to be a secret.
fn is_harmless(text: &str) -> bool {
    let word = text.trim_start_matches("--");
    let is_word = word
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let is_short = text
        .bytes()
        .all(|byte| byte == b' ' || byte.is_ascii_graphic());
    (is_word && word.len() <= LONGEST_WORD) || (is_short && text.len() <= LONGEST_VALUE)
}

/// Keeps the suggested commands that begin like what was written.
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
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand if is_hidden(error) => TIP,
        ErrorKind::InvalidValue | ErrorKind::ValueValidation if is_hidden(error) => HIDDEN_TIP,
        _ => "",
    }
}

fn is_hidden(error: &clap::Error) -> bool {
    let kinds = [
        ContextKind::InvalidSubcommand,
        ContextKind::InvalidValue,
        ContextKind::InvalidArg,
    ];
    kinds
        .into_iter()
        .any(|kind| matches!(error.get(kind), Some(ContextValue::String(text)) if text == HIDDEN))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Arguments;

    fn shown(arguments: &[&str]) -> String {
        let line = [&["pollination-auth"], arguments].concat();
        let error = without_secrets(Arguments::try_parse_from(line).unwrap_err());
        format!("{}{error:?}", error.render())
    }

    #[test]
    fn row_55_no_secret_of_the_command_line_is_in_an_error() {
        for secret in [
            "Planted-secret-1",
            "planted0123456789",
            "plantedplantedplanted",
        ] {
            for arguments in [
                &["login", secret][..],
                &["login", "--id", secret],
                &["login", &format!("--secret={secret}")],
                &["login", &format!("-s{secret}")],
                &["login", &format!("--{secret}")],
                &["login", &format!("--yes={secret}")],
                &[secret],
                &["status", "--output", secret],
                &["status", &format!("--output={secret}")],
                &["token", secret],
                &["help", secret],
                &["access-token", "--valid-for", secret],
                &["completions", secret],
                &["token", "rotate", "--", secret],
            ] {
                let text = shown(arguments).to_lowercase();
                assert!(!text.contains("planted"), "{arguments:?}: {text}");
            }
        }
    }

    #[test]
    fn what_can_be_no_secret_is_shown() {
        for (arguments, expected) in [
            (&["status", "--profil", "x"][..], "'--profil'"),
            (&["bogus"], "'bogus'"),
            (&["token", "rotat"], "'rotat'"),
            (&["access-token", "--valid-for", "5 meters"], "'5 meters'"),
            (&["status", "--output", "yaml"], "'yaml'"),
            (&["completions", "tcsh"], "'tcsh'"),
        ] {
            let text = shown(arguments);
            assert!(text.contains(expected) && !text.contains(HIDDEN), "{text}");
        }
    }
}
