//! The API token of the environment: read, and never written anywhere.
//!
//! The library reads it, from variables or from the files that they name. When it is used is
//! decided in `context`.

use std::env;

use pollination_auth::ApiToken;

use crate::error::CliError;
use crate::variables::{ID, ID_FILE, LATER_KEY, SECRET, SECRET_FILE};

/// Returns `true` if a part of an API token is set. One alone is an error, not treated as unset.
pub(crate) fn is_set() -> bool {
    has(ID) || has(SECRET)
}

/// Returns `true` if the key of the vendor's later API is set, which no command here can use.
pub(crate) fn has_later_key() -> bool {
    env::var_os(LATER_KEY).is_some()
}

/// Returns the API token, unless neither part of it is set.
pub(crate) fn find() -> Result<Option<ApiToken>, CliError> {
    is_set().then(api_token).transpose()
}

/// Returns the API token. An error names the variable or the file, and shows nothing of it.
pub(crate) fn api_token() -> Result<ApiToken, CliError> {
    ApiToken::from_env().map_err(|problem| {
        if has(ID) == has(SECRET) {
            CliError::Client(problem)
        } else {
            CliError::HalfOfTheEnvironment(problem)
        }
    })
}

/// Returns `true` if another secret of the same API token is set. One of the two is probably dead.
pub(crate) fn has_other_secret(token: &ApiToken) -> bool {
    let set = find().ok().flatten();
    set.is_some_and(|set| set.id() == token.id() && !has_same_secret(&set, token))
}

/// Returns `true` if two API tokens have the same secret.
pub(crate) fn has_same_secret(one: &ApiToken, other: &ApiToken) -> bool {
    one.secret().expose_secret() == other.secret().expose_secret()
}

/// Returns `true` if a variable is set, or the one that names a file instead.
fn has(variable: &str) -> bool {
    let file = match variable {
        ID => ID_FILE,
        _ => SECRET_FILE,
    };
    [variable, file]
        .map(env::var_os)
        .iter()
        .any(Option::is_some)
}
