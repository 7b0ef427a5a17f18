//! Seeing what the client does: one span for each attempt, and a channel of new access tokens.

use std::error::Error;
use std::io::{self, Write as _};

use pollination_auth::{ApiToken, Client, Secret};
use pollination_auth_fake::{FakeService, Fault, Operation};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The client alone: the service in memory has a log of its own.
    let ours = Targets::new().with_target("pollination_auth", LevelFilter::DEBUG);
    tracing_subscriber::registry()
        .with(
            tracing_subscriber::fmt::layer()
                .without_time()
                .with_ansi(false),
        )
        .with(ours)
        .init();

    let service = FakeService::builder()
        .id("an-id")
        .secret("a-secret")
        .start();
    let api_token = ApiToken::new("an-id", Secret::from("a-secret"))?;
    let client = Client::builder()
        .api_token(api_token)
        .base_url(service.base_url())
        .build()?;
    let mut changes = client.access_token_changes();

    service.fail_next(Operation::Login, Fault::status(503));
    client.get_api_token().await?;
    let held = changes.changed().await?.is_some();
    writeln!(io::stdout(), "a new access token was told: {held}")?;
    Ok(())
}
