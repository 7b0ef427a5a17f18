//! What the account is reached with: the stored credential, or an access token on standard input.

use pollination_auth::{AccessToken, Client, Secret};

use crate::args::token::Bearer;
use crate::context::Context;
use crate::error::CliError;
use crate::stdin;

/// The longest standard input that is read: 32 KiB, twice the longest access token.
const STDIN_LIMIT: u32 = 32 * 1024;

/// Returns a client that uses it.
pub(super) async fn client(context: &Context, bearer: &Bearer) -> Result<Client, CliError> {
    if bearer.access_token_stdin {
        Ok(context
            .builder()
            .access_token(from_stdin().await?)
            .build()?)
    } else {
        context.client()
    }
}

pub(super) async fn from_stdin() -> Result<AccessToken, CliError> {
    let bytes = stdin::read(STDIN_LIMIT).await?;
    let text = std::str::from_utf8(&bytes).map_err(|_no_text| CliError::Stdin("is not UTF-8"))?;
    let text = Secret::from(text.to_owned());
    AccessToken::new(text.expose_secret()).map_err(|problem| CliError::Credential {
        from: "standard input",
        problem,
    })
}
