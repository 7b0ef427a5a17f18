//! Prints a valid access token.

use std::fmt;

use serde::Serialize;

use crate::args::{self, TokenFormat};
use crate::context::Context;
use crate::current_token;
use crate::error::CliError;
use crate::output::{self, Format};
use crate::time::Stamp;
use crate::variables::ACCESS_TOKEN;

/// The result; it is the secret.
#[derive(Serialize)]
struct Answer<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_at: Option<Stamp>,
    #[serde(skip)]
    format: TokenFormat,
}

/// An access token has no character that any of these shells would change between single quotes.
impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.access_token;
        match self.format {
            TokenFormat::Text | TokenFormat::Json => f.write_str(token),
            TokenFormat::Header => write!(f, "Authorization: Bearer {token}"),
            TokenFormat::Env => write!(f, "export {ACCESS_TOKEN}='{token}'"),
            TokenFormat::Fish => write!(f, "set -gx {ACCESS_TOKEN} '{token}'"),
            TokenFormat::Powershell => write!(f, "$env:{ACCESS_TOKEN} = '{token}'"),
        }
    }
}

pub(crate) async fn run(context: &Context, wanted: &args::AccessToken) -> Result<(), CliError> {
    let token = current_token::get(context, wanted.wanted).await?;
    let output = context.global.output;
    let (output, format) = match wanted.format {
        None => (output, TokenFormat::Text),
        Some(TokenFormat::Json) => (Format::Json, TokenFormat::Json),
        Some(format) => (Format::Text, format),
    };
    let answer = Answer {
        access_token: token.expose_secret(),
        token_type: "Bearer",
        expires_at: token.expires_at().map(Stamp),
        format,
    };
    output::answer(output, &answer)
}
