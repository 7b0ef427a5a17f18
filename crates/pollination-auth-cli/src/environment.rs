//! The id and secret of the environment: read, and never written anywhere.
//!
//! When they are used is the commands' business.

use std::env;
use std::ffi::OsString;

use pollination_auth::{ApiToken, Secret};

use crate::error::CliError;
use crate::variables::{ID, SECRET};

/// Returns `true` if either variable is set. One alone is an error, not treated as unset.
pub(crate) fn is_set() -> bool {
    [ID, SECRET].map(env::var_os).iter().any(Option::is_some)
}

/// Returns the id and secret, unless neither is set.
pub(crate) fn find() -> Result<Option<ApiToken>, CliError> {
    is_set().then(|| api_token(env::var_os)).transpose()
}

/// Returns `true` if an id is set and differs from this one.
pub(crate) fn has_other_id(id: &str) -> bool {
    env::var_os(ID).is_some_and(|set| set != id)
}

/// Returns `true` if another secret of the same API token is set. One of the two is probably dead.
pub(crate) fn has_other_secret(token: &ApiToken) -> bool {
    find().ok().flatten().is_some_and(|set| {
        set.id() == token.id() && set.secret().expose_secret() != token.secret().expose_secret()
    })
}

/// Reads both variables. An error names the variable and never shows its value.
pub(crate) fn api_token(
    look_up: impl Fn(&'static str) -> Option<OsString>,
) -> Result<ApiToken, CliError> {
    let text = |variable| {
        let wrong = |problem| CliError::Variable { variable, problem };
        let value = look_up(variable)
            .ok_or_else(|| wrong("is not set, and the two go together: set both, or neither"))?;
        value
            .into_string()
            .map_err(|_bytes| wrong("is not valid UTF-8"))
    };
    let (id, secret) = (text(ID)?, Secret::from(text(SECRET)?));
    ApiToken::new(id, secret.expose_secret()).map_err(|problem| CliError::Credential {
        from: "the environment",
        problem,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_51_a_variable_that_is_missing_or_empty_is_named_and_none_falls_through() {
        let with = |id: Option<&str>, secret: Option<&str>| {
            api_token(|name| {
                let value = if name == ID { id } else { secret };
                value.map(OsString::from)
            })
            .unwrap_err()
            .to_string()
        };
        assert_eq!(
            with(None, Some("planted")),
            format!("{ID} is not set, and the two go together: set both, or neither")
        );
        assert_eq!(
            with(Some("i"), None),
            format!("{SECRET} is not set, and the two go together: set both, or neither")
        );
        assert_eq!(
            with(Some("i"), Some("")),
            "the environment: the API token's secret is empty"
        );
    }
}
