//! Testing code that needs the service: a scripted fault, and what the code under test makes of it.

use std::error::Error;
use std::io::{self, Write as _};

use pollination_auth::{ApiToken, Client, Error as AuthError, Secret};
use pollination_auth_fake::{FakeService, Fault, Operation};

/// The code under test: says whether a job may be started.
async fn may_start(client: &Client) -> Result<bool, AuthError> {
    match client.get_api_token().await {
        Ok(_) => Ok(true),
        Err(AuthError::NotFound(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = FakeService::builder()
        .id("an-id")
        .secret("a-secret")
        .start();
    let api_token = ApiToken::new("an-id", Secret::from("a-secret"))?;
    let client = Client::builder()
        .api_token(api_token)
        .base_url(service.base_url())
        .build()?;
    let mut out = io::stdout();

    writeln!(out, "all is well: may start {}", may_start(&client).await?)?;

    service.fail_next(Operation::GetApiToken, Fault::status(503));
    let answer = may_start(&client).await?;
    writeln!(
        out,
        "after a 503: may start {answer}, {} requests",
        service.count(Operation::GetApiToken)
    )?;

    service.expire_all_tokens();
    let answer = may_start(&client).await?;
    writeln!(
        out,
        "after the token's end: may start {answer}, {} logins",
        service.logins()
    )?;

    service.fail_next(Operation::GetApiToken, Fault::status(404));
    writeln!(
        out,
        "without an API token: may start {}",
        may_start(&client).await?
    )?;
    Ok(())
}
