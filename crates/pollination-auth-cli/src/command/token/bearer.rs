//! What the account is reached with: the stored credential, or an access token on standard input.

use std::io::{self, Read as _};

use pollination_auth::{AccessToken, Client, Secret};
use zeroize::Zeroizing;

use crate::args::Bearer;
use crate::context::Context;
use crate::error::CliError;

/// The longest standard input that is read: 32 KiB, twice the longest access token.
const STDIN_LIMIT: u64 = 32 * 1024;

/// Returns a client that uses it.
pub(super) fn client(context: &Context, bearer: &Bearer) -> Result<Client, CliError> {
    if bearer.access_token_stdin {
        Ok(context.builder().access_token(from_stdin()?).build()?)
    } else {
        context.client()
    }
}

pub(super) fn from_stdin() -> Result<AccessToken, CliError> {
    // Of the full size at once, or growing would leave copies behind.
    let capacity = usize::try_from(STDIN_LIMIT).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    let read = io::stdin().lock().take(STDIN_LIMIT).read_to_end(&mut bytes);
    read.map_err(|source| CliError::Io {
        doing: "the standard input can't be read",
        source,
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|_no_text| CliError::Stdin("is not UTF-8"))?;
    let text = Secret::from(text.to_owned());
    AccessToken::new(text.expose_secret()).map_err(|problem| CliError::Credential {
        from: "standard input",
        problem,
    })
}
